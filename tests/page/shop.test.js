// Tests of the page with a shop of a usual size: 5,000 products, 300 active customers, price lists with
// tiers, and ids that cannot be wrapped.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, before, test } from "node:test";
import { answered, connected, launch, open } from "./browser.js";
import { CLIENTS, LONG_CLIENT, LONG_PRODUCT, PRODUCTS, lines, openShop, paste, tiered } from "./shop.js";

let browser;
let shop;

before(async () => {
  browser = await launch();
  shop = await openShop();
});
after(async () => {
  await browser?.close();
  await shop?.home.end();
});

const inView = (locator) => locator.evaluate((found) => {
  const { top, bottom } = found.getBoundingClientRect();
  return top >= 0 && bottom <= window.innerHeight;
});

test("Enter takes the first match; case and accents do not matter, and a part of an id is found", async () => {
  const page = await open(browser, shop.system.page);
  const { id, name } = shop.products[7];
  const products = page.getByRole("combobox", { name: "Products" });
  // No word of a name begins with this.
  await products.fill(id.slice(2).toLowerCase());
  await page.keyboard.press("Enter");
  await page.getByLabel(`Quantity of ${id}`).waitFor();
  assert.equal(await page.locator("#basket .name").innerText(), name);
  await products.fill(name.replace(/[aeiou]/i, (letter) => `${letter}\u0301`).toUpperCase());
  const first = page.getByRole("option").first();
  await first.waitFor();
  const found = await first.locator(".id").innerText();
  assert.equal(shop.products.find((product) => product.id === found).name, name);
  await page.keyboard.press("Enter");
  await page.getByLabel(`Quantity of ${found}`).waitFor();
  page.calm();
  await page.context().close();
});

test("pasted lines become a basket, and its hundred lines keep total and columns in sight", async () => {
  const page = await open(browser, shop.system.page, { viewport: { width: 1280, height: 800 } });
  await connected(page);
  const { id: own } = shop.products[0];
  await page.getByLabel("Customer", { exact: true }).fill(shop.clients[5]);
  await page.locator("#product").focus();
  await paste(page, `Article\tQuantity\r\n${lines(shop.products)}\r\nNOPE\t3\r\n${own.toLowerCase()}\t2,5\r\n`);
  await page.locator("#product-problem").getByText("101 lines of 102 added. Left out: “NOPE” is not a product.").waitFor();
  assert.equal(await page.locator("#basket li").count(), 100);
  assert.equal(await page.getByLabel(`Quantity of ${own}`).inputValue(), "3.5", "named twice, it is one line");
  await page.getByRole("button", { name: "Get the quotation" }).click();
  await answered(page);
  const rows = page.locator(".lines tbody tr");
  assert.equal(await rows.count(), 100);
  await rows.nth(50).scrollIntoViewIfNeeded();
  assert.ok(await inView(page.locator(".lines thead th").first()), "the columns are in sight");
  assert.ok(await inView(page.locator(".lines tfoot td")), "the total is in sight");
  assert.ok(await inView(page.locator("#send")), "and so is the button");
  page.calm();
  await page.context().close();
});

test("a line shows its rule, its tiers and the next tier", async () => {
  const page = await open(browser, shop.system.page);
  const { client, product } = await tiered(shop);
  await page.getByLabel("Customer", { exact: true }).fill(client);
  await page.locator("#product").fill(product);
  await page.keyboard.press("Enter");
  await page.getByLabel(`Quantity of ${product}`).fill("10");
  await page.keyboard.press("Enter");
  await answered(page);
  const line = page.locator(".lines tbody tr");
  const tiers = line.getByRole("list", { name: `Tiers of ${product}` });
  await tiers.waitFor();
  assert.match(await line.locator(".rule").innerText(), /^Price list list-\d+.*, from 10$/);
  assert.match(await tiers.locator("[aria-current]").innerText(), /^[\d,.]+ from 10$/);
  const texts = await tiers.getByRole("listitem").allInnerTexts();
  assert.deepEqual(texts.map((text) => text.replace(/^[\d,.]+ /, "")), ["below 10", "from 10", "from 25"]);
  assert.match(await line.locator(".next").innerText(), /^Next tier: [\d,.]+ each from 25$/);
  page.calm();
  await page.context().close();
});

