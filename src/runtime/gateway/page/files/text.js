"use strict";

/** Helpers for texts, times and elements that all parts of the page use. */
const Text = (() => {
  /**
   * Groups the digits of a decimal string. The result is a string too: the page never turns an amount
   * into a number.
   */
  function amount(decimal) {
    const [, sign, whole, rest] = /^(-?)(\d+)(.*)$/.exec(decimal) ?? [null, "", decimal, ""];
    return sign + whole.replace(/\B(?=(\d{3})+$)/g, ",") + rest;
  }

  /**
   * Formats a time for people, without line breaks: `0.3 ms`, `850 ms`, `12 s`, `4 min 5 s`,
   * `2 h 10 min`.
   */
  function duration(ms) {
    if (ms < 0.1) return "<\u00a00.1\u00a0ms";
    if (ms < 10 && ms !== Math.round(ms)) return `${ms.toFixed(1)}\u00a0ms`;
    if (ms < 1000) return `${Math.max(0, Math.round(ms))}\u00a0ms`;
    const secs = Math.floor(ms / 1000);
    if (ms < 10_000 && secs !== ms / 1000) return `${(Math.floor(ms / 100) / 10).toFixed(1)}\u00a0s`;
    return seconds(secs);
  }

  /** Formats a percentage with at most two decimals. Nobody reads more. */
  function percent(text) {
    const rounded = Number(text).toFixed(2).replace(/\.?0+$/, "");
    return `${rounded}\u00a0%`;
  }

  /** Formats a share as a percentage. A share close to one has two decimals, because there they matter. */
  function share(part) {
    return `${(part * 100).toFixed(part > 0.995 && part < 1 ? 2 : 1)}\u00a0%`;
  }

  /** Formats a time in whole seconds, for countdowns and ages. */
  function seconds(secs) {
    const parts = secs < 60 ? [[secs, "s"]]
      : secs < 3600 ? [[Math.floor(secs / 60), "min"], [secs % 60, "s"]]
      : [[Math.floor(secs / 3600), "h"], [Math.floor((secs % 3600) / 60), "min"]];
    const told = parts.filter(([count], place) => place === 0 || count > 0);
    return told.map(([count, unit]) => `${count}\u00a0${unit}`).join("\u00a0");
  }

  function plural(count, one, many = `${one}s`) {
    return `${amount(String(count))} ${count === 1 ? one : many}`;
  }

  /** Makes an element: `element("p", { class: "hint" }, "text", other)`. */
  function element(name, attributes = {}, ...children) {
    const made = document.createElement(name);
    for (const [attribute, value] of Object.entries(attributes)) {
      if (value !== null && value !== undefined) made.setAttribute(attribute, value);
    }
    made.append(...children.filter((child) => child !== null));
    return made;
  }

  /** Makes a cell of a row. On a narrow screen its label is shown before it. */
  function cell(label, ...content) {
    return element("td", { role: "cell", "data-label": label }, ...content);
  }

  /** Sets a text only if it differs, so that nothing is drawn or read aloud again. */
  function set(where, text) {
    if (where.textContent !== text) where.textContent = text;
  }

  /** Has a screen reader say something. */
  function say(text) {
    set(document.getElementById("spoken"), text);
  }

  /** Shows a problem, or hides it when there is none. */
  function problem(where, text) {
    where.hidden = !text;
    set(where, text ?? "");
  }

  return { amount, duration, seconds, percent, share, plural, element, cell, set, say, problem };
})();
