// Tests of quotes through the page with a stack that runs on AWS alone: API Gateway, functions, queues.
// `infra/test` deploys it on a local AWS and runs this. Elsewhere it is skipped.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, before, test } from "node:test";
import { answered, choose, launch, open, showToken } from "./browser.js";
import { Home, ROOT } from "./processes.js";

const { OCACHE_TEST_DEPLOYED: outputs, OCACHE_TEST_ENDPOINT_URL: endpoint } = process.env;
const skip = outputs && endpoint ? false : "no stack is deployed; infra/test deploys one";
const INDEX = `file://${ROOT}src/runtime/gateway/page/files/index.html`;

let browser;
let home;
let websocket;
let flags;

before(async () => {
  if (skip) return;
  const stack = JSON.parse(await readFile(outputs, "utf8"));
  // The address at which a local AWS accepts websockets. On AWS it is the output `websocket_url`.
  websocket = `${endpoint.replace(/^http/, "ws")}/_aws/execute-api/${stack.websocket_api_id.value}/live`;
  flags = ["--endpoint-url", endpoint, "--stack", stack.environment.value.OCACHE_STACK];
  browser = await launch();
  home = await Home.make({ AWS_ACCESS_KEY_ID: "test", AWS_SECRET_ACCESS_KEY: "test", AWS_REGION: "us-east-1" });
  await home.run("load", `${ROOT}fixtures/`, ...flags);
});
after(async () => {
  await browser?.close();
  await home?.end();
});

/** Quotes for a client with a token, because the stack lets nobody else in. */
async function quote(page, client) {
  const { token } = await home.run("token", "--client", client, ...flags);
  await showToken(page, token);
  await choose(page, client, [["P1", "2"], ["P3", "1"], ["P9", "1"]]);
  await page.getByRole("button", { name: "Get the quotation" }).click();
  await answered(page);
  assert.match(await page.locator(".unavailable").innerText(), /No price for 1 product.*P9/s);
  const frames = await page.locator("#frames-list").textContent();
  assert.ok(frames.includes('"type":"accepted"') && frames.includes('"type":"quotation"'), frames);
}

test("the page as a file, cold and then warm", { skip }, async () => {
  const client = `page-${process.pid}`;
  const page = await open(browser, `${INDEX}?${new URLSearchParams({ url: websocket })}`);
  await quote(page, client);
  assert.match(await page.locator(".total").innerText(), /^2,029\.00\s+USD$/);
  const before = await home.run("prices", client, ...flags);
  await page.getByRole("button", { name: "Get the quotation" }).click();
  await page.locator("#frames-list").getByText('"type":"quotation"').nth(1).waitFor({ state: "attached" });
  assert.equal((await home.run("prices", client, ...flags)).priced_at, before.priced_at, "not calculated again");
  page.calm();
  await page.context().close();
});

test("the page of a gateway on this machine, with the stack's address", { skip }, async () => {
  const other = await Home.make();
  try {
    const { page: address } = await other.up();
    const page = await open(browser, `${address}?${new URLSearchParams({ url: websocket })}`);
    await quote(page, "AAA");
    assert.match(await page.locator(".total").innerText(), /^1,805\.52\s+USD$/);
    const { active_users: active } = await other.run("status");
    assert.deepEqual(active, [], "the stack was asked, and not the page's own gateway");
    page.calm();
    await page.context().close();
  } finally {
    await other.end();
  }
});
