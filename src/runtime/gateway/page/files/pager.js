"use strict";

/** Shows the position in a long list, with buttons for the previous and the next page. */
const Pager = (() => {
  const { element, set, amount } = Text;

  /** `turned` is called with the offset of the page to show. */
  function start({ where, size, thing, turned }) {
    let offset = 0;
    let total = 0;
    const range = element("span", { class: "place" });
    const button = (text, label, step) => {
      const made = element("button", { type: "button", "aria-label": label }, text);
      made.addEventListener("click", () => go(offset + step * size));
      return made;
    };
    const [back, on] = [button("‹", `Previous ${thing}`, -1), button("›", `Next ${thing}`, 1)];
    where.replaceChildren(range, back, on);

    function go(to) {
      offset = Math.max(0, Math.min(to, Math.max(0, total - 1)));
      offset -= offset % size;
      turned(offset);
    }

    /** Shows how many entries there are, and which of them are visible. */
    function show(count, shown, isComplete = true) {
      total = count;
      const number = (figure) => amount(String(figure));
      const all = `${isComplete ? "" : "at least "}${number(total)}`;
      set(range, shown === 0 ? `0 of ${all}` : `${number(offset + 1)}–${number(offset + shown)} of ${all}`);
      back.disabled = offset === 0;
      on.disabled = offset + size >= total;
      where.hidden = total === 0;
      // If the list has become shorter, this page no longer exists.
      if (shown === 0 && total > 0 && offset > 0) go(total - 1);
    }

    return { show, size, at: () => offset, reset: () => (offset = 0) };
  }

  return { start };
})();
