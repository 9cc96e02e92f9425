// Tests of how the page looks and reads. Every view of a shop of a usual size is shown at three widths.
// Nothing may be wider than the page or its card, and no accessibility rule may be violated, those about colours in both
// themes. With OCACHE_SCREENSHOTS=FOLDER the pictures are kept there.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { join, resolve } from "node:path";
import { answered, choose, connected, launch, open, violations } from "./browser.js";
import { LONG_CLIENT, LONG_PRODUCT, lines, openShop, paste, raised, tiered } from "./shop.js";

const KEPT = process.env.OCACHE_SCREENSHOTS ? resolve(process.env.OCACHE_SCREENSHOTS) : null;
const WIDTHS = [320, 768, 1280];
/** The greatest height of a view at the greatest width: two screens. */
const TWO_SCREENS = 2 * 800;
/** The greatest height of a picture. */
const TALLEST = 1_700;
let browser;
let shop;
let own;

before(async () => {
  browser = await launch();
  shop = await openShop();
  own = await tiered(shop);
});
after(async () => {
  await browser?.close();
  await shop?.home.end();
});

for (const width of WIDTHS) {
  const options = { colorScheme: "light", viewport: { width, height: width === 320 ? 640 : 800 } };
  const looks = (view, act) => test(`${view}, ${width} wide`, async () => {
    const page = await open(browser, `${shop.system.page}#${view}`, options);
    await connected(page);
    const keep = async (name, how) => {
      if (!KEPT) return;
      for (const colorScheme of ["dark", "light"]) {
        await page.emulateMedia({ colorScheme });
        await picture(page, `${name}-${width}-${colorScheme}`, how);
      }
    };
    await act(page, keep);
    if (width === 1280) await fits(page);
    page.calm();
    await page.context().close();
  });

  looks("quote", async (page, keep) => {
    await fine(page);
    await page.getByRole("combobox", { name: "Products" }).fill("cork");
    await page.getByRole("option").first().waitFor();
    await page.keyboard.press("ArrowDown");
    await fine(page);
    await page.keyboard.press("Escape");
    await page.getByRole("combobox", { name: "Products" }).fill("nothing like this");
    await page.keyboard.press("Enter");
    await page.locator("#product-problem").waitFor();
    await fine(page);
    const others = [20, 21].map((at) => [shop.products[at].id, String(at)]);
    await choose(page, own.client, [[own.product, "12"], ...others]);
    await page.getByRole("button", { name: "Get the quotation" }).click();
    await answered(page);
    await page.locator(".lines .ladder").first().waitFor();
    await page.locator("#frames summary").click();
    await page.locator("#settings summary").click();
    await fine(page);
    await page.locator("#frames summary").click();
    await page.locator("#settings summary").click();
    await page.evaluate(() => window.scrollTo(0, 0));
    await keep("quote");

    // A hundred lines, in the middle of which the total and the columns are still visible.
    await page.locator("#product").focus();
    await paste(page, lines(shop.products));
    await page.locator("#basket li").nth(99).waitFor();
    await page.getByRole("button", { name: "Get the quotation" }).click();
    await page.locator(".lines tbody tr").nth(99).waitFor();
    await page.locator(".lines .ladder").first().waitFor();
    await fine(page);
    await page.locator(".lines tbody tr").nth(50).scrollIntoViewIfNeeded();
    await keep("lines", { isWindow: true });
    // The widest line has a total of nine digits.
    await page.getByLabel(`Quantity of ${own.product}`).fill("9000");
    await page.getByRole("button", { name: "Get the quotation" }).click();
    await page.locator(".lines").getByText("9,000", { exact: true }).waitFor();
  });

  looks("prices", async (page, keep) => {
    await fine(page);
    await page.getByLabel("Prices of customer").fill(own.client);
    await page.getByLabel("Prices of customer").press("Tab");
    await page.locator("#prices-pager").getByText(/ of 5,000$/).waitFor();
    if (width === 1280) await isLow(page);
    await page.getByLabel("Search products").fill(own.product.slice(0, 2));
    await page.getByRole("button", { name: `Why ${own.product} costs this` }).click();
    await page.locator(".why table").waitFor();
    await fine(page);
    // The reason is not hidden beside the visible part of a row.
    const hidden = await page.locator(".why").evaluate((why) => {
      const { right } = why.getBoundingClientRect();
      const cells = [...why.querySelectorAll("tbody td")];
      return cells.filter((cell) => cell.getBoundingClientRect().right > right + 1).map((cell) => cell.dataset.label);
    });
    assert.deepEqual(hidden, []);
    assert.ok(await page.locator(".why .because").first().isVisible());
    await keep("prices");
  });

  looks("load", async (page, keep) => {
    await fine(page);
    const { token } = await shop.home.run("token", "--load");
    await page.getByLabel("Token that may load").fill(token);
    const file = (text) => page.locator("#load-file").setInputFiles({ name: "prices.csv", mimeType: "text/csv", buffer: Buffer.from(text) });
    await file(raised(shop.products.slice(0, 60)));
    await page.locator("#load-changes tr").first().waitFor();
    await fine(page);
    if (width === 1280) await isLow(page);
    await keep("load");
    // The page warns of a name that does not exist.
    await file(`user_id,product_id,percentage\n${LONG_CLIENT},${LONG_PRODUCT.replace("SKU", "ABC")},5\n`);
    await page.locator("#load-warnings li").first().waitFor();
    await fine(page);
  });

  looks("worth", async (page, keep) => {
    await page.locator("#worth-verdict").waitFor();
    await page.getByLabel("What if the TTL were").fill("15m");
    await page.keyboard.press("Enter");
    await page.locator("#worth-rows .mine").waitFor();
    await fine(page);
    if (width === 1280) await isLow(page);
    await keep("worth");
  });

  looks("live", async (page, keep) => {
    await page.locator("#users tr").nth(11).waitFor();
    await page.locator("#events li").first().waitFor();
    await fine(page);
    await keep("live");
  });
}

