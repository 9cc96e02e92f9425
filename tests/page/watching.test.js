// Tests of the live view: a customer becomes active, is refreshed, is served, and expires.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { launch, open } from "./browser.js";
import { Home } from "./processes.js";

let browser;
let home;

before(async () => {
  browser = await launch();
  home = await Home.make();
});
after(async () => {
  await browser?.close();
  await home?.end();
});

test("a customer is seen to become active, be refreshed, be served and expire", async () => {
  const system = await home.up("--ttl", "20s", "--refresh-every", "1s");
  const page = await open(browser, `${system.page}#live`);
  await page.getByText("No customer is active. A quote makes a customer active.").waitFor();
  assert.equal(await page.locator("#users-pager").isVisible(), false);
  await page.getByRole("rowheader", { name: "provider" }).waitFor();
  await home.run("quote", "--client", "AAA", "P1:2");
  const row = page.getByRole("row", { name: /AAA/ });
  await row.getByText("fresh").waitFor();
  await row.getByText(/^\d+\ss$/).waitFor();
  assert.match(await page.locator("#users-note").innerText(), /^1 active customer,/);
  const events = page.locator("#events");
  // The answer is cold, unless the table that the visit orders was ready before the lookup.
  const answers = events.getByText(/AAA answered (cold|warm) in \d/);
  await answers.first().waitFor();
  await events.getByText(/AAA table checked in .* \(schedule\)/).first().waitFor();
  await home.run("quote", "--client", "AAA", "P1:2");
  await answers.nth(1).waitFor();
  assert.match(await answers.first().innerText(), /answered warm/);
  // One further answer is that by which `up` found itself ready.
  assert.match(await page.locator("#tile-share-note").innerText(), /of 3 answers/);
  assert.match(await page.locator("#chart-share svg").getAttribute("aria-label"), /[1-3] quotes? answered at once, [0-2] waited, 0 failed/);
  const bars = page.locator("#chart rect.reason-scheduled");
  assert.ok((await bars.count()) > 0);
  assert.match(await page.locator("#chart svg").getAttribute("aria-label"), /tables? for schedule/);
  assert.match(await page.locator("#legend").innerText(), /schedule\s+[1-9]/);
  await row.getByText("expired").waitFor({ timeout: 60_000 });
  await page.getByText("No customer is active. A quote makes a customer active.").waitFor();
  page.calm();
  await page.context().close();
});

test("a gateway that calculates nothing says where the figures are", async () => {
  const other = await Home.make();
  try {
    const gateway = await other.serve();
    const page = await open(browser, `${gateway.page}#live`);
    await page.getByText("Tables are calculated by other processes").waitFor();
    await gateway.serve.kill();
    await page.getByText("These figures are old. The gateway does not answer. Is it running? `ocache up` starts one. Trying again.").waitFor();
    // The longest state of the connection leaves the switch round, and beside the name.
    for (const width of [320, 760]) {
      await page.setViewportSize({ width, height: 800 });
      await page.locator("#link[data-state=waiting]").waitFor();
      const [name, theme] = await Promise.all([".brand", "#theme"].map((where) => page.locator(where).boundingBox()));
      assert.ok(theme.y < name.y + name.height, `${width} wide: the switch is below the name`);
      assert.equal(theme.width, theme.height, `${width} wide`);
    }
    await other.serve(new URL(gateway.page).port);
    await page.locator("#live-problem").waitFor({ state: "hidden" });
    page.calm();
    await page.context().close();
  } finally {
    await other.end();
  }
});

test("the charts label round figures, within their own width", async () => {
  const other = await Home.make();
  try {
    const system = await other.up();
    const page = await open(browser, system.page);
    // As if a cold quote had waited for seven seconds and its prices were 95 seconds old.
    await page.route(/\/live$/, async (route) => {
      const response = await route.fetch();
      const live = await response.json();
      const figures = { p50_ms: 40, p99_ms: 7_000, age_p50_secs: 20, age_p99_secs: 95 };
      live.answers.slots = [{ from: live.at, at_once: 1, waited: 0, failed: 0, ...figures }];
      await route.fulfill({ response, json: live });
    });
    await page.getByRole("link", { name: "Live" }).click();
    const labels = (chart) => page.locator(`#${chart} g text`).allTextContents();
    await page.locator("#chart-ages .median").waitFor();
    assert.deepEqual(await labels("chart-ages"), ["0\u00a0s", "1\u00a0min", "2\u00a0min"]);
    assert.deepEqual(await labels("chart-times"), ["1 ms", "100 ms", "10 s"]);
    const left = await page.locator("#chart-times").evaluate((chart) => {
      const labels = [...chart.querySelectorAll("g text")].map((text) => text.getBoundingClientRect().left);
      return Math.min(...labels) - chart.getBoundingClientRect().left;
    });
    assert.ok(left >= 0, `a label begins ${-left} pixels before its chart`);
    page.calm();
    await page.context().close();
  } finally {
    await other.end();
  }
});
