"use strict";

/** Loads a file: shows first what it would change, then loads it. */
const Load = (() => {
  const { element, cell, set, amount, plural, say, problem } = Text;
  const PATIENCE_MS = 15 * 60_000;
  const KINDS = { products: "Products", users: "Customers' own discounts", customers: "Customers", price_lists: "Price lists", prices: "Prices of lists" };

  /** `api` asks the gateway, or is null. `token` stores the token that may load. */
  function start({ api, token }) {
    const at = (id) => document.getElementById(id);
    let file = null;
    let tried = null;
    let running = 0;
    let sending = Promise.resolve();

    function show() {
      if (!api) problem(at("load-problem"), "Only a gateway on your own machine loads files: open the page that `ocache up` names.");
    }

    function parameters(isDryRun) {
      const query = new URLSearchParams();
      if (isDryRun) query.set("dry-run", "true");
      for (const name of ["prune", "merge"]) if (at(`load-${name}`).checked) query.set(name, "true");
      const currency = at("load-currency").value.trim();
      if (currency) query.set("currency", currency.toUpperCase());
      return query.size ? `?${query}` : "";
    }

    /**
     * Determines the content type from the first character that is not a space, because file names say
     * little.
     */
    async function headers() {
      const isPacked = /\.gz$/i.test(file.name);
      const start = isPacked ? "" : (await file.slice(0, 4096).text()).replace(/^\ufeff/, "").trimStart();
      const isJson = isPacked ? /\.(json|ndjson|jsonl)\.gz$/i.test(file.name) : /^[[{]/.test(start);
      return { "content-type": isJson ? "application/json" : "text/csv", ...(isPacked ? { "content-encoding": "gzip" } : {}) };
    }

    /**
     * Sends loads one after the other, because the gateway refuses a load while another is under way.
     * Returns null for a load that is obsolete.
     */
    function send(isDryRun, mine) {
      const sent = sending.then(() => (mine === running ? post(isDryRun) : null));
      sending = sent.catch(() => null);
      return sent;
    }

    async function post(isDryRun) {
      token.set(at("load-token").value.trim());
      return api.json(`load${parameters(isDryRun)}`, {
        method: "POST", headers: await headers(), body: file, patience: PATIENCE_MS, as: token.get(),
      });
    }

    function busy(text) {
      at("load-busy").hidden = text === null;
      set(at("load-busy-text"), text ?? "");
      at("load-go").disabled = text !== null;
      if (text) say(text);
    }

    async function tryOut() {
      const mine = (running += 1);
      tried = null;
      busy(null);
      at("load-result").hidden = true;
      at("load-done").hidden = true;
      fail(null);
      if (!file || !api) return;
      set(at("load-file-name"), `${file.name}, ${size(file.size)}`);
      if (at("load-token").value.trim() === "") {
        return fail(new Api.Refused(401, "a load needs a token that may load", "`ocache token --load` makes one; enter it above."));
      }
      busy("Checking what the file would change …");
      try {
        const told = await send(true, mine);
        if (mine !== running) return;
        tried = told;
        drawPreview(told);
        say(at("load-summary").textContent);
      } catch (error) {
        if (mine === running) fail(error);
      } finally {
        if (mine === running) busy(null);
      }
    }

    async function load() {
      const mine = (running += 1);
      fail(null);
      busy("Loading …");
      try {
        const told = await send(false, mine);
        if (mine !== running) return;
        drawDone(told);
      } catch (error) {
        if (mine === running) fail(error);
      } finally {
        if (mine === running) busy(null);
      }
    }

    /** Shows why there is no result, with the invalid rows. */
    function fail(error) {
      const list = at("load-errors");
      list.replaceChildren();
      if (error === null) return problem(at("load-problem"), null);
      const rows = error.body?.errors ?? [];
      const told = error.status === 401 || error.status === 403
        ? `${error.message.charAt(0).toUpperCase()}${error.message.slice(1)}. \`ocache token --load\` makes a token that may load; enter it above.`
        : rows.length ? `Nothing was loaded: ${plural(rows.length + (error.body.more ?? 0), "row")} of the file cannot be used.` : error.told?.() ?? String(error);
      problem(at("load-problem"), told);
      say(told);
      list.replaceChildren(...rows.map(({ line, problem: what }) => element("li", {}, element("b", {}, line ? `Line ${line}` : "File"), ` ${what}`)));
      if (error.body?.more) list.append(element("li", {}, `and ${amount(String(error.body.more))} more`));
      list.hidden = rows.length === 0;
    }

    function drawPreview(told) {
      at("load-result").hidden = false;
      at("load-counts").replaceChildren(...counts(told));
      set(at("load-summary"), summary(told));
      at("load-effect").replaceChildren(...effect(told.effect));
      at("load-warnings").replaceChildren(...warnings(told));
      at("load-moved").hidden = told.changes.length === 0;
      at("load-changes").replaceChildren(...told.changes.map(change));
      set(at("load-changes-note"), told.changes.length < all(told.effect) ? `The ${told.changes.length} largest changes of ${amount(String(all(told.effect)))}` : "");
      at("load-customers").replaceChildren(...told.customers.map(({ customer, prices }) => element(
        "li", {}, element("a", { href: `#prices?${new URLSearchParams({ client: customer })}` }, customer), element("span", {}, plural(prices, "price")),
      )));
      set(at("load-customers-note"), told.customers.length < told.effect.affected ? `The first ${told.customers.length} of ${amount(String(told.effect.affected))}` : "");
      const changesNothing = !Object.keys(KINDS).some((kind) => ["added", "changed", "removed"].some((what) => told[kind][what] > 0));
      set(at("load-go"), changesNothing ? "Load it anyway" : "Load it");
    }

    const all = ({ up, down, new: added, gone }) => up.count + down.count + added + gone;

    function counts(told) {
      return Object.entries(KINDS).filter(([kind], place) => place < 2 || Object.values(told[kind]).some((count) => count > 0)).map(([kind, name]) => {
        const { added, changed, unchanged, removed } = told[kind];
        const cells = Object.entries({ Added: added, Changed: changed, Removed: removed, Unchanged: unchanged }).map(([label, count]) =>
          element("td", { role: "cell", "data-label": label, ...(count ? {} : { class: "none" }) }, amount(String(count))));
        return element("tr", { role: "row" }, element("th", { role: "rowheader", scope: "row" }, name), ...cells);
      });
    }

    function summary({ effect: { customers, affected } }) {
      if (customers === 0) return "No customer is active, so no prices were compared.";
      if (affected === 0) return `No price of ${plural(customers, "active customer")} would change.`;
      return `Prices of ${amount(String(affected))} of ${plural(customers, "active customer")} would change.`;
    }

    function effect({ up, down, new: added, gone, under_floor: under }) {
      const shown = (price) => (price === null ? "none" : amount(price));
      const moved = ({ most }) => most && `largest: ${most.product} for ${most.customer}, ${shown(most.before)} →\u00a0${shown(most.after)} ${most.currency}`;
      const tile = (name, count, note, isBad = false) => element(
        "div", {}, element("dt", {}, name), element("dd", isBad && count ? { class: "alarm" } : {}, amount(String(count))), element("dd", { class: "hint" }, note || ""),
      );
      return [
        tile("Prices up", up.count, moved(up)), tile("Prices down", down.count, moved(down)),
        tile("New prices", added, ""), tile("Prices gone", gone, "", true), tile("Under their floor", under.count, moved(under), true),
      ];
    }

    function warnings(told) {
      const mentions = [
        [told.unknown_products.length, told.unknown_products, "product in the file does not exist", "products in the file do not exist"],
        [told.unknown_customers.count, told.unknown_customers.first, "customer in the file is unknown", "customers in the file are unknown"],
        [told.given_to_nobody.count, told.given_to_nobody.first, "price list has no customers", "price lists have no customers"],
        [told.under_floor.count, told.under_floor.first, "price in the file is under its floor", "prices in the file are under their floor"],
        [told.dearer_than_list.count, told.dearer_than_list.first, "customer's own price is above the list price", "customers' own prices are above the list price"],
        [told.unreadable.length, told.unreadable, "stored row cannot be read and would be replaced", "stored rows cannot be read and would be replaced"],
        [told.own_rows_removed, [], "row of a customer's own list would be removed", "rows of customers' own lists would be removed"],
      ];
      return mentions.filter(([count]) => count > 0).map(([count, first, one, many]) => element(
        "li", {}, element("b", {}, amount(String(count))), ` ${count === 1 ? one : many}${named(first, count)}`,
      ));
    }

    const named = (first, count) => (first.length ? `: ${first.slice(0, 3).join(", ")}${count > 3 ? ", …" : ""}` : "");

    function change({ customer, product, min_quantity: from, before, after, currency }) {
      const shown = (price) => (price === null ? element("span", { class: "none" }, "none") : amount(price));
      return element(
        "tr", { role: "row" },
        element("th", { role: "rowheader", scope: "row" }, element("a", { href: `#prices?${new URLSearchParams({ client: customer, search: product })}` }, customer)),
        cell("Product", product), cell("Quantity", from === "0" ? "any" : `from ${amount(from)}`),
        cell("Before", shown(before)), cell("After", shown(after), ` ${currency}`),
      );
    }

    function drawDone(told) {
      at("load-result").hidden = true;
      at("load-done").hidden = false;
      const another = tried && told.catalogue_version > tried.catalogue_version + 1 ? " Another load took effect since the dry run." : "";
      const later = told.message ? ` ${told.message}.` : "";
      set(at("load-done-text"), `Loaded as catalogue version ${told.catalogue_version}. ${plural(told.tables_ordered ?? 0, "table")} of active customers ordered again.${another}${later}`);
      say(at("load-done-text").textContent);
      at("load-done").focus();
    }

    function size(bytes) {
      if (bytes < 1000) return `${bytes} bytes`;
      return bytes < 1e6 ? `${(bytes / 1e3).toFixed(1)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
    }

    const drop = at("load-drop");
    const isFile = (event) => [...event.dataTransfer?.types ?? []].includes("Files");
    for (const name of ["dragenter", "dragover"]) {
      drop.addEventListener(name, (event) => {
        if (!isFile(event)) return;
        event.preventDefault();
        drop.classList.add("over");
      });
    }
    drop.addEventListener("dragleave", () => drop.classList.remove("over"));
    drop.addEventListener("drop", (event) => {
      event.preventDefault();
      drop.classList.remove("over");
      const [dropped] = event.dataTransfer.files;
      if (!dropped) return;
      file = dropped;
      tryOut();
    });
    at("load-file").addEventListener("change", () => {
      [file = null] = at("load-file").files;
      tryOut();
    });
    at("load-currency").addEventListener("change", tryOut);
    // Rows that are left out are either removed or kept, so the two boxes exclude each other.
    for (const [id, other] of [["load-prune", "load-merge"], ["load-merge", "load-prune"]]) {
      at(id).addEventListener("change", () => {
        if (at(id).checked) at(other).checked = false;
        tryOut();
      });
    }
    // The box changes when it loses the focus, for example to the button that loads. A dry run would then
    // hide the button.
    at("load-token").addEventListener("change", () => tried === null && tryOut());
    at("load-form").addEventListener("submit", (event) => {
      event.preventDefault();
      tryOut();
    });
    at("load-go").addEventListener("click", load);
    at("load-token").value = token.get();
    return { show };
  }

  return { start };
})();
