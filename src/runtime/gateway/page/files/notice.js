"use strict";

/** The notice above every view while there is no connection. */
const Notice = (() => {
  const { set, say } = Text;

  /** `again` connects now. `enter` opens the place where a token is entered. */
  function start({ again, enter, isServed }) {
    const at = (id) => document.getElementById(id);
    let isLost = false;
    let counting = null;

    function show(text, button) {
      set(at("notice-text"), text);
      set(at("notice-act"), button);
      at("notice").hidden = false;
    }

    /** Follows the state of the connection. */
    function changed({ state, until, refusal }) {
      clearInterval(counting);
      at("link").dataset.state = state;
      set(at("link-text"), { connecting: "Connecting", open: "Connected", waiting: "Disconnected", refused: "Refused" }[state]);
      if (state === "open") {
        if (isLost) say("Connected again");
        isLost = false;
        at("notice").hidden = true;
        at("notice").dataset.state = state;
      } else if (state === "refused") {
        at("notice").dataset.state = state;
        show(refusal.told(), refusal.isAboutToken() ? "Enter a token" : "Try now");
        say(refusal.told());
      } else if (state === "waiting") {
        if (!isLost) say("The connection is lost; trying to connect again");
        isLost = true;
        at("notice").dataset.state = state;
        const what = isServed
          ? "The connection is lost: the gateway does not answer. Is it running? `ocache up` starts one."
          : "There is no connection: the gateway does not answer, or it refuses the token. See Connection below.";
        const tick = () => {
          const secs = Math.max(0, Math.ceil((until - Date.now()) / 1000));
          show(`${what} Trying again ${secs ? `in ${secs} s` : "now"}.`, "Try now");
        };
        tick();
        counting = setInterval(tick, 250);
      }
    }

    at("notice-act").addEventListener("click", () => {
      if (at("notice").dataset.state === "refused" && at("notice-act").textContent === "Enter a token") enter();
      else again();
    });
    return { changed };
  }

  return { start };
})();
