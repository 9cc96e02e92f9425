"use strict";

/** One quotation, from the quote to the answer, over as many connections as it takes. */
const Quotation = (() => {
  const { element, set, amount, duration, seconds, plural, say } = Text;
  /** The states in which the page waits for an answer. */
  const PENDING = ["sending", "analysis", "opening"];
  /**
   * The time by which a quotation is settled, unless the gateway has another deadline. If no answer came
   * by then, its push was lost.
   */
  const SETTLED_AFTER_MS = 35_000;
  const ASK_AGAIN_MS = 10_000;
  const OPENED_AGAIN_MS = 2_000;

  /**
   * `send` sends a frame and returns whether it could. `settled` is called when the wait is over.
   * `addressOf` makes the address of a quotation. `api` returns the ladders of prices, or is null.
   */
  function start({ send, settled, addressOf, api }) {
    const card = document.getElementById("quotation");
    const body = document.getElementById("quotation-body");
    let asked = null;
    let ticking = null;

    function ask(client, items) {
      asked = { id: newId(), client, items, state: "sending", at: performance.now() };
      asked.askAgainAt = asked.at + SETTLED_AFTER_MS;
      asked.sent = request();
      draw();
      say(asked.sent ? "Asked for a quotation" : "Waiting for the connection");
      return asked.id;
    }

    /** Shows an earlier quotation. */
    function open(client, id) {
      if (asked?.id === id) return;
      asked = { id, client, items: null, state: "opening", at: performance.now(), askAgainAt: Infinity };
      asked.sent = fetchStored();
      draw();
    }

    function request() {
      return send({ action: "quote", client: asked.client, items: asked.items, request_id: asked.id });
    }

    /**
     * Continues after a reconnection. Asks for a quotation that was accepted, and sends one again that
     * was not.
     */
    function connected() {
      if (!isPending()) return;
      if (asked.state === "analysis") {
        fetchMissed();
      } else if (asked.state === "opening") {
        asked.sent = fetchStored();
      } else {
        asked.sent = request();
      }
      draw();
    }

    function fetchMissed() {
      asked.missed = true;
      asked.askAgainAt = performance.now() + ASK_AGAIN_MS;
      fetchStored();
    }

    function fetchStored() {
      return send({ action: "get", client: asked.client, request_id: asked.id });
    }

    function hear(frame) {
      if (!isPending()) return;
      if (frame.type === "error") return refused(frame);
      if (frame.request_id !== asked.id) return;
      if (frame.type === "accepted" || frame.status === "pending") {
        if (asked.state !== "analysis") say("Quotation under analysis");
        asked.state = "analysis";
        // The gateway pushes no answer to a client that only opened the quotation, so ask again.
        if (asked.items === null) asked.askAgainAt = performance.now() + OPENED_AGAIN_MS;
        return draw();
      }
      if (frame.type !== "quotation") return;
      asked.state = frame.status === "answered" ? "answered" : "failed";
      asked.frame = frame;
      asked.took = asked.items === null ? null : performance.now() - asked.at;
      done(asked.state === "answered" ? spoken(frame) : `The quotation failed: ${frame.reason}`);
    }

    function refused({ code, message }) {
      if (code === "not_found" && asked.items === null) {
        asked.state = "refused";
        asked.problem = `there is no quotation “${asked.id}” of ${asked.client}; quotations are kept for a limited time`;
        return done(`Not found: ${asked.problem}`);
      }
      if (code === "not_found" && asked.missed) {
        // The gateway has never received this quote, so send it for the first time.
        asked.state = "sending";
        asked.missed = false;
        request();
        return;
      }
      asked.state = "refused";
      asked.problem = message;
      done(`The quote was not accepted: ${message}`);
    }

    function done(text) {
      draw();
      // On narrow screens the quotation is below the form, which may be long.
      if (card.getBoundingClientRect().top > window.innerHeight / 3) card.scrollIntoView();
      say(text);
      settled();
    }

    function isPending() {
      return asked !== null && PENDING.includes(asked.state);
    }

    function draw() {
      clearInterval(ticking);
      card.setAttribute("aria-busy", String(isPending()));
      card.dataset.state = asked?.state ?? "none";
      if (asked === null) return body.replaceChildren(...nothing());
      if (isPending()) {
        const since = element("span", { class: "since" });
        const tick = () => {
          set(since, seconds(Math.floor((performance.now() - asked.at) / 1000)));
          if (performance.now() > asked.askAgainAt && asked.state === "analysis") fetchMissed();
        };
        tick();
        ticking = setInterval(tick, 250);
        return body.replaceChildren(waiting(since));
      }
      if (asked.state === "answered") return answer();
      const refusal = asked.items === null ? "It was not found" : "It was not accepted";
      const text = asked.state === "failed" ? `It failed: ${asked.frame.reason}.` : `${refusal}: ${asked.problem}.`;
      body.replaceChildren(
        element("p", { class: "failure" }, text),
        element("p", { class: "hint" }, "You can ask again."),
      );
    }

    function nothing() {
      return [element("p", { class: "empty" }, "Choose a customer and products. The quotation appears here as soon as it is ready.")];
    }

    function waiting(since) {
      const texts = { analysis: "Quotation under analysis", opening: "Opening the quotation", sending: "Asking" };
      const text = asked.sent || asked.state === "analysis" ? texts[asked.state] : "Waiting for the connection";
      return element(
        "div", { class: "waiting" },
        element("span", { class: "spinner", "aria-hidden": "true" }),
        element("div", {}, element("p", { class: "stage" }, text), element("p", { class: "hint" }, `For ${asked.client}, `, since)),
      );
    }

    function answer() {
      const { frame } = asked;
      const age = element("span", {});
      const tick = () => {
        const ms = Date.now() - Date.parse(frame.validated_at);
        set(age, `Prices checked ${seconds(Math.max(0, Math.floor(ms / 1000)))} ago`);
      };
      tick();
      ticking = setInterval(tick, 1000);
      const stale = frame.stale
        ? element("span", { class: "badge stale" }, "Stale: being recalculated")
        : element("span", { class: "badge fresh" }, "Fresh");
      const priced = element("time", { datetime: frame.priced_at }, new Date(frame.priced_at).toLocaleString());
      const took = asked.took === null ? null : element("span", {}, `Answered in ${duration(asked.took)}`);
      body.replaceChildren(
        element(
          "div", { class: "sum" },
          element("p", { class: "hint" }, `Total for ${frame.client}`),
          element("p", { class: "total" }, amount(frame.total), " ", element("small", {}, frame.currency)),
          element("p", { class: "facts" }, stale, age, took),
        ),
        tools(frame),
        frame.unavailable.length ? unavailable(frame.unavailable) : "",
        frame.invalid?.length ? invalid(frame.invalid) : "",
        frame.lines.length ? Lines.table(frame) : "",
        element("p", { class: "hint" }, "Calculated ", priced, ". Quotation ", element("code", {}, frame.request_id), "."),
      );
      ladders(frame);
    }

    /** Makes the buttons for the quotation. */
    function tools(frame) {
      const button = (text, act) => {
        const made = element("button", { type: "button" }, text);
        made.addEventListener("click", act);
        return made;
      };
      // Only what the clipboard received cannot be seen, so that is said beside the buttons.
      const copied = element("span", { class: "hint", "aria-hidden": "true" });
      const copy = async (text, what) => set(copied, await Share.copy(text, what));
      const name = `quotation-${Share.fileName(frame.client)}-${frame.priced_at.slice(0, 10)}.csv`;
      return element(
        "div", { class: "tools" },
        button("Copy link", () => copy(addressOf(frame.client, frame.request_id), "Link")),
        button("Copy lines", () => copy(Lines.tabbed(frame), "Lines")),
        // The byte order mark makes spreadsheets read the file as UTF-8.
        button("Save as CSV", () => Share.save(`\ufeff${Lines.csv(frame)}`, "text/csv;charset=utf-8", name)),
        button("Print", () => window.print()),
        copied,
      );
    }

    /** Shows the current tiers of the lines that have some. */
    async function ladders(frame) {
      const tiered = frame.lines.filter(({ rule, next_tier: next }) => next || (rule && rule.min_quantity !== "0"));
      if (!api || tiered.length === 0) return;
      const wanted = JSON.stringify({ products: tiered.map(({ product }) => product) });
      const headers = { "content-type": "application/json" };
      try {
        const found = await api.json(`prices/${encodeURIComponent(frame.client)}`, { method: "POST", headers, body: wanted });
        if (asked.frame === frame && found.prices) Lines.showLadders(body, tiered, found.prices);
      } catch {
        // The next tier is shown in any case.
      }
    }

    function unavailable(products) {
      return element(
        "div", { class: "unavailable" },
        element("p", {}, `No price for ${plural(products.length, "product")}, so left out of the total:`),
        element("ul", {}, ...products.map((product) => element("li", {}, element("code", {}, product)))),
      );
    }

    /** Shows products that are not sold in the requested quantity, with the quantities next to it. */
    function invalid(items) {
      const instead = ({ below, above }) => [below, above].filter(Boolean).map(amount).join(" or ");
      return element(
        "div", { class: "unavailable" },
        element("p", {}, "Not sold in this quantity, so left out of the total:"),
        element("ul", {}, ...items.map((item) => element(
          "li", {}, element("code", {}, item.product), ` ${amount(item.quantity)}`,
          instead(item) ? `, instead ${instead(item)}` : "",
        ))),
      );
    }

    draw();
    return { ask, open, connected, hear, isPending };
  }

  function spoken({ total, currency, lines, unavailable, invalid = [], stale }) {
    const none = unavailable.length ? `; no price for ${unavailable.join(", ")}` : "";
    const wrong = invalid.map(({ product, quantity }) => `; ${product} is not sold in a quantity of ${quantity}`);
    const without = none + wrong.join("");
    const old = stale ? "; the prices are stale and being recalculated" : "";
    return `Quotation answered: ${plural(lines.length, "line")}, total ${amount(total)} ${currency}${without}${old}`;
  }

  /** Makes a random id by which the quotation can be requested again. */
  function newId() {
    const bits = crypto.getRandomValues(new Uint8Array(16));
    return `page-${[...bits].map((byte) => byte.toString(16).padStart(2, "0")).join("")}`;
  }

  return { start };
})();
