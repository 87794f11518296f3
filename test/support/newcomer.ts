// Someone who has never seen janee: an empty HOME, a shell, and the lines that docs/first-ten-minutes.md teaches. Each
// line is typed when the one before has said what a person would wait for, and is timed.
import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Client } from "@modelcontextprotocol/client";
import { StdioClientTransport } from "@modelcontextprotocol/client/stdio";
import { canary } from "./janee.ts";
import { until } from "./wait.ts";

export interface Typed {
  readonly line: string;
  readonly milliseconds: number;
}

/** From nothing to the first allowed call on one way. */
export interface Walked {
  readonly way: string;
  /** All that the person typed; the call itself is the last where a person makes it. */
  readonly typed: readonly Typed[];
  /** Install to answer; what the person thinks and types is not in it. */
  readonly milliseconds: number;
  /** What came back from the first call. */
  readonly answer: string;
  /** Everything that the person and the agent were shown. */
  readonly shown: string;
}

export interface Download {
  readonly script: string;
  readonly files: ReadonlyMap<string, Uint8Array>;
}

const patienceMs = 60_000;

/** `api`: the base URL of the service whose key the person holds. */
export async function walk(download: Download, api: string): Promise<Walked[]> {
  const site = await publish(download);
  try {
    const { port } = site.address() as AddressInfo;
    const from = `http://127.0.0.1:${port}`;
    return [await throughProxy(from, api), await throughMcp(from, api)];
  } finally {
    site.closeAllConnections();
    site.close();
  }
}

const install = (from: string): string => `curl -fsSL ${from}/install.sh | JANEE_INSTALL_BASE=${from} sh`;
const add = (api: string): string =>
  `printf %s "$API_KEY" | janee add demo -u ${api} --key-stdin --auto-approve --allow "GET /v1/*"`;

function throughProxy(from: string, api: string): Promise<Walked> {
  return asNewcomer("reverse proxy", async (shell) => {
    await shell.type(install(from));
    await shell.type(add(api));
    const offered = /^curl -H "Authorization: Bearer jns_\w+" http:\/\/127\.0\.0\.1:\d+\/demo\/$/m;
    const [call = ""] = await shell.typeUntil("janee serve --port 0 --grant demo &", offered);
    return shell.type(`${call.replace("curl", "curl -fsS")}v1/ping`);
  });
}

function throughMcp(from: string, api: string): Promise<Walked> {
  return asNewcomer("MCP", async (shell) => {
    await shell.type(install(from));
    await shell.type(add(api));
    await shell.type("janee connect cursor --write");
    return shell.timed(() => callAsClient(shell.home));
  });
}

/** A client of the official SDK in the place of Cursor: it starts what the file says, with what such programs pass on. */
async function callAsClient(home: string): Promise<string> {
  const file = readFileSync(join(home, ".cursor", "mcp.json"), "utf8");
  const { mcpServers } = JSON.parse(file) as {
    mcpServers: { janee: { command: string; args: string[]; env?: Record<string, string> } };
  };
  const { command, args, env = {} } = mcpServers.janee;
  const client = new Client({ name: "newcomer", version: "1" });
  await client.connect(
    new StdioClientTransport({ command, args, env: { HOME: home, PATH: "/usr/bin:/bin", ...env } }),
  );
  try {
    const call = { capability: "demo", method: "GET", path: "/v1/ping" };
    const { structuredContent } = await client.callTool({ name: "execute", arguments: call });
    return JSON.stringify(structuredContent);
  } finally {
    await client.close();
  }
}

async function asNewcomer(way: string, work: (shell: Shell) => Promise<string>): Promise<Walked> {
  const shell = new Shell();
  try {
    const answer = await work(shell);
    const { typed, shown, milliseconds } = shell;
    return { way, typed, milliseconds, answer, shown: `${shown}${answer}` };
  } finally {
    await shell.close();
  }
}

class Shell {
  readonly home = mkdtempSync(join(tmpdir(), "janee-newcomer-"));
  readonly typed: Typed[] = [];
  milliseconds = 0;
  shown = "";
  readonly #child: ChildProcess;
  #ended = false;

  constructor() {
    const programs = join(this.home, ".local", "bin");
    mkdirSync(programs, { recursive: true });
    // A group of its own: what the newcomer leaves running ends with it.
    this.#child = spawn("sh", [], {
      cwd: this.home,
      detached: true,
      env: { HOME: this.home, PATH: `${programs}:${process.env.PATH ?? ""}`, API_KEY: canary },
      stdio: ["pipe", "pipe", "pipe"],
    });
    const hear = (bytes: Buffer): void => {
      this.shown += bytes.toString("utf8");
    };
    this.#child.stdout?.on("data", hear);
    this.#child.stderr?.on("data", hear);
    this.#child.stdin?.on("error", () => {});
    this.#child.once("close", () => {
      this.#ended = true;
    });
  }

  /** One line, to its end, which must be a good one. What it printed. */
  async type(line: string): Promise<string> {
    const [, printed = "", status] = await this.#said(
      line,
      `${line}\necho "@@ended $?"`,
      /^([\s\S]*?)@@ended (\d+)\n/,
    );
    if (status !== "0") throw new Error(`${line}\nended with ${status}:\n${printed}`);
    return printed.trim();
  }

  /** One line that goes on: until it has said so. */
  typeUntil(line: string, words: RegExp): Promise<RegExpExecArray> {
    return this.#said(line, line, words);
  }

  async timed<T>(work: () => Promise<T>): Promise<T> {
    const startedAt = performance.now();
    const result = await work();
    this.milliseconds += performance.now() - startedAt;
    return result;
  }

  async #said(line: string, text: string, words: RegExp): Promise<RegExpExecArray> {
    const from = this.shown.length;
    const before = this.milliseconds;
    const found = await this.timed(async () => {
      this.#child.stdin?.write(`${text}\n`);
      return until(patienceMs, `the end of: ${line}`, () => {
        if (this.#ended) throw new Error(`the shell has ended: ${this.shown.slice(from)}`);
        return words.exec(this.shown.slice(from)) ?? undefined;
      });
    });
    this.typed.push({ line, milliseconds: this.milliseconds - before });
    return found;
  }

  async close(): Promise<void> {
    const { pid } = this.#child;
    const end = (name: "SIGTERM" | "SIGKILL"): void => {
      if (pid !== undefined && !this.#ended) process.kill(-pid, name);
    };
    try {
      end("SIGTERM");
      await until(patienceMs, "the end of the newcomer's programs", () => this.#ended);
    } finally {
      end("SIGKILL");
      rmSync(this.home, { recursive: true, force: true });
    }
  }
}

function publish({ script, files }: Download): Promise<Server> {
  const server = createServer((request, response) => {
    const name = (request.url ?? "").slice(1);
    const bytes = name === "install.sh" ? Buffer.from(script) : files.get(name);
    if (bytes) response.end(bytes);
    else response.writeHead(404).end();
  });
  return new Promise((done) => server.listen(0, "127.0.0.1", () => done(server)));
}
