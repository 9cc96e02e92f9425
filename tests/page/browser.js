// A headless Chromium of the system, and functions that use the page in it.

import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { readFile } from "node:fs/promises";
import { chromium } from "playwright-core";

const AXE = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const CHROMIUM = process.env.OCACHE_CHROMIUM ?? "/usr/bin/chromium";

/** Starts a browser with an empty profile. */
export function launch() {
  return chromium.launch({
    executablePath: CHROMIUM,
    args: [
      "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
      "--disable-background-networking", "--disable-component-update", "--disable-sync",
    ],
  });
}

/** Opens the page. If something goes wrong in it, the test fails when `calm` is called. */
export async function open(browser, url, options = {}) {
  const context = await browser.newContext({ locale: "en-GB", reducedMotion: "reduce", ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(30_000);
  const faults = [];
  page.on("pageerror", (error) => faults.push(String(error)));
  page.on("console", (message) => {
    // A killed gateway cannot be reached. The browser reports that, but it is not a fault of the page.
    if (message.type() === "error" && !/ERR_CONNECTION|WebSocket connection/.test(message.text())) {
      faults.push(message.text());
    }
  });
  page.calm = () => assert.deepEqual(faults, []);
  await page.goto(url);
  return page;
}

export async function connected(page) {
  await page.locator("#link[data-state=open]").waitFor();
}

/** Gives the page a token for its gateway. */
export async function showToken(page, token) {
  await page.locator("#settings summary").click();
  await page.getByLabel("Token", { exact: true }).fill(token);
  await page.getByRole("button", { name: "Connect" }).click();
  await connected(page);
}

/** Chooses products by typing, as with a keyboard. */
export async function choose(page, client, products) {
  await page.getByLabel("Customer", { exact: true }).fill(client);
  for (const [product, quantity] of products) {
    await page.getByRole("combobox", { name: "Products" }).fill(product);
    await page.keyboard.press("Enter");
    await page.getByLabel(`Quantity of ${product}`).fill(quantity);
  }
}

export async function answered(page) {
  await page.locator("#quotation[data-state=answered]").waitFor();
}

/** Returns the violations of these accessibility rules, or of all, by their names. */
export async function violations(page, rules) {
  // The script is evaluated and not inserted, because the page's policy forbids scripts that are not its
  // own.
  if (!await page.evaluate(() => window.axe !== undefined)) await page.evaluate(AXE);
  const options = { resultTypes: ["violations"], ...(rules && { runOnly: { type: "rule", values: rules } }) };
  const { violations: found } = await page.evaluate((options) => window.axe.run(document, options), options);
  return found.map(({ id, nodes }) => `${id}: ${nodes.map(({ html, failureSummary }) => `${html} ${failureSummary}`).join(" | ")}`);
}
