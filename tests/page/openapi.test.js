// The gateway does what docs/openapi.json says: every operation is tried, and every answer has a
// status, a type and a shape that are described.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, before, test } from "node:test";
import { Ajv2020 } from "ajv/dist/2020.js";
import { Home } from "./processes.js";

const described = JSON.parse(await readFile(new URL("../../docs/openapi.json", import.meta.url)));
const ajv = new Ajv2020({ strict: false, formats: { uri: true } });
ajv.addSchema(described, "api");
let home;
let base;

before(async () => {
  home = await Home.make();
  const { page } = await home.up("--refresh-every", "1s");
  base = page;
  // Something of each kind to be described.
  await home.run("quote", "--client", "AAA", "P1");
  await home.run("subscribe", "BBB");
  for (let seen = []; !seen.includes("scheduled");) {
    // Who asks too often is refused.
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
  const reply = await check({ path: "/load", method: "post", operation: post }, { query: "dry_run=true", headers: { authorization: `Bearer ${token}` } });
  assert.equal(reply.status, 200);
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

/** What a reference within the description stands for. */
function resolve(part) {
  if (!part?.$ref) return part;
  return part.$ref.slice(2).split("/").reduce((found, step) => found[step], described);
}

function rebased({ $ref }) {
  return $ref ? { $ref: `api${$ref}` } : {};
}
