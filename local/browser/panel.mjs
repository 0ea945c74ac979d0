// The panel in Chromium: what a person does there, on each page axe and the console, and the limits on bytes and requests.
//
//     node panel.mjs <url> <folder for screenshots> <e-mail> <password> <a day with a booking, YYYY-MM-DD> \
//         <e-mail of a user with the role staff and the same password>

import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { MODES, faultsOf, inspect, start, traffic } from "./browser.mjs";

const [url, folder, email, password, bookedDay, mechanic] = process.argv.slice(2);
const panel = await start("panel", url, folder);
const { open, signIn, step, say, shot, screens } = panel;
// The cookie of the first sign-in, for windows that need no sign-in of their own.
let signedIn;

// Of a customer who has booked one visit.
const PHONE = "9876500077";
// Every page of the panel, by the name of its screenshot.
const PAGES = {
  today: "/admin/",
  "today-booked": `/admin/?day=${bookedDay}`,
  "today-by-status": `/admin/?day=${bookedDay}&by=status`,
  prices: "/admin/prices/?brand=3",
  "price-of-a-model": "/admin/prices/?model=7",
  services: "/admin/services/",
  service: "/admin/services/4/",
  "new-service": "/admin/services/new/",
  categories: "/admin/service-categories/",
  models: "/admin/vehicle-models/",
  "models-filtered": "/admin/vehicle-models/?brand=3&sort=-name&q=a",
  "models-none": "/admin/vehicle-models/?q=nothing-has-this-name",
  brands: "/admin/vehicle-brands/",
  brand: "/admin/vehicle-brands/3/",
  "archive-brand": "/admin/vehicle-brands/3/archive/",
  types: "/admin/vehicle-types/",
  shop: "/admin/shop/",
  hours: "/admin/shop/hours/",
  holidays: "/admin/shop/holidays/",
  bookings: "/admin/bookings/",
  "bookings-filtered": "/admin/bookings/?scope=upcoming&status=confirmed&q=honda&sort=-total",
  "bookings-none": "/admin/bookings/?status=no_show",
  "new-booking": "/admin/bookings/new/",
  "new-booking-known": `/admin/bookings/new/?customer_phone=${PHONE}`,
  customers: "/admin/customers/",
  "customers-searched": "/admin/customers/?q=john",
  reports: "/admin/reports/",
  "reports-by-week": "/admin/reports/?by=week",
  system: "/admin/system/",
  sessions: "/admin/sessions/",
  users: "/admin/users/",
  user: "/admin/users/1/",
  payments: "/admin/payments/",
  "payments-attention": "/admin/payments/?scope=attention",
  "payments-settle": "/admin/payments/settle/",
  cash: "/admin/cash/",
  "cash-days": "/admin/cash/days/",
  messages: "/admin/messages/",
  "messages-undelivered": "/admin/messages/?scope=undelivered",
  "words-of-messages": "/admin/shop/messages/?kind=booking_confirmed",
  "staff-keys": "/admin/staff-keys/",
  activity: "/admin/activity/",
  history: "/admin/vehicle-brands/3/history/",
  search: "/admin/search/?q=honda",
  "not-found": "/admin/vehicle-brands/99999/",
};

/** Pages whose addresses have an id: of the customer, the visit and its payment. */
async function pagesOfTheVisit(page) {
  await page.goto(`/admin/bookings/?q=${PHONE}`);
  const href = (start) => page.locator(`main a[href^="${start}"]`)
    .evaluateAll((links) => links.map((link) => link.getAttribute("href")));
  const booking = (await href("/admin/bookings/")).find((path) => /\/bookings\/\d+\/$/.test(path));
  const customer = (await href("/admin/customers/")).find((path) => /\/customers\/\d+\/$/.test(path));
  await page.goto(booking);
  const payment = (await href("/admin/payments/"))[0];
  return {
    booking,
    move: `${booking}move/`,
    refund: `${booking}refund/`,
    payment,
    customer,
    "erase-customer": `${customer}erase/`,
    "paper-job-card": `${booking}print/job-card/`,
    "paper-receipt": `${booking}print/receipt/`,
    "paper-roll": `${booking}print/roll/`,
    "paper-tag": `${booking}print/tag/`,
  };
}

async function priceOnSale(service, model) {
  const answer = await fetch(`${url}/api/service-pricing/by-vehicle/?vehicle_model_id=${model}`);
  const { data } = await answer.json();
  return data.find((price) => price.service_id === service)?.price;
}

await step("the first visit and a list stay within their bytes and requests", async () => {
  const page = await open(MODES.light);
  const first = await traffic(page, () => page.goto("/admin/sign-in/"));
  say(`first visit ${first.bytes} bytes in ${first.requests} requests (at most 30,000 in 3)`);
  assert.ok(first.bytes <= 30_000 && first.requests <= 3, JSON.stringify(first));
  await signIn(page, email, password);
  signedIn = await page.context().storageState();
  const list = await traffic(page, () => page.goto("/admin/vehicle-models/"));
  say(`list of 50 ${list.bytes} bytes in ${list.requests} requests (at most 9,000 in 1)`);
  assert.ok(list.bytes <= 9_000 && list.requests === 1, JSON.stringify(list));
  await page.context().close();
});

