"use strict";

/** Choosing products: a box that searches, and the list of what was chosen. */
const Basket = (() => {
  const { element, set, plural, amount, say } = Text;
  const MAX_LINES = 400;
  const SEARCH_AFTER_MS = 120;
  /** What a quantity can be: up to nine digits and three decimals, and not nothing. */
  const QUANTITY = /^(?=.*[1-9])\d{1,9}(\.\d{1,3})?$/;

  /** `search` finds products, or is null where nobody can be asked. */
  function start({ search, changed }) {
    const input = document.getElementById("product");
    const list = document.getElementById("found");
    const basket = document.getElementById("basket");
    const lines = new Map();
    let options = [];
    let chosen = -1;
    let timer = null;
    let asked = 0;

    function close() {
      clearTimeout(timer);
      asked += 1;
      list.hidden = true;
      chosen = -1;
      input.setAttribute("aria-expanded", "false");
      input.removeAttribute("aria-activedescendant");
    }

    function choose(index) {
      chosen = index;
      for (const [at, option] of [...list.children].entries()) {
        option.setAttribute("aria-selected", String(at === chosen));
        if (at === chosen) option.scrollIntoView({ block: "nearest" });
      }
      if (chosen < 0) input.removeAttribute("aria-activedescendant");
      else input.setAttribute("aria-activedescendant", `found-${chosen}`);
    }

    function show({ products, total }) {
      options = products;
      list.replaceChildren(...products.map((product, at) => {
        const option = element(
          "li", { role: "option", id: `found-${at}`, "aria-selected": "false" },
          element("span", { class: "id" }, product.product),
          element("span", { class: "name" }, product.name),
          element("span", { class: "price" }, product.list_price ? amount(product.list_price) : ""),
        );
        // Before the box loses the focus.
        option.addEventListener("mousedown", (event) => {
          event.preventDefault();
          add(product);
        });
        return option;
      }));
      chosen = -1;
      list.hidden = products.length === 0;
      input.setAttribute("aria-expanded", String(products.length > 0));
      input.removeAttribute("aria-activedescendant");
      const more = total > products.length ? `, of ${plural(total, "product")}` : "";
      say(products.length ? `${plural(products.length, "product")} found${more}` : "No product found; Enter adds the id as typed");
    }

    function look(after) {
      clearTimeout(timer);
      if (search === null) return;
      const mine = (asked += 1);
      timer = setTimeout(async () => {
        const found = await search(input.value);
        // A later search, or a choice, has made this one pointless.
        if (found && mine === asked && document.activeElement === input) show(found);
      }, after);
    }

    function add({ product, name }) {
      close();
      input.value = "";
      const there = lines.get(product);
      if (there) {
        say(`${product} is in the list already`);
      } else if (lines.size >= MAX_LINES) {
        say(`A quote has at most ${MAX_LINES} lines`);
        return;
      } else {
        lines.set(product, line(product, name));
        basket.append(lines.get(product).row);
        say(`${name ?? product} added`);
        changed();
      }
      lines.get(product).quantity.select();
      lines.get(product).quantity.focus();
      if (name === undefined) nameOf(product);
    }

    /** Whoever knows an id need not wait for the search; its name comes later. */
    async function nameOf(product) {
      const found = await search?.(product);
      const known = found?.products.find((other) => other.product === product);
      lines.get(product)?.called(known?.name);
    }

    function line(product, name) {
      const quantity = element("input", {
        type: "text", inputmode: "decimal", value: "1", maxlength: "13", autocomplete: "off",
        "aria-label": `Quantity of ${product}`,
      });
      quantity.addEventListener("input", () => {
        quantity.removeAttribute("aria-invalid");
        changed();
      });
      const away = element("button", { type: "button", class: "away", "aria-label": `Remove ${product}` }, "×");
      const title = element("span", { class: "name" }, product);
      const row = element("li", {}, title, quantity, away);
      const called = (name) => {
        if (name === undefined || row.querySelector(".id")) return;
        set(title, name);
        title.after(element("span", { class: "id" }, product));
      };
      called(name);
      away.addEventListener("click", () => {
        const next = row.nextElementSibling ?? row.previousElementSibling;
        lines.delete(product);
        row.remove();
        say(`${product} removed`);
        (next?.querySelector("button") ?? input).focus();
        changed();
      });
      return { row, quantity, called };
    }

    input.addEventListener("input", () => look(SEARCH_AFTER_MS));
    input.addEventListener("blur", close);
    input.addEventListener("keydown", (event) => {
      const open = !list.hidden;
      switch (event.key) {
        case "ArrowDown":
        case "ArrowUp": {
          event.preventDefault();
          if (!open) return look(0);
          const step = event.key === "ArrowDown" ? 1 : -1;
          choose(chosen < 0 && step < 0 ? options.length - 1 : (chosen + step + options.length) % options.length);
          break;
        }
        case "Escape":
          if (open) event.preventDefault();
          close();
          break;
        case "Enter": {
          const typed = input.value.trim();
          if (typed === "" && chosen < 0) return;
          event.preventDefault();
          // An id as it was typed goes in too: whether there is such a product is for the quote to say.
          add(chosen >= 0 ? options[chosen] : options.find(({ product }) => product === typed) ?? { product: typed });
          break;
        }
      }
    });

    /** The lines as a quote wants them; `null`, and the first that is wrong in focus, if one is. */
    function items() {
      for (const { quantity } of lines.values()) {
        const fits = QUANTITY.test(quantity.value.trim());
        if (!fits) {
          quantity.setAttribute("aria-invalid", "true");
          quantity.focus();
          return null;
        }
      }
      return [...lines].map(([product, { quantity }]) => ({ product, quantity: quantity.value.trim() }));
    }

    return { items, focus: () => input.focus(), size: () => lines.size };
  }

  return { start };
})();
