// How the page looks and reads: both views, three widths, both themes, no accessibility violation.
// With OCACHE_SCREENSHOTS=FOLDER the pictures are kept there.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { join, resolve } from "node:path";
import { answered, choose, connected, launch, open, violations } from "./browser.js";
import { Home } from "./processes.js";

const KEPT = process.env.OCACHE_SCREENSHOTS ? resolve(process.env.OCACHE_SCREENSHOTS) : null;
const WIDTHS = [320, 768, 1280];
let browser;
let home;
let system;

before(async () => {
  browser = await launch();
  home = await Home.make();
  system = await home.up("--ttl", "4m", "--refresh-every", "5s");
  // Some life to be seen.
  await home.run("subscribe", "--ttl", "3m", "BBB", "Núñez & Hijos");
  await home.run("quote", "--client", "Northwind", "P2:1");
});
after(async () => {
  await browser?.close();
  await home?.end();
});

for (const colorScheme of ["light", "dark"]) {
  for (const width of WIDTHS) {
    const options = { colorScheme, viewport: { width, height: width === 320 ? 640 : 800 } };

    test(`quote, ${width} wide, ${colorScheme}`, async () => {
      const page = await open(browser, system.page, options);
      await connected(page);
      await fine(page);
      await page.getByRole("combobox", { name: "Products" }).fill("p");
      await page.getByRole("option").first().waitFor();
      await page.keyboard.press("ArrowDown");
      await fine(page);
      await page.keyboard.press("Escape");
      await choose(page, "AAA", [["P1", "2"], ["P3", "1"], ["P5", "12.5"], ["P9", "1"]]);
      await page.getByRole("button", { name: "Get the quotation" }).click();
      await answered(page);
      await page.locator("#frames summary").click();
      await page.locator("#settings summary").click();
      await fine(page);
      await page.locator("#frames summary").click();
      await page.locator("#settings summary").click();
      await page.locator("#client").focus();
      await keep(page, `quote-${width}-${colorScheme}`);
      page.calm();
      await page.context().close();
    });

    test(`live, ${width} wide, ${colorScheme}`, async () => {
      const page = await open(browser, `${system.page}#live`, options);
      await page.locator("#users tr").first().waitFor();
      await page.locator("#events li").first().waitFor();
      await fine(page);
      await keep(page, `live-${width}-${colorScheme}`);
      page.calm();
      await page.context().close();
    });
  }
}

test("the switch goes before the system's theme, and is remembered", async () => {
  const page = await open(browser, system.page, { colorScheme: "dark" });
  const paper = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const dark = await paper();
  await page.getByRole("button", { name: "Dark theme", pressed: true }).click();
  const light = await paper();
  assert.notEqual(light, dark);
  await page.reload();
  assert.equal(await paper(), light);
  await page.context().close();
});

/** Nothing sticks out at the side, and no rule of accessibility is broken. */
async function fine(page) {
  const over = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  assert.equal(over, 0, "it scrolls sideways");
  assert.deepEqual(await violations(page), []);
}

async function keep(page, name) {
  if (KEPT) await page.screenshot({ path: join(KEPT, `${name}.png`), fullPage: true });
}
