// A long day of the shop in Chromium: an owner, a mechanic and customers at once, from the first booking to the count of
// the drawer. It writes what must be found everywhere afterwards to `day.json` beside the screenshots.
//
//     node day.mjs <url> <folder for screenshots> <e-mail of the owner> <password> <e-mail of a mechanic, same password> \
//         <an empty open day from 09:00 to 19:00, YYYY-MM-DD> <URL of Razorpay's stand-in> \
//         <URL at which the function of the jobs is invoked>

import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { MODES, faultsOf, inspect, start } from "./browser.mjs";

const [url, folder, ownerEmail, password, mechanicEmail, day, gateway, jobs] = process.argv.slice(2);
const { open, signIn, step, say, shot, screens, close } = await start("day", url, folder);

// Models and services by their ids in the catalogue.
const ACTIVA = { id: 7, name: "Honda Activa 6G" };
const JUPITER = { id: 17, name: "TVS Jupiter 125" };
const OIL = { id: 4, name: "Engine Oil Change" };
const FILTER = { id: 6, name: "Air Filter Replacement" };
const BRAKES = { id: 13, name: "Brake Cleaning and Adjustment" };

const board = `/admin/?day=${day}`;
const pathOf = (booking) => `/admin/bookings/${booking.id}/`;
/** `₹1,234.50` or `1234.50` as paise. */
const paiseOf = (text) => Math.round(Number(text.replace(/[₹,]/g, "")) * 100);
/** As the panel shows an amount. */
const rupees = (paise) => `₹${(paise / 100).toLocaleString("en-IN", { minimumFractionDigits: 2 })}`;
const hasDevanagari = (text) => /[\u0900-\u097f]/.test(text);

/** Pages of a person of the shop in another window. */
async function openLike(person, options) {
  const page = await open(options);
  await page.context().addCookies((await person.context().storageState()).cookies);
  return page;
}

// What people have done: every booking by name, and money in paise.
const bookings = {};
const money = { cash: 0, cashBack: 0, online: 0, onlineBack: 0 };

// Customers

async function api(method, path, body, headers = {}) {
  const answer = await fetch(url + path, {
    method, body: body && JSON.stringify(body), headers: { ...(body && { "Content-Type": "application/json" }), ...headers },
  });
  return { status: answer.status, body: await answer.json() };
}

