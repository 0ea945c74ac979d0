// One booking by its link, which has the token after the `#` that browsers never send: pay, move, cancel.

import * as api from "./api.js";
import { clock, longDay, make, notice, rupees, show } from "./page.js";
import { chooseTime } from "./times.js";

const STATES = {
  pending: "Waiting for the shop's confirmation", confirmed: "Confirmed", in_progress: "In work", completed: "Done",
  cancelled: "Cancelled",
};
const EVENTS = {
  created: "Booked", confirmed: "Confirmed", rescheduled: "Moved", cancelled: "Cancelled", paid: "Paid", in_progress: "Work began",
  completed: "Done", refund_requested: "Refund requested", refunded: "Money given back",
};

export async function bookingPage(shop, id, token, isNew) {
  show(make("p", { class: "soft" }, "One moment…"));
  const said = make("div", { class: "said" });
  const room = make("div");

  async function draw(done) {
    let booking;
    try {
      booking = await api.booking(id, token);
    } catch (failure) {
      return show(make("h1", {}, "Your booking"), notice("problem", failure.message,
        make("button", { type: "button", onclick: () => bookingPage(shop, id, token, isNew) }, "Try again")));
    }
    // Without a valid token the API answers with what the public may see.
    if (!booking.reference) return show(make("h1", {}, "This link has ended"), make("p", {}, "Please call the shop, or book again."), again());
    const canChange = ["pending", "confirmed"].includes(booking.booking_status);
    const isOwed = booking.payment_status === "pending" && booking.booking_status !== "cancelled";
    const pay = make("button", { type: "button", class: "main", onclick: () => payNow(booking) }, `Pay ${rupees(booking.total_amount)} online`);
    said.replaceChildren(done ? notice("done", done) : "");
    room.replaceChildren();
    show(
      make("h1", {}, isNew ? "You are booked" : "Your booking"),
      said,
      make("section", { class: "card" },
        make("p", { class: `state ${booking.booking_status}` }, STATES[booking.booking_status]),
        make("h2", {}, `${longDay(booking.appointment_date)}, ${clock(booking.appointment_time)}`),
        make("p", {}, booking.service_location === "home" ? `At your home: ${booking.address}` : `At the shop: ${shop.address}`),
        make("p", {}, `${booking.vehicle_brand_name} ${booking.vehicle_model_name}`),
        make("table", {},
          make("tbody", {}, booking.booking_services.map((line) => make("tr", {}, make("td", {}, line.service_name), make("td", {}, rupees(line.price))))),
          make("tfoot", {}, make("tr", {}, make("th", { scope: "row" }, paid(booking)), make("td", {}, rupees(booking.total_amount))))),
        make("p", { class: "soft" }, "Reference ", make("strong", {}, booking.reference))),
      make("div", { class: "actions" },
        isOwed && pay,
        canChange && make("button", { type: "button", onclick: () => askTime(booking) }, "Choose another time"),
        canChange && make("button", { type: "button", class: "plain", onclick: () => askCancel(booking) }, "Cancel the booking")),
      isOwed && make("p", { class: "soft" }, "You can also pay at the shop."),
      room,
      await story(),
      make("p", { class: "soft" }, "Keep this page's address: it opens your booking on any device."),
      again());
  }

  const again = () => make("p", {}, make("a", { href: "#" }, "Book another repair"));
  const paid = ({ payment_status: status }) => ({ completed: "Paid", refunded: "Given back", pending: "To pay" })[status];

  async function story() {
    const events = await api.timeline(id, token).catch(() => []);
    const told = events.filter(({ event }) => EVENTS[event]);
    return make("details", {}, make("summary", {}, "What has happened"), make("ol", { class: "story" }, told.map(({ at, event }) =>
      make("li", {}, EVENTS[event], " ", make("time", { datetime: at, class: "soft" }, new Date(at).toLocaleString("en-IN", {
        dateStyle: "medium", timeStyle: "short", timeZone: shop.timezone,
      }))))));
  }

  const problem = (failure) => {
    said.replaceChildren(notice("problem", failure.message));
    said.scrollIntoView({ block: "center" });
  };

  async function payNow(booking) {
    said.replaceChildren();
    try {
      const order = await api.order(id);
      const Razorpay = await checkout();
      const open = new Razorpay({
        key: order.key_id, order_id: order.order_id, amount: order.amount_paise, currency: order.currency,
        name: shop.name, description: booking.reference,
        prefill: { name: booking.customer.name, contact: booking.customer.phone, email: booking.customer.email ?? "" },
        handler: settle,
        modal: { ondismiss: () => said.replaceChildren(notice("wait", "The payment was not finished. You can pay later, or at the shop.")) },
      });
      open.on("payment.failed", ({ error }) => said.replaceChildren(notice("problem", error.description ?? "The payment failed.")));
      open.open();
    } catch (failure) {
      problem(failure.code === "UNREACHABLE" ? failure : new Error(failure.code === "PAYMENTS_DISABLED" ? "Please pay at the shop: online payment is switched off." : failure.message));
      if (failure.code === "ALREADY_PAID") draw("This booking is paid.");
    }
  }

  async function settle(result) {
    const { razorpay_order_id, razorpay_payment_id, razorpay_signature } = result;
    said.replaceChildren(notice("wait", "Your payment is being confirmed…"));
    try {
      await api.verify({ razorpay_order_id, razorpay_payment_id, razorpay_signature });
      await draw("The payment has arrived. Thank you!");
    } catch (failure) {
      // Razorpay also tells the shop itself, so a payment is never lost.
      problem(failure.code === "UNREACHABLE" ? new Error("The payment was made, and the shop will see it. Please look again in a few minutes.") : failure);
    }
  }

  function askTime(booking) {
    const times = make("div");
    let chosen = null;
    const button = make("button", { type: "button", class: "main", disabled: true, onclick: async () => {
      try {
        await api.move(id, token, chosen.date, chosen.time);
        await draw("The booking was moved.");
      } catch (failure) {
        problem(failure);
      }
    } }, "Move to this time");
    room.replaceChildren(make("fieldset", { class: "move" }, make("legend", {}, "Another time"), times, button));
    chooseTime(times, {
      shop, date: booking.appointment_date,
      job: { place: booking.service_location, model: booking.vehicle_model, services: booking.booking_services.map((line) => line.service) },
      onChoose: (moment) => {
        chosen = moment;
        button.disabled = !moment.time;
      },
    });
    room.scrollIntoView({ behavior: "smooth" });
  }

  function askCancel(booking) {
    const back = booking.payment_status === "completed" ? " Your money is given back." : "";
    room.replaceChildren(notice("wait", `Cancel this booking?${back}`,
      make("button", { type: "button", class: "main", onclick: async () => {
        try {
          await api.cancel(id, token);
          await draw(`The booking was cancelled.${back}`);
        } catch (failure) {
          problem(failure);
        }
      } }, "Yes, cancel it"),
      make("button", { type: "button", onclick: () => room.replaceChildren() }, "Keep it")));
    room.scrollIntoView({ behavior: "smooth", block: "center" });
  }

  await draw();
}

/** Loads Razorpay's checkout when it is needed first. */
function checkout() {
  if (globalThis.Razorpay) return Promise.resolve(globalThis.Razorpay);
  return new Promise((loaded, failed) => document.head.append(make("script", {
    src: document.querySelector("meta[name=checkout]").content,
    onload: () => loaded(globalThis.Razorpay),
    onerror: ({ target }) => {
      target.remove();
      failed(new api.Failure({ message: "Razorpay cannot be reached at the moment. You can pay later, or at the shop." }));
    },
  })));
}
