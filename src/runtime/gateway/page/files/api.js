"use strict";

/** The page's requests to its gateway, and the messages when one is refused. */
const Api = (() => {
  const PATIENCE_MS = 8_000;
  const TOKEN_HINT = "Enter another one under Connection; `ocache token --client NAME` makes one.";

  /** Why a request failed, and what can be done about it. */
  class Refused extends Error {
    constructor(status, message, hint = "", body = null) {
      super(message);
      this.status = status;
      this.hint = hint;
      this.body = body;
    }

    /** Returns the message and the hint as sentences. */
    told() {
      const sentence = this.message.charAt(0).toUpperCase() + this.message.slice(1);
      return `${sentence}${/[.!?]$/.test(sentence) ? "" : "."}${this.hint ? ` ${this.hint}` : ""}`;
    }

    /** Whether another token may help. */
    isAboutToken() {
      return this.status === 401 || (this.status === 403 && /token/.test(this.message));
    }
  }

  function lost() {
    return new Refused(0, "the gateway does not answer", "Is it running? `ocache up` starts one.");
  }

  /** Returns the message and the hint for a status, with the reason from the gateway. */
  function refusal(status, said, hasToken) {
    switch (status) {
      case 401:
        return hasToken
          ? [`the gateway refuses the token: ${said}`, TOKEN_HINT]
          : ["the gateway requires a token, and none was entered", "Enter it under Connection; `ocache token --client NAME` makes one."];
      case 403:
        return /every customer/.test(said)
          ? [said, "`ocache token --every-client` makes one that does; enter it under Connection."]
          : [said, ""];
      case 429: return ["the gateway has had too many requests from here", "Wait a moment and try again."];
      case 503: return [`the gateway cannot answer now: ${said}`, ""];
      default: return [said || `the gateway answered ${status}`, ""];
    }
  }

  /** `token` returns the token of the connection, or an empty string. */
  function start({ token }) {
    /** Returns the response to a request. Throws `Refused` if it is refused. */
    async function send(path, { method = "GET", headers = {}, body, patience = PATIENCE_MS, as = token() } = {}) {
      const all = as ? { authorization: `Bearer ${as}`, ...headers } : headers;
      let reply;
      try {
        reply = await fetch(path, { method, headers: all, body, cache: "no-store", signal: AbortSignal.timeout(patience) });
      } catch {
        throw lost();
      }
      if (reply.ok) return reply;
      const told = await reply.json().catch(() => null);
      const [message, hint] = refusal(reply.status, told?.message ?? "", as !== "");
      throw new Refused(reply.status, message, hint, told);
    }

    async function json(path, options) {
      const reply = await send(path, options);
      try {
        return await reply.json();
      } catch {
        throw lost();
      }
    }

    /** Requests JSON with these parameters. Empty ones are left out. */
    function ask(path, parameters = {}, options = {}) {
      const query = new URLSearchParams();
      for (const [name, value] of Object.entries(parameters)) {
        for (const one of [value].flat()) if (one !== "" && one !== null && one !== undefined) query.append(name, one);
      }
      return json(`${path}${query.size ? `?${query}` : ""}`, options);
    }

    /** Returns what is found, or null on any error, because the page also works without a search. */
    async function find(path, parameters) {
      try {
        return await ask(path, parameters);
      } catch {
        return null;
      }
    }

    return { send, json, ask, find };
  }

  return { start, Refused };
})();
