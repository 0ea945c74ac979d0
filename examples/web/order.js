// A new booking: bike, services, time, person. Each part appears when the one before it is chosen.

import * as api from "./api.js";
import { remember } from "./bookings.js";
import { choices, clock, duration, longDay, make, notice, rupees, show } from "./page.js";
import { chooseTime } from "./times.js";

const PLACES = [{ value: "shop", label: "I bring it to the shop" }, { value: "home", label: "Repair it at my home" }];
// Where the answer to a faulty field is shown.
const PARTS = { appointment_date: "time", appointment_time: "time", service_ids: "services", vehicle_model_id: "bike" };

export function orderPage(shop) {
  const chosen = { type: null, brand: null, model: null, services: new Map(), place: "shop", date: null, time: null };
  let session = null;

  const part = (name, title) => make("fieldset", { id: name, hidden: true },
    make("legend", {}, title), make("div", { class: "content" }), make("div", { class: "fault" }));
  const parts = {
    bike: part("bike", "Your bike"), brand: part("brand", "Brand"), model: part("model", "Model"),
    services: part("services", "What should be done?"), time: part("time", "Where and when?"), person: part("person", "About you"),
    proof: part("proof", "Confirm your number"),
  };
  const content = (name) => parts[name].querySelector(".content");
  const sum = make("p", { class: "sum" });
  const button = make("button", { type: "submit", class: "main" }, "Book");
  const bar = make("div", { class: "bar", hidden: true }, sum, button);
  const said = make("div", { class: "said" });
  const form = make("form", { novalidate: true, onsubmit: submit }, Object.values(parts), said, bar);

  function open(name) {
    const isNew = parts[name].hidden;
    parts[name].hidden = false;
    // The services stay in view while more of them are chosen.
    if (isNew && name !== "bike" && name !== "time") parts[name].scrollIntoView({ block: "start" });
  }
  function close(...names) {
    for (const name of names) parts[name].hidden = true;
    showSum();
  }

  /** Loads what a part offers; a failure has a button to try again. */
  async function load(name, ask, draw) {
    open(name);
    content(name).replaceChildren(make("p", { class: "soft" }, "One moment…"));
    try {
      draw(await ask());
    } catch (failure) {
      content(name).replaceChildren(notice("problem", failure.message,
        make("button", { type: "button", onclick: () => load(name, ask, draw) }, "Try again")));
    }
  }
  const named = (items) => items.map(({ id, name }) => ({ value: id, label: name }));

  function askType() {
    load("bike", api.types, (types) => content("bike").replaceChildren(
      choices("type", named(types), { onChoose: ({ value }) => askBrand(value) })));
  }
  function askBrand(type) {
    close("model", "services", "time", "person", "proof");
    chosen.services.clear();
    load("brand", () => api.brands(type), (brands) => content("brand").replaceChildren(
      choices("brand", named(brands), { onChoose: ({ value }) => askModel(value) })));
  }
  function askModel(brand) {
    close("services", "time", "person", "proof");
    chosen.services.clear();
    load("model", () => api.models(brand), (models) => content("model").replaceChildren(
      choices("model", named(models), { onChoose: ({ value }) => askServices(value) })));
  }
  function askServices(model) {
    chosen.model = model;
    chosen.services.clear();
    close("time", "person", "proof");
    load("services", () => api.prices(model), (prices) => {
      content("services").replaceChildren(...[...byCategory(prices)].map(([category, services], index) =>
        make("details", { open: index === 0 }, make("summary", {}, category),
          make("ul", { class: "services" }, services.map(service)))));
    });
  }
  function service(price) {
    return make("li", {}, make("label", { class: "service" },
      make("input", { type: "checkbox", name: "service", value: price.service_id, onchange: ({ target }) => {
        if (target.checked) chosen.services.set(price.service_id, price);
        else chosen.services.delete(price.service_id);
        servicesChanged();
      } }),
      make("span", { class: "what" }, price.service_name,
        make("small", {}, `${duration(price.duration_minutes)} · ${price.description}`)),
      make("span", { class: "price" }, rupees(price.price))));
  }
  function servicesChanged() {
    showSum();
    if (chosen.services.size === 0) return close("time", "person", "proof");
    askTime();
  }

  function askTime() {
    const times = make("div");
    const job = { place: chosen.place, model: chosen.model, services: [...chosen.services.keys()] };
    chosen.time = null;
    showSum();
    content("time").replaceChildren(
      choices("place", PLACES, { value: chosen.place, onChoose: ({ value }) => {
        chosen.place = value;
        address.hidden = value !== "home";
        askTime();
      } }),
      times);
    chooseTime(times, { shop, job, date: chosen.date, onChoose: (moment) => {
      Object.assign(chosen, moment);
      showSum();
      if (moment.time) askPerson();
    } });
    open("time");
  }

  const input = (name, label, attributes) => make("div", { class: "input" },
    make("label", { for: name }, label), make("input", { id: name, name, ...attributes }), make("p", { class: "fault", id: `${name}-fault` }));
  const address = input("address", "Address", { autocomplete: "street-address", maxlength: 500 });
  address.hidden = true;
  function askPerson() {
    if (!content("person").hasChildNodes()) {
      content("person").append(
        input("customer_name", "Name", { autocomplete: "name", maxlength: 100, required: true }),
        input("customer_phone", "Mobile number", { type: "tel", inputmode: "tel", autocomplete: "tel", required: true }),
        address,
        input("customer_email", "E-mail (optional)", { type: "email", autocomplete: "email" }),
        input("notes", "Anything we should know? (optional)", { maxlength: 1000 }));
    }
    open("person");
  }

  function showSum() {
    const services = [...chosen.services.values()];
    const total = services.reduce((sum, { price }) => sum + Math.round(price * 100), 0) / 100;
    const minutes = services.reduce((sum, { duration_minutes }) => sum + duration_minutes, 0);
    const moment = chosen.time ? `${longDay(chosen.date)}, ${clock(chosen.time)}` : `about ${duration(minutes)}`;
    bar.hidden = services.length === 0;
    sum.replaceChildren(make("strong", {}, rupees(total)), make("span", {}, moment));
    button.textContent = chosen.time ? "Book" : "Choose a time";
  }

  const value = (name) => form.elements[name]?.value.trim() || undefined;
  const order = () => ({
    customer_name: value("customer_name") ?? "", customer_phone: value("customer_phone") ?? "",
    customer_email: value("customer_email"), notes: value("notes"),
    vehicle_model_id: chosen.model, service_ids: [...chosen.services.keys()], service_location: chosen.place,
    address: chosen.place === "home" ? value("address") ?? "" : "",
    appointment_date: chosen.date, appointment_time: chosen.time, payment_method: "cash",
  });

  function submit(event) {
    event.preventDefault();
    if (chosen.time) send(order());
    else parts.time.scrollIntoView({ block: "start" });
  }

  async function send(wanted) {
    clearFaults();
    button.disabled = true;
    button.textContent = "Booking…";
    try {
      const made = await api.book(wanted, { session, onWait: () => say("wait", "The network is slow or gone. We keep trying, and you will be booked once.") });
      finish(made);
    } catch (failure) {
      refused(failure, wanted);
    } finally {
      button.disabled = false;
      showSum();
    }
  }

  function refused(failure, wanted) {
    said.replaceChildren();
    if (failure.passes) {
      say("problem", "We do not know yet whether you are booked. Try again: you will be booked once.",
        make("button", { type: "button", onclick: () => send(wanted) }, "Try again"));
    } else if (failure.code === "VALIDATION_ERROR") {
      showFaults(failure.details);
    } else if (failure.code === "SLOT_FULL") {
      full(failure);
    } else if (failure.code === "PROOF_NEEDED") {
      askProof(failure, wanted);
    } else {
      say("problem", failure.message);
    }
  }

  /** Another customer was faster: offers the nearest free times. */
  function full(failure) {
    const free = failure.details.available.slice(0, 4);
    askTime();
    say("problem", "This time has just been taken.", make("div", { class: "chips" }, free.map(({ date, time }) =>
      make("button", { type: "button", onclick: () => {
        Object.assign(chosen, { date, time });
        showSum();
        send(order());
      } }, `${longDay(date)}, ${clock(time)}`))));
  }

  async function askProof(failure, wanted) {
    const phone = wanted.customer_phone;
    const code = input("code", "Code", { inputmode: "numeric", autocomplete: "one-time-code" });
    const confirm = make("button", { type: "button", onclick: async () => {
      try {
        session = await api.proveNumber(phone, value("code") ?? "");
        close("proof");
        send(wanted);
      } catch (refusal) {
        parts.proof.querySelector(".content + .fault").replaceChildren(notice("problem", refusal.message));
      }
    } }, "Confirm and book");
    content("proof").replaceChildren(make("p", {}, "A few bookings of your number are still open. Please confirm that it is yours."), code, confirm);
    open("proof");
    try {
      await api.requestCode(phone);
    } catch (refusal) {
      say("problem", refusal.message);
    }
  }

  /** Says what became of the order, above the bar. */
  function say(kind, text, ...actions) {
    said.replaceChildren(notice(kind, text, ...actions));
    said.scrollIntoView({ block: "nearest" });
  }
  function clearFaults() {
    said.replaceChildren();
    for (const fault of form.querySelectorAll(".fault")) fault.replaceChildren();
    for (const faulty of form.querySelectorAll("[aria-invalid]")) faulty.removeAttribute("aria-invalid");
  }
  function showFaults(details) {
    let first;
    for (const [field, [sentence]] of Object.entries(details)) {
      const faulty = form.querySelector(`input#${CSS.escape(field)}`);
      if (faulty) {
        faulty.setAttribute("aria-invalid", "true");
        faulty.setAttribute("aria-describedby", `${field}-fault`);
        form.querySelector(`#${CSS.escape(field)}-fault`).textContent = sentence;
        first ??= faulty;
      } else {
        (parts[PARTS[field]]?.querySelector(".content + .fault") ?? said).append(notice("problem", sentence));
      }
    }
    first?.focus();
  }

  function finish(made) {
    remember(made);
    location.hash = `booking/${made.id}/${made.access_token}/new`;
  }

  show(make("h1", {}, "Book a repair"),
    make("p", { class: "lead" }, "Pick your bike, see the price, choose a free time. It takes a minute, and no account."), form);
  askType();

  // An order of before a reload or a closed tab: sent again with its key, so that it is answered, and made once.
  const left = api.unanswered();
  if (left) {
    send(left.order);
    say("wait", "Your last booking was not answered. We are asking again.");
  }
}

function byCategory(prices) {
  const groups = new Map();
  for (const price of prices) groups.set(price.category_name, [...(groups.get(price.category_name) ?? []), price]);
  return groups;
}
