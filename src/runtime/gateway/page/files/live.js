"use strict";

/** Shows the current state of the cache. */
const Live = (() => {
  const { element, set, seconds, duration, plural, amount, problem } = Text;
  const SHOWN_EVENTS = 30;

  /** `api` asks the gateway. It is null if there is none to ask. */
  function start({ api }) {
    const at = (id) => document.getElementById(id);
    let seen = null;
    let ahead = 0;
    let timer = null;
    let shown = false;
    let lastEvent = 0;

    const now = () => Date.now() + ahead;
    const clients = Clients.start({ api, now, failed });

    function show(yes) {
      shown = yes;
      clearTimeout(timer);
      if (shown && !api) {
        problem(at("live-problem"), "Only a gateway on your own machine shows the live view: open the page that `ocache up` names.");
      } else if (shown) {
        look();
      }
    }

    function failed(error) {
      const told = error.told?.() ?? `${error}`;
      problem(at("live-problem"), `${seen === null ? "" : "These figures are old. "}${told} Trying again.`);
    }

    async function look() {
      clearTimeout(timer);
      if (!shown || document.hidden) return;
      let every = 1000;
      try {
        const snapshot = await api.ask("live");
        every = snapshot.every_ms;
        ahead = Date.parse(snapshot.at) - Date.now();
        problem(at("live-problem"), null);
        draw(snapshot);
        await clients.look();
      } catch (error) {
        failed(error);
        // If the token is refused, asking every second does not help.
        if (error.isAboutToken?.()) every = 10_000;
      }
      clearTimeout(timer);
      timer = setTimeout(look, every);
    }

    function draw(snapshot) {
      const first = seen === null;
      seen = snapshot;
      const { answers, recalculations } = snapshot;
      answered(answers.all);
      Chart.answers(answers, now());
      const lately = Chart.recalculations(recalculations, now());
      set(at("tile-tables"), recalculations.counted_here ? amount(String(lately)) : "–");
      set(at("chart-note"), recalculations.counted_here ? "in the last minute" : "Tables are calculated by other processes; each shows its own figures with --metrics-port");
      facts(snapshot);
      queues(snapshot.queues);
      events(snapshot.events, first);
    }

    function answered({ at_once: atOnce, waited, share_at_once: share, p50_ms: p50, p99_ms: p99, age_p50_secs: age, age_p99_secs: oldest }) {
      set(at("tile-share"), share === null ? "–" : Text.share(share));
      set(at("tile-share-note"), share === null ? "no answers in ten minutes" : `of ${plural(atOnce + waited, "answer")} in ten minutes`);
      set(at("tile-times"), p50 === null ? "–" : duration(p50));
      set(at("tile-times-note"), p50 === null ? "" : `p50; the p99 is ${duration(p99)}`);
      set(at("tile-ages"), age === null ? "–" : seconds(age));
      set(at("tile-ages-note"), age === null ? "" : `p50; the p99 is ${seconds(oldest)}`);
    }

    function facts({ active_clients: active, queues: all, sockets, catalogue, ttl_secs: ttl, refresh_every_secs: every }) {
      const clientsNow = `${active.complete ? "" : "at least "}${plural(active.total, "active customer")}`;
      set(at("users-note"), `${clientsNow}, active for ${seconds(ttl)} after each visit; tables refreshed every ${duration(every * 1000)}. A check without a change is not always recorded.`);
      const total = (state) => all.reduce((sum, queue) => sum + queue[state], 0);
      const dead = total("dead_letters");
      set(at("queues-note"), `${amount(String(total("waiting")))} waiting, ${amount(String(total("in_flight")))} in flight${dead ? `, ${plural(dead, "dead letter")}` : ""}; ${plural(sockets, "open websocket")}`);
      at("queues-note").classList.toggle("alarm", dead > 0);
      set(at("catalogue-note"), catalogue === null ? "No products" : `Catalogue version ${catalogue.version}${catalogue.folding ? ", being folded" : ""}`);
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
      // A restarted gateway counts its events from one again.
      if ((events.at(-1)?.number ?? 0) < lastEvent) {
        lastEvent = 0;
        list.replaceChildren();
      }
      for (const event of events) {
        if (event.number <= lastEvent) continue;
        lastEvent = event.number;
        const entry = eventEntry(event);
        list.prepend(entry);
        if (first) continue;
        clients.flash(entry, "arrived");
        if (event.kind === "settled") clients.served(event.user);
      }
      while (list.children.length > SHOWN_EVENTS) list.lastChild.remove();
      at("events-empty").hidden = list.children.length > 0;
    }

    function eventEntry(event) {
      const time = new Date(event.at);
      return element(
        "li", { "data-kind": event.kind },
        element("time", { datetime: event.at }, time.toLocaleTimeString([], { hour12: false })),
        element("span", {}, element("b", { title: event.user }, event.user), ` ${told(event)}`),
      );
    }

    function told({ kind, reason, effect, took_us: took, outcome, warmth, after_ms: after }) {
      if (kind === "settled") {
        return outcome === "answered" ? `answered ${warmth} in ${duration(after)}` : "got no answer";
      }
      const why = Chart.REASONS[reason] ?? reason;
      switch (effect) {
        case "written": return `table written in ${duration(took / 1000)} (${why})`;
        case "unchanged": return `table checked in ${duration(took / 1000)} (${why})`;
        case "expired": return "has expired: no more refreshes";
        case "too_late": return "table was needed no longer";
        default: return `table was current already (${why})`;
      }
    }

    setInterval(() => shown && !document.hidden && seen !== null && clients.tick(), 500);
    document.addEventListener("visibilitychange", look);
    return { show };
  }

  return { start };
})();
