// Starts ocache, reads what it prints, and stops it.

import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

export const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const BINARY = process.env.OCACHE_BINARY ?? join(ROOT, "target/debug/ocache");

/** A data folder for one test, and the processes that were started on it. */
export class Home {
  static async make(environment = {}) {
    return new Home(await mkdtemp(join(tmpdir(), "ocache-page-")), environment);
  }

  /** `environment` is added to the environment of its processes. */
  constructor(folder, environment) {
    this.folder = folder;
    this.environment = environment;
    this.running = new Set();
  }

  start(...args) {
    const clean = Object.entries(process.env).filter(([name]) => !/^(OCACHE|AWS)_/.test(name));
    const own = { HOME: this.folder, OCACHE_DATA_DIR: join(this.folder, "data"), ...this.environment };
    const env = { ...Object.fromEntries(clean), ...own };
    const started = new Running(spawn(BINARY, args, { env, stdio: ["ignore", "pipe", "pipe"] }));
    this.running.add(started);
    return started;
  }

  /** Runs a command that must succeed. Returns its JSON, if it prints any. */
  async run(...args) {
    const running = this.start(...args, "--output", "json");
    const code = await running.ended;
    if (code !== 0) throw new Error(`${args.join(" ")}: ${code}: ${running.stderr}`);
    return running.stdout ? JSON.parse(running.stdout) : null;
  }

  /** Starts the whole system on a free port, and waits until it is ready. */
  async up(...args) {
    const up = this.start("up", "--port", "0", "--output", "json", ...args);
    return { up, ...(await up.json()) };
  }

  /** Starts the gateway with a provider, but without price calc. */
  async serve(port = 0) {
    const serve = this.start("serve", "--with-provider", "--port", String(port), "--output", "json");
    return { serve, ...(await serve.json()) };
  }

  async end() {
    for (const running of this.running) await running.kill();
    await rm(this.folder, { recursive: true, force: true });
  }
}

class Running {
  constructor(child) {
    this.child = child;
    this.stdout = "";
    this.stderr = "";
    this.told = [];
    this.ended = new Promise((resolve) => child.once("close", (code) => resolve(code)));
    for (const stream of ["stdout", "stderr"]) {
      createInterface({ input: child[stream] }).on("line", (line) => {
        this[stream] += `${line}\n`;
        this.told = this.told.filter((tell) => !tell());
      });
    }
  }

  /** Waits until what was printed so far satisfies `look`, which then returns something. */
  until(look) {
    return new Promise((resolve, reject) => {
      const tell = () => {
        const found = look();
        if (found) resolve(found);
        return Boolean(found);
      };
      if (!tell()) this.told.push(tell);
      this.ended.then((code) => reject(new Error(`it ended with ${code}: ${this.stderr}`)));
    });
  }

  json() {
    return this.until(() => {
      try {
        return JSON.parse(this.stdout);
      } catch {
        return null;
      }
    });
  }

  says(text) {
    return this.until(() => this.stderr.includes(text));
  }

  async kill() {
    this.child.kill("SIGKILL");
    await this.ended;
  }
}
