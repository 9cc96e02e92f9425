"use strict";

/** The cache as it is now. */
const Live = (() => {
  const { element, set, seconds, duration, plural, amount, problem } = Text;
  /** So long a client that has expired is still to be seen. */
  const FAREWELL_MS = 6_000;
  /** So long something new stands out. */
  const NEW_MS = 1_500;
  const SHOWN_EVENTS = 30;
  const TABLES = { fresh: "fresh", stale: "stale", unusable: "too old" };

  /** `fetchJson` asks the gateway, or is null where there is none to ask. */
  function start({ fetchJson }) {
    const at = (id) => document.getElementById(id);
    const rows = new Map();
    let seen = null;
    let ahead = 0;
    let timer = null;
    let shown = false;
    let lastEvent = 0;

    function show(yes) {
      shown = yes;
      clearTimeout(timer);
      if (shown && fetchJson === null) {
        problem(at("live-problem"), "The live view is served by a gateway on your own machine: open the page that `ocache up` names.");
      } else if (shown) {
        look();
      }
    }

    async function look() {
      clearTimeout(timer);
      if (!shown || document.hidden) return;
      let every = 1000;
      try {
        const snapshot = await fetchJson("live");
        every = snapshot.every_ms;
        ahead = Date.parse(snapshot.at) - Date.now();
        draw(snapshot);
        problem(at("live-problem"), null);
      } catch (error) {
        problem(at("live-problem"), `What is shown is old: ${error.message}. Trying again.`);
      }
      clearTimeout(timer);
      timer = setTimeout(look, every);
    }

    const now = () => Date.now() + ahead;

    function draw(snapshot) {
      const first = seen === null;
      seen = snapshot;
      tiles(snapshot);
      const { recalculations } = snapshot;
      Chart.draw(recalculations, now());
      set(at("chart-note"), recalculations.counted_here
        ? "Tables in each ten seconds of the last ten minutes"
        : "Tables are calculated by other processes; each shows its own figures with --metrics-port");
      users(snapshot, first);
      queues(snapshot.queues);
      events(snapshot.events, first);
      tick();
    }

    function tiles({ active_users: active, tables, queues, sockets, catalogue, ttl_secs: ttl, refresh_every_secs: every }) {
      const known = active.users.length;
      set(at("tile-users"), `${active.complete ? "" : "≥ "}${amount(String(active.total))}`);
      set(at("tile-users-note"), `each for ${seconds(ttl)} after a visit`);
      set(at("tile-tables"), known ? `${tables.fresh} of ${known}` : "0");
      set(at("tile-tables-note"), `checked every ${duration(every * 1000)}`);
      const total = (state) => queues.reduce((all, queue) => all + queue[state], 0);
      set(at("tile-queues"), amount(String(total("waiting"))));
      const dead = total("dead_letters");
      set(at("tile-queues-note"), dead ? plural(dead, "dead letter") : `${amount(String(total("in_flight")))} in flight`);
      at("tile-queues-note").classList.toggle("alarm", dead > 0);
      set(at("tile-sockets"), amount(String(sockets)));
      set(at("tile-sockets-note"), catalogue === null ? "no products" : `catalogue version ${catalogue.version}${catalogue.folding ? ", being folded" : ""}`);
    }

    function users({ active_users: active, ttl_secs: ttl }, first) {
      const more = active.total - active.users.length;
      set(at("users-note"), more > 0 ? `The ${active.users.length} that came last; ${active.complete ? "" : "at least "}${amount(String(more))} more` : "");
      const there = new Set(active.users.map(({ user }) => user));
      // The last one first, because each new one goes to the top.
      for (const user of active.users.toReversed()) {
        let row = rows.get(user.user);
        if (row === undefined || row.gone) {
          row?.element.remove();
          row = userRow(user.user);
          rows.set(user.user, row);
          at("users").prepend(row.element);
          if (!first) flash(row.element, "arrived");
        }
        const before = row.data?.table;
        row.data = user;
        row.ttl = ttl;
        if (!first && user.table && before && before.version !== user.table.version) flash(row.table, "refreshed");
      }
      for (const [user, row] of rows) {
        if (there.has(user) || row.gone) continue;
        // Pushed off the list by others, it has not expired.
        if (Date.parse(row.data.expires_at) > now() + 1_000 && more > 0) {
          row.element.remove();
          rows.delete(user);
          continue;
        }
        row.gone = true;
        row.element.classList.add("gone");
        setTimeout(() => {
          row.element.remove();
          if (rows.get(user) === row) rows.delete(user);
          at("users-empty").hidden = rows.size > 0;
        }, FAREWELL_MS);
      }
      at("users-empty").hidden = rows.size > 0;
    }

    function userRow(user) {
      const cell = (label, ...content) => element("td", { role: "cell", "data-label": label }, ...content);
      const bar = element("progress", { max: "1", value: "0", "aria-label": `Time left of ${user}` });
      const left = element("span", { class: "left" });
      const table = element("span", { class: "badge" });
      const age = element("span", {});
      const row = element(
        "tr", { role: "row" },
        element("th", { role: "rowheader", scope: "row" }, user),
        cell("Time left", element("span", { class: "clock" }, bar, left)),
        cell("Table", table), cell("Checked", age),
      );
      return { element: row, bar, left, table, age, data: null, gone: false };
    }

    /** What passes by itself between two looks. */
    function tick() {
      for (const { data, ttl, bar, left, table, age, gone } of rows.values()) {
        const ms = gone ? 0 : Math.max(0, Date.parse(data.expires_at) - now());
        bar.value = Math.min(1, ms / (ttl * 1000));
        set(left, gone ? "expired" : seconds(Math.ceil(ms / 1000)));
        const state = data.table?.state;
        table.dataset.state = state ?? "none";
        set(table, TABLES[state] ?? "no table");
        set(age, data.table ? `${seconds(Math.max(0, Math.floor((now() - Date.parse(data.table.validated_at)) / 1000)))} ago` : "–");
      }
    }

    function queues(queues) {
      const body = at("queues");
      for (const [index, queue] of queues.entries()) {
        const row = body.children[index] ?? body.appendChild(element(
          "tr", {}, element("th", { scope: "row" }), ...Array.from({ length: 4 }, () => element("td")),
        ));
        const figures = [queue.queue, queue.waiting, queue.in_flight, queue.delayed, queue.dead_letters];
        figures.forEach((figure, cell) => set(row.children[cell], typeof figure === "number" ? amount(String(figure)) : figure));
        row.lastChild.classList.toggle("alarm", queue.dead_letters > 0);
      }
    }

    function events(events, first) {
      const list = at("events");
      // A gateway that was started anew counts from one again.
      if ((events.at(-1)?.number ?? 0) < lastEvent) {
        lastEvent = 0;
        list.replaceChildren();
      }
      for (const event of events) {
        if (event.number <= lastEvent) continue;
        lastEvent = event.number;
        const entry = eventEntry(event);
        list.prepend(entry);
        if (!first) flash(entry, "arrived");
        const row = rows.get(event.user);
        if (!first && event.kind === "settled" && row) flash(row.element, "served");
      }
      while (list.children.length > SHOWN_EVENTS) list.lastChild.remove();
      at("events-empty").hidden = list.children.length > 0;
    }

    function eventEntry(event) {
      const time = new Date(event.at);
      return element(
        "li", { "data-kind": event.kind },
        element("time", { datetime: event.at }, time.toLocaleTimeString([], { hour12: false })),
        element("span", {}, element("b", {}, event.user), ` ${told(event)}`),
      );
    }

    function told({ kind, reason, effect, took_us: took, outcome, warmth, after_ms: after }) {
      if (kind === "settled") {
        return outcome === "answered" ? `answered ${warmth} in ${duration(after)}` : "got no answer";
      }
      const why = Chart.NAMES[reason] ?? reason;
      switch (effect) {
        case "written": return `table written in ${duration(took / 1000)} (${why})`;
        case "unchanged": return `table checked in ${duration(took / 1000)} (${why})`;
        case "expired": return "has expired: no more refreshes";
        case "too_late": return "table no longer wanted in time";
        default: return `table was good already (${why})`;
      }
    }

    function flash(where, name) {
      where.classList.remove(name);
      // Read, so that the animation begins anew.
      void where.offsetWidth;
      where.classList.add(name);
      setTimeout(() => where.classList.remove(name), NEW_MS);
    }

    setInterval(() => shown && !document.hidden && seen !== null && tick(), 500);
    document.addEventListener("visibilitychange", look);
    return { show };
  }

  return { start };
})();
