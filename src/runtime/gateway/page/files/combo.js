"use strict";

/** A box that searches while somebody types, with a list of the results. */
const Combo = (() => {
  const { element, plural, say } = Text;
  const SEARCH_AFTER_MS = 120;

  /**
   * `search` returns `{ items, total }`, or null if there is no gateway to ask. `show` draws an item.
   * `picked` gets the chosen item. `entered` gets a text for which Enter was pressed and nothing was
   * found, and whether a search has confirmed that. `takesFirst` says whether Enter takes the first
   * match.
   */
  function start({ input, list, thing, search, show, picked, entered, takesFirst }) {
    let items = [];
    /** The text for which the items were found. */
    let foundFor = null;
    let chosen = -1;
    let timer = null;
    let asked = 0;

    function close() {
      clearTimeout(timer);
      asked += 1;
      list.hidden = true;
      chosen = -1;
      foundFor = null;
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
      else input.setAttribute("aria-activedescendant", `${list.id}-${chosen}`);
    }

    function pick(item) {
      close();
      picked(item);
    }

    function draw(found, text) {
      items = found.items;
      foundFor = text;
      list.replaceChildren(...items.map((item, at) => {
        const option = element("li", { role: "option", id: `${list.id}-${at}`, "aria-selected": "false" }, ...show(item));
        // Use mousedown, because it comes before the box loses the focus.
        option.addEventListener("mousedown", (event) => {
          event.preventDefault();
          pick(item);
        });
        return option;
      }));
      choose(-1);
      list.hidden = items.length === 0;
      input.setAttribute("aria-expanded", String(items.length > 0));
      const more = found.total > items.length ? `, of ${plural(found.total, thing)}` : "";
      const first = takesFirst ? "; Enter takes the first" : "";
      say(items.length ? `${plural(items.length, thing)} found${more}${first}` : `No ${thing} found`);
    }

    /** Searches now. Returns the result, or undefined if something later has made it obsolete. */
    async function look() {
      clearTimeout(timer);
      const [mine, text] = [(asked += 1), input.value.trim()];
      const found = await search(text);
      if (mine !== asked || document.activeElement !== input) return undefined;
      if (found) draw(found, text);
      return found;
    }

    function lookSoon() {
      clearTimeout(timer);
      timer = setTimeout(look, SEARCH_AFTER_MS);
    }

    async function enter(event) {
      const text = input.value.trim();
      if (chosen >= 0) {
        event.preventDefault();
        return pick(items[chosen]);
      }
      if (text === "" || !takesFirst) return close();
      event.preventDefault();
      const found = foundFor === text ? { items } : await look();
      if (found === undefined) return;
      if (found?.items.length) return pick(found.items[0]);
      close();
      entered(text, found !== null);
    }

    input.addEventListener("input", lookSoon);
    input.addEventListener("blur", close);
    input.addEventListener("keydown", (event) => {
      switch (event.key) {
        case "ArrowDown":
        case "ArrowUp": {
          event.preventDefault();
          if (list.hidden) return look();
          const step = event.key === "ArrowDown" ? 1 : -1;
          return choose(chosen < 0 && step < 0 ? items.length - 1 : (chosen + step + items.length) % items.length);
        }
        case "Escape":
          if (!list.hidden) event.preventDefault();
          return close();
        case "Enter":
          return enter(event);
      }
    });
    return { close };
  }

  /** A box for a customer. Any name is allowed, so Enter takes only a chosen item. */
  function clients({ input, list, api, picked }) {
    return start({
      input, list, thing: "customer", takesFirst: false, entered: () => {},
      search: async (text) => {
        const found = await api?.find("clients", { search: text });
        return found ? { items: found.clients, total: found.total } : null;
      },
      show: (client) => [element("span", { class: "name" }, client)],
      picked: (client) => {
        input.value = client;
        picked(client);
      },
    });
  }

  return { start, clients };
})();
