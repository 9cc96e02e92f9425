"use strict";

/** Puts the parts of the page together. */
(() => {
  const { element, set, say, problem, amount } = Text;
  const SHOWN_FRAMES = 200;
  const at = (id) => document.getElementById(id);
  const named = new URLSearchParams(location.search).get("url");
  /** Whether this gateway has served the page. Only then can it be asked for more than quotes. */
  const isServed = named === null && /^https?:$/.test(location.protocol);
  /** The path under which the page is published. It leads to the websocket too. */
  const folder = isServed ? new URL(".", location.href).pathname : "/";
  const websocket = named ?? `${location.protocol === "https:" ? "wss" : "ws"}://${location.host || "127.0.0.1:7070"}${folder}`;

  /** A value in the browser's storage. If the browser refuses to store it, it is not kept. */
  const kept = (store, name) => ({
    get: () => { try { return store().getItem(name) ?? ""; } catch { return ""; } },
    set: (value) => { try { store().setItem(name, value); } catch { /* not kept */ } },
  });
  // Each gateway has a token of its own, so that a link to this page with another URL gets no token.
  const tokenOf = (url) => kept(() => sessionStorage, `ocache-token ${url}`);
  const token = tokenOf(websocket);
  const loadToken = kept(() => sessionStorage, `ocache-load-token ${websocket}`);
  const client = kept(() => sessionStorage, "ocache-client");
  const theme = kept(() => localStorage, "ocache-theme");
  const api = isServed ? Api.start({ token: token.get }) : null;

  // Theme

  const root = document.documentElement;
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const isDark = () => (root.dataset.theme ? root.dataset.theme === "dark" : dark.matches);
  const showTheme = () => at("theme").setAttribute("aria-pressed", String(isDark()));
  at("theme").addEventListener("click", () => {
    root.dataset.theme = isDark() ? "light" : "dark";
    theme.set(root.dataset.theme);
    showTheme();
  });
  dark.addEventListener("change", showTheme);
  if (theme.get()) root.dataset.theme = theme.get();
  showTheme();

  // Frames

  let frames = 0;
  function log(kind, text) {
    frames += 1;
    const list = at("frames-list");
    const time = element("time", {}, new Date().toLocaleTimeString([], { hour12: false }));
    const label = { in: "received", out: "sent", event: "event" }[kind];
    list.prepend(element("li", { class: kind }, time, element("span", { class: "kind" }, label), element("code", {}, text)));
    if (list.children.length > SHOWN_FRAMES) list.lastChild.remove();
    set(at("frames-count"), amount(String(frames)));
  }

  // Connection

  function address() {
    if (!token.get()) return websocket;
    const url = new URL(websocket);
    url.searchParams.set("token", token.get());
    return url.href;
  }

  /** Returns why the gateway refuses this page, if it says so. */
  async function why() {
    if (!api) return null;
    try {
      await api.ask("products", { limit: 1 });
    } catch (error) {
      return [401, 403].includes(error.status) ? error : null;
    }
    return null;
  }

  const notice = Notice.start({
    isServed,
    again: () => connection.hurry(),
    enter: () => {
      at("settings").open = true;
      at("token").focus();
    },
  });

  function changed(how) {
    notice.changed(how);
    if (how.state === "open") quotation.connected();
  }

  // Quote

  const addressOf = (who, id) => new URL(`#quote?${new URLSearchParams({ client: who, id })}`, location.href).href;
  const quotation = Quotation.start({ send: (frame) => connection.say(frame), settled: ready, addressOf, api });
  const basket = Basket.start({ api, changed: () => problem(at("ask-problem"), null) });
  if (!api) set(at("product-hint"), "Type a product's id; Enter adds it. Lines of product and quantity can be pasted.");

  function ready() {
    at("send").disabled = quotation.isPending();
  }

  at("ask").addEventListener("submit", (event) => {
    event.preventDefault();
    if (quotation.isPending()) return;
    const who = at("client").value.trim();
    const wrong = (text, where) => {
      problem(at("ask-problem"), text);
      say(text);
      where?.focus();
    };
    if (who === "") return wrong("Name a customer first.", at("client"));
    if (basket.size() === 0) return wrong("Add a product first.", at("product"));
    const items = basket.items();
    if (items === null) return wrong("A quantity is a number above zero with up to three decimals, such as 2.5.");
    problem(at("ask-problem"), null);
    client.set(who);
    history.pushState(null, "", addressOf(who, quotation.ask(who, items)));
    ready();
  });
  Combo.clients({ input: at("client"), list: at("clients"), api, picked: () => at("product").focus() });
  at("client").addEventListener("input", () => problem(at("ask-problem"), null));
  at("client").value = client.get();

  const connection = Connection.open({ address, heard: quotation.hear, changed, logged: log, why });

  at("url").value = websocket;
  at("token").value = token.get();
  at("settings-form").addEventListener("submit", (event) => {
    event.preventDefault();
    const url = at("url").value.trim();
    if (!/^wss?:\/\/[^/]/.test(url)) return problem(at("settings-problem"), "A websocket begins with ws:// or wss://.");
    problem(at("settings-problem"), null);
    tokenOf(url).set(at("token").value.trim());
    if (url !== websocket) {
      // The content security policy decides at load time where the page may connect, so load the page
      // again.
      location.search = new URLSearchParams({ url });
    } else {
      connection.renew();
      turn(false);
    }
  });

  // Views

  const live = Live.start({ api });
  const worth = Worth.start({ api });
  const load = Load.start({ api, token: loadToken });
  const prices = Prices.start({
    api,
    went: (who, search) => history.replaceState(null, "", `#prices?${new URLSearchParams({ client: who, ...(search ? { search } : {}) })}`),
  });
  const views = {
    quote: { name: "Quote", show: openQuotation },
    prices: { name: "Prices", show: prices.show },
    load: { name: "Load", show: load.show },
    worth: { name: "Worth", show: () => {} },
    live: { name: "Live", show: () => {} },
  };

  /** Opens the quotation that the address names. */
  function openQuotation(parameters) {
    const [who, id] = [parameters.get("client"), parameters.get("id")];
    if (!who || !id) return;
    at("client").value = who;
    quotation.open(who, id);
    ready();
  }

  function turn(byHand) {
    const [, asked = "", query = ""] = /^#([a-z]*)\??(.*)$/.exec(location.hash) ?? [];
    const view = views[asked] ? asked : "quote";
    for (const other of Object.keys(views)) at(`view-${other}`).hidden = other !== view;
    for (const link of document.querySelectorAll(".views a")) {
      if (link.getAttribute("href") === `#${view}`) link.setAttribute("aria-current", "page");
      else link.removeAttribute("aria-current");
    }
    at("frames").hidden = view !== "quote";
    document.title = `${views[view].name} · ocache`;
    live.show(view === "live");
    worth.show(view === "worth");
    views[view].show(new URLSearchParams(query));
    if (byHand) at(`${view}-title`).focus({ preventScroll: true });
  }
  // Other fragments, such as that of the content, are links within the current view.
  window.addEventListener("hashchange", () => /^#(quote|prices|load|worth|live)(\?|$)/.test(location.hash) && turn(true));
  turn(false);
})();
