// Tests of quotes through the page.

import assert from "node:assert/strict";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { after, before, test } from "node:test";
import { answered, choose, connected, launch, open, showToken } from "./browser.js";
import { Home } from "./processes.js";

const FIXTURES = new URL("../../fixtures/", import.meta.url).pathname;
let browser;
let home;
let system;

before(async () => {
  browser = await launch();
  home = await Home.make();
  system = await home.up();
});
after(async () => {
  await browser?.close();
  await home?.end();
});

test("a cold client is told that the quotation is under analysis, and then the answer", async () => {
  const page = await open(browser, system.page);
  await connected(page);
  // What is announced is collected, so that nothing that came and went is missed.
  await page.evaluate(() => {
    window.spoken = [];
    new MutationObserver(() => window.spoken.push(document.getElementById("spoken").textContent))
      .observe(document.getElementById("spoken"), { childList: true });
  });
  await choose(page, "AAA", [["P1", "2"], ["P3", "1"]]);
  await page.getByRole("button", { name: "Get the quotation" }).click();
  await answered(page);
  const spoken = await page.evaluate(() => window.spoken);
  const analysis = spoken.indexOf("Quotation under analysis");
  const answer = spoken.indexOf("Quotation answered: 2 lines, total 1,805.52 USD");
  assert.ok(analysis >= 0 && answer > analysis, JSON.stringify(spoken));
  assert.match(await page.locator(".total").innerText(), /^1,805\.52\s+USD$/);
  const lines = await page.getByRole("table", { name: "Lines, in USD" }).getByRole("row").allInnerTexts();
  assert.match(lines[1], /Notebook stand.*P1.*500\.00.*−10\s%.*450\.00.*2.*900\.00/s);
  assert.match(lines[2], /Office chair.*P3.*1,029\.00.*−12\s%.*905\.52.*1.*905\.52/s);
  await page.locator(".facts").getByText("Fresh").waitFor();
  await page.locator(".facts").getByText(/Prices checked \d+\ss ago/).waitFor();
  const frames = await page.locator("#frames-list").textContent();
  assert.ok(frames.includes('"type":"accepted"') && frames.includes('"action":"quote"'));
  page.calm();
  await page.context().close();
});

test("a warm client is answered from the table", async () => {
  await home.run("quote", "--client", "BBB", "P1");
  const before = await home.run("prices", "BBB");
  const page = await open(browser, system.page);
  await choose(page, "BBB", [["P1", "2.5"]]);
  await page.getByRole("button", { name: "Get the quotation" }).click();
  await answered(page);
  const line = (await page.locator(".lines tbody tr").innerText()).replaceAll(/\s+/g, " ");
  const stored = before.prices.find(({ product }) => product === "P1");
  assert.ok(line.includes(stored.unit_price ?? stored.final_price), `${line} ${JSON.stringify(stored)}`);
  assert.equal((await home.run("prices", "BBB")).priced_at, before.priced_at, "not calculated again");
  page.calm();
  await page.context().close();
});

test("what is not a product is said at once, and so is what is not a quantity", async () => {
  const page = await open(browser, system.page);
  await choose(page, "AAA", [["P1", "1"]]);
  await page.getByRole("combobox", { name: "Products" }).fill("P9");
  await page.keyboard.press("Enter");
  await page.locator("#product-problem").getByText("There is no product “P9”.").waitFor();
  assert.equal(await page.locator("#product").getAttribute("aria-invalid"), "true");
  assert.equal(await page.locator("#basket li").count(), 1);
  await page.getByRole("combobox", { name: "Products" }).fill("P");
  assert.equal(await page.locator("#product-problem").isVisible(), false);
  await choose(page, "AAA", [["P2", "0"]]);
  await page.getByRole("button", { name: "Get the quotation" }).click();
  await page.locator("#ask-problem").getByText("A quantity is a number above zero").waitFor();
  assert.equal(await page.evaluate(() => document.activeElement.getAttribute("aria-label")), "Quantity of P2");
  page.calm();
  await page.context().close();
});

