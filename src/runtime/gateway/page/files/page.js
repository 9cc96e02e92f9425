"use strict";

/** Puts the parts of the page together. */
(() => {
  const { element, set, say, problem, amount } = Text;
  const SHOWN_FRAMES = 200;
  const at = (id) => document.getElementById(id);
  const named = new URLSearchParams(location.search).get("url");
  /** Only a gateway that has served this page can be asked for more than quotes. */
  const isServed = named === null && /^https?:$/.test(location.protocol);
  /** The page may be published under a path, which then leads to the websocket too. */
  const folder = isServed ? new URL(".", location.href).pathname : "/";
  const websocket = named ?? `${location.protocol === "https:" ? "wss" : "ws"}://${location.host || "127.0.0.1:7070"}${folder}`;

  /** What the browser may refuse to keep is not kept. */
  const kept = (store, name) => ({
    get: () => { try { return store().getItem(name) ?? ""; } catch { return ""; } },
    set: (value) => { try { store().setItem(name, value); } catch { /* not kept */ } },
  });
  // Each gateway its own: whoever leads a browser to this page with another URL gets no token.
  const tokenOf = (url) => kept(() => sessionStorage, `ocache-token ${url}`);
  const token = tokenOf(websocket);
  const client = kept(() => sessionStorage, "ocache-client");
  const theme = kept(() => localStorage, "ocache-theme");

  async function fetchJson(path) {
    const headers = token.get() ? { authorization: `Bearer ${token.get()}` } : {};
    let reply;
    try {
      reply = await fetch(path, { headers, cache: "no-store", signal: AbortSignal.timeout(8_000) });
    } catch {
      throw new Error("the gateway does not answer");
    }
    if (!reply.ok) throw new Error(`the gateway answered ${reply.status}`);
    return reply.json();
  }

  /** What is found, or nothing: searching is a help, not a need. */
  async function find(what, text) {
    try {
      return await fetchJson(`${what}?${new URLSearchParams({ search: text })}`);
    } catch {
      return null;
    }
  }

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

  let wasLost = false;
  let counting = null;
  function changed({ state, until }) {
    clearInterval(counting);
    at("link").dataset.state = state;
    set(at("link-text"), { connecting: "Connecting", open: "Connected", waiting: "Disconnected" }[state]);
    if (state === "open") {
      if (wasLost) say("Connected again");
      wasLost = false;
      at("notice").hidden = true;
      quotation.connected();
      refreshClients();
    } else if (state === "waiting") {
      if (!wasLost) say("The connection is lost; trying to connect again");
      wasLost = true;
      const tick = () => {
        const secs = Math.max(0, Math.ceil((until - Date.now()) / 1000));
        set(at("notice-text"), `The connection is lost. Trying again ${secs ? `in ${secs} s` : "now"}.`);
      };
      tick();
      counting = setInterval(tick, 250);
      at("notice").hidden = false;
    } else if (wasLost) {
      set(at("notice-text"), "The connection is lost. Trying again now.");
    }
  }

  function address() {
    if (!token.get()) return websocket;
    const url = new URL(websocket);
    url.searchParams.set("token", token.get());
    return url.href;
  }

  // Quote

  const quotation = Quotation.start({ send: (frame) => connection.say(frame), settled: ready });
  const basket = Basket.start({
    search: isServed ? (text) => find("products", text) : null,
    changed: () => problem(at("ask-problem"), null),
  });
  if (!isServed) set(at("product-hint"), "Type a product's id; Enter adds it.");

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
    if (who === "") return wrong("Name a client first.", at("client"));
    if (basket.size() === 0) return wrong("Add a product first.", at("product"));
    const items = basket.items();
    if (items === null) return wrong("A quantity is a number above zero with up to three decimals, such as 2.5.");
    problem(at("ask-problem"), null);
    client.set(who);
    quotation.ask(who, items);
    ready();
  });

  async function refreshClients(text = at("client").value) {
    if (!isServed) return;
    const found = await find("clients", text.trim());
    if (found) at("clients").replaceChildren(...found.clients.map((name) => element("option", { value: name })));
  }
  let typing = null;
  at("client").addEventListener("input", () => {
    problem(at("ask-problem"), null);
    clearTimeout(typing);
    typing = setTimeout(refreshClients, 150);
  });
  at("client").value = client.get();

  const connection = Connection.open({ address, heard: quotation.hear, changed, logged: log });
  at("notice-retry").addEventListener("click", () => connection.hurry());

  at("url").value = websocket;
  at("token").value = token.get();
  at("settings-form").addEventListener("submit", (event) => {
    event.preventDefault();
    const url = at("url").value.trim();
    if (!/^wss?:\/\/[^/]/.test(url)) return problem(at("settings-problem"), "A websocket begins with ws:// or wss://.");
    problem(at("settings-problem"), null);
    tokenOf(url).set(at("token").value.trim());
    if (url !== websocket) {
      // What the page may talk to is decided when it is loaded.
      location.search = new URLSearchParams({ url });
    } else {
      connection.renew();
    }
  });

  // Views

  const live = Live.start({ fetchJson: isServed ? fetchJson : null });
  const views = { "#quote": ["view-quote", "quote-title", "Quote"], "#live": ["view-live", "live-title", "Live"] };
  function turn(byHand) {
    const hash = views[location.hash] ? location.hash : "#quote";
    for (const [other, [view]] of Object.entries(views)) at(view).hidden = other !== hash;
    for (const link of document.querySelectorAll(".views a")) {
      if (link.getAttribute("href") === hash) link.setAttribute("aria-current", "page");
      else link.removeAttribute("aria-current");
    }
    const [, title, name] = views[hash];
    document.title = `${name} · ocache`;
    live.show(hash === "#live");
    if (byHand) at(title).focus({ preventScroll: true });
  }
  window.addEventListener("hashchange", () => views[location.hash] && turn(true));
  turn(false);
})();
