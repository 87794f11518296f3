// A runner, as far as an action can tell: its variables and files, a checkout, an event, and steps that follow.
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { createServer, type Server } from "node:http";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { asyncRun } from "./async-run.ts";
import { installedCommand, type Ran, root } from "./janee.ts";

export const version = "0.1.0";
export const archive = `janee-${version}-linux-${process.arch}.tar.gz`;

/** Before the target of a file that is a symbolic link. */
export const linkTo = "link to ";

export function sha256(bytes: string | Buffer): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/** NAME<<end … end, as the runner reads it. */
function readCommands(file: string): Map<string, string> {
  const values = new Map<string, string>();
  const lines = readFileSync(file, "utf8").split("\n");
  for (let at = 0; at < lines.length; at += 1) {
    const [name = "", end] = lines[at]?.split("<<") ?? [];
    if (end === undefined) continue;
    const close = lines.indexOf(end, at + 1);
    if (close < 0) throw new Error(`${file}: ${name} has no end`);
    if (name === "NODE_OPTIONS") throw new Error("the runner refuses NODE_OPTIONS");
    values.set(name, lines.slice(at + 1, close).join("\n"));
    at = close;
  }
  return values;
}

/** Archives under their names, as a release has them. */
export class Releases {
  readonly files = new Map<string, Buffer>();
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
  }

  static async start(): Promise<Releases> {
    const server = createServer((request, response) => {
      const found = releases.files.get(request.url?.slice(1) ?? "");
      response.writeHead(found ? 200 : 404).end(found);
    });
    const releases = new Releases(server);
    await new Promise<void>((done) => server.listen(0, "127.0.0.1", () => done()));
    return releases;
  }

  get url(): string {
    const address = this.#server.address();
    return `http://127.0.0.1:${typeof address === "object" && address ? address.port : 0}`;
  }

  /** What it holds starts the janee that is tested. */
  add(folder: string, name = archive, version = ""): string {
    const inside = name.replace(/\.tar\.gz$/, "");
    mkdirSync(join(folder, inside), { recursive: true });
    const program = join(folder, inside, "janee");
    const fixed = version === "" ? "" : `[ "$1" = --version ] && { echo "janee ${version} (fake)"; exit; }\n`;
    writeFileSync(program, `#!/bin/sh\n${fixed}exec ${installedCommand().join(" ")} "$@"\n`);
    chmodSync(program, 0o755);
    execFileSync("tar", ["-czf", join(folder, name), "-C", folder, inside]);
    const bytes = readFileSync(join(folder, name));
    this.files.set(name, bytes);
    return sha256(bytes);
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise<void>((done) => this.#server.close(() => done()));
  }
}

export class Workflow {
  readonly folder = mkdtempSync(join(tmpdir(), "janee-action-test-"));
  readonly origin = join(this.folder, "origin");
  readonly workspace = join(this.folder, "workspace");
  readonly temp = join(this.folder, "temp");
  /** Everything that the entries have printed. */
  log = "";
  #env: Record<string, string> = {};
  #event: Record<string, unknown> = {};
  #sha = "";
  #name = "push";

  constructor() {
    mkdirSync(this.temp);
    mkdirSync(this.origin);
    this.git(this.origin, "init", "-q", "-b", "main");
    this.git(this.origin, "config", "uploadpack.allowAnySHA1InWant", "true");
  }

  git(cwd: string, ...args: string[]): string {
    const own = [
      "-c",
      "user.name=tester",
      "-c",
      "user.email=tester@example.com",
      "-c",
      "commit.gpgsign=false",
    ];
    const env = { PATH: process.env.PATH ?? "", HOME: this.folder, GIT_CONFIG_NOSYSTEM: "1" };
    return execFileSync("git", [...own, ...args], { cwd, env, encoding: "utf8" }).trim();
  }