test("the switch goes before the system's theme, and is remembered", async () => {
  const page = await open(browser, shop.system.page, { colorScheme: "dark" });
  const paper = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const dark = await paper();
  await page.getByRole("button", { name: "Dark theme", pressed: true }).click();
  const light = await paper();
  assert.notEqual(light, dark);
  await page.reload();
  assert.equal(await paper(), light);
  await page.context().close();
});

test("the current view stands out in both themes", async () => {
  const page = await open(browser, shop.system.page);
  for (const colorScheme of ["light", "dark"]) {
    await page.emulateMedia({ colorScheme });
    const [tab, track] = await page.evaluate(() => [".views [aria-current]", ".views"].map((where) => {
      const color = getComputedStyle(document.querySelector(where)).backgroundColor;
      return color.match(/\d+/g).slice(0, 3).reduce((sum, part) => sum + Number(part), 0);
    }));
    assert.ok(Math.abs(tab - track) > 60, `${colorScheme}: ${tab} beside ${track}`);
  }
  await page.context().close();
});

/**
 * Checks that nothing is wider than the page, and that no accessibility rule is violated. A theme changes only colours,
 * so in the dark one only the rules about colours are checked.
 */
async function fine(page) {
  const over = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  assert.equal(over, 0, "it scrolls sideways");
  assert.deepEqual(await violations(page), []);
  await page.emulateMedia({ colorScheme: "dark" });
  assert.deepEqual(await violations(page, ["color-contrast", "link-in-text-block"]), [], "in the dark theme");
  await page.emulateMedia({ colorScheme: "light" });
}

/** Checks that a view is at most two screens tall. */
async function isLow(page) {
  const height = await page.evaluate(() => document.documentElement.scrollHeight);
  assert.ok(height <= TWO_SCREENS, `${height} pixels are more than two screens`);
}

/** Checks that at any width nothing is wider than the page or sticks out of its card. */
async function fits(page) {
  const { width: before, height } = page.viewportSize();
  for (let width = 320; width <= before; width += 32) {
    await page.setViewportSize({ width, height });
    assert.deepEqual(await page.evaluate(outside), [], `${width} wide`);
  }
  await page.setViewportSize({ width: before, height });
}

/** Returns what is wider than the page or sticks out of its card, as texts. It runs in the page. */
function outside() {
  const { scrollWidth, clientWidth } = document.documentElement;
  const found = scrollWidth > clientWidth ? [`the page is ${scrollWidth} wide`] : [];
  const events = document.getElementById("events");
  if (events.scrollWidth > events.clientWidth) found.push("the events scroll sideways");
  for (const card of document.querySelectorAll(".card")) {
    const right = card.getBoundingClientRect().right - parseFloat(getComputedStyle(card).paddingRight);
    for (const part of card.querySelectorAll("*")) {
      // What scrolls by itself, and what only a screen reader finds, may be wider.
      if (part.closest(".scroll, .unseen, thead, svg, [role=listbox]")) continue;
      const box = part.getBoundingClientRect();
      if (box.width > 0 && box.right > right + 1) found.push(`${part.outerHTML.slice(0, 100)} by ${Math.ceil(box.right - right)}`);
    }
  }
  return found.slice(0, 5);
}

/** Keeps a picture of the page, or of the visible part of it. */
async function picture(page, name, { isWindow = false } = {}) {
  const path = join(KEPT, `${name}.png`);
  if (isWindow) return page.screenshot({ path });
  const [width, height] = await page.evaluate(() => [document.documentElement.clientWidth, document.documentElement.scrollHeight]);
  // The window is as tall as the page, so that what sticks to the window's edge is in its place.
  const { height: before } = page.viewportSize();
  await page.setViewportSize({ width, height });
  await page.screenshot({ path, clip: { x: 0, y: 0, width, height: Math.min(height, TALLEST) } });
  await page.setViewportSize({ width, height: before });
}