test("with the keyboard alone: search, choose, count, ask, remove", async () => {
  const page = await open(browser, system.page);
  await connected(page);
  const keys = page.keyboard;
  const focused = () => page.evaluate(() => {
    const { id, textContent, ariaLabel } = document.activeElement;
    return id || ariaLabel || textContent;
  });
  const tabTo = async (wanted) => {
    for (let tries = 0; tries < 20 && (await focused()) !== wanted; tries += 1) await keys.press("Tab");
    assert.equal(await focused(), wanted);
  };
  await keys.press("Tab");
  assert.equal(await focused(), "Skip to the content");
  await keys.press("Enter");
  await tabTo("client");
  await keys.type("AAA");
  await tabTo("product");
  await keys.type("stand");
  await page.getByRole("option", { name: /Notebook stand/ }).waitFor();
  await keys.press("ArrowDown");
  assert.equal(await page.getByRole("option", { selected: true }).count(), 1);
  assert.equal(await page.locator("#product").getAttribute("aria-activedescendant"), "found-0");
  await keys.press("Enter");
  assert.equal(await focused(), "Quantity of P1");
  await keys.type("2");
  await keys.press("Enter");
  await answered(page);
  assert.match(await page.locator(".total").innerText(), /^900\.00/);
  await tabTo("Remove P1");
  await keys.press("Enter");
  assert.equal(await focused(), "product");
  await keys.type("x");
  await keys.press("Escape");
  assert.equal(await page.locator("#found").isVisible(), false);
  page.calm();
  await page.context().close();
});

test("a gateway that is killed in mid-quote: the page says so, comes back, and fetches what it missed", async () => {
  const other = await Home.make();
  try {
    await other.run("load", FIXTURES);
    // Nobody calculates yet, so the quotation of a cold client stays under analysis.
    const first = await other.serve();
    const page = await open(browser, first.page);
    await connected(page);
    await choose(page, "AAA", [["P1", "2"], ["P3", "1"]]);
    await page.getByRole("button", { name: "Get the quotation" }).click();
    await page.locator("#quotation[data-state=analysis]").waitFor();
    await first.serve.kill();
    await page.getByText(/The connection is lost: the gateway does not answer\..* Trying again/).first().waitFor();
    await other.serve(new URL(first.page).port);
    await connected(page);
    await page.locator("#notice").waitFor({ state: "hidden" });
    await page.locator("#frames-list").getByText('"action":"get"').waitFor({ state: "attached" });
    assert.equal(await page.locator("#quotation").getAttribute("data-state"), "analysis");
    other.start("worker", "price-calc");
    await answered(page);
    assert.match(await page.locator(".total").innerText(), /^1,805\.52/);
    page.calm();
    await page.context().close();
  } finally {
    await other.end();
  }
});

test("a quote that was asked while there was no connection is sent when there is one", async () => {
  const other = await Home.make();
  try {
    const first = await other.up();
    const page = await open(browser, first.page);
    await connected(page);
    await choose(page, "AAA", [["P1", "1"]]);
    await first.up.kill();
    await page.locator("#link[data-state=waiting]").waitFor();
    await page.getByRole("button", { name: "Get the quotation" }).click();
    await page.locator("#quotation").getByText("Waiting for the connection").waitFor();
    const again = other.start("up", "--port", new URL(first.page).port);
    await again.says("ready");
    await answered(page);
    assert.match(await page.locator(".total").innerText(), /^450\.00/);
    await page.context().close();
  } finally {
    await other.end();
  }
});

