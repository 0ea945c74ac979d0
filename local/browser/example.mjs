// The example of a page for customers in Chromium: from the bike to the paid booking, on a phone, also without a network.
//
//     node example.mjs <url> <folder for screenshots> <URL of Descope's stand-in>

import assert from "node:assert/strict";
import { MODES, faultsOf, start } from "./browser.mjs";

const [url, folder, descope] = process.argv.slice(2);
const { open, step, shot, close } = await start("example", url, folder);
const book = (page) => page.getByRole("button", { name: "Book", exact: true });
const isBooking = (request) => request.method() === "POST";

/** Chooses a bike and two services. */
async function chooseJob(page) {
  await page.goto("/example/");
  await page.getByLabel("Scooter", { exact: true }).check();
  await page.getByLabel("Honda", { exact: true }).check();
  await page.getByLabel("Activa 6G", { exact: true }).check();
  const services = page.locator("#services input[type=checkbox]");
  await services.nth(0).check();
  await services.nth(1).check();
}

/** Waits for the times of a day, of which there may be none. */
const times = (page) => page.locator(".times .chips, .times p:text('Nothing is free')").first().waitFor();

/** Chooses a free time, the last one of the days that are shown. */
async function chooseTime(page) {
  const days = page.locator("input[name=date]");
  await days.first().waitFor();
  for (let index = (await days.count()) - 1; index >= 0; index -= 1) {
    await days.nth(index).check();
    await times(page);
    const free = page.locator("input[name=time]:enabled:not(:checked)");
    if (await free.count()) return free.last().check();
  }
  throw new Error("nothing is free");
}

async function fill(page, phone) {
  await chooseJob(page);
  await chooseTime(page);
  await page.getByLabel("Name").fill("Asha Rao");
  await page.getByLabel("Mobile number").fill(phone);
}

const booked = (page) => page.getByRole("heading", { name: "You are booked" }).waitFor();

/** The request of a booking reaches the API, and its answer is lost; then there is no network at all. */
async function loseAnswer(page) {
  await page.route("**/api/bookings/", async (route) => {
    if (!isBooking(route.request())) return route.continue();
    await route.fetch();
    await page.context().setOffline(true);
    await route.abort("internetdisconnected");
  }, { times: 1 });
}

for (const [mode, options] of Object.entries(MODES)) {
  await step(`axe finds nothing on the way to a booking, ${mode}`, async () => {
    const page = await open(options);
    const faults = [];
    const look = async (name) => {
      faults.push(...await faultsOf(page, name, mode));
      // What a value that is missing would look like.
      const words = await page.locator("main").innerText();
      if (/\b(false|undefined|null|NaN|Invalid Date)\b/.test(words)) faults.push(`${name}, ${mode}: ${words}`);
      await shot(page, `example-${name}-${mode}`, { fullPage: true });
    };
    await page.goto("/");
    await look("home");
    await page.getByRole("link", { name: "Book a repair" }).click();
    await page.getByLabel("Scooter", { exact: true }).waitFor();
    await look("start");
    await chooseJob(page);
    await page.locator("input[name=date]").first().waitFor();
    await look("services");
    await chooseTime(page);
    await book(page).click();
    await page.getByText("This field is required.").or(page.getByText("This field may not be blank.")).first().waitFor();
    await look("faulty");
    await page.getByLabel("Name").fill("Asha Rao");
    await page.getByLabel("Mobile number").fill(`987640009${Object.keys(MODES).indexOf(mode)}`);
    await shot(page, `example-window-${mode}`);
    await book(page).click();
    await booked(page);
    await page.getByText("What has happened").click();
    await look("booked");
    await page.getByRole("button", { name: "Choose another time" }).click();
    await times(page);
    await look("move");
    await page.goto("/example/#booking/1/none");
    await page.getByRole("heading", { name: "This link has ended" }).waitFor();
    await look("ended");
    await page.context().close();
    assert.deepEqual(faults, []);
  });
}

await step("a customer books, is declined, pays, moves and cancels, by the link of the booking", async () => {
  const page = await open(MODES.phone);
  await fill(page, "9876400011");
  await book(page).click();
  await booked(page);
  const pay = page.getByRole("button", { name: /^Pay ₹/ });
  await pay.click();
  const frame = page.frameLocator("dialog iframe");
  await frame.getByRole("button", { name: "Let the bank decline" }).click();
  await frame.getByRole("heading", { name: "Declined" }).waitFor();
  await page.getByRole("button", { name: "Close" }).click();
  await page.getByText("The payment was not finished.").waitFor();
  await pay.click();
  await frame.getByRole("button", { name: "Pay", exact: true }).waitFor();
  await shot(page, "example-checkout-phone");
  await frame.getByRole("button", { name: "Pay", exact: true }).click();
  await page.getByText("The payment has arrived. Thank you!").waitFor();
  await page.getByRole("row", { name: /^Paid/ }).waitFor();
  assert.doesNotMatch(await page.locator("main").innerText(), /\bfalse\b/);
  await shot(page, "example-paid-phone", { fullPage: true });

  // The address is all that another device needs.
  const link = page.url().replace("/new", "");
  const other = await open(MODES.phone);
  await other.goto(link);
  await other.getByRole("button", { name: "Choose another time" }).click();
  await chooseTime(other);
  await other.getByRole("button", { name: "Move to this time" }).click();
  await other.getByText("The booking was moved.").waitFor();
  await other.getByRole("button", { name: "Cancel the booking" }).click();
  await other.getByRole("button", { name: "Yes, cancel it" }).click();
  await other.getByText("The booking was cancelled. Your money is given back.").waitFor();
  await shot(other, "example-cancelled-phone", { fullPage: true });
  await other.context().close();
  await page.context().close();
});

await step("a network that is cut in the middle of booking books once, when it is back", async () => {
  const page = await open(MODES.phone);
  await fill(page, "9876400012");
  await loseAnswer(page);
  await book(page).click();
  await page.getByText("We keep trying, and you will be booked once.").waitFor();
  await page.getByText("You are offline.").waitFor();
  await shot(page, "example-offline-phone");
  await page.context().setOffline(false);
  await booked(page);
  await page.context().close();
});

await step("a page that is closed in the middle of booking books once, when it is opened again", async () => {
  const page = await open(MODES.phone);
  await fill(page, "9876400013");
  let isOpenAgain = false;
  await page.route("**/api/bookings/", async (route) => {
    if (isOpenAgain || !isBooking(route.request())) return route.continue();
    await route.fetch();
    await route.abort("internetdisconnected");
  });
  await book(page).click();
  await page.getByText("We keep trying, and you will be booked once.").waitFor();
  page.once("load", () => { isOpenAgain = true; });
  await page.reload();
  await booked(page);
  await page.context().close();
});

await step("a number with open bookings is proved by a code", async () => {
  const page = await open(MODES.phone);
  await fill(page, "9876400014");
  await page.route("**/api/bookings/", (route) => isBooking(route.request())
    ? route.fulfill({ status: 409, json: { code: "PROOF_NEEDED", message: "Please sign in.", details: {} } })
    : route.continue(), { times: 1 });
  const sent = page.waitForResponse("**/api/auth/phone/request-otp/");
  await book(page).click();
  await sent;
  const inbox = await fetch(`${descope}/_inbox?to=${encodeURIComponent("+919876400014")}`);
  await page.getByLabel("Code").fill((await inbox.json())[0].code);
  await page.getByRole("button", { name: "Confirm and book" }).click();
  await booked(page);
  await page.context().close();
});

await close();
