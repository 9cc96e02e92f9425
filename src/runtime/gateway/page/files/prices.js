"use strict";

/** A customer's prices: searchable, in pages, each with its rule and ladder, and explained on request. */
const Prices = (() => {
  const { element, cell, amount, seconds, say, problem } = Text;
  const SIZE = 20;
  const SEARCH_AFTER_MS = 150;
  /** Stale prices are being recalculated, so the new ones are requested after this time. */
  const STALE_AGAIN_MS = 2_000;
  /** How long to wait for a table that is being calculated, in seconds. */
  const WAIT = 20;
  const COLUMNS = ["Product", "List price", "Discount", "Unit price", "Rule and tiers", ""];
  /** The columns of an explanation. */
  const EXPLAINED = ["List", "For", "From quantity", "Says", "Makes", "Why"];

  /** `api` asks the gateway, or is null. `went` is called with the customer and the search of the view. */
  function start({ api, went }) {
    const at = (id) => document.getElementById(id);
    const [client, search, quantity] = [at("prices-client"), at("prices-search"), at("prices-quantity")];
    let asked = 0;
    let timer = null;
    let again = null;
    let shown = null;

    const pager = Pager.start({ where: at("prices-pager"), size: SIZE, thing: "products", turned: () => look() });

    function show(parameters) {
      if (!api) return problem(at("prices-problem"), "Only a gateway on your own machine shows prices: open the page that `ocache up` names.");
      if (parameters.has("client")) client.value = parameters.get("client");
      search.value = parameters.get("search") ?? "";
      pager.reset();
      look();
    }

    function lookAgain() {
      clearTimeout(timer);
      timer = setTimeout(() => {
        pager.reset();
        went(client.value.trim(), search.value.trim());
        look();
      }, SEARCH_AFTER_MS);
    }

    async function look() {
      clearTimeout(again);
      const mine = (asked += 1);
      const who = client.value.trim();
      at("prices-empty").hidden = who !== "";
      at("prices-result").hidden = who === "" || shown?.client !== who;
      problem(at("prices-problem"), null);
      if (who === "" || !api) return;
      at("prices-table").setAttribute("aria-busy", "true");
      try {
        const found = await api.ask("products", { search: search.value.trim(), limit: SIZE, offset: pager.at() });
        const ids = found.products.map(({ product }) => product);
        const prices = ids.length ? await pricesOf(who, ids, quantity.value.trim()) : null;
        if (mine !== asked) return;
        draw(who, found, prices);
      } catch (error) {
        if (mine !== asked) return;
        at("prices-result").hidden = true;
        problem(at("prices-problem"), error.told?.() ?? String(error));
        say(at("prices-problem").textContent);
      } finally {
        if (mine === asked) at("prices-table").removeAttribute("aria-busy");
      }
    }

    async function pricesOf(who, products, wanted) {
      const headers = { "content-type": "application/json", prefer: `wait=${WAIT}` };
      const body = JSON.stringify(wanted === "" ? { products } : { products, quantity: wanted });
      const reply = await api.send(`prices/${encodeURIComponent(who)}`, { method: "POST", headers, body, patience: (WAIT + 10) * 1000 });
      if (reply.status === 202) throw new Api.Refused(202, `the prices of ${who} are being calculated`, "Look again in a moment.");
      return reply.json();
    }

    function draw(who, found, prices) {
      shown = { client: who, quantity: prices?.quantity ?? "1" };
      at("prices-result").hidden = false;
      const rows = new Map((prices?.prices ?? []).map((line) => [line.product, line]));
      const unsold = new Map((prices?.invalid ?? []).map((item) => [item.product, item]));
      at("prices-rows").replaceChildren(...found.products.map((product) => row(product, rows.get(product.product), unsold.get(product.product))));
      at("prices-none").hidden = found.products.length > 0;
      at("prices-table").hidden = found.products.length === 0;
      facts(prices);
      pager.show(found.total, found.products.length, found.complete);
      if (prices?.stale) again = setTimeout(lookIfIdle, STALE_AGAIN_MS);
      say(`Prices of ${who}: ${found.products.length} of ${found.total} products`);
    }

    /** Requests the prices again, unless that would remove an explanation that somebody reads. */
    function lookIfIdle() {
      const isRead = at("prices-rows").querySelector(".explained") !== null;
      if (isRead || document.hidden) again = setTimeout(lookIfIdle, STALE_AGAIN_MS);
      else if (!at("view-prices").hidden) look();
    }

    function facts(prices) {
      if (!prices) return at("prices-facts").replaceChildren();
      const age = Math.max(0, Math.floor((Date.now() - Date.parse(prices.validated_at)) / 1000));
      at("prices-facts").replaceChildren(
        prices.stale ? element("span", { class: "badge stale" }, "Stale: being recalculated") : element("span", { class: "badge fresh" }, "Fresh"),
        element("span", {}, `In ${prices.currency}`),
        element("span", {}, `Checked ${seconds(age)} ago`),
        element("span", {}, `For a quantity of ${amount(prices.quantity)}`),
      );
    }


    function row({ product, name }, line, unsold) {
      const title = element("th", { role: "rowheader", scope: "row" }, name, element("span", { class: "id" }, product));
      const why = element("button", { type: "button", class: "small", "aria-expanded": "false", "aria-label": `Why ${product} costs this` }, "Why?");
      const made = element("tr", { role: "row", ...(line && line.discount_percent !== "0" ? {} : { class: "plain" }) }, title, ...(line ? priced(line) : [unpriced(unsold)]), cell("", why));
      why.addEventListener("click", () => explain(made, product, why));
      return made;
    }

    function priced(line) {
      // The ladder has the next tier.
      const from = [Lines.rule(line), Lines.ladder(line.ladder, line)].filter((part) => part !== null);
      return [
        cell("List price", Lines.listPrice(line)),
        cell("Discount", Lines.discount(line.discount_percent)),
        cell("Unit price", element("strong", {}, amount(line.unit_price))),
        cell("Rule and tiers", ...(from.length ? [element("div", { class: "from" }, ...from)] : [element("span", { class: "rule" }, "List price")])),
      ];
    }

    function unpriced(unsold) {
      const near = unsold ? [unsold.below, unsold.above].filter(Boolean).map(amount).join(" or ") : "";
      const text = unsold ? `Not sold in this quantity${near ? `; instead ${near}` : ""}` : "No price for this customer";
      return element("td", { role: "cell", class: "unpriced", colspan: "4" }, text);
    }

    async function explain(after, product, button) {
      if (button.getAttribute("aria-expanded") === "true") {
        button.setAttribute("aria-expanded", "false");
        after.nextElementSibling.remove();
        return;
      }
      button.setAttribute("aria-expanded", "true");
      const place = element("td", { role: "cell", colspan: String(COLUMNS.length), class: "why" }, "Reading the price rows …");
      after.after(element("tr", { role: "row", class: "explained" }, place));
      try {
        const found = await api.ask("explain", { client: shown.client, product, quantity: shown.quantity });
        place.replaceChildren(...explanation(found));
        say(`The price of ${product} is explained`);
      } catch (error) {
        place.replaceChildren(element("p", { class: "failure" }, error.told?.() ?? String(error)));
      }
    }

    function explanation({ products: [why], currency, catalogue_version: version }) {
      if (!why) return [element("p", {}, "This product does not exist any more.")];
      const price = why.unit_price ? `${amount(why.unit_price)} ${currency}` : `No price in ${currency}`;
      const floor = why.floor ? `; the floor is ${amount(why.floor)}` : "";
      const said = { price: (value) => amount(value), amount: (value) => `${amount(value)} off`, percentage: percentage };
      const line = (counts, list, values, reason) => element(
        "tr", { role: "row", class: counts ? "counts" : null }, element("th", { role: "rowheader", scope: "row" }, list),
        ...values.map((value, at) => cell(EXPLAINED[at + 1], value)),
        element("td", { role: "cell", class: "because", "data-label": EXPLAINED.at(-1) }, counts ? element("strong", {}, "Counts") : "Does not count", `: ${reason}`),
      );
      const rows = why.rows.map((row) => line(row.counts, row.own ? "own price" : row.list, [
        scope(row.scope),
        row.min_quantity === "0" ? "any" : amount(row.min_quantity),
        said[row.kind]?.(row.value) ?? row.value,
        row.unit_price ? amount(row.unit_price) : "–",
      ], row.why));
      const hasWinner = why.rows.some(({ counts }) => counts);
      const listPrice = why.list_price && amount(why.list_price);
      const list = listPrice ? [line(!hasWinner, "list price", ["the product", "any", listPrice, listPrice], hasWinner ? "a matching row replaces it" : "no row replaces it")] : [];
      const head = EXPLAINED.map((title) => element("th", { role: "columnheader", scope: "col" }, title));
      return [
        element("p", { class: "headline" }, element("strong", {}, price), ` for ${shown.client} at a quantity of ${amount(why.quantity)}${floor}. Catalogue version ${version}.`),
        element("div", { class: "scroll", tabindex: "0", role: "group", "aria-label": `Rows that the price of ${why.product} may come from` }, element(
          "table", { class: "rows", role: "table" }, element("thead", { role: "rowgroup" }, element("tr", { role: "row" }, ...head)),
          element("tbody", { role: "rowgroup" }, ...rows, ...list),
        )),
      ];
    }

    function percentage(value) {
      return value.startsWith("-") ? `${value.slice(1)} % on top` : `${value} % off`;
    }

    function scope(of) {
      return of === "all" ? "all products" : of?.category ?? "the product";
    }

    async function save() {
      const who = client.value.trim();
      try {
        const reply = await api.send(`prices/${encodeURIComponent(who)}?format=csv`, { headers: { prefer: `wait=${WAIT}` }, patience: 120_000 });
        if (reply.status === 202) throw new Api.Refused(202, `the prices of ${who} are being calculated`, "Try again in a moment.");
        Share.save(await reply.blob(), "text/csv", `prices-${Share.fileName(who)}.csv`);
      } catch (error) {
        problem(at("prices-problem"), error.told?.() ?? String(error));
      }
    }

    Combo.clients({ input: client, list: at("prices-clients"), api, picked: lookAgain });
    // Looking at prices makes a customer active. So a customer counts when it is entered, not while it is typed.
    client.addEventListener("change", lookAgain);
    for (const input of [search, quantity]) input.addEventListener("input", lookAgain);
    at("prices-form").addEventListener("submit", (event) => {
      event.preventDefault();
      lookAgain();
    });
    at("prices-save").addEventListener("click", save);
    at("prices-head").replaceChildren(...COLUMNS.map((title) => element("th", { role: "columnheader", scope: "col" }, title || element("span", { class: "unseen" }, "Explanation"))));
    return { show };
  }

  return { start };
})();