test("the files from another server, and this gateway's page, with a websocket in their address", async () => {
  const files = new URL("../../src/runtime/gateway/page/files/", import.meta.url);
  const types = { css: "text/css", html: "text/html", js: "text/javascript", svg: "image/svg+xml" };
  const server = createServer(async ({ url }, reply) => {
    const name = new URL(url, files).pathname.split("/").at(-1) || "index.html";
    reply.writeHead(200, { "content-type": types[name.split(".").at(-1)] });
    reply.end(await readFile(new URL(name, files)));
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  const static_ = `http://127.0.0.1:${server.address().port}`;
  const other = await Home.make();
  try {
    const origins = [static_, new URL(system.page).origin].flatMap((origin) => ["--allow-origin", origin]);
    const { websocket } = await other.up(...origins);
    for (const place of [`${static_}/`, system.page]) {
      const page = await open(browser, `${place}?${new URLSearchParams({ url: websocket })}`);
      await connected(page);
      assert.equal(await page.getByLabel("Websocket").inputValue(), websocket);
      // Here the list of products is not available, so the quotation says which products do not exist.
      await choose(page, "AAA", [["P1", "1"], ["P9", "1"]]);
      await page.getByRole("button", { name: "Get the quotation" }).click();
      await answered(page);
      assert.match(await page.locator(".total").innerText(), /^450\.00/);
      assert.match(await page.locator(".unavailable").innerText(), /No price for 1 product.*P9/s);
      for (const view of ["Live", "Prices", "Load", "Worth"]) {
        await page.getByRole("link", { name: view }).click();
        await page.locator(`#view-${view.toLowerCase()}`).getByText(/Only a gateway on your own machine/).waitFor();
      }
      page.calm();
      await page.context().close();
    }
    const { active_users: active } = await other.run("status");
    assert.deepEqual(active.map(({ user }) => user), ["AAA"], "it was asked, and not the page's own gateway");
  } finally {
    server.close();
    await other.end();
  }
});

test("a token is shown to the gateway that it was typed for, and to no other", async () => {
  const guarded = await Home.make();
  try {
    const { page: address, websocket } = await guarded.up("--require-token");
    const { token } = await guarded.run("token", "--client", "AAA");
    const page = await open(browser, address);
    await showToken(page, token);
    await page.reload();
    await connected(page);
    const asked = [];
    page.on("websocket", (socket) => asked.push(socket.url()));
    await page.goto(`${address}?${new URLSearchParams({ url: system.websocket })}`);
    await page.getByText("Connection", { exact: true }).click();
    assert.equal(await page.getByLabel("Token", { exact: true }).inputValue(), "");
    assert.ok(asked.length > 0 && asked.every((url) => !url.includes("token")), asked.join());
    // A token that is typed together with another gateway's address is for that gateway.
    await page.getByLabel("Websocket").fill(websocket);
    await page.getByLabel("Token", { exact: true }).fill(token);
    await page.getByRole("button", { name: "Connect" }).click();
    await connected(page);
    await page.context().close();
  } finally {
    await guarded.end();
  }
});

test("a gateway that requires a token says so, then refuses a wrong one, then lets the right one in", async () => {
  const guarded = await Home.make();
  try {
    const { page: address } = await guarded.up("--require-token");
    const page = await open(browser, address);
    const notice = page.locator("#notice");
    await notice.getByText("The gateway requires a token, and none was entered.").waitFor();
    assert.equal(await page.locator("#link-text").innerText(), "Refused");
    await notice.getByRole("button", { name: "Enter a token" }).click();
    assert.equal(await page.evaluate(() => document.activeElement.id), "token");
    await page.keyboard.type("not.a.token");
    await page.keyboard.press("Enter");
    await notice.getByText(/^The gateway refuses the token: /).waitFor();
    const { token } = await guarded.run("token", "--client", "AAA");
    await page.getByLabel("Token", { exact: true }).fill(token);
    await page.keyboard.press("Enter");
    await connected(page);
    assert.equal(await notice.isVisible(), false);
    // This token is for one customer only, and the live view shows all.
    await page.getByRole("link", { name: "Live" }).click();
    await page.locator("#live-problem").getByText("`ocache token --every-client` makes one").waitFor();
    await page.context().close();
  } finally {
    await guarded.end();
  }
});

test("a quotation has an address: it opens again, is copied, and is saved as CSV", async () => {
  const context = { permissions: ["clipboard-read", "clipboard-write"] };
  const page = await open(browser, system.page, context);
  await choose(page, "AAA", [["P1", "2"], ["P3", "1"]]);
  await page.getByRole("button", { name: "Get the quotation" }).click();
  await answered(page);
  const address = page.url();
  assert.match(address, /#quote\?client=AAA&id=page-[0-9a-f]{32}$/);
  const clipboard = () => page.evaluate(() => navigator.clipboard.readText());
  await page.getByRole("button", { name: "Copy link" }).click();
  await page.locator("#spoken").getByText("Link copied").waitFor({ state: "attached" });
  await page.locator(".tools").getByText("Link copied").waitFor();
  assert.equal(await clipboard(), address);
  await page.getByRole("button", { name: "Copy lines" }).click();
  await page.locator("#spoken").getByText("Lines copied").waitFor({ state: "attached" });
  await page.locator(".tools").getByText("Lines copied").waitFor();
  assert.match(await clipboard(), /^product\tname\t.*\nP1\tNotebook stand\t500\.00\t10\t450\.00\t2\t900\.00\tUSD\t/);
  const download = page.waitForEvent("download");
  await page.getByRole("button", { name: "Save as CSV" }).click();
  const file = await download;
  assert.match(file.suggestedFilename(), /^quotation-AAA-\d{4}-\d\d-\d\d\.csv$/);
  const csv = await readFile(await file.path(), "utf8");
  assert.deepEqual(csv.split("\r\n").map((row) => row.split(",")[6]), ["total", "900.00", "905.52", "1805.52", undefined]);
  page.calm();
  await page.context().close();

  const again = await open(browser, address);
  await answered(again);
  assert.match(await again.locator(".total").innerText(), /^1,805\.52\s+USD$/);
  assert.equal(await again.locator(".lines tbody tr").count(), 2);
  await again.goto(address.replace(/.$/, (last) => (last === "0" ? "1" : "0")));
  await again.locator("#quotation").getByText(/It was not found: there is no quotation “page-/).waitFor();
  again.calm();
  await again.context().close();
});
