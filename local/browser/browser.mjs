// Chromium for the scripts beside this one: windows, people who sign in, steps, and what every page must keep.

import assert from "node:assert/strict";
import { mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { chromium } from "playwright-core";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

export const MODES = {
  light: { viewport: { width: 1280, height: 900 }, colorScheme: "light" },
  dark: { viewport: { width: 1280, height: 900 }, colorScheme: "dark" },
  phone: { viewport: { width: 390, height: 844 }, colorScheme: "light", hasTouch: true, isMobile: true },
};

// Meant for a desk, or for paper.
const WITHOUT_TARGETS = /^(price|paper)/;

/** Starts Chromium for the panel at `url`; screenshots go to `folder`, and lines of the log begin with `name`. */
export async function start(name, url, folder) {
  const screens = folder.replace(/\/?$/, "/");
  mkdirSync(screens, { recursive: true });
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: [
      "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
      "--disable-component-update", "--disable-sync",
    ],
  });
  const complaints = [];
  const pages = new Set();
  const say = (text) => console.log(`${name}: ${text}`);

  /** Opens a window; what its console complains about is an error of the page. */
  async function open(options) {
    const context = await browser.newContext({ baseURL: url, locale: "en-IN", ...options });
    const page = await context.newPage();
    pages.add(page);
    page.on("close", () => pages.delete(page));
    page.on("pageerror", (error) => complaints.push(`${page.url()}: ${error}`));
    page.on("console", (message) => {
      const isExpected = /the server responded with a status of|net::ERR_INTERNET_DISCONNECTED/.test(message.text());
      if (["error", "warning"].includes(message.type()) && !isExpected) complaints.push(`${page.url()}: ${message.text()}`);
    });
    return page;
  }

  async function signIn(page, address, password) {
    await page.goto("/admin/");
    await page.getByLabel("E-mail address").fill(address);
    await page.getByLabel("Password").fill(password);
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByRole("heading", { name: /^Today/ }).waitFor();
  }

  /** Does a part of the script. If it fails, the open windows are shown in `failed-….png`. */
  async function step(title, act) {
    const before = complaints.length;
    const began = performance.now();
    try {
      await act();
    } catch (error) {
      say(`${title}: FAILED`);
      for (const [index, page] of [...pages].entries()) await shot(page, `failed-${name}-${index}`, { fullPage: true });
      throw error;
    }
    assert.deepEqual(complaints.slice(before), [], `${title}: complaints of the console`);
    say(`${title} (${((performance.now() - began) / 1000).toFixed(1)} s)`);
  }

  const shot = (page, title, options) => page.screenshot({ path: `${screens}${title}.png`, ...options });

  return { open, signIn, step, say, shot, screens, close: () => browser.close() };
}

/** What axe finds, sideways scrolling and, on phones, targets that are too small for a finger. */
export async function faultsOf(page, name, mode) {
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() =>
    globalThis.axe.run({ runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"] }));
  const found = violations.map(({ id, nodes }) =>
    `${id}: ${nodes.slice(0, 3).map((node) => node.html.slice(0, 160)).join(" | ")}`);
  found.push(...await sideways(page));
  if (mode === "phone" && !WITHOUT_TARGETS.test(name)) {
    found.push(...await page.evaluate(() =>
      [...document.querySelectorAll("button, .button, select, summary, input:not([type=hidden]), textarea")]
        // A tick is pressed by its label too.
        .map((element) => (element.matches("[type=checkbox], [type=radio]") && element.closest("label")) || element)
        .filter((element) => element.checkVisibility() && element.getBoundingClientRect().height < 43.5)
        .map((element) => `below 44 px: ${element.outerHTML.slice(0, 120)}`)));
  }
  return found.map((fault) => `${name}, ${mode}: ${fault}`);
}

/** By how much the page is wider than its window. */
export async function sideways(page) {
  const overflow = await page.evaluate(() => document.scrollingElement.scrollWidth - innerWidth);
  return overflow > 0 ? [`scrolls sideways by ${overflow} px`] : [];
}

export async function inspect(page, name, mode) {
  assert.deepEqual(await faultsOf(page, name, mode), []);
}

/** Bytes on the wire and requests of what `act` loads, without what the browser has kept. */
export async function traffic(page, act) {
  const devtools = await page.context().newCDPSession(page);
  await devtools.send("Network.enable");
  const kept = new Set();
  const loaded = [];
  devtools.on("Network.requestServedFromCache", ({ requestId }) => kept.add(requestId));
  devtools.on("Network.loadingFinished", (each) => loaded.push(each));
  await act();
  await page.waitForLoadState("networkidle");
  await devtools.detach();
  const own = loaded.filter(({ requestId, encodedDataLength }) => !kept.has(requestId) && encodedDataLength > 0);
  return { requests: own.length, bytes: own.reduce((sum, each) => sum + each.encodedDataLength, 0) };
}
