"use strict";

/**
 * Shows whether the cache is worth its cost: answers at once, waits, the cost of a month, and what other
 * settings would change.
 */
const Worth = (() => {
  const { element, cell, share, set, amount, duration, plural, problem, say } = Text;
  const AGAIN_MS = 30_000;
  const VERDICTS = {
    precompute: "Prepare tables for every active customer",
    precompute_above_break_even: "Prepare tables only for customers who ask often",
    calculate_on_read: "Prepare no tables: calculate on each request",
  };
  /** Other names of what calls the store, where those of the meter say little. */
  const STAGES = { command: "commands", presence: "presence of processes", stored: "storage", unknown: "other calls" };
  /** The measurement includes a probe of all stages, so it takes long. */
  const PATIENCE_MS = 60_000;

  /** `api` asks the gateway. It is null if there is none to ask. */
  function start({ api }) {
    const at = (id) => document.getElementById(id);
    let shown = false;
    let timer = null;
    let asked = 0;

    function show(yes) {
      shown = yes;
      clearTimeout(timer);
      if (!shown) return;
      if (!api) return problem(at("worth-problem"), "Only a gateway on your own machine shows what the cache is worth: open the page that `ocache up` names.");
      look();
    }

    async function look() {
      clearTimeout(timer);
      if (!shown || document.hidden) return;
      const mine = (asked += 1);
      const [ttl, every] = [at("worth-ttl").value.trim(), at("worth-every").value.trim()];
      try {
        const told = await api.ask("worth", { over: at("worth-over").value, ttl, refresh_every: every }, { patience: PATIENCE_MS });
        if (mine !== asked) return;
        draw(told, ttl !== "" || every !== "");
        problem(at("worth-problem"), null);
      } catch (error) {
        if (mine !== asked) return;
        problem(at("worth-problem"), error.told?.() ?? String(error));
      }
      timer = setTimeout(look, AGAIN_MS);
    }

    /** Formats US dollars with as many digits as are useful. They are estimates, so they may be numbers. */
    function usd(text) {
      const value = Number(text);
      if (value === 0) return "0";
      if (Math.abs(value) < 0.005) return "< 0.01";
      return amount(Math.abs(value) >= 1000 ? value.toFixed(0) : value.toFixed(2));
    }

    const count = (number) => amount(String(Math.round(number)));

    function draw(told, hasOthers) {
      at("worth-result").hidden = false;
      tiles(told);
      verdict(told.verdict);
      at("worth-none").hidden = told.verdict !== null;
      at("worth-tries").hidden = told.what_if === null;
      tries(told, hasOthers);
      stages(told.lines);
    }

    /** A load is not repeated at the rate of a short time, so its cost is not scaled to a month. The verdict has no loads either. */
    const isLoad = ({ stage }) => stage === "load";
    const sum = (amounts) => amounts.reduce((all, one) => all + Number(one), 0);

    function tiles({ events, answers, lines, processes, span_secs: span, usd_a_month: month }) {
      const quotes = events.quotes;
      set(at("worth-share"), quotes > 0 ? share(1 - Math.min(1, events.cold_quotes / quotes)) : "–");
      set(at("worth-share-note"), quotes > 0 ? `of ${plural(Math.round(quotes), "quote")}; ${count(events.cold_quotes)} waited` : "no quotes in this time");
      const hasWaits = answers.wait_p50_ms !== null;
      set(at("worth-wait"), hasWaits ? duration(answers.wait_p50_ms) : "–");
      set(at("worth-wait-note"), hasWaits ? `median; 99 % waited at most ${duration(answers.wait_p99_ms)}; this process, last ten minutes` : "no quote waited in this process in the last ten minutes");
      const loads = lines.filter(isLoad).map((line) => line.usd);
      const without = loads.length > 0 ? `; without loads, which cost US$ ${usd(sum(loads))} in this time` : "";
      set(at("worth-cost"), usd(month));
      set(at("worth-cost-note"), `at AWS list prices and the rates of the last ${Text.seconds(Math.max(1, Math.round(span)))}; ${plural(processes, "process", "processes")}${without}`);
      set(at("worth-users"), count(events.active_users));
      set(at("worth-users-note"), `on average; ${plural(Math.round(events.refreshes), "refresh", "refreshes")}, ${count(events.changed)} changed a table`);
    }

    function verdict(choice) {
      at("worth-verdict").hidden = choice === null;
      if (choice === null) return;
      set(at("worth-choice"), VERDICTS[choice.choice] ?? choice.choice);
      const even = choice.break_even_quotes_an_hour;
      const often = even < 20 ? even.toFixed(1) : count(even);
      set(at("worth-even"), `Preparing a customer's table pays from ${often} quotes an hour. Customers are treated differently only if that saves more than 5 %. This compares cost only: without prepared tables, every quote also waits for its calculation.`);
      const ways = [
        ["precompute", "Prepare for every active customer", choice.precompute_usd_a_month],
        ["precompute_above_break_even", `Only for customers quoted more than ${often} times an hour`, choice.precompute_above_break_even_usd_a_month],
        ["calculate_on_read", "Calculate on each request", choice.calculate_on_read_usd_a_month],
      ];
      at("worth-ways").replaceChildren(...ways.map(([name, text, cost]) => element(
        "tr", name === choice.choice ? { class: "counts" } : {}, element("th", { scope: "row" }, text), element("td", {}, usd(cost)),
      )));
    }

    function tries({ what_if: tried, asked: own, ttl_secs: ttl, refresh_every_secs: every, verdict: choice }, hasOthers) {
      if (tried === null) return;
      const time = (secs) => Text.duration(secs * 1000);
      const cells = (name, attributes, cost, saved, waits) => element(
        "tr", { role: "row", ...attributes }, element("th", { role: "rowheader", scope: "row" }, name),
        cell("US$ a month", usd(cost)), cell("Saves, US$", saved), cell("Quotes that wait", waits),
      );
      const row = (one, name, attributes = {}) => cells(name, attributes, one.usd_a_month, saves(one.saves_usd_a_month), share(one.cold_share));
      const rows = tried.map((one) => row(one, one.refresh_every_secs === every ? `A TTL of ${time(one.ttl_secs)}` : `An interval of ${time(one.refresh_every_secs)}`));
      const now = cells(`Now: TTL ${time(ttl)}, interval ${time(every)}`, { class: "counts" }, choice.precompute_usd_a_month, "–", "–");
      const mine = own ? [row(own, `Yours: TTL ${time(own.ttl_secs)}, interval ${time(own.refresh_every_secs)}`, { class: "mine" })] : [];
      at("worth-rows").replaceChildren(now, ...mine, ...rows);
      if (hasOthers && own) say(`With a TTL of ${time(own.ttl_secs)} and an interval of ${time(own.refresh_every_secs)}: ${usd(own.usd_a_month)} US dollars a month, ${share(own.cold_share)} of quotes wait`);
    }

    function saves(text) {
      return Number(text) < 0 ? `−${usd(text.replace("-", ""))}` : usd(text);
    }

    /** Shows the cost of a month by stage, without loads. */
    function stages(lines) {
      const sums = new Map();
      for (const { stage, usd_a_month: cost } of lines.filter((line) => !isLoad(line))) sums.set(stage ?? "stored", (sums.get(stage ?? "stored") ?? 0) + Number(cost));
      const all = [...sums].sort(([, one], [, other]) => other - one);
      at("worth-stages").closest("section").hidden = all.length === 0;
      at("worth-stages").replaceChildren(...all.map(([stage, cost]) => element(
        "tr", {}, element("th", { scope: "row" }, STAGES[stage] ?? stage.replaceAll("_", " ")), element("td", {}, usd(cost)),
      )));
    }

    at("worth-form").addEventListener("submit", (event) => {
      event.preventDefault();
      look();
    });
    at("worth-over").addEventListener("change", look);
    document.addEventListener("visibilitychange", look);
    return { show };
  }

  return { start };
})();