await step("a pasted block of prices is saved, and only what changed", async () => {
  const page = await open({ ...MODES.light, storageState: signedIn });
  await page.goto("/admin/prices/?brand=3");
  const cells = page.locator(".price-grid input[name^=price-]");
  const [first, second] = [cells.nth(0), cells.nth(1)];
  const [, service, model] = (await first.getAttribute("name")).split("-").map(Number);
  const before = await Promise.all([first, second].map((cell) => cell.inputValue()));
  const [pasted, expected] = before[0] === "1234.50" ? ["₹1,300.50", "1300.50"] : ["₹1,234.50", "1234.50"];
  await first.focus();
  await page.evaluate((text) => {
    const clipboardData = new DataTransfer();
    clipboardData.setData("text/plain", text);
    document.activeElement.dispatchEvent(new ClipboardEvent("paste", { clipboardData, bubbles: true, cancelable: true }));
  }, `${pasted}\t${before[1]}\n`);
  assert.equal(await first.inputValue(), expected);
  assert.equal(await page.locator(".price-grid td.changed").count(), 1);
  await shot(page, "prices-pasted");
  await page.locator(".savebar button[type=submit]").click();
  await page.locator(".notice").waitFor();
  assert.equal(await priceOnSale(service, model), expected, "the next public read has it");
  assert.equal(await cells.nth(1).inputValue(), before[1]);
});

await step("a record is changed, archived and restored, and the history tells it", async () => {
  const page = await open({ ...MODES.light, storageState: signedIn });
  await page.goto("/admin/vehicle-brands/3/");
  const name = await page.getByLabel("Name").inputValue();
  await page.getByLabel("Name").fill(`${name} बाइक्स`);
  await page.getByRole("button", { name: "Save brand" }).click();
  await page.getByText("Saved. Customers see it now.").waitFor();
  await page.getByRole("link", { name: /^Archive/ }).click();
  await shot(page, "archiving");
  await page.getByRole("button", { name: /^Archive/ }).click();
  await page.getByRole("button", { name: /^Restore/ }).click();
  await page.getByLabel("Name").fill(name);
  await page.getByRole("button", { name: "Save brand" }).click();
  await page.goto("/admin/vehicle-brands/3/history/");
  await page.getByText("बाइक्स").first().waitFor();
});

await step("a holiday over a booked day lists the booking first", async () => {
  const page = await open({ ...MODES.light, storageState: signedIn });
  await page.goto("/admin/shop/holidays/");
  await page.getByLabel("Name").fill("Pongal");
  await page.getByLabel("First day").fill(bookedDay);
  await page.getByRole("button", { name: "Save holidays" }).click();
  await page.getByText("would not fit any more").waitFor();
  await shot(page, "holiday-over-a-booking");
  await inspect(page, "holiday over a booking", "light");
  await page.getByRole("button", { name: "Save holidays anyway" }).click();
  await page.getByRole("button", { name: /^Remove .* Pongal/ }).click();
  await page.getByText("Removed. The day can be booked again.").waitFor();
});

await step("the file of prices is opened again, and shows one change", async () => {
  const page = await open({ ...MODES.light, storageState: signedIn });
  await page.goto("/admin/prices/?brand=3");
  const download = page.waitForEvent("download");
  await page.getByRole("link", { name: "Download CSV" }).click();
  const path = await (await download).path();
  const lines = readFileSync(path, "utf8").split("\r\n");
  lines[1] = lines[1].replace(/[\d.]+$/, "777.00");
  const changed = `${screens}prices.csv`;
  writeFileSync(changed, lines.join("\r\n"));
  await page.getByRole("link", { name: "Upload a file" }).click();
  await page.getByLabel("Price file").setInputFiles(changed);
  await page.getByRole("button", { name: "Show what changes" }).click();
  await page.getByText("777.00").first().waitFor();
  await shot(page, "prices-file-preview");
  await inspect(page, "preview of a file", "light");
});

await step("a mistake is shown beside its field", async () => {
  const page = await open({ ...MODES.light, storageState: signedIn });
  await page.goto("/admin/vehicle-models/7/");
  await page.getByLabel("Engine").fill("many");
  await page.getByRole("button", { name: "Save model" }).click();
  await page.getByText("Enter a number from 1 to 10000").waitFor();
  assert.equal(await page.getByLabel("Engine").inputValue(), "many");
  await shot(page, "mistake");
  await inspect(page, "mistake", "light");
});

