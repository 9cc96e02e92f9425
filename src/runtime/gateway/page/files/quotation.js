"use strict";

/** One quotation, from being asked to being answered, over as many connections as it takes. */
const Quotation = (() => {
  const { element, set, amount, duration, seconds, plural, say } = Text;
  /** By then a quotation is settled, unless the gateway has another deadline. If nothing was heard, the push was lost. */
  const SETTLED_AFTER_MS = 35_000;
  const ASK_AGAIN_MS = 10_000;

  /** `send` sends a frame and says whether it could; `settled` is called when the wait is over. */
  function start({ send, settled }) {
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
    }

    function request() {
      return send({ action: "quote", client: asked.client, items: asked.items, request_id: asked.id });
    }

    /** The connection is there again: what was accepted is asked for, what was not is sent again. */
    function connected() {
      if (!isPending()) return;
      if (asked.state === "analysis") {
        fetchMissed();
      } else {
        asked.sent = request();
      }
      draw();
    }

    function fetchMissed() {
      asked.missed = true;
      asked.askAgainAt = performance.now() + ASK_AGAIN_MS;
      send({ action: "get", client: asked.client, request_id: asked.id });
    }

    function hear(frame) {
      if (!isPending()) return;
      if (frame.type === "error") return refused(frame);
      if (frame.request_id !== asked.id) return;
      if (frame.type === "accepted" || frame.status === "pending") {
        if (asked.state !== "analysis") say("Quotation under analysis");
        asked.state = "analysis";
        return draw();
      }
      if (frame.type !== "quotation") return;
      asked.state = frame.status === "answered" ? "answered" : "failed";
      asked.frame = frame;
      asked.took = performance.now() - asked.at;
      done(asked.state === "answered" ? spoken(frame) : `The quotation failed: ${frame.reason}`);
    }

    function refused({ code, message }) {
      if (code === "not_found" && asked.missed) {
        // The gateway has never heard of it, so it is asked for the first time.
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
      say(text);
      settled();
    }

    function isPending() {
      return asked !== null && (asked.state === "sending" || asked.state === "analysis");
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
      const text = asked.state === "failed" ? `It failed: ${asked.frame.reason}.` : `It was not accepted: ${asked.problem}.`;
      body.replaceChildren(
        element("p", { class: "failure" }, text),
        element("p", { class: "hint" }, "Ask again when you like."),
      );
    }

    function nothing() {
      return [element("p", { class: "empty" }, "Choose a client and products. The quotation is pushed here as soon as it is there.")];
    }

    function waiting(since) {
      const text = asked.state === "analysis" ? "Quotation under analysis" : asked.sent ? "Asking" : "Waiting for the connection";
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
      body.replaceChildren(
        element(
          "div", { class: "sum" },
          element("p", { class: "hint" }, `Total for ${frame.client}`),
          element("p", { class: "total" }, amount(frame.total), " ", element("small", {}, frame.currency)),
          element("p", { class: "facts" }, stale, age, element("span", {}, `Answered in ${duration(asked.took)}`)),
        ),
        frame.unavailable.length ? unavailable(frame.unavailable) : "",
        frame.invalid?.length ? invalid(frame.invalid) : "",
        frame.lines.length ? lines(frame) : "",
        element("p", { class: "hint" }, "Calculated ", priced, ". Known as ", element("code", {}, frame.request_id), "."),
      );
    }

    function unavailable(products) {
      return element(
        "div", { class: "unavailable" },
        element("p", {}, `No price for ${plural(products.length, "product")}; left out of the total:`),
        element("ul", {}, ...products.map((product) => element("li", {}, element("code", {}, product)))),
      );
    }

    /** Quantities that products are not sold in, with those next to them. */
    function invalid(items) {
      const instead = ({ below, above }) => [below, above].filter(Boolean).map(amount).join(" or ");
      return element(
        "div", { class: "unavailable" },
        element("p", {}, "Not sold in this quantity; left out of the total:"),
        element("ul", {}, ...items.map((item) => element(
          "li", {}, element("code", {}, item.product), ` ${amount(item.quantity)}`,
          instead(item) ? `, instead ${instead(item)}` : "",
        ))),
      );
    }

    function lines({ lines, currency }) {
      // The roles stay when narrow screens turn the rows into cards.
      const head = ["Product", "List price", "Discount", "Unit price", "Quantity", "Total"];
      const titles = head.map((title) => element("th", { role: "columnheader", scope: "col" }, title));
      return element(
        "table", { class: "lines", role: "table", "aria-label": `Lines, in ${currency}` },
        element("thead", { role: "rowgroup" }, element("tr", { role: "row" }, ...titles)),
        element("tbody", { role: "rowgroup" }, ...lines.map(line)),
      );
    }

    function line(line) {
      const cell = (label, ...content) => element("td", { role: "cell", "data-label": label }, ...content);
      return element(
        "tr", { role: "row" },
        element("th", { role: "rowheader", scope: "row" }, line.name, element("span", { class: "id" }, line.product), rule(line), tier(line)),
        cell("List price", listPrice(line)),
        cell("Discount", discount(line.discount_percent)),
        cell("Unit price", amount(line.unit_price)),
        cell("Quantity", amount(line.quantity)),
        cell("Total", element("strong", {}, amount(line.total))),
      );
    }

    function listPrice({ list_price: price, discount_percent: percent }) {
      if (!price) return element("span", { class: "none" }, "none");
      return percent === "0" ? amount(price) : element("s", {}, amount(price));
    }

    /** A surcharge is a negative discount. */
    function discount(percent) {
      if (percent === "0") return element("span", { class: "none" }, "none");
      return percent.startsWith("-")
        ? element("span", {}, `+${percent.slice(1)} %`)
        : element("span", { class: "cut" }, `−${percent} %`);
    }

    /** Where the price comes from. */
    function rule({ rule }) {
      if (!rule) return null;
      const scope = rule.scope.category ?? (rule.scope === "all" ? "all products" : null);
      const from = rule.min_quantity === "0" ? null : `from ${amount(rule.min_quantity)}`;
      const until = rule.until ? `until ${new Date(rule.until).toLocaleString()}` : null;
      const parts = [rule.own ? "Own price" : rule.list, scope, from, until];
      return element("span", { class: "id" }, parts.filter(Boolean).join(", "));
    }

    function tier({ next_tier: tier }) {
      if (!tier) return null;
      return element("span", { class: "id" }, `${amount(tier.unit_price)} each from ${amount(tier.quantity)}`);
    }

    draw();
    return { ask, connected, hear, isPending };
  }

  function spoken({ total, currency, lines, unavailable, invalid = [], stale }) {
    const none = unavailable.length ? `; no price for ${unavailable.join(", ")}` : "";
    const wrong = invalid.map(({ product, quantity }) => `; ${product} is not sold in a quantity of ${quantity}`);
    const without = none + wrong.join("");
    const old = stale ? "; the prices are stale and being recalculated" : "";
    return `Quotation answered: ${plural(lines.length, "line")}, total ${amount(total)} ${currency}${without}${old}`;
  }

  /** A name of our own, by which a quotation can be asked for again. */
  function newId() {
    const bits = crypto.getRandomValues(new Uint8Array(16));
    return `page-${[...bits].map((byte) => byte.toString(16).padStart(2, "0")).join("")}`;
  }

  return { start };
})();
