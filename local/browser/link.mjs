// The page behind a booking's link in Chromium: what a customer does there without JavaScript, axe on each page, and the bytes.
//
//     node link.mjs <url> <folder for screenshots> <URL of Descope's stand-in> <number of the second booking> \
//         <link to pay> <link to change> <link that was revoked>

import assert from "node:assert/strict";
import { MODES, faultsOf, start, traffic } from "./browser.mjs";

const [url, folder, descope, phone, toPay, toChange, revoked] = process.argv.slice(2);
const { open, step, say, shot, close } = await start("link", url, folder);

async function codeOf(number) {
  const answer = await fetch(`${descope}/_inbox?to=${encodeURIComponent(number)}`);
  return (await answer.json())[0].code;
}

await step("the first page is one small request", async () => {
  const page = await open(MODES.phone);
  const first = await traffic(page, () => page.goto(toChange));
  say(`first page ${first.bytes} bytes in ${first.requests} request (at most 20,480 in 1)`);
  assert.ok(first.bytes <= 20_480 && first.requests === 1, JSON.stringify(first));
  await page.context().close();
});

for (const [mode, options] of Object.entries(MODES)) {
  await step(`axe finds nothing on any page of a link, ${mode}`, async () => {
    const page = await open(options);
    const faults = [];
    const look = async (name) => {
      faults.push(...await faultsOf(page, name, mode));
      await shot(page, `link-${name}-${mode}`, { fullPage: true });
    };
    for (const [name, path] of [
      ["first", toChange], ["move", `${toChange}move/`], ["cancel", `${toChange}cancel/`], ["pay", toPay],
      ["ended", revoked], ["missing", `${toChange}nowhere/`],
    ]) {
      await page.goto(path);
      await look(name);
    }
    await page.goto(toPay);
    await page.getByRole("button", { name: /^Pay ₹/ }).click();
    await page.getByRole("button", { name: "Continue to Razorpay" }).waitFor();
    await look("to-razorpay");
    await page.goto(toChange);
    await page.getByRole("button", { name: "हिन्दी" }).click();
    await page.getByRole("link", { name: "दूसरा समय चुनें" }).waitFor();
    await look("hindi");
    await page.context().close();
    assert.deepEqual(faults, []);
  });
}

const withoutScript = { ...MODES.phone, javaScriptEnabled: false };

await step("without JavaScript: the number is confirmed by a code", async () => {
  const page = await open(withoutScript);
  await page.goto(toChange);
  await page.getByRole("button", { name: "Send the code" }).click();
  await page.getByLabel("Code").fill("000000");
  await page.getByRole("button", { name: "Confirm" }).click();
  await page.getByRole("alert").getByText("The code is wrong or has expired.").waitFor();
  await shot(page, "link-code-phone", { fullPage: true });
  await page.getByLabel("Code").fill(await codeOf(phone));
  await page.getByRole("button", { name: "Confirm" }).click();
  await page.getByText("Your number is confirmed.").waitFor();
  await page.context().close();
});

await step("without JavaScript: another time, no reminders, then cancelled", async () => {
  const page = await open(withoutScript);
  await page.goto(toChange);
  const download = page.waitForEvent("download");
  await page.getByRole("link", { name: "Add to the calendar" }).click();
  assert.equal((await download).suggestedFilename(), "booking.ics");
  await page.getByRole("link", { name: "Choose another time" }).click();
  // Some days may be full.
  const days = await page.getByRole("listitem").getByRole("link").evaluateAll((links) => links.map((link) => link.href));
  for (const day of days.slice(2)) {
    await page.goto(day);
    if (await page.getByRole("radio").count()) break;
  }
  await page.getByRole("radio").last().check();
  await shot(page, "link-chosen-phone", { fullPage: true });
  await page.getByRole("button", { name: "Move to this time" }).click();
  await page.getByText("The booking was moved.").waitFor();
  await page.getByRole("button", { name: "Send me no reminders" }).click();
  await page.getByText("You get no reminders.").waitFor();
  await page.getByRole("link", { name: "Cancel the booking" }).click();
  await page.getByLabel("Reason (optional)").fill("The scooter was sold");
  await page.getByRole("button", { name: "Yes, cancel it" }).click();
  await page.getByText("The booking was cancelled.").waitFor();
  await shot(page, "link-cancelled-phone", { fullPage: true });
  await page.context().close();
});

await step("without JavaScript: a declined payment, then a payment", async () => {
  const page = await open(withoutScript);
  for (const [press, said] of [["Let the bank decline", /has not arrived/], ["Pay", /The payment has arrived/]]) {
    await page.goto(toPay);
    await page.getByRole("button", { name: /^Pay ₹/ }).click();
    await page.getByRole("button", { name: "Continue to Razorpay" }).click();
    await page.getByRole("button", { name: press, exact: true }).click();
    await page.getByRole("button", { name: "Back to the shop" }).click();
    await page.getByText(said).waitFor();
  }
  await shot(page, "link-paid-phone", { fullPage: true });
  await page.context().close();
});

await close();