async function data(method, path, body, headers) {
  const answer = await api(method, path, body, headers);
  assert.ok(answer.status < 300, `${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
  return answer.body.data;
}

let lastPhone = 9876100000;

/** A customer books over the public API. */
async function book(name, time, more = {}) {
  const phone = String(++lastPhone);
  const { id, reference, access_token: token, total_amount: total } = await data("POST", "/api/bookings/", {
    customer_name: name, customer_phone: phone, customer_email: `customer${phone}@example.com`, vehicle_model_id: ACTIVA.id,
    service_ids: [OIL.id, FILTER.id], service_location: "shop", address: "", appointment_date: day, appointment_time: time,
    payment_method: "cash", notes: "", ...more,
  });
  bookings[name] = { id, reference, token, phone, name, total: paiseOf(total) };
}

const seen = (booking) => data("GET", `/api/bookings/${booking.id}/`, undefined, { "X-Booking-Token": booking.token });
async function eventsOf(booking) {
  const path = `/api/bookings/${booking.id}/timeline/`;
  return (await data("GET", path, undefined, { "X-Booking-Token": booking.token })).map(({ event }) => event);
}

async function payOnline(booking) {
  const { order_id } = await data("POST", "/api/payments/razorpay/create-order/", { booking_id: booking.id });
  const paid = await fetch(`${gateway}/_checkout`, {
    method: "POST", headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ order_id, outcome: "captured", webhooks: false }),
  });
  await data("POST", "/api/payments/razorpay/verify/", await paid.json());
  money.online += booking.total;
}

/** Runs the job that sends what is to be sent, as it runs every minute. */
async function deliver() {
  const answer = await fetch(jobs, { method: "POST", body: JSON.stringify({ action: "deliver_outbox" }) });
  const { failed } = await answer.json();
  assert.equal(failed, 0);
}

const CUSTOMERS = [
  ["Asha Menon", "09:00"], ["Ravi Shankar Iyer", "09:00"], ["Meena Krishnan", "09:00"],
  ["Farhan Ali", "10:00", { payment_method: "razorpay" }], ["Lakshmi Narayan", "10:00", { payment_method: "razorpay" }],
  ["Joseph Mathew", "11:00", { payment_method: "razorpay" }], ["Divya Rao", "11:00", { vehicle_model_id: JUPITER.id }],
  ["Suresh Babu", "12:00"], ["सुनीता वेंकटेश्वरन राममूर्ति", "12:00", { notes: "चेन से आवाज़ आती है" }], ["Kiran Kumar", "13:00"],
  ["Pooja Hegde", "14:00"], ["Imran Sheikh", "14:00"], ["Gurpreet Kaur", "15:00"], ["Anita Desai", "15:00"],
  ["Vikram Singh", "16:00"], ["Neha Sharma", "17:00"],
  ...["09:00", "10:00", "11:00", "14:00", "15:00", "16:00"].map((time, index) => [
    ["Rahul Dravid", "Sneha Patil", "Thomas Kurian", "Yasmin Khan", "Arjun Reddy", "Bhavana Shetty"][index], time,
    { service_location: "home", address: `${index + 1}, 4th Cross, Indiranagar, Bengaluru 560038` },
  ]),
];

// People of the shop

const cardOf = (page, name) => page.locator("article.job", { hasText: name });

/** Books a customer at the counter, for a later time of the day, and returns the booking's id and total. */
async function walkIn(page, { phone, name, model, services = [OIL], time, byPhone = false, address }) {
  await page.goto("/admin/bookings/new/");
  if (byPhone) await page.getByRole("radio", { name: "Phone call" }).check();
  await page.getByLabel("Phone", { exact: true }).fill(phone);
  await page.getByLabel("Name", { exact: true }).fill(name);
  await page.getByLabel("Model", { exact: true }).fill(model.name);
  for (const service of services) await page.getByRole("checkbox", { name: `${service.name} ₹` }).check();
  await page.getByRole("radio", { name: "Date" }).check();
  await page.locator("[name=appointment_date]").fill(day);
  await page.locator("[name=appointment_time]").fill(time);
  if (address) {
    await page.getByRole("radio", { name: "At home" }).check();
    await page.getByLabel(/^Address/).fill(address);
  }
  await page.getByRole("button", { name: "Book", exact: true }).click();
}

/** Reads the booking whose page is shown after it was made. */
async function booked(page, name, phone) {
  await page.waitForURL(/\/admin\/bookings\/\d+\/\?done=saved/);
  const id = Number(/bookings\/(\d+)/.exec(page.url())[1]);
  const reference = await page.locator("p.facts strong").first().textContent();
  const total = paiseOf(await page.locator("table.lines tfoot .num").first().textContent());
  bookings[name] = { id, reference, name, phone, total };
  return bookings[name];
}

const owner = await open(MODES.light);
const mechanic = await open(MODES.light);

await step("an owner and a mechanic sign in", () =>
  Promise.all([signIn(owner, ownerEmail, password), signIn(mechanic, mechanicEmail, password)]));

await step(`${CUSTOMERS.length} customers book, while the mechanic takes people at the counter and on the phone`, async () => {
  const customers = async () => {
    for (const [name, time, more] of CUSTOMERS) await book(name, time, more);
  };
  const counter = async () => {
    await walkIn(mechanic, { phone: "98761 11101", name: "Walk-in One", model: JUPITER, time: "12:10" });
    await booked(mechanic, "Walk-in One", "9876111101");
    assert.match(await mechanic.locator("h1").textContent(), /^TVS Jupiter 125 · Walk-in One$/);
    assert.match(await mechanic.locator("p.facts").first().textContent(), /, 12:10–.* · At the shop · Counter · ₹[\d,.]+ due/);
    await walkIn(mechanic, {
      phone: "98761 11102", name: "Caller Two", model: ACTIVA, services: [OIL, BRAKES], time: "13:20", byPhone: true,
      address: "7, 80 Feet Road",
    });
    await booked(mechanic, "Caller Two", "9876111102");
    assert.match(await mechanic.locator("p.facts").first().textContent(), /, 13:20–.* · At home · Phone call · /);
    await mechanic.locator("p", { hasText: "Address: 7, 80 Feet Road" }).waitFor();
  };
  await Promise.all([customers(), counter()]);
});

await step("a customer at the counter has a job card within twelve presses", async () => {
  let presses = 0;
  const press = async (locator) => {
    presses += 1;
    await locator.click();
  };
  const type = async (keys) => {
    presses += keys.length;
    await mechanic.keyboard.type(keys);
  };
  const { phone, name } = bookings["Asha Menon"];
  await mechanic.goto(`/admin/bookings/new/?when=later&appointment_date=${day}`);
  await press(mechanic.getByLabel("Phone", { exact: true }));
  await mechanic.keyboard.type(phone);
  await mechanic.getByRole("link", { name: `Known customer: ${name}` }).waitFor();
  assert.equal(await mechanic.getByLabel("Name", { exact: true }).inputValue(), name);
  assert.equal(await mechanic.getByLabel("Model", { exact: true }).inputValue(), ACTIVA.name);
  await press(mechanic.getByRole("checkbox", { name: `${OIL.name} ₹` }));
  await press(mechanic.locator("[name=appointment_time]"));
  await type("0130p");
  assert.equal(await mechanic.locator("[name=appointment_time]").inputValue(), "13:30");
  await shot(mechanic, "day-walk-in", { fullPage: true });
  await press(mechanic.getByRole("button", { name: "Book", exact: true }));
  await booked(mechanic, "Asha Menon again", phone);
  await press(mechanic.getByRole("link", { name: "Print: Job card" }));
  await mechanic.getByRole("heading", { name: "Job card" }).waitFor();
  await mechanic.getByText(`${name}, +91${phone}`).waitFor();
  say(`a walk-in by its number took ${presses} presses (at most 12)`);
  assert.ok(presses <= 12, `${presses} presses`);
});

await step("the bikes of a known customer appear by number, and what is typed stays", async () => {
  const { phone } = bookings["Asha Menon"];
  await walkIn(mechanic, { phone, name: "Asha Menon", model: JUPITER, time: "14:20" });
  await booked(mechanic, "Asha Menon's other bike", phone);
  await mechanic.goto("/admin/bookings/new/");
  await mechanic.getByLabel(/^E-mail/).fill("new-address@example.com");
  await mechanic.getByLabel("Phone", { exact: true }).pressSequentially(phone);
  const bikes = mechanic.getByRole("group", { name: "Their vehicles" }).getByRole("button");
  await bikes.first().waitFor();
  assert.deepEqual((await bikes.allTextContents()).sort(), [ACTIVA.name, JUPITER.name]);
  assert.equal(await mechanic.getByLabel(/^E-mail/).inputValue(), "new-address@example.com");
  await bikes.filter({ hasText: JUPITER.name }).click();
  await mechanic.getByRole("checkbox", { name: `${BRAKES.name} ₹` }).waitFor();
  assert.equal(await mechanic.getByLabel("Model", { exact: true }).inputValue(), JUPITER.name);
  await inspect(mechanic, "new booking of a known customer", "light");
});

await step("a full time offers free ones, at the counter and for a move", async () => {
  await walkIn(mechanic, { phone: "98761 11103", name: "Walk-in Three", model: ACTIVA, time: "09:00" });
  await mechanic.getByText("This time is full. Free times near it:").waitFor();
  await shot(mechanic, "day-full-time", { fullPage: true });
  await inspect(mechanic, "a full time", "light");
  await mechanic.locator("button[name=free]").first().click();
  const { id } = await booked(mechanic, "Walk-in Three", "9876111103");
  await mechanic.goto(`/admin/bookings/${id}/move/`);
  await mechanic.getByLabel("Time", { exact: true }).fill("09:00");
  await mechanic.getByRole("button", { name: "Move booking" }).click();
  const offered = mechanic.locator("button[name=free]").last();
  const [, time] = (await offered.getAttribute("value")).split("T");
  await offered.click();
  await mechanic.waitForURL(/done=saved/);
  assert.match(await mechanic.locator("p.facts").first().textContent(), new RegExp(`, ${time}–`));
});

await step("a booking is confirmed with one press, moved by form and by dragging its card", async () => {
  await mechanic.goto(board);
  const card = cardOf(mechanic, "Gurpreet Kaur");
  await card.getByRole("button", { name: "Confirm booking" }).click();
  await card.getByText("Confirmed").waitFor();
  await mechanic.goto(`${pathOf(bookings["Neha Sharma"])}move/`);
  await mechanic.getByLabel("Time", { exact: true }).fill("17:45");
  await mechanic.getByRole("button", { name: "Move booking" }).click();
  await mechanic.waitForURL(/done=saved/);
  assert.equal((await seen(bookings["Neha Sharma"])).appointment_time, "17:45:00");
  await mechanic.goto(board);
  assert.match(await card.locator("small").first().textContent(), /^15:00–/);
  assert.match(await mechanic.locator("td.full.all").first().textContent(), /^3 of 3$/);
  await card.dragTo(mechanic.locator('tr[data-time="16:30"] td.free').first());
  await cardOf(mechanic, "Gurpreet Kaur").getByText(/^16:30–/).waitFor();
  assert.equal((await seen(bookings["Gurpreet Kaur"])).appointment_time, "16:30:00");
  assert.deepEqual(await eventsOf(bookings["Gurpreet Kaur"]), ["created", "confirmed", "rescheduled"]);
});

await step("two people press the same button at once, and it happens once", async () => {
  const booking = bookings["Pooja Hegde"];
  await Promise.all([owner.goto(board), mechanic.goto(board)]);
  const press = async (page) => {
    await cardOf(page, booking.name).getByRole("button", { name: "Confirm booking" }).click();
    await cardOf(page, booking.name).getByText("Confirmed").waitFor();
  };
  await Promise.all([press(owner), press(mechanic)]);
  assert.deepEqual(await eventsOf(booking), ["created", "confirmed"]);
});

await step("a press on an outdated page changes nothing, and the page says why", async () => {
  const booking = bookings["Imran Sheikh"];
  await mechanic.goto(pathOf(booking));
  await owner.goto(`${pathOf(booking)}move/`);
  await owner.getByLabel("Time", { exact: true }).fill("14:30");
  await owner.getByRole("button", { name: "Move booking" }).click();
  await owner.waitForURL(/done=saved/);
  const answer = mechanic.waitForResponse((response) => response.request().method() === "POST");
  await mechanic.getByRole("button", { name: /^Confirm booking/ }).click();
  assert.equal((await answer).status(), 409);
  await mechanic.getByText("Another user has changed this booking since you opened the page.").waitFor();
  assert.match(await mechanic.locator("p.facts").first().textContent(), /, 14:30–/);
  await shot(mechanic, "day-outdated");
  await mechanic.getByRole("button", { name: /^Confirm booking/ }).click();
  await mechanic.getByRole("button", { name: /^Start work/ }).waitFor();
  assert.deepEqual(await eventsOf(booking), ["created", "rescheduled", "confirmed"]);
});

await step("customers pay online", async () => {
  for (const name of ["Farhan Ali", "Lakshmi Narayan", "Joseph Mathew"]) await payOnline(bookings[name]);
  await owner.goto(pathOf(bookings["Joseph Mathew"]));
  await owner.getByRole("link", { name: /^Taken · Razorpay/ }).waitFor();
});

await step("work is done step by step, and finishing it takes the cash", async () => {
  await mechanic.goto(board);
  for (const name of ["Asha Menon", "Ravi Shankar Iyer", "Meena Krishnan", "Lakshmi Narayan"]) {
    const booking = bookings[name];
    const card = mechanic.locator(`article.job[data-id="${booking.id}"]`);
    await card.getByRole("button", { name: "Confirm booking" }).click();
    await card.getByRole("button", { name: "Start work" }).click();
    const finish = card.getByRole("button", { name: "Finish work" });
    const isPaid = name === "Lakshmi Narayan";
    assert.equal((await finish.textContent()).trim(), isPaid ? "Finish work" : `Finish work, ${rupees(booking.total)} cash`);
    await finish.click();
    await card.getByText("Done").waitFor();
    await card.getByText("Paid").waitFor();
    if (!isPaid) money.cash += booking.total;
    booking.status = "completed";
  }
});

await step("cash is recorded on the page of a visit, and a note of our own", async () => {
  const booking = bookings["Suresh Babu"];
  await mechanic.goto(pathOf(booking));
  await mechanic.getByRole("button", { name: `Record ${rupees(booking.total)} cash` }).click();
  await mechanic.getByRole("link", { name: /^Taken · Cash/ }).waitFor();
  money.cash += booking.total;
  await mechanic.getByLabel(/^Our note/).fill("Pays in coins. Spare key at the counter.");
  await mechanic.getByRole("button", { name: "Save notes" }).click();
  await mechanic.getByText("Our note changed").waitFor();
  assert.equal(await mechanic.getByLabel(/^Our note/).inputValue(), "Pays in coins. Spare key at the counter.");
  assert.ok(!JSON.stringify(await seen(booking)).includes("Spare key"), "customers do not see it");
});

await step("the owner gives a part back: online and in cash", async () => {
  for (const [name, amount, way] of [
    ["Lakshmi Narayan", "100.00", /^₹100\.00 to the .*payment of /],
    ["Suresh Babu", "50.00", /^₹50\.00 in cash: hand it out$/],
  ]) {
    await owner.goto(pathOf(bookings[name]));
    await mechanic.goto(pathOf(bookings[name]));
    await mechanic.getByRole("link", { name: /^Taken · / }).waitFor();
    assert.equal(await mechanic.getByRole("link", { name: "Refund…" }).count(), 0, "a mechanic does not refund");
    await owner.getByRole("link", { name: "Refund…" }).click();
    await owner.getByLabel("Amount in rupees").fill(amount);
    await owner.getByRole("button", { name: "Show where it goes" }).click();
    await owner.getByRole("listitem").filter({ hasText: way }).waitFor();
    await owner.getByLabel("Reason").fill("The filter did not fit");
    await shot(owner, `day-refund-${amount}`);
    await owner.getByRole("button", { name: `Refund ₹${amount}` }).click();
    await owner.getByRole("row", { name: `Given back -₹${amount}` }).waitFor();
    money[name === "Suresh Babu" ? "cashBack" : "onlineBack"] += paiseOf(amount);
  }
});

await step("a visit that was paid online is cancelled, and its money goes back", async () => {
  const booking = bookings["Farhan Ali"];
  await mechanic.goto(pathOf(booking));
  await mechanic.locator("summary", { hasText: "Cancel booking" }).click();
  await mechanic.getByLabel(/^Reason/).fill("The part is not in stock");
  await mechanic.locator("button.danger", { hasText: "Cancel booking" }).click();
  await mechanic.getByText("Refund requested").waitFor();
  await mechanic.getByText("The part is not in stock").first().waitFor();
  money.onlineBack += booking.total;
  booking.status = "cancelled";
  await deliver();
  await mechanic.goto(pathOf(booking));
  await mechanic.getByRole("row", { name: `Given back -${rupees(booking.total)}` }).waitFor();
  await mechanic.getByRole("listitem").filter({ hasText: /^Refunded · .* · Razorpay/ }).waitFor();
  assert.deepEqual(await eventsOf(booking), ["created", "paid", "cancelled", "refund_requested", "refunded"]);
  const other = bookings["Kiran Kumar"];
  await data("POST", `/api/bookings/${other.id}/cancel/`, { reason: "I sold it" }, { "X-Booking-Token": other.token });
  other.status = "cancelled";
});

await step("services are added and removed, and the total follows", async () => {
  const booking = bookings["Anita Desai"];
  const prices = await data("GET", `/api/service-pricing/by-vehicle/?vehicle_model_id=${ACTIVA.id}`);
  const price = (service) => paiseOf(prices.find((one) => one.service_id === service.id).price);
  await mechanic.goto(pathOf(booking));
  await mechanic.locator("#add").selectOption(String(BRAKES.id));
  await mechanic.getByRole("button", { name: "Add service" }).click();
  const total = mechanic.locator("table.lines tfoot .num");
  await mechanic.getByRole("button", { name: `Remove ${BRAKES.name}` }).waitFor();
  assert.equal(await total.textContent(), rupees(price(OIL) + price(FILTER) + price(BRAKES)));
  await mechanic.getByRole("button", { name: `Remove ${FILTER.name}` }).click();
  await mechanic.getByRole("button", { name: `Remove ${FILTER.name}` }).waitFor({ state: "detached" });
  booking.total = price(OIL) + price(BRAKES);
  assert.equal(await total.textContent(), rupees(booking.total));
  assert.equal(paiseOf((await seen(booking)).total_amount), booking.total);
});

await step("a price changes: the next booking costs it, older ones do not", async () => {
  const old = bookings["Divya Rao"];
  await owner.goto(`/admin/prices/?model=${JUPITER.id}`);
  const cell = owner.locator(`[name="price-${OIL.id}-${JUPITER.id}"]`);
  const before = paiseOf(await cell.inputValue());
  const [raised, difference] = [before + 4150, 4150];
  await cell.fill((raised / 100).toFixed(2));
  await owner.locator(".savebar button[type=submit]").click();
  await owner.locator(".notice").waitFor();
  await book("Mohan Das", "17:00", { vehicle_model_id: JUPITER.id });
  assert.equal(bookings["Mohan Das"].total, old.total + difference);
  assert.equal(paiseOf((await seen(old)).total_amount), old.total);
  await walkIn(mechanic, { phone: "98761 11104", name: "Walk-in Four", model: JUPITER, time: "17:10", address: "12, CMH Road" });
  assert.equal((await booked(mechanic, "Walk-in Four", "9876111104")).total, raised);
});

await step("a holiday over the booked day lists its visits first, and is taken back", async () => {
  await owner.goto("/admin/shop/holidays/");
  await owner.getByLabel("Name").fill("Pongal");
  await owner.getByLabel("First day").fill(day);
  await owner.getByRole("button", { name: "Save holidays", exact: true }).click();
  await owner.getByText("would not fit any more").waitFor();
  await owner.locator(".outside", { hasText: bookings["Vikram Singh"].reference }).waitFor();
  assert.equal(await owner.locator(".outside", { hasText: bookings["Farhan Ali"].reference }).count(), 0, "cancelled ones fit");
  await owner.getByRole("button", { name: "Save holidays anyway" }).click();
  await mechanic.goto(board);
  await mechanic.getByText("Closed: Pongal").waitFor();
  await cardOf(mechanic, "Vikram Singh").waitFor();
  const slots = `/api/slots/?date=${day}&service_location=shop&vehicle_model_id=${ACTIVA.id}&service_ids=${OIL.id}`;
  assert.deepEqual(await data("GET", slots), []);
  await owner.getByRole("button", { name: /^Remove .* Pongal/ }).click();
  await owner.getByText("Removed. The day can be booked again.").waitFor();
  assert.equal((await data("GET", slots)).length, 10);
});

await step("several bookings are confirmed at once: the ticked ones, then all that match", async () => {
  const names = ["Divya Rao", "Vikram Singh", "Neha Sharma", "Rahul Dravid"];
  await mechanic.goto(`/admin/bookings/?scope=to_confirm&date_from=${day}&date_to=${day}`);
  for (const name of names) await mechanic.getByRole("checkbox", { name: `Tick ${bookings[name].reference}` }).check();
  await mechanic.getByText("4 ticked").waitFor();
  await mechanic.locator(".savebar").getByRole("button", { name: "Confirm booking" }).click();
  await mechanic.getByRole("heading", { name: "Confirm booking: 4" }).waitFor();
  for (const name of names) await mechanic.getByRole("row", { name }).waitFor();
  await mechanic.getByRole("button", { name: "Confirm booking: 4" }).click();
  await mechanic.getByRole("heading", { name: "Confirm booking: 4 of 4" }).waitFor();
  assert.deepEqual(await mechanic.locator(".outcomes .tag").allTextContents(), Array(4).fill("Saved."));
  await shot(mechanic, "day-bulk");
  assert.equal((await seen(bookings["Vikram Singh"])).booking_status, "confirmed");
  await mechanic.goto("/admin/bookings/?q=patil");
  await mechanic.getByRole("radio", { name: "All 1 that match" }).check();
  await mechanic.locator(".savebar").getByRole("button", { name: "Confirm booking" }).click();
  await mechanic.getByRole("button", { name: "Confirm booking: 1" }).click();
  await mechanic.getByRole("heading", { name: "Confirm booking: 1 of 1" }).waitFor();
  assert.equal((await seen(bookings["Sneha Patil"])).booking_status, "confirmed");
});

await step("without JavaScript: sign in, confirm, move, cash", async () => {
  const page = await open({ ...MODES.light, javaScriptEnabled: false });
  await signIn(page, mechanicEmail, password);
  const booking = bookings["Thomas Kurian"];
  await page.goto(board);
  await cardOf(page, booking.name).getByRole("button", { name: "Confirm booking" }).click();
  await cardOf(page, booking.name).getByText("Confirmed").waitFor();
  await page.goto(`${pathOf(booking)}move/`);
  await page.getByLabel("Time", { exact: true }).fill("12:45");
  await page.getByRole("button", { name: "Move booking" }).click();
  await page.getByRole("button", { name: `Record ${rupees(booking.total)} cash` }).click();
  await page.getByRole("link", { name: /^Taken · Cash/ }).waitFor();
  money.cash += booking.total;
  assert.deepEqual(await eventsOf(booking), ["created", "confirmed", "rescheduled", "paid"]);
  await walkIn(page, {
    phone: "98761 11105", name: "Walk-in Five", model: ACTIVA, services: [], time: "17:45", address: "3, Double Road",
  });
  await page.getByRole("checkbox", { name: `${OIL.name} ₹` }).check();
  await page.getByRole("button", { name: "Book", exact: true }).click();
  await booked(page, "Walk-in Five", "9876111105");
  await page.context().close();
});

await step("the board shows what a colleague does, and keeps what is being typed", async () => {
  const page = await openLike(mechanic, MODES.light);
  await page.clock.install();
  await page.goto(board);
  const find = page.getByRole("searchbox", { name: "Search" });
  await find.pressSequentially("jupi");
  const booking = bookings["Yasmin Khan"];
  await cardOf(page, booking.name).getByRole("button", { name: "Confirm booking" }).waitFor();
  await owner.goto(board);
  await cardOf(owner, booking.name).getByRole("button", { name: "Confirm booking" }).click();
  await cardOf(owner, booking.name).getByText("Confirmed").waitFor();
  await page.clock.runFor(20_000);
  await cardOf(page, booking.name).getByRole("button", { name: "Start work" }).waitFor();
  await find.pressSequentially("ter");
  assert.equal(await find.inputValue(), "jupiter");
  await page.context().close();
});

await step("papers have their size and one page", async () => {
  const sizes = { "job-card": [420, 595], receipt: [595, 842], roll: [227, undefined], tag: [176, 82] };
  for (const name of ["Asha Menon", "सुनीता वेंकटेश्वरन राममूर्ति"]) {
    for (const [paper, [width, height]] of Object.entries(sizes)) {
      await mechanic.goto(`${pathOf(bookings[name])}print/${paper}/`);
      const path = `${screens}print-${paper}-${name === "Asha Menon" ? "english" : "names"}.pdf`;
      checkPaper(await mechanic.pdf({ path, preferCSSPageSize: true }), `${paper} of ${name}`, width, height);
      await paperShot(mechanic, path.replace(".pdf", ""), width, height);
    }
  }
});

/** A picture of the page as it is printed, which is as wide as its paper. */
async function paperShot(page, path, width, height = 570) {
  await page.emulateMedia({ media: "print" });
  await page.setViewportSize({ width: Math.round(width / 0.75), height: Math.round(height / 0.75) });
  await page.screenshot({ path: `${path}.png` });
  await page.emulateMedia({ media: null });
  await page.setViewportSize(MODES.light.viewport);
}

function checkPaper(bytes, name, width, height) {
  const text = Buffer.from(bytes).toString("latin1");
  const pages = [...text.matchAll(/\/MediaBox\s*\[\s*0\s+0\s+([\d.]+)\s+([\d.]+)\s*\]/g)].map(([, ...size]) => size.map(Number));
  assert.equal(pages.length, 1, `${name}: ${pages.length} pages`);
  assert.ok(Math.abs(pages[0][0] - width) <= 1.5, `${name}: ${pages[0][0]} pt wide`);
  if (height) assert.ok(Math.abs(pages[0][1] - height) <= 1.5, `${name}: ${pages[0][1]} pt high`);
}

await step("in Hindi: the pages of the day and the papers", async () => {
  await mechanic.goto(board);
  await mechanic.locator(".me summary").click();
  await mechanic.getByRole("button", { name: "हिन्दी" }).click();
  await mechanic.getByRole("link", { name: "नई बुकिंग" }).first().waitFor();
  const booking = bookings["Asha Menon"];
  const pages = {
    today: ["/admin/", "आज"], board: [board, "दुकान"], bookings: ["/admin/bookings/", "बुकिंग"],
    "new-booking": ["/admin/bookings/new/", "नई बुकिंग"], booking: [pathOf(booking), "सेवाएँ"],
    "job-card": [`${pathOf(booking)}print/job-card/`, "जॉब कार्ड"], receipt: [`${pathOf(booking)}print/receipt/`, "रसीद"],
    roll: [`${pathOf(booking)}print/roll/`, "धन्यवाद"], tag: [`${pathOf(booking)}print/tag/`, ""],
    cash: ["/admin/cash/", "एडमिन गल्ला गिनकर दिन बंद करते हैं।"],
  };
  for (const [name, [path, words]] of Object.entries(pages)) {
    await mechanic.goto(path);
    assert.equal(await mechanic.locator("html").getAttribute("lang"), "hi");
    const text = await mechanic.locator("main").innerText();
    assert.ok(hasDevanagari(text) && text.includes(words), `${name}: ${text.slice(0, 200)}`);
    await shot(mechanic, `hindi-${name}`, { fullPage: true });
    assert.deepEqual(await faultsOf(mechanic, `paper ${name}`, "light"), []);
  }
  await mechanic.goto(`${pathOf(booking)}print/job-card/`);
  const path = `${screens}print-job-card-hindi.pdf`;
  checkPaper(await mechanic.pdf({ path, preferCSSPageSize: true }), "job card", 420, 595);
});

await step("the drawer is counted once, and the day is closed", async () => {
  const expected = money.cash - money.cashBack;
  await mechanic.goto("/admin/cash/");
  assert.equal(await mechanic.locator("form.drawer").count(), 0, "a mechanic does not close the day");
  const other = await openLike(owner, MODES.light);
  await Promise.all([owner.goto("/admin/cash/"), other.goto("/admin/cash/")]);
  await owner.getByRole("row", { name: `Taken ${rupees(money.cash)}` }).waitFor();
  await owner.getByRole("row", { name: `Given back -${rupees(money.cashBack)}` }).waitFor();
  await owner.getByRole("row", { name: `Expected in the drawer ${rupees(expected)}` }).waitFor();
  for (const page of [owner, other]) {
    await page.getByLabel("₹500 notes").fill(String(Math.floor(expected / 50_000)));
    await page.getByLabel("Coins, in ₹").fill(((expected % 50_000) / 100).toFixed(2));
    assert.equal(await page.getByLabel("Counted, in rupees").inputValue(), (expected / 100).toFixed(2));
    await page.getByLabel("Left for change, in rupees").fill("500");
  }
  await shot(owner, "day-drawer", { fullPage: true });
  await owner.getByRole("button", { name: /^Close / }).click();
  await owner.getByText("Closed. What is entered from now on falls into the next day.").waitFor();
  await owner.getByRole("row", { name: "Difference ₹0.00" }).waitFor();
  await shot(owner, "day-closed", { fullPage: true });
  await inspect(owner, "closed day", "light");
  const answer = other.waitForResponse((response) => response.request().method() === "POST");
  await other.getByRole("button", { name: /^Close / }).click();
  assert.equal((await answer).status(), 409);
  await other.getByText("has closed this day already").waitFor();
  await other.context().close();
});

for (const [mode, options] of Object.entries(MODES)) {
  await step(`the full day is shown well, ${mode}`, async () => {
    const page = await openLike(owner, options);
    const pages = { board, "by-status": `${board}&by=status` };
    for (const section of ["bookings", "payments", "cash", "customers", "reports"]) pages[section] = `/admin/${section}/`;
    for (const [name, path] of Object.entries(pages)) {
      await page.goto(path);
      await shot(page, `day-${name}-${mode}`, { fullPage: true });
      assert.deepEqual(await faultsOf(page, name, mode), []);
    }
    await page.context().close();
  });
}

writeFileSync(`${screens}day.json`, JSON.stringify({ day, money, bookings: Object.values(bookings) }));
await close();
