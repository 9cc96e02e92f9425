// A shop of a usual size: 5,000 products, 300 active clients, price lists with tiers, a client with a very
// long id, and a quote of a hundred lines.

import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Home } from "./processes.js";

export const PRODUCTS = 5_000;
export const CLIENTS = 300;
/** These ids cannot be wrapped between words. */
export const LONG_CLIENT = `customer-${"0123456789abcdef".repeat(15)}`;
export const LONG_PRODUCT = "SKU-".padEnd(64, "0123456789");

/** Starts everything for such a shop. `lines` returns a hundred lines to be priced. */
export async function openShop() {
  const home = await Home.make();
  const folder = join(home.folder, "files");
  await home.run("generate", folder, "--products", String(PRODUCTS - 1), "--users", String(CLIENTS), "--discounts", "40", "--lists", "6", "--tiers", "3");
  const products = (await readFile(join(folder, "products.ndjson"), "utf8")).trim().split("\n").map((line) => JSON.parse(line));
  const clients = [...new Set((await readFile(join(folder, "discounts.ndjson"), "utf8")).trim().split("\n").map((line) => JSON.parse(line).user_id))];
  await writeFile(join(folder, "long.ndjson"), [
    { id: LONG_PRODUCT, name: "Supercalifragilisticexpialidocious".repeat(3), price: "12.50" },
    { user_id: LONG_CLIENT, product_id: LONG_PRODUCT, percentage: "7.5" },
  ].map((row) => `${JSON.stringify(row)}\n`).join(""));
  await home.run("load", folder);
  // The cold quote waits behind the tables of all other customers.
  await home.run("config", "set", "quote-within", "5m");
  const system = await home.up("--ttl", "30m", "--refresh-every", "10s");
  const active = clients.slice(0, CLIENTS - 1);
  for (let from = 0; from < active.length; from += 100) await home.run("subscribe", ...active.slice(from, from + 100));
  await home.run("quote", "--client", LONG_CLIENT, "--timeout", "5m", `${LONG_PRODUCT}:3`);
  const shop = { home, system, products, clients: active };
  // Every customer has quoted, so the page can judge what the cache is worth.
  for (const [at, client] of active.entries()) {
    await ask(shop, "quotes", { client, items: [{ product: products[at].id, quantity: 2 }] });
  }
  await judged(system);
  return shop;
}

/** Waits until the page can judge what the cache is worth. */
async function judged({ page }) {
  // Processes record what they use every ten seconds.
  const deadline = Date.now() + 120_000;
  while ((await (await fetch(`${page}worth`)).json()).verdict === null) {
    if (Date.now() > deadline) throw new Error(`${page}worth gave no verdict within two minutes`);
    await new Promise((resolve) => setTimeout(resolve, 1_000));
  }
}

/** Sends a request to the gateway, and waits for the outcome. */
async function ask({ system }, path, body) {
  const headers = { "content-type": "application/json", prefer: "wait=20" };
  const reply = await fetch(`${system.page}${path}`, { method: "POST", headers, body: JSON.stringify(body) });
  if (reply.status !== 200) throw new Error(`${path}: ${reply.status}: ${await reply.text()}`);
  return reply.json();
}

/** Returns a customer, and a product for which a price list of the customer has tiers. */
export async function tiered(shop) {
  const wanted = { products: shop.products.slice(0, 400).map(({ id }) => id) };
  for (const client of shop.clients) {
    const { prices } = await ask(shop, `prices/${encodeURIComponent(client)}`, wanted);
    const found = prices.find(({ ladder, rule }) => ladder?.length === 3 && rule && !rule.own);
    if (found) return { client, product: found.product };
  }
  throw new Error("no price has tiers");
}

/** Returns a hundred lines of product and quantity, as they are copied from a spreadsheet. */
export function lines(products, count = 100) {
  return products.slice(0, count).map(({ id }, at) => `${id}\t${1 + (at * 7) % 40}`).join("\n");
}

/** Returns a file that raises some prices and lowers others. */
export function raised(products) {
  const price = ({ price }, at) => (Number(price) * (0.9 + at * 0.005)).toFixed(2);
  return `id,name,price\n${products.map((product, at) => `${product.id},"${product.name}",${price(product, at)}\n`).join("")}`;
}

/** Pastes a text into the element that has the focus. */
export async function paste(page, text) {
  await page.evaluate((text) => {
    const clipboardData = new DataTransfer();
    clipboardData.setData("text/plain", text);
    document.activeElement.dispatchEvent(new ClipboardEvent("paste", { clipboardData, bubbles: true, cancelable: true }));
  }, text);
}
