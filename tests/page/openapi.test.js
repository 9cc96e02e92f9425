// Tests that the gateway does what docs/openapi.json says: every operation is tried, and every answer has a
// described status, type and shape.

import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { Ajv2020 } from "ajv/dist/2020.js";
import { Home } from "./processes.js";

const described = JSON.parse(await readFile(new URL("../../docs/openapi.json", import.meta.url)));
const ajv = new Ajv2020({ strict: false, formats: { uri: true } });
ajv.addSchema(described, "api");
let home;
let base;

/** A product at three prices, one that is sold by the dozen, and one without a list price. */
const LISTS = {
  products: [
    { id: "L1", name: "Drill", price: "100.00", category: "tools/drills" },
    { id: "L2", name: "Screws", price: "5.00", step: "12" },
    { id: "L3", name: "Saw", prices: { EUR: "7.00" } },
  ],
  customers: [{ user_id: "LLL", groups: ["gold"] }],
  price_lists: [{ price_list: "gold", groups: ["gold"], currency: "USD", until: "2999-01-01T00:00:00Z" }],
  prices: [
    { price_list: "gold", category: "tools", percentage: "10" },
    { price_list: "gold", product_id: "L1", min_quantity: "10", price: "80.00" },
    { price_list: "gold", product_id: "L3", price: "6.00" },
  ],
  user_discounts: [{ user_id: "LLL", product_id: "L2", amount: "1.00", min_quantity: "24" }],
};

before(async () => {
  home = await Home.make();
  const { page } = await home.up("--refresh-every", "1s");
  base = page;
  // Makes something of each kind that is described.
  await home.run("quote", "--client", "AAA", "P1");
  await home.run("subscribe", "BBB");
  await writeFile(join(home.folder, "lists.json"), JSON.stringify(LISTS));
  await home.run("load", join(home.folder, "lists.json"));
  for (let seen = []; !seen.includes("scheduled");) {
    // A client that asks too often is refused.
    await new Promise((resolve) => setTimeout(resolve, 50));
    seen = (await (await fetch(`${base}live`)).json()).events.map(({ reason }) => reason);
  }
});
after(() => home?.end());

const METHODS = ["get", "put", "post", "delete", "head", "options", "patch"];
const operations = Object.entries(described.paths).flatMap(([path, item]) =>
  METHODS.filter((method) => item[method]).map((method) => ({ path, method, operation: item[method] })));

for (const { path, method, operation } of operations) {
  const tried = { path, method, operation };
  test(`${method.toUpperCase()} ${path}, as in its examples`, () => check(tried, {}));
  test(`${method.toUpperCase()} ${path}, from behind a proxy`, () =>
    check(tried, { headers: { "x-forwarded-for": "203.0.113.9" } }));
  if (operation.requestBody) {
    test(`${method.toUpperCase()} ${path}, with a bad body`, () => check(tried, { body: "\xff[" }));
  }
}

for (const path of ["/products", "/clients"]) {
  test(`GET ${path}, with a bad limit`, async () => {
    const reply = await check({ path, method: "get", operation: described.paths[path].get }, { query: "limit=0" });
    assert.equal(reply.status, 400);
  });
}

test("GET /products, of some ids", async () => {
  const get = described.paths["/products"].get;
  const reply = await check({ path: "/products", method: "get", operation: get }, { query: "product=p1&product=P9" });
  assert.equal(reply.status, 200);
});

test("POST /load, a dry run", async () => {
  const { token } = await home.run("token", "--load");
  const post = described.paths["/load"].post;
  const reply = await check({ path: "/load", method: "post", operation: post }, { query: "dry-run=true", headers: { authorization: `Bearer ${token}` } });
  assert.equal(reply.status, 200);
});

test("GET /prices of price lists has no field that is not described", async () => {
  const url = new URL("prices/LLL?product=L1&product=L2&product=L3&product=nothing&quantity=2", base);
  const reply = await fetch(url, { headers: { prefer: "wait=10" } });
  assert.equal(reply.status, 200);
  const shown = await reply.json();
  assertOnlyDescribed(shown, described.components.schemas.Prices);
  const [drill, saw] = shown.prices;
  assert.deepEqual(drill.rule.scope, { category: "tools" });
  assert.equal(drill.next_tier.unit_price, "80.00");
  assert.equal(drill.ladder.length, 2);
  assert.equal(saw.list_price, null);
  assert.deepEqual(shown.invalid, [{ product: "L2", quantity: "2", above: "12" }]);
  assert.deepEqual(shown.unavailable, ["nothing"]);
});