await step("the keyboard opens the search and moves through a list", async () => {
  const page = await open({ ...MODES.light, storageState: signedIn });
  await page.goto("/admin/vehicle-brands/");
  await page.keyboard.press("Control+k");
  await page.keyboard.type("activa");
  await page.getByRole("dialog").getByRole("option", { name: /Activa/ }).first().waitFor();
  await shot(page, "palette");
  await page.keyboard.press("Enter");
  await page.waitForURL(/vehicle-models|prices/);
  await page.goto("/admin/vehicle-brands/");
  await page.keyboard.press("j");
  await page.keyboard.press("Enter");
  await page.waitForURL(/vehicle-brands\/\d+\//);
});

await step("a visit is confirmed, and its cash recorded", async () => {
  const page = await open({ ...MODES.light, storageState: signedIn });
  await page.goto(`/admin/?day=${bookedDay}`);
  await page.getByRole("button", { name: /^Confirm booking: Honda Activa 6G, John Doe/ }).click();
  await page.getByRole("button", { name: /^Start work: Honda Activa 6G, John Doe/ }).waitFor();
  await page.getByRole("link", { name: "Honda Activa 6G" }).click();
  await page.getByRole("button", { name: /^Record ₹[\d,.]+ cash$/ }).click();
  await page.getByRole("link", { name: /^Taken · Cash/ }).waitFor();
  await page.getByRole("button", { name: "Make link" }).click();
  await page.getByText("It is shown only now").waitFor();
  await shot(page, "link-made", { fullPage: true });
  await inspect(page, "a link that was made", "light");
  Object.assign(PAGES, await pagesOfTheVisit(page));
});

await step("a message is sent again on purpose, by a form that works once", async () => {
  const page = await open({ ...MODES.light, storageState: signedIn });
  await page.goto(PAGES.booking);
  await page.getByRole("button", { name: /^Send again: Booking received/ }).click();
  await page.getByText("To be sent").waitFor();
  await page.getByText(/sent again by/).waitFor();
  await inspect(page, "a message that is sent again", "light");
});

for (const [mode, options] of Object.entries(MODES)) {
  await step(`axe finds nothing on any page, ${mode}`, async () => {
    const page = await open(options);
    await page.goto("/admin/sign-in/");
    await inspect(page, "sign-in", mode);
    await shot(page, `sign-in-${mode}`);
    await page.context().addCookies(signedIn.cookies);
    const faults = [];
    for (const [name, path] of Object.entries(PAGES)) {
      await page.goto(path);
      faults.push(...await faultsOf(page, name, mode));
      await shot(page, `${name}-${mode}`, { fullPage: name !== "prices" });
    }
    assert.deepEqual(faults, []);
    if (mode === "phone") {
      await page.goto("/admin/");
      await page.getByRole("button", { name: "Menu" }).click();
      await shot(page, "menu-phone");
    }
    await page.context().close();
  });
}

await step("without JavaScript: sign in, change a price, change the hours", async () => {
  const page = await open({ ...MODES.light, javaScriptEnabled: false });
  await signIn(page, email, password);
  await page.goto("/admin/prices/?brand=3");
  const cell = page.locator(".price-grid input[name^=price-]").nth(2);
  const [, service, model] = (await cell.getAttribute("name")).split("-").map(Number);
  const typed = (await cell.inputValue()) === "888.00" ? "999.00" : "888.00";
  await cell.fill(typed);
  await page.locator(".savebar button[type=submit]").click();
  await page.locator(".notice").waitFor();
  assert.equal(await priceOnSale(service, model), typed);
  await page.goto("/admin/shop/hours/");
  await page.getByLabel("Sunday closes").fill("18:30");
  await page.getByLabel("Sunday opens").fill("09:30");
  await page.getByRole("button", { name: /Save hours/ }).click();
  await page.getByText("Saved. Slots follow these hours now.").waitFor();
});

await step("a user whose role is taken away is refused at the next click", async () => {
  const owner = await open({ ...MODES.light, storageState: signedIn });
  const page = await open(MODES.light);
  await signIn(page, mechanic, password);
  await owner.goto(`/admin/users/?q=${encodeURIComponent(mechanic)}`);
  await owner.getByRole("link", { name: mechanic, exact: true }).click();
  await owner.getByRole("button", { name: "Take role “Staff”" }).click();
  await owner.getByText("Saved. It counts from the next request on.").waitFor();
  await page.getByLabel("Sections").getByRole("link", { name: "Services", exact: true }).click();
  await page.getByRole("heading", { name: "Not allowed" }).waitFor();
  await shot(page, "role-taken-away");
});

await step("a user who has signed out is out", async () => {
  const page = await open(MODES.light);
  await signIn(page, email, password);
  await page.getByText(email).first().click();
  await page.getByRole("button", { name: "Sign out", exact: true }).click();
  await page.getByRole("heading", { name: "Sign in" }).waitFor();
  await page.goto("/admin/services/");
  await page.getByRole("heading", { name: "Sign in" }).waitFor();
});

await panel.close();
