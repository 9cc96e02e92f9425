"use strict";

/** The active customers: searchable, and in pages. */
const Clients = (() => {
  const { element, cell, set, seconds } = Text;
  const SIZE = 12;
  const SEARCH_AFTER_MS = 150;
  /** How long something new is highlighted. */
  const NEW_MS = 1_500;
  /** How long an expired customer stays visible. */
  const FAREWELL_MS = 6_000;
  const TABLES = { fresh: "Fresh", stale: "Stale", unusable: "Too old" };

  /** `now` returns the time of the gateway. */
  function start({ api, now, failed }) {
    const at = (id) => document.getElementById(id);
    const [search, body] = [at("users-search"), at("users")];
    const rows = new Map();
    let ttl = 300;
    let asked = 0;
    let timer = null;
    /** The search and the page of the current rows. */
    let drawn = null;

    const pager = Pager.start({ where: at("users-pager"), size: SIZE, thing: "customers", turned: () => look() });

    async function look() {
      if (!api) return;
      const mine = (asked += 1);
      const [text, offset] = [search.value.trim(), pager.at()];
      try {
        const found = await api.ask("clients/active", { search: text, limit: SIZE, offset });
        if (mine !== asked) return;
        const is = JSON.stringify([text, offset]);
        draw(found, drawn !== is);
        drawn = is;
      } catch (error) {
        if (mine === asked) failed(error);
      }
    }

    function draw({ clients, total, complete, ttl_secs: secs }, isOther) {
      ttl = secs;
      if (isOther) {
        body.replaceChildren();
        rows.clear();
      }
      const there = new Set(clients.map(({ client }) => client));
      for (const [client, row] of rows) if (!there.has(client)) leave(client, row);
      // Begin with the last, because each new row goes to the top.
      for (const data of clients.toReversed()) {
        let row = rows.get(data.client);
        if (row === undefined || row.gone) {
          row?.element.remove();
          row = userRow(data.client);
          rows.set(data.client, row);
          if (!isOther) flash(row.element, "arrived");
        }
        const before = row.data?.table;
        row.data = data;
        if (!isOther && data.table && before && before.version !== data.table.version) flash(row.table, "refreshed");
      }
      arrange(clients);
      pager.show(total, clients.length, complete);
      empty(total);
      tick();
    }

    /**
     * Removes a row. An expired customer stays visible for a while if there is room, one on another page
     * does not.
     */
    function leave(client, row) {
      if (row.gone) return;
      const isExpired = Date.parse(row.data.expires_at) <= now() + 1_000;
      const remove = () => {
        row.element.remove();
        if (rows.get(client) === row) rows.delete(client);
        if (rows.size === 0) empty(0);
      };
      if (!isExpired) return remove();
      row.gone = true;
      row.element.classList.add("gone");
      setTimeout(remove, FAREWELL_MS);
    }

    /** Sorts the rows without touching those that are in order. */
    function arrange(clients) {
      let next = body.firstElementChild;
      for (const { client } of clients) {
        while (next?.classList.contains("gone")) next = next.nextElementSibling;
        const { element: row } = rows.get(client);
        if (row === next) next = next.nextElementSibling;
        else body.insertBefore(row, next);
      }
      const kept = [...body.children].filter((row) => row.classList.contains("gone"));
      for (const row of kept.slice(0, Math.max(0, body.children.length - SIZE))) row.hidden = true;
    }

    function empty(total) {
      const isSearched = search.value.trim() !== "";
      at("users-empty").hidden = rows.size > 0 || total > 0;
      set(at("users-empty"), isSearched ? "No active customer matches." : "No customer is active. A quote makes a customer active.");
    }

    function userRow(client) {
      const bar = element("progress", { max: "1", value: "0", "aria-label": `Time left of ${client}` });
      const left = element("span", { class: "left" });
      const table = element("span", { class: "badge" });
      const age = element("span", {});
      const link = element("a", { href: `#prices?${new URLSearchParams({ client })}`, title: `Prices of ${client}` }, client);
      const row = element(
        "tr", { role: "row" },
        element("th", { role: "rowheader", scope: "row" }, link),
        cell("Time left", element("span", { class: "clock" }, bar, left)),
        cell("Table", table), cell("Checked", age),
      );
      return { element: row, bar, left, table, age, data: null, gone: false };
    }

    /** Updates what changes with time between two requests. */
    function tick() {
      for (const { data, bar, left, table, age, gone } of rows.values()) {
        const ms = gone ? 0 : Math.max(0, Date.parse(data.expires_at) - now());
        bar.value = Math.min(1, ms / (ttl * 1000));
        set(left, gone ? "expired" : seconds(Math.ceil(ms / 1000)));
        const state = data.table?.state;
        table.dataset.state = state ?? "none";
        set(table, TABLES[state] ?? "None");
        set(age, data.table ? `${seconds(Math.max(0, Math.floor((now() - Date.parse(data.table.validated_at)) / 1000)))}\u00a0ago` : "–");
      }
    }

    /** Highlights a customer who was just answered, if it is shown. */
    function served(client) {
      const row = rows.get(client);
      if (row) flash(row.element, "served");
    }

    function flash(where, name) {
      where.classList.remove(name);
      // Reading the width restarts the animation.
      void where.offsetWidth;
      where.classList.add(name);
      setTimeout(() => where.classList.remove(name), NEW_MS);
    }

    search.addEventListener("input", () => {
      clearTimeout(timer);
      timer = setTimeout(() => {
        pager.reset();
        look();
      }, SEARCH_AFTER_MS);
    });
    return { look, tick, served, flash };
  }

  return { start };
})();
