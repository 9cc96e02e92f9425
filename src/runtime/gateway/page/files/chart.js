"use strict";

/** Small charts of the last ten minutes, in slots of ten seconds. */
const Chart = (() => {
  const { element, set, plural, duration, seconds } = Text;
  const SVG = "http://www.w3.org/2000/svg";
  const HEIGHT = 112;
  const SLOTS = 60;
  /** Enough for a label such as `100 ms`. */
  const LEFT = 48;
  const TOP = 6;
  const BOTTOM = 18;
  const FLOOR = HEIGHT - BOTTOM;
  const REASONS = {
    quotation: "cold quotes",
    subscribe: "new customers",
    stale: "stale tables",
    change: "changed prices",
    scheduled: "schedule",
  };
  const OUTCOMES = { at_once: "at once", waited: "waited", failed: "failed" };

  function shape(name, attributes, ...children) {
    const made = document.createElementNS(SVG, name);
    for (const [attribute, value] of Object.entries(attributes)) made.setAttribute(attribute, value);
    made.append(...children);
    return made;
  }

  /**
   * Returns the smallest of 4, 10, 20, 40, 100, … that is not smaller than `most`, so that bars keep
   * their scale for a while.
   */
  function ceiling(most) {
    for (let scale = 1; ; scale *= 10) {
      for (const step of [4, 10, 20]) if (most <= step * scale) return step * scale;
    }
  }

  /** Half and all of an age are round numbers of seconds, minutes or hours. */
  const AGES = [4, 10, 20, 60, 120, 240, 600, 1_200, 3_600, 7_200, 14_400, 43_200, 86_400];

  /** Returns the smallest of these ages, or else of whole days, that is not smaller than `most`. */
  function oldest(most) {
    const day = AGES.at(-1);
    return AGES.find((age) => most <= age) ?? Math.ceil(most / (2 * day)) * 2 * day;
  }

  /** Draws a chart of `slots`. `marks` draws each slot at its place. */
  function draw(id, { slots, slot_secs: secs, now, grid, label, marks }) {
    const where = document.getElementById(id);
    const width = Math.max(180, where.clientWidth);
    const step = (width - LEFT) / SLOTS;
    const slotMs = secs * 1000;
    const last = Math.floor(now / slotMs);
    const drawn = slots.flatMap((slot) => {
      const place = SLOTS - 1 - (last - Math.round(Date.parse(slot.from) / slotMs));
      return place < 0 || place >= SLOTS ? [] : marks(slot, { x: LEFT + place * step + 1, width: Math.max(1, step - 1.5) });
    });
    const lines = grid.map(([y, text]) => shape("g", {},
      shape("line", { class: "grid", x1: LEFT, x2: width, y1: y, y2: y }),
      shape("text", { x: LEFT - 6, y: y + 4, "text-anchor": "end" }, text)));
    const times = [[10, LEFT, "start"], [5, LEFT + (width - LEFT) / 2, "middle"], [0, width, "end"]].map(([minutes, x, anchor]) =>
      shape("text", { x, y: HEIGHT - 3, "text-anchor": anchor }, minutes ? `${minutes} min` : "now"));
    where.replaceChildren(shape("svg", { viewBox: `0 0 ${width} ${HEIGHT}`, role: "img", "aria-label": label }, ...lines, ...drawn, ...times));
  }

  const height = (part) => part * (FLOOR - TOP);

  /**
   * Draws stacked bars: the count of each key in each slot. `counts` returns them in the order of the
   * keys.
   */
  function stacked(id, { slots, slot_secs, now, keys, counts, label }) {
    const top = ceiling(Math.max(0, ...slots.map((slot) => sum(counts(slot)))));
    const grid = [0, top / 2, top].map((value) => [FLOOR - height(value / top), Text.amount(String(value))]);
    const marks = (slot, { x, width }) => {
      let y = FLOOR;
      return counts(slot).flatMap((count, key) => {
        if (!count) return [];
        const tall = height(count / top);
        y -= tall;
        return [shape("rect", { class: keys[key], x, y, width, height: tall, rx: Math.min(2, width / 4) })];
      });
    };
    draw(id, { slots, slot_secs, now, grid, label, marks });
  }

  /** Draws how long answers took: from p50 to p99 of each slot, on a logarithmic scale. */
  function times(id, { slots, slot_secs, now, label }) {
    const some = slots.filter(({ p99_ms: most }) => most !== null);
    const most = Math.max(10, ...some.map(({ p99_ms: ms }) => ms));
    const decades = Math.ceil(Math.log10(most) - 1e-9);
    const y = (ms) => FLOOR - height(Math.log10(Math.max(1, ms)) / decades);
    const grid = Array.from({ length: decades + 1 }, (_, power) => [y(10 ** power), power < 3 ? `${10 ** power} ms` : `${Text.amount(String(10 ** (power - 3)))} s`]);
    ranges(id, { slots: some, slot_secs, now, label, grid: grid.length > 4 ? grid.filter((_, at) => at % 2 === 0) : grid, low: ({ p50_ms: ms }) => y(ms), high: ({ p99_ms: ms }) => y(ms) });
  }

  /** Draws how old prices were when they were served: from p50 to p99 of each slot. */
  function ages(id, { slots, slot_secs, now, label }) {
    const some = slots.filter(({ age_p99_secs: most }) => most !== null);
    const top = oldest(Math.max(0, ...some.map(({ age_p99_secs: secs }) => secs)));
    const y = (secs) => FLOOR - height(secs / top);
    const grid = [0, top / 2, top].map((secs) => [y(secs), seconds(secs)]);
    ranges(id, { slots: some, slot_secs, now, label, grid, low: ({ age_p50_secs: secs }) => y(secs), high: ({ age_p99_secs: secs }) => y(secs) });
  }

  function ranges(id, { slots, slot_secs, now, label, grid, low, high }) {
    const marks = (slot, { x, width }) => {
      const [from, to] = [low(slot), high(slot)];
      return [
        shape("rect", { class: "range", x, y: to, width, height: Math.max(1, from - to), rx: Math.min(2, width / 4) }),
        // One slot is narrow, so its median is wider, to be seen without a range.
        shape("rect", { class: "median", x: x - 1, y: Math.min(from, FLOOR) - 2, width: width + 2, height: 3 }),
      ];
    };
    draw(id, { slots, slot_secs, now, grid, label, marks });
  }

  /** Shows the names of keys with their recent counts. Keys that the chart does not show are left out. */
  function legend(id, entries) {
    const where = document.getElementById(id);
    for (const [at, [key, name, count, isSeen]] of entries.entries()) {
      const entry = where.children[at] ?? where.appendChild(element(
        "li", {}, element("span", { class: `key ${key}` }), name, " ", element("b", {}),
      ));
      set(entry.lastChild, Text.amount(String(count)));
      entry.hidden = !isSeen;
    }
  }

  /** Draws the charts of the answers. */
  function answers({ slots, slot_secs: secs, all }, now) {
    const told = { slots, slot_secs: secs, now };
    const counts = ({ at_once: atOnce, waited, failed }) => [atOnce, waited, failed];
    const keys = Object.keys(OUTCOMES);
    const spoken = `${plural(all.at_once, "quote")} answered at once, ${all.waited} waited, ${all.failed} failed`;
    stacked("chart-share", { ...told, keys, counts, label: `In the last ten minutes: ${spoken}` });
    times("chart-times", { ...told, label: all.p50_ms === null ? "No answers in the last ten minutes" : `In the last ten minutes half of the answers took at most ${duration(all.p50_ms)}, 99 of 100 at most ${duration(all.p99_ms)}` });
    ages("chart-ages", { ...told, label: all.age_p50_secs === null ? "No answers in the last ten minutes" : `In the last ten minutes half of the prices were at most ${seconds(all.age_p50_secs)} old when they were served, 99 of 100 at most ${seconds(all.age_p99_secs)}` });
    legend("legend-share", keys.map((key) => [key, OUTCOMES[key], all[key], all[key] > 0]));
  }

  /** Draws the tables that were calculated, by reason. Returns how many there were in the last minute. */
  function recalculations({ reasons, slots, slot_secs: secs }, now) {
    const lately = slots.filter(({ from }) => Date.parse(from) > now - 60_000);
    const totals = reasons.map((reason, at) => [REASONS[reason] ?? reason, sum(slots.map(({ counts }) => counts[at]))]);
    const some = totals.filter(([, total]) => total > 0);
    const spoken = some.length ? some.map(([name, total]) => `${plural(total, "table")} for ${name}`).join(", ") : "none";
    const keys = reasons.map((reason) => `reason-${reason}`);
    stacked("chart", { slots, slot_secs: secs, now, keys, counts: ({ counts }) => counts, label: `In the last ten minutes: ${spoken}` });
    const recent = lately.map(({ counts }) => counts);
    legend("legend", totals.map(([name, total], at) => [keys[at], name, sum(recent.map((counts) => counts[at])), total > 0]));
    return sum(recent.flat());
  }

  function sum(numbers) {
    return numbers.reduce((all, one) => all + one, 0);
  }

  return { answers, recalculations, REASONS };
})();
