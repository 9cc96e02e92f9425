"use strict";

/** Chooses products: one by one with a search, or many pasted lines. */
const Basket = (() => {
  const { element, set, plural, amount, say, problem } = Text;
  const MAX_LINES = 400;
  /** The most products that are requested by their ids at once. */
  const MAX_NAMED = 50;
  /** The most refused lines that are named. */
  const SHOWN_WRONG = 10;
  /** A valid quantity: up to nine digits and three decimals, and not zero. */
  const QUANTITY = /^(?=.*[1-9])\d{1,9}(\.\d{1,3})?$/;

  /** `api` finds products. It is null if there is no gateway to ask. */
  function start({ api, changed }) {
    const at = (id) => document.getElementById(id);
    const [input, basket] = [at("product"), at("basket")];
    const lines = new Map();

    function wrong(text) {
      problem(at("product-problem"), text);
      if (text) {
        input.setAttribute("aria-invalid", "true");
        say(text);
      } else {
        input.removeAttribute("aria-invalid");
      }
    }

    function full() {
      wrong(`A quote has at most ${MAX_LINES} lines.`);
    }

    /** Adds a product, and moves the focus to its quantity. */
    function add({ product, name }) {
      input.value = "";
      wrong(null);
      if (lines.has(product)) {
        say(`${product} is in the list already`);
      } else if (lines.size >= MAX_LINES) {
        return full();
      } else {
        put(product, name, "1");
        say(`${name ?? product} added`);
      }
      const { quantity } = lines.get(product);
      quantity.select();
      quantity.focus();
      quantity.scrollIntoView({ block: "nearest" });
    }

    function put(product, name, quantity) {
      const there = lines.get(product);
      if (there) {
        const before = there.quantity.value.trim();
        // Nothing can be added to what is not a quantity, such as `2,5`.
        there.quantity.value = QUANTITY.test(before) ? Paste.sum(before, quantity) : quantity;
        there.quantity.removeAttribute("aria-invalid");
      } else {
        lines.set(product, line(product, name, quantity));
        basket.append(lines.get(product).row);
      }
      count();
      changed();
    }

    function count() {
      set(at("basket-count"), lines.size > 1 ? plural(lines.size, "line") : "");
      at("basket-tools").hidden = lines.size === 0;
    }

    function line(product, name, value) {
      const quantity = element("input", {
        type: "text", inputmode: "decimal", maxlength: "13", autocomplete: "off", "aria-label": `Quantity of ${product}`,
      });
      quantity.value = value;
      quantity.addEventListener("input", () => {
        quantity.removeAttribute("aria-invalid");
        changed();
      });
      const away = element("button", { type: "button", class: "away", "aria-label": `Remove ${product}` }, "×");
      const title = name === undefined
        ? [element("span", { class: "name" }, product)]
        : [element("span", { class: "name" }, name), element("span", { class: "id" }, product)];
      const row = element("li", {}, ...title, quantity, away);
      away.addEventListener("click", () => {
        const next = row.nextElementSibling ?? row.previousElementSibling;
        lines.delete(product);
        row.remove();
        say(`${product} removed`);
        (next?.querySelector("button") ?? input).focus();
        count();
        changed();
      });
      return { row, quantity };
    }

    /** Finds products by ids, keyed by the id as it was typed; null if there is no gateway to ask. */
    async function named(ids) {
      if (!api) return null;
      const found = new Map();
      for (let from = 0; from < ids.length; from += MAX_NAMED) {
        const some = ids.slice(from, from + MAX_NAMED);
        const reply = await api.find("products", { product: some });
        if (!reply) return null;
        for (const product of reply.products) found.set(product.asked, product);
      }
      return found;
    }

    /** Adds many lines, and says which of them were left out. */
    async function paste(text) {
      const pasted = Paste.read(text);
      input.value = "";
      wrong(null);
      say(`${plural(pasted.length, "line")} pasted`);
      const found = await named([...new Set(pasted.map(({ product }) => product))]);
      const refused = [];
      let added = 0;
      for (const { product, quantity } of pasted) {
        const known = found === null ? { product } : found.get(product);
        if (known === undefined || product === "") refused.push(`“${product}” is not a product`);
        else if (!QUANTITY.test(quantity)) refused.push(`“${quantity}” is not a quantity (${product})`);
        else if (lines.size >= MAX_LINES && !lines.has(known.product)) refused.push(`${product}, because a quote has at most ${MAX_LINES} lines`);
        else {
          put(known.product, known.name, quantity);
          added += 1;
        }
      }
      if (refused.length === 0) return say(`${plural(added, "line")} added`);
      const more = refused.length > SHOWN_WRONG ? `, and ${amount(String(refused.length - SHOWN_WRONG))} more` : "";
      wrong(`${plural(added, "line")} of ${pasted.length} added. Left out: ${refused.slice(0, SHOWN_WRONG).join(", ")}${more}.`);
    }

    Combo.start({
      input, list: at("found"), thing: "product", takesFirst: true,
      search: async (text) => {
        const found = await api?.find("products", { search: text });
        return found ? { items: found.products, total: found.total } : null;
      },
      show: ({ product, name, list_price: price }) => [
        element("span", { class: "id" }, product),
        element("span", { class: "name" }, name),
        element("span", { class: "price" }, price ? amount(price) : ""),
      ],
      picked: add,
      // Without a gateway to ask, the quotation will show whether there is such a product.
      entered: (text, isKnown) => (isKnown ? wrong(`There is no product “${text}”.`) : add({ product: text })),
    });
    input.addEventListener("input", () => wrong(null));
    input.addEventListener("paste", (event) => {
      const text = event.clipboardData?.getData("text/plain") ?? "";
      if (!Paste.isLines(text)) return;
      event.preventDefault();
      paste(text);
    });
    at("basket-clear").addEventListener("click", () => {
      lines.clear();
      basket.replaceChildren();
      count();
      changed();
      say("All lines removed");
      input.focus();
    });

    /** Returns the items of a quote. If a quantity is invalid, focuses the first such and returns null. */
    function items() {
      for (const { quantity } of lines.values()) {
        if (!QUANTITY.test(quantity.value.trim())) {
          quantity.setAttribute("aria-invalid", "true");
          quantity.focus();
          return null;
        }
      }
      return [...lines].map(([product, { quantity }]) => ({ product, quantity: quantity.value.trim() }));
    }

    return { items, size: () => lines.size };
  }

  return { start };
})();