  /** On a branch of the repository that people push to; its id. */
  commit(branch: string, files: Readonly<Record<string, string>>): string {
    if (this.#exists("HEAD")) this.git(this.origin, "checkout", "-q", "-B", branch);
    for (const [name, text] of Object.entries(files)) {
      const path = join(this.origin, name);
      mkdirSync(join(path, ".."), { recursive: true });
      rmSync(path, { force: true });
      if (text.startsWith(linkTo)) symlinkSync(text.slice(linkTo.length), path);
      else writeFileSync(path, text);
    }
    this.git(this.origin, "add", "-A");
    this.git(this.origin, "commit", "-q", "-m", "a change");
    return this.git(this.origin, "rev-parse", "HEAD");
  }

  #exists(name: string): boolean {
    try {
      this.git(this.origin, "rev-parse", "-q", "--verify", name);
      return true;
    } catch {
      return false;
    }
  }

  /** As actions/checkout leaves it: the commit that runs, and nothing before it. */
  checkout(sha: string, event: { readonly name: string; readonly base?: string }): void {
    rmSync(this.workspace, { recursive: true, force: true });
    mkdirSync(this.workspace);
    this.git(this.workspace, "init", "-q");
    this.git(this.workspace, "remote", "add", "origin", `file://${this.origin}`);
    this.git(this.workspace, "fetch", "-q", "--depth=1", "origin", sha);
    this.git(this.workspace, "checkout", "-q", sha);
    this.#sha = sha;
    this.#name = event.name;
    this.#event =
      event.base === undefined ? {} : { pull_request: { base: { sha: event.base, ref: "main" } } };
  }

  /** Files and variables for a new job. */
  begin(): void {
    this.#env = {};
    this.log = "";
    for (const name of ["ENV", "STATE", "OUTPUT", "STEP_SUMMARY"]) writeFileSync(this.file(name), "");
    writeFileSync(this.file("EVENT"), JSON.stringify(this.#event));
  }

  file(name: string): string {
    return join(this.folder, `github-${name.toLowerCase()}`);
  }

  #environment(more: Readonly<Record<string, string>>): Record<string, string> {
    return {
      PATH: process.env.PATH ?? "",
      HOME: this.folder,
      DENO_DIR: process.env.DENO_DIR ?? join(process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache"), "deno"),
      GITHUB_ACTIONS: "true",
      GITHUB_ENV: this.file("ENV"),
      GITHUB_STATE: this.file("STATE"),
      GITHUB_OUTPUT: this.file("OUTPUT"),
      GITHUB_STEP_SUMMARY: this.file("STEP_SUMMARY"),
      GITHUB_EVENT_PATH: this.file("EVENT"),
      GITHUB_EVENT_NAME: this.#name,
      GITHUB_SHA: this.#sha,
      GITHUB_WORKSPACE: this.workspace,
      RUNNER_TEMP: this.temp,
      ...this.#env,
      ...more,
    };
  }

  /** An entry of the action, with its inputs and the step's own variables. */
  async entry(
    name: "main" | "post",
    inputs: Readonly<Record<string, string>>,
    env: Readonly<Record<string, string>> = {},
  ): Promise<Ran> {
    const given = Object.entries(inputs).map(([key, value]) => [`INPUT_${key.toUpperCase()}`, value]);
    const state =
      name === "post"
        ? [...readCommands(this.file("STATE"))].map(([key, value]) => [`STATE_${key}`, value])
        : [];
    const all = this.#environment({ ...Object.fromEntries([...given, ...state]), ...env });
    const ran = await asyncRun("node", [join(root, "action", `${name}.mjs`)], all);
    this.log += ran.stdout + ran.stderr;
    this.#take();
    return ran;
  }

  /** A step that comes later. */
  async step(script: string): Promise<Ran> {
    const ran = await asyncRun("sh", ["-c", script], this.#environment({}));
    this.log += ran.stdout + ran.stderr;
    return ran;
  }

  get exported(): ReadonlyMap<string, string> {
    return readCommands(this.file("ENV"));
  }

  #take(): void {
    this.#env = { ...this.#env, ...Object.fromEntries(this.exported) };
  }

  outputs(): ReadonlyMap<string, string> {
    return readCommands(this.file("OUTPUT"));
  }

  summary(): string {
    return existsSync(this.file("STEP_SUMMARY")) ? readFileSync(this.file("STEP_SUMMARY"), "utf8") : "";
  }

  close(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}