test("a quotation is printed without the form, with all its lines", async () => {
  const page = await open(browser, shop.system.page, { colorScheme: "dark" });
  await page.getByLabel("Customer", { exact: true }).fill(shop.clients[5]);
  await page.locator("#product").focus();
  await paste(page, lines(shop.products));
  await page.locator("#basket li").nth(99).waitFor();
  await page.getByRole("button", { name: "Get the quotation" }).click();
  await answered(page);
  await page.emulateMedia({ media: "print" });
  for (const gone of ["#ask", "header", ".tools", "#settings"]) assert.equal(await page.locator(gone).first().isVisible(), false, gone);
  for (const there of [".total", ".lines thead", ".lines tfoot"]) assert.ok(await page.locator(there).isVisible(), there);
  assert.equal(await page.evaluate(() => getComputedStyle(document.body).backgroundColor), "rgb(255, 255, 255)");
  assert.equal(await page.locator(".lines tbody tr:visible").count(), 100);
  await page.context().close();
});

test("a customer's prices are searched, paged, asked for a quantity, explained and saved", async () => {
  const page = await open(browser, `${shop.system.page}#prices`);
  const { client, product } = await tiered(shop);
  const view = page.locator("#view-prices");
  await view.getByText("Name a customer to see its prices.").waitFor();
  await page.getByLabel("Prices of customer").fill(client);
  await page.getByLabel("Prices of customer").press("Tab");
  const rows = page.locator("#prices-rows > tr");
  await rows.nth(19).waitFor();
  assert.match(await page.locator("#prices-pager").innerText(), /1–20 of 5,000/);
  const first = await rows.first().locator(".id").first().innerText();
  await page.getByRole("button", { name: "Next products" }).click();
  await page.locator("#prices-pager").getByText("21–40 of 5,000").waitFor();
  assert.notEqual(await rows.first().locator(".id").first().innerText(), first);
  await page.getByLabel("Search products").fill(product);
  await page.locator("#prices-pager").getByText("1–1 of 1").waitFor();
  assert.match(page.url(), new RegExp(`#prices\\?client=${client}&search=${product}$`));
  await page.getByLabel("Quantity", { exact: true }).fill("10");
  await page.locator("#prices-facts").getByText("For a quantity of 10").waitFor();
  await rows.first().locator(".ladder [aria-current]").getByText(/ from 10$/).waitFor();
  await page.getByRole("button", { name: `Why ${product} costs this` }).click();
  const why = page.locator(".why");
  await why.getByText(/^Counts: /).waitFor();
  assert.match(await why.locator("tr.counts th").innerText(), /^list-\d+$/);
  assert.ok((await why.getByText(/^Does not count: /).count()) > 0);
  await page.getByRole("button", { name: `Why ${product} costs this`, expanded: true }).click();
  assert.equal(await why.count(), 0);
  const download = page.waitForEvent("download");
  await page.getByRole("button", { name: "Save all as CSV" }).click();
  const csv = await readFile(await (await download).path(), "utf8");
  assert.ok(csv.trim().split("\n").length > PRODUCTS, "every product is in it");
  // The address opens the same view again.
  await page.reload();
  await page.locator("#prices-pager").getByText("1–1 of 1").waitFor();
  await page.getByLabel("Search products").fill("no such thing");
  await page.locator("#prices-none").getByText("No product matches.").waitFor();
  page.calm();
  await page.context().close();
});

test("300 customers are watched on two screens, searched, paged, and each leads to its prices", async () => {
  const page = await open(browser, `${shop.system.page}#live`, { viewport: { width: 1280, height: 800 } });
  await page.locator("#users tr").nth(11).waitFor();
  assert.match(await page.locator("#users-note").innerText(), new RegExp(`^${CLIENTS} active customers,`));
  const height = await page.evaluate(() => document.documentElement.scrollHeight);
  assert.ok(height <= 2 * 800, `${height} pixels are more than two screens`);
  await page.getByRole("button", { name: "Next customers" }).click();
  await page.locator("#users-pager").getByText(`13–24 of ${CLIENTS}`).waitFor();
  await page.getByLabel("Search active customers").fill(shop.clients[200].slice(3).toUpperCase());
  await page.locator("#users-pager").getByText("1–1 of 1").waitFor();
  await page.getByRole("link", { name: shop.clients[200] }).click();
  await page.locator("#prices-rows > tr").first().waitFor();
  assert.equal(await page.getByLabel("Prices of customer").inputValue(), shop.clients[200]);
  page.calm();
  await page.context().close();
});

