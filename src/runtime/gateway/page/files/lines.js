"use strict";

/** The lines of a quotation: as a table, and as text for other programs. */
const Lines = (() => {
  const { element, cell, amount, percent: shown, plural } = Text;
  const COLUMNS = ["Product", "List price", "Discount", "Unit price", "Quantity", "Total"];

  /** Shows a discount. If there is none, it says so. */
  function discount(percent) {
    if (percent === "0") return element("span", { class: "none" }, "none");
    // A surcharge is a negative discount.
    const exact = { title: `${percent} %` };
    return percent.startsWith("-")
      ? element("span", exact, `+${shown(percent.slice(1))}`)
      : element("span", { class: "cut", ...exact }, `−${shown(percent)}`);
  }

  function listPrice({ list_price: price, discount_percent: percent }) {
    if (!price) return element("span", { class: "none" }, "none");
    return percent === "0" ? amount(price) : element("s", {}, amount(price));
  }

  /** Says in a few words where a price comes from; null for a list price. */
  function ruleText({ rule, discount_percent: percent }) {
    // A customer's own discount on every quantity has no rule in the answer.
    if (!rule) return percent === "0" ? null : "Own discount";
    const scope = rule.scope?.category ?? (rule.scope === "all" ? "all products" : null);
    const from = rule.min_quantity === "0" ? null : `from ${amount(rule.min_quantity)}`;
    const until = rule.until ? `until ${new Date(rule.until).toLocaleString()}` : null;
    return [rule.own ? "Own price" : `Price list ${rule.list}`, scope, from, until].filter(Boolean).join(", ");
  }

  function rule(line) {
    const text = ruleText(line);
    return text === null ? null : element("span", { class: "rule" }, text);
  }

  /** Shows the prices by quantity, with the line's own step marked; null if there is only one price. */
  function ladder(steps, line) {
    if (!steps?.length || steps.every(({ min_quantity: from }) => from === "0")) return null;
    const isStep = ({ min_quantity: from }) => line.rule?.min_quantity === from;
    const first = steps[0].min_quantity !== "0" && line.list_price
      ? [element("li", line.rule ? {} : { "aria-current": "true" }, `${amount(line.list_price)} list price`)] : [];
    return element("ul", { class: "ladder", "aria-label": `Tiers of ${line.product}` }, ...first, ...steps.map((step) => element(
      "li", isStep(step) ? { "aria-current": "true" } : {},
      `${amount(step.unit_price)} ${step.min_quantity === "0" ? `below ${amount(steps[1].min_quantity)}` : `from ${amount(step.min_quantity)}`}`,
    )));
  }

  /** Shows the price at the next larger quantity. */
  function nextTier({ next_tier: tier }) {
    if (!tier) return null;
    return element("span", { class: "next" }, `Next tier: ${amount(tier.unit_price)} each from ${amount(tier.quantity)}`);
  }


  function row(line) {
    // The ladder comes later, with another request.
    const tiers = element("div", { class: "tiers", "data-product": line.product });
    return element(
      "tr", { role: "row", ...(line.discount_percent === "0" ? { class: "plain" } : {}) },
      element("th", { role: "rowheader", scope: "row" }, line.name, element("span", { class: "id" }, line.product), rule(line), tiers, nextTier(line)),
      cell("List price", listPrice(line)),
      cell("Discount", discount(line.discount_percent)),
      cell("Unit price", amount(line.unit_price)),
      cell("Quantity", amount(line.quantity)),
      cell("Total", element("strong", {}, amount(line.total))),
    );
  }

  /** Makes the table. Its header, and its footer with the total, stay visible while it scrolls. */
  function table({ lines, currency, total }) {
    // The explicit roles stay when narrow screens turn the rows into cards.
    const titles = COLUMNS.map((title) => element("th", { role: "columnheader", scope: "col" }, title));
    const foot = [
      element("th", { role: "rowheader", scope: "row", colspan: "2" }, `Total of ${plural(lines.length, "line")}`),
      element("td", { role: "cell", colspan: String(COLUMNS.length - 2) }, element("strong", {}, amount(total)), ` ${currency}`),
    ];
    return element(
      "table", { class: "lines", role: "table", "aria-label": `Lines, in ${currency}` },
      element("thead", { role: "rowgroup" }, element("tr", { role: "row" }, ...titles)),
      element("tbody", { role: "rowgroup" }, ...lines.map(row)),
      element("tfoot", { role: "rowgroup" }, element("tr", { role: "row" }, ...foot)),
    );
  }

  /** Adds the ladders from a reply with prices to a table that is already shown. */
  function showLadders(where, lines, prices) {
    const steps = new Map(prices.map(({ product, ladder: all }) => [product, all]));
    const places = new Map([...where.querySelectorAll(".tiers")].map((place) => [place.dataset.product, place]));
    for (const line of lines) {
      const list = ladder(steps.get(line.product), line);
      if (list) places.get(line.product)?.replaceChildren(list);
    }
  }

  /** Returns the rows of a quotation as texts, with the column names first. */
  function rows({ lines, currency, total }) {
    const head = ["product", "name", "list_price", "discount_percent", "unit_price", "quantity", "total", "currency", "rule", "next_tier"];
    const tier = ({ next_tier: next }) => (next ? `${next.unit_price} from ${next.quantity}` : "");
    const body = lines.map((line) => [
      line.product, line.name, line.list_price ?? "", line.discount_percent, line.unit_price, line.quantity, line.total,
      currency, ruleText(line) ?? "", tier(line),
    ]);
    return [head, ...body, ["total", "", "", "", "", "", total, currency, "", ""]];
  }

  /** Returns the rows as CSV (RFC 4180). */
  function csv(quotation) {
    const field = (text) => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
    return rows(quotation).map((row) => `${row.map(field).join(",")}\r\n`).join("");
  }

  /** Returns the rows separated by tabs, as spreadsheets paste them. */
  function tabbed(quotation) {
    return rows(quotation).map((row) => row.map((text) => text.replaceAll(/[\t\r\n]/g, " ")).join("\t")).join("\n");
  }

  return { table, showLadders, csv, tabbed, discount, listPrice, rule, ladder };
})();
