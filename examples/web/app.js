// Starts the page: the shop's name, and what the address after `#` asks for.

import * as api from "./api.js";
import { bookingPage } from "./booking.js";
import { kept } from "./bookings.js";
import { orderPage } from "./order.js";
import { longDay, make, notice, show } from "./page.js";

const network = document.querySelector("#network");
const tellNetwork = () => (network.hidden = navigator.onLine);
addEventListener("online", tellNetwork);
addEventListener("offline", tellNetwork);
tellNetwork();

let shop;

async function start() {
  try {
    shop ??= await api.shop();
  } catch (failure) {
    return show(notice("problem", failure.message, make("button", { type: "button", onclick: start }, "Try again")));
  }
  document.querySelector("#shop").textContent = shop.name;
  document.querySelector("#where").textContent = `${shop.name}, ${shop.address}. Open ${shop.working_days}.`;
  const call = document.querySelector("#call");
  Object.assign(call, { href: `tel:${shop.phone}`, textContent: "Call", hidden: false });
  call.setAttribute("aria-label", `Call ${shop.name}`);
  const [what, id, token, isNew] = location.hash.slice(1).split("/");
  if (what === "booking" && id && token) await bookingPage(shop, id, token, isNew === "new");
  else {
    orderPage(shop);
    showKept();
  }
  scrollTo(0, 0);
}

function showKept() {
  const links = kept().map(({ id, token, reference, date }) =>
    make("li", {}, make("a", { href: `#booking/${id}/${token}` }, longDay(date)), " ", make("span", { class: "soft" }, reference)));
  if (links.length) document.querySelector("#main").append(make("section", { class: "card kept" }, make("h2", {}, "Your bookings"), make("ul", {}, links)));
}

addEventListener("hashchange", start);
start();
