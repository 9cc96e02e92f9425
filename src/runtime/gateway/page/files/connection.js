"use strict";

/** A websocket that reconnects by itself. */
const Connection = (() => {
  const FIRST_PAUSE_MS = 400;
  const LONGEST_PAUSE_MS = 10_000;
  /** The most time for a gateway to answer. Then it is tried again. */
  const PATIENCE_MS = 8_000;
  /** Well below the ten minutes after which a silent socket is closed. */
  const PING_EVERY_MS = 4 * 60_000;

  /** A refused client may be admitted later with another token, or after a change of the gateway. */
  const REFUSED_PAUSE_MS = 60_000;

  /**
   * `heard` is called with frames, `changed` with the state (`connecting`, `open`, `waiting`, `refused`),
   * and `logged` with all traffic. A browser does not say why a websocket was not opened. So `why` asks
   * the gateway: it returns the refusal, or null.
   */
  function open({ address, heard, changed, logged, why }) {
    let socket = null;
    let pause = FIRST_PAUSE_MS;
    let timer = null;
    let pings = null;

    function connect() {
      clearTimeout(timer);
      changed({ state: "connecting" });
      let mine;
      let isOpen = false;
      try {
        mine = new WebSocket(address());
      } catch {
        return lost(null, "the address is no websocket");
      }
      socket = mine;
      timer = setTimeout(() => lost(mine, "no answer"), PATIENCE_MS);
      mine.addEventListener("open", () => {
        if (socket !== mine) return;
        isOpen = true;
        clearTimeout(timer);
        pause = FIRST_PAUSE_MS;
        logged("event", "connected");
        clearInterval(pings);
        pings = setInterval(() => say({ action: "ping" }), PING_EVERY_MS);
        changed({ state: "open" });
      });
      mine.addEventListener("message", ({ data }) => {
        if (socket !== mine) return;
        logged("in", data);
        let frame;
        try {
          frame = JSON.parse(data);
        } catch {
          return;
        }
        heard(frame);
      });
      mine.addEventListener("close", async ({ code, reason }) => {
        const refusal = isOpen || socket !== mine ? null : await why();
        if (refusal !== null) refused(mine, refusal);
        else lost(mine, reason ? `closed: ${reason} (${code})` : `closed (${code})`);
      });
    }

    /** Waits long before the next try, because the gateway answers and refuses. */
    function refused(which, refusal) {
      // Somebody may have connected by hand in the meantime.
      if (which !== socket) return;
      socket = null;
      clearTimeout(timer);
      logged("event", `refused: ${refusal.message}`);
      changed({ state: "refused", refusal });
      timer = setTimeout(connect, REFUSED_PAUSE_MS);
    }

    /** Reconnects after a pause. Only the current socket can be lost; earlier ones are ignored. */
    function lost(which, why) {
      if (which !== socket && which !== null) return;
      socket = null;
      clearTimeout(timer);
      clearInterval(pings);
      which?.close();
      logged("event", why);
      const wait = pause / 2 + Math.random() * (pause / 2);
      pause = Math.min(pause * 2, LONGEST_PAUSE_MS);
      changed({ state: "waiting", until: Date.now() + wait });
      timer = setTimeout(connect, wait);
    }

    /** Sends a frame. Returns whether it could be sent. */
    function say(frame) {
      if (socket?.readyState !== WebSocket.OPEN) return false;
      const text = JSON.stringify(frame);
      socket.send(text);
      logged("out", text);
      return true;
    }

    /** Connects now, even if it is connected. */
    function renew() {
      const old = socket;
      socket = null;
      old?.close();
      pause = FIRST_PAUSE_MS;
      connect();
    }

    /** Connects now, unless it is connected. */
    function hurry() {
      if (socket === null) connect();
    }

    window.addEventListener("online", hurry);
    document.addEventListener("visibilitychange", () => document.hidden || hurry());
    connect();
    return { say, renew, hurry };
  }

  return { open };
})();
