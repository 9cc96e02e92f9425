"use strict";

/** Recalculations over the last minutes as stacked bars. */
const Chart = (() => {
  const { element, set, plural } = Text;
  const SVG = "http://www.w3.org/2000/svg";
  const HEIGHT = 152;
  const SLOTS = 60;
  const LEFT = 34;
  const BOTTOM = 20;
  const NAMES = {
    quotation: "cold quotes",
    subscribe: "new clients",
    stale: "stale tables",
    change: "changed prices",
    scheduled: "schedule",
  };

  function shape(name, attributes, ...children) {
    const made = document.createElementNS(SVG, name);
    for (const [attribute, value] of Object.entries(attributes)) made.setAttribute(attribute, value);
    made.append(...children);
    return made;
  }

  /** The least of 4, 10, 20, 40, 100, … that is not less: bars keep their scale for a while. */
  function ceiling(most) {
    for (let scale = 1; ; scale *= 10) {
      for (const step of [4, 10, 20]) if (most <= step * scale) return step * scale;
    }
  }

  /** Draws `recalculations` as the gateway tells them, up to the moment `now`. */
  function draw(recalculations, now) {
    const { reasons, slots, slot_secs: secs } = recalculations;
    const slotMs = secs * 1000;
    const last = Math.floor(now / slotMs);
    const bySlot = new Map(slots.map(({ from, counts }) => [Math.round(Date.parse(from) / slotMs), counts]));
    const most = Math.max(0, ...slots.map(({ counts }) => sum(counts)));
    const top = ceiling(most);
    const where = document.getElementById("chart");
    const width = Math.max(200, where.clientWidth);
    const step = (width - LEFT) / SLOTS;
    const floor = HEIGHT - BOTTOM;
    const bars = [];
    for (let at = 0; at < SLOTS; at += 1) {
      let y = floor;
      for (const [reason, count] of (bySlot.get(last - SLOTS + 1 + at) ?? []).entries()) {
        if (!count) continue;
        const height = (count / top) * (floor - 8);
        y -= height;
        bars.push(shape("rect", {
          class: `reason-${reasons[reason]}`, x: LEFT + at * step + 1, y, width: Math.max(1, step - 2), height, rx: Math.min(2, step / 4),
        }));
      }
    }
    const grid = [0, top / 2, top].map((value) => {
      const y = floor - (value / top) * (floor - 8);
      return shape("g", {},
        shape("line", { class: "grid", x1: LEFT, x2: width, y1: y, y2: y }),
        shape("text", { x: LEFT - 6, y: y + 4, "text-anchor": "end" }, String(value)));
    });
    const minutes = [10, 5, 0].map((minutes) => {
      const x = width - (minutes * 60 / secs) * step;
      const anchor = minutes === 10 ? "start" : minutes === 0 ? "end" : "middle";
      return shape("text", { x: Math.max(LEFT, x), y: HEIGHT - 4, "text-anchor": anchor }, minutes ? `${minutes} min ago` : "now");
    });
    const picture = shape("svg", {
      viewBox: `0 0 ${width} ${HEIGHT}`, role: "img",
      "aria-label": `In the last ten minutes: ${spoken(reasons, slots)}`,
    }, ...grid, ...bars, ...minutes);
    where.replaceChildren(picture);
    legend(reasons, slots, now);
  }

  /** Reasons, with how many there were in the last minute. */
  function legend(reasons, slots, now) {
    const lately = slots.filter(({ from }) => Date.parse(from) > now - 60_000);
    const where = document.getElementById("legend");
    for (const [at, reason] of reasons.entries()) {
      const entry = where.children[at] ?? where.appendChild(element(
        "li", {}, element("span", { class: `key reason-${reason}` }), NAMES[reason] ?? reason, " ", element("b", {}),
      ));
      set(entry.lastChild, `${sum(lately.map(({ counts }) => counts[at]))}/min`);
    }
  }

  function spoken(reasons, slots) {
    const totals = reasons.map((reason, at) => [NAMES[reason] ?? reason, sum(slots.map(({ counts }) => counts[at]))]);
    const some = totals.filter(([, total]) => total > 0);
    return some.length ? some.map(([name, total]) => `${plural(total, "table")} for ${name}`).join(", ") : "none";
  }

  function sum(numbers) {
    return numbers.reduce((all, one) => all + one, 0);
  }

  return { draw, NAMES };
})();
