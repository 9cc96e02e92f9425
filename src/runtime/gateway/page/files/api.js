"use strict";

/** What the page asks its gateway over HTTP, and what is said when that is refused. */
const Api = (() => {
  const PATIENCE_MS = 8_000;
  const TOKEN_HINT = "Enter another one under Connection; `ocache token --client NAME` makes one.";

  /** Why a request has no answer, and what can be done about it. */
  class Refused extends Error {
    constructor(status, message, hint = "", body = null) {
      super(message);
      this.status = status;
      this.hint = hint;
      this.body = body;
    }

    /** Both as sentences. */
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

  /** What a status means, with what the gateway says of it. */
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

  /** `token` returns the token of the connection, or an empty text. */
  function start({ token }) {
    /** The response to a request; one that is refused is thrown as `Refused`. */
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

    /** The same with parameters, of which those that are empty are left out. */
    function ask(path, parameters = {}, options = {}) {
      const query = new URLSearchParams();
      for (const [name, value] of Object.entries(parameters)) {
        for (const one of [value].flat()) if (one !== "" && one !== null && one !== undefined) query.append(name, one);
      }
      return json(`${path}${query.size ? `?${query}` : ""}`, options);
    }

    /** What is found, or null: searching is a help, not a need. */
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