test("POST /quotes of price lists has no field that is not described", async () => {
  const items = [["L1", 3], ["L2", 24], ["L2b", 1], ["L3", 1]].map(([product, quantity]) => ({ product, quantity }));
  const quote = async (lines) => {
    const body = JSON.stringify({ client: "LLL", items: lines });
    const headers = { "content-type": "application/json", prefer: "wait=10" };
    const reply = await fetch(new URL("quotes", base), { method: "POST", headers, body });
    assert.equal(reply.status, 200);
    const shown = await reply.json();
    assertOnlyDescribed(shown, described.components.schemas.Quotation);
    return shown;
  };
  const shown = await quote(items);
  const [drill, screws, saw] = shown.lines;
  assert.equal(drill.next_tier.quantity, "10");
  assert.equal(screws.rule.own, true);
  assert.equal(saw.list_price, undefined);
  assert.equal(saw.rule.until, "2999-01-01T00:00:00.000Z");
  const { invalid } = await quote([{ product: "L2", quantity: 13 }]);
  assert.deepEqual(invalid, [{ product: "L2", quantity: "13", below: "12", above: "24" }]);
});

test("what is not described is not there", async () => {
  for (const path of ["/nowhere", "/files.rs", "/page", "/index.html"]) {
    assert.equal((await fetch(base + path.slice(1))).status, 404, path);
  }
});

async function check({ path, method, operation }, { headers = {}, body, query }) {
  const parameters = [...(described.paths[path].parameters ?? []), ...(operation.parameters ?? [])].map(resolve);
  const inPath = parameters.filter((parameter) => parameter.in === "path");
  const url = new URL(inPath.reduce((text, { name, example }) => text.replace(`{${name}}`, example), path), base);
  const inQuery = parameters.filter((parameter) => parameter.in === "query" && parameter.example !== undefined);
  url.search = query ?? new URLSearchParams(inQuery.map(({ name, example }) => [name, example]));
  const [[type, content] = []] = Object.entries(operation.requestBody?.content ?? {});
  const init = { method: method.toUpperCase(), headers };
  if (content) Object.assign(init, { body: body ?? (type.includes("json") ? JSON.stringify(content.example) : content.example), headers: { "content-type": type, ...headers } });
  const reply = await fetch(url, init);
  const response = resolve(operation.responses[reply.status]);
  assert.ok(response, `${url} answered ${reply.status}, which is not described`);
  const [media] = reply.headers.get("content-type").split(";");
  const schema = response.content?.[media]?.schema;
  assert.ok(schema, `${url} answered ${media}, which is not described`);
  const answer = media === "application/json" ? await reply.json() : await reply.text();
  const validate = ajv.compile({ ...schema, $id: `answer-${Math.random()}`, ...rebased(schema) });
  assert.ok(validate(answer), `${url}: ${ajv.errorsText(validate.errors)} in ${JSON.stringify(answer)}`);
  return reply;
}

/** Fails if a value does not fit a schema, or has a member that the schema does not name. */
function assertOnlyDescribed(value, schema) {
  const validate = ajv.compile({ ...closed(schema), $id: `closed-${Math.random()}` });
  assert.ok(validate(value), `${ajv.errorsText(validate.errors)} in ${JSON.stringify(value)}`);
}

/** Returns a schema without references, whose objects have only the members that it names. */
function closed(schema) {
  const part = resolve(schema);
  if (Array.isArray(part)) return part.map(closed);
  if (part === null || typeof part !== "object") return part;
  const inner = Object.entries(part).map(([name, value]) => [name, name === "properties"
    ? Object.fromEntries(Object.entries(value).map(([member, of]) => [member, closed(of)]))
    : closed(value)]);
  const whole = Object.fromEntries(inner);
  return whole.properties ? { ...whole, additionalProperties: false } : whole;
}

/** Returns what a reference within the description stands for. */
function resolve(part) {
  if (!part?.$ref) return part;
  return part.$ref.slice(2).split("/").reduce((found, step) => found[step], described);
}

function rebased({ $ref }) {
  return $ref ? { $ref: `api${$ref}` } : {};
}