test("a file is tried first, and then loaded, with a token that may load", async () => {
  const page = await open(browser, `${shop.system.page}#load`);
  const [{ id, name, price }, ...rest] = shop.products;
  const problem = page.locator("#load-problem");
  const choose = (text, file = "prices.csv") => page.locator("#load-file").setInputFiles({ name: file, mimeType: "text/csv", buffer: Buffer.from(text) });
  const raised = `id,name,price\n${id},"${name}",${(Number(price) + 1).toFixed(2)}\n`;
  await choose(raised);
  await problem.getByText("A load needs a token that may load. `ocache token --load` makes a token").waitFor();
  const { token: weak } = await shop.home.run("token", "--client", "AAA");
  await page.getByLabel("Token that may load").fill(weak);
  await page.keyboard.press("Enter");
  await problem.getByText(/^(?!A load needs).*`ocache token --load` makes a token that may load/).waitFor();
  const { token } = await shop.home.run("token", "--load");
  await page.getByLabel("Token that may load").fill(token);
  await choose("id,name,price\nP1,Desk,cheap\nP2,,1\n");
  await problem.getByText(/^Nothing was loaded: [12] rows? of the file cannot be used\.$/).waitFor();
  assert.match(await page.locator("#load-errors").innerText(), /Line 2.*cheap/s);
  await choose(raised);
  await page.locator("#load-summary").getByText(/^Prices of \d+ of 300 active customers would change\.$/).waitFor();
  assert.match(await page.locator("#load-counts tr").first().innerText(), /Products\s+0\s+1\s+0\s+0/);
  assert.ok((await page.locator("#load-changes tr").count()) > 0);
  const before = await shop.home.run("prices", shop.clients[3]);
  const of = ({ prices }) => prices.find((line) => line.product === id).list_price;
  assert.equal(Number(of(before)), price, "nothing is stored yet");
  await page.getByRole("button", { name: "Load it" }).click();
  await page.locator("#load-done-text").getByText(/^Loaded as catalogue version \d+\./).waitFor();
  await page.goto(`${shop.system.page}#prices?${new URLSearchParams({ client: shop.clients[3], search: id })}`);
  await page.locator("#prices-rows").getByText((Number(price) + 1).toFixed(2).replace(/\B(?=(\d{3})+\.)/g, ",")).first().waitFor();
  // A dropped file is tried as well.
  await page.goto(`${shop.system.page}#load`);
  await page.evaluate((text) => {
    const dataTransfer = new DataTransfer();
    dataTransfer.items.add(new File([text], "more.ndjson"));
    document.getElementById("load-drop").dispatchEvent(new DragEvent("drop", { dataTransfer, bubbles: true, cancelable: true }));
  }, `${JSON.stringify(rest[0])}\n`);
  await page.locator("#load-file-name").getByText("more.ndjson").waitFor();
  await page.locator("#load-summary").getByText("No price of 300 active customers would change.").waitFor();
  // One row of a customer's own list replaces the whole list, unless its rows are kept.
  await choose(`user_id,product_id,percentage\n${shop.clients[3]},${id},1\n`, "own.csv");
  const removed = page.locator("#load-warnings").getByText(/^\d+ rows of customers' own lists would be removed$/);
  await removed.waitFor();
  const [prune, merge] = ["Remove what the file leaves out", "Keep customers' own rows that it leaves out"].map((label) => page.getByLabel(label));
  // The second dry run waits until the first has ended.
  await prune.check();
  await merge.check();
  assert.equal(await prune.isChecked(), false, "not both");
  await removed.waitFor({ state: "detached" });
  assert.match(await page.locator("#load-counts tr").nth(1).innerText(), /Customers' own discounts\s+0\s+1\s+0\s+0/);
  // A dry run that is still running is given up when there is another file, also if that cannot be tried.
  let release;
  const held = new Promise((resolve) => { release = resolve; });
  await page.route(/\/load\?/, async (route) => { await held; await route.continue(); });
  const busy = page.locator("#load-busy");
  await choose(raised);
  await busy.waitFor();
  await page.getByLabel("Token that may load").fill("");
  await choose(raised, "other.csv");
  await problem.getByText("A load needs a token that may load.").waitFor();
  await busy.waitFor({ state: "hidden" });
  const ended = page.waitForResponse(/\/load\?/);
  release();
  await (await ended).finished();
  assert.equal(await page.locator("#load-result").isVisible(), false, "it says nothing about the other file");
  await page.context().close();
});

test("what the cache is worth is told with a verdict, and for another TTL", async () => {
  const page = await open(browser, `${shop.system.page}#worth`);
  await page.locator("#worth-verdict").waitFor();
  assert.match(await page.locator("#worth-share").innerText(), /^\d+\.\d+\s%$/);
  assert.match(await page.locator("#worth-cost").innerText(), /^[\d,.]+$/);
  // The shop was loaded a moment ago. The cost of a month has no loads, as the verdict has none.
  const asked = page.waitForResponse(/\/worth\?/);
  await page.getByLabel("Looking back").selectOption("1d");
  const { lines: billed } = await (await asked).json();
  const rest = billed.filter(({ stage }) => stage !== "load");
  assert.ok(rest.length > 0 && rest.length < billed.length, "the load is on the bill");
  const month = rest.reduce((sum, line) => sum + Number(line.usd_a_month), 0);
  await page.waitForFunction((month) => Math.abs(Number(document.getElementById("worth-cost").textContent.replaceAll(",", "")) - month) <= 0.5, month);
  await page.locator("#worth-cost-note").getByText(/; without loads, which cost US\$ [<\d., ]+ in this time$/).waitFor();
  const stages = await page.locator("#worth-stages th").allInnerTexts();
  for (const name of ["load", "unknown", "command"]) assert.ok(!stages.includes(name), name);
  // The costs of the verdict differ from the measured one, so the view says why.
  await page.locator("#worth-verdict").getByText(/^These are forecasts .* with Lambda functions/).waitFor();
  assert.equal(await page.locator("#worth-ways tr.counts").count(), 1);
  await page.getByLabel("What if the TTL were").fill("often");
  await page.keyboard.press("Enter");
  await page.locator("#worth-problem").getByText(/`ttl`/i).waitFor();
  await page.getByLabel("What if the TTL were").fill("15m");
  await page.keyboard.press("Enter");
  await page.locator("#worth-rows").getByText("Yours: TTL 15 min, interval 10 s").waitFor();
  assert.equal(await page.locator("#worth-problem").isVisible(), false);
  await page.context().close();
});

test("with the keyboard alone: every view, a search, an explanation, a page of a list", async () => {
  const page = await open(browser, `${shop.system.page}#quote`);
  await connected(page);
  const keys = page.keyboard;
  const focused = () => page.evaluate(() => {
    const { id, textContent, ariaLabel } = document.activeElement;
    return id || ariaLabel || textContent.trim();
  });
  const tabTo = async (wanted) => {
    for (let tries = 0; tries < 60 && (await focused()) !== wanted; tries += 1) await keys.press("Tab");
    assert.equal(await focused(), wanted);
  };
  for (const view of ["Prices", "Load", "Worth", "Live"]) {
    await tabTo(view);
    await keys.press("Enter");
    await page.locator(`#view-${view.toLowerCase()}`).waitFor();
    assert.equal(await focused(), `${view.toLowerCase()}-title`, "the view is announced");
    await page.reload();
  }
  await page.goto(`${shop.system.page}#prices`);
  await tabTo("prices-client");
  const looked = new Set();
  page.on("request", (request) => looked.add(/\/prices\/([^?]*)/.exec(request.url())?.[1]));
  // Longer than the page waits before it searches: a part of an id must not become an active customer.
  await keys.type(shop.clients[5], { delay: 200 });
  await tabTo("prices-search");
  await keys.type(shop.products[7].id);
  await page.locator("#prices-pager").getByText("1–1 of 1").waitFor();
  looked.delete(undefined);
  assert.deepEqual([...looked], [shop.clients[5]]);
  await tabTo(`Why ${shop.products[7].id} costs this`);
  await keys.press("Space");
  await page.locator(".why table").waitFor();
  await page.goto(`${shop.system.page}#live`);
  await page.locator("#users tr").nth(11).waitFor();
  await tabTo("Next customers");
  await keys.press("Enter");
  await page.locator("#users-pager").getByText(`13–24 of ${CLIENTS}`).waitFor();
  page.calm();
  await page.context().close();
});

for (const width of [320, 768, 1280]) {
  test(`long ids never widen the page, ${width} wide`, async () => {
    const page = await open(browser, shop.system.page, { viewport: { width, height: 640 } });
    const fits = async (what) => assert.equal(await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth), 0, what);
    await page.getByLabel("Customer", { exact: true }).fill(LONG_CLIENT);
    await page.locator("#product").fill(LONG_PRODUCT.slice(0, 30));
    await page.getByRole("option").first().waitFor();
    await fits("what is found");
    await page.keyboard.press("Enter");
    await page.getByLabel(`Quantity of ${LONG_PRODUCT}`).waitFor();
    await page.getByRole("button", { name: "Get the quotation" }).click();
    await answered(page);
    await fits("a quotation");
    await page.goto(`${shop.system.page}#prices?${new URLSearchParams({ client: LONG_CLIENT, search: LONG_PRODUCT })}`);
    await page.getByRole("button", { name: `Why ${LONG_PRODUCT} costs this` }).click();
    await page.locator(".why table").waitFor();
    await fits("prices");
    await page.goto(`${shop.system.page}#live`);
    await page.getByLabel("Search active customers").fill(LONG_CLIENT.slice(0, 40));
    await page.locator("#users tr:only-child").waitFor();
    await page.locator("#events li").first().waitFor();
    await fits("the live view");
    page.calm();
    await page.context().close();
  });
}
