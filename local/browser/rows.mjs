// Lists and boards of the panel in Chromium with so many rows: nothing scrolls sideways, and a page of bookings is small.
//
//     node rows.mjs <url> <folder for screenshots> <e-mail> <password> <number of rows> <a day with as many as there are>

import assert from "node:assert/strict";
import { MODES, faultsOf, start, traffic } from "./browser.mjs";

const [url, folder, email, password, count, day] = process.argv.slice(2);
const { open, signIn, step, say, shot, close } = await start("rows", url, folder);
const PAGES = {
  today: `/admin/?day=${day}`, "by-status": `/admin/?day=${day}&by=status`, bookings: "/admin/bookings/",
  customers: "/admin/customers/", payments: "/admin/payments/",
};
const EMPTY = {
  today: "Nothing is booked for this day.", "by-status": "Nothing is booked for this day.",
  bookings: "There is no booking yet.", customers: "There is no customer yet.", payments: "No payment has been made yet.",
};
let signedIn;

await step(`with ${count} rows a list of bookings is one small answer`, async () => {
  const page = await open(MODES.light);
  await signIn(page, email, password);
  signedIn = await page.context().storageState();
  // On the second page all names are long.
  for (const path of Number(count) > 50 ? ["/admin/bookings/", "/admin/bookings/?page=2"] : ["/admin/bookings/"]) {
    const list = await traffic(page, () => page.goto(path));
    const rows = await page.locator("main tbody tr").count();
    say(`${path} with ${rows} bookings: ${list.bytes} bytes in ${list.requests} requests (at most 9,000 in 1)`);
    assert.equal(rows, Math.min(Number(count), 50));
    assert.equal(list.requests, 1);
    assert.ok(list.bytes <= 9_000, `${list.bytes} bytes`);
  }
  await page.context().close();
});

for (const [mode, options] of Object.entries(MODES)) {
  await step(`with ${count} rows every page fits, ${mode}`, async () => {
    const page = await open({ ...options, storageState: signedIn });
    const faults = [];
    for (const [name, path] of Object.entries(PAGES)) {
      await page.goto(path);
      faults.push(...await faultsOf(page, `${name} of ${count}`, mode));
      await shot(page, `rows-${count}-${name}-${mode}`, { fullPage: true });
      if (count === "0") assert.match(await page.locator("main .empty").innerText(), new RegExp(`^${EMPTY[name]}`));
      else if (name !== "payments") assert.match(await page.locator("main").innerText(), /[\u0900-\u097f]/);
    }
    assert.deepEqual(faults, []);
    await page.context().close();
  });
}

await close();
