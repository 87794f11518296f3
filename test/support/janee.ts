// How the tests run janee: as another process, in a home of its own, on the runtime that runs the test.
import { type ChildProcess, spawn } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { within } from "./wait.ts";

export const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
export const onDeno = "Deno" in globalThis;
const compiled = join(root, "dist", process.platform === "win32" ? "janee.exe" : "janee");

const fixtures = JSON.parse(readFileSync(join(root, "test/corpus/fixtures.json"), "utf8")) as { KEY: string };
/** The one known credential. Found anywhere that an agent can read, it is a leak. */
export const canary = fixtures.KEY;

const startsWithinMs = 20_000;
const runsWithinMs = 25_000;
const stopsWithinMs = 5_000;

/** The command that is tested: JANEE_TEST_COMMAND, the compiled binary, or the source. */
export function janeeCommand(): readonly string[] {
  const given = process.env.JANEE_TEST_COMMAND;
  if (given) return JSON.parse(given) as string[];
  const source = join(root, "src/main.ts");
  if (onDeno) return [process.execPath, "run", "-A", "--quiet", source];
  return existsSync(compiled) ? [compiled] : [process.execPath, source];
}

/** What people install, whatever the other tests run: on Bun the binary, on Deno the source. */
export function installedCommand(): readonly string[] {
  if (onDeno) return janeeCommand();
  if (!existsSync(compiled)) throw new Error(`${compiled} is not there: npm run build makes it`);
  return [compiled];
}

export interface RunOptions {
  readonly stdin?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** Instead of `janeeCommand()`. */
  readonly command?: readonly string[];
}

export interface Ran {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Serving {
  readonly port: number;
  readonly pid: number;
  stderr(): string;
  stdout(): string;
  stop(): Promise<number | null>;
}

export interface Granted {
  readonly token: string;
  readonly session: string;
  readonly baseUrl: string;
  readonly capability: string;
}

/** One line of audit.log. */
export interface Line {
  readonly event: string;
  readonly [field: string]: unknown;
}

export class Home {
  /** JANEE_HOME. */
  readonly path: string;
  /** XDG_STATE_HOME, where the key file lies. */
  readonly state: string;
  readonly #folder: string;
  readonly #serving = new Set<Serving>();
  /** Everything that any janee of this home has printed. */
  printed = "";

  constructor() {
    this.#folder = mkdtempSync(join(tmpdir(), "janee-e2e-"));
    this.path = join(this.#folder, "home");
    this.state = join(this.#folder, "state");
    for (const folder of [this.path, this.state]) mkdirSync(folder, { mode: 0o700 });
  }

  /** A folder beside the home, for what a test writes itself. */
  get beside(): string {
    return this.#folder;
  }

  environment(more: Readonly<Record<string, string>> = {}): Record<string, string> {
    const environment: Record<string, string> = {
      PATH: process.env.PATH ?? "",
      HOME: this.#folder,
      TMPDIR: tmpdir(),
      NO_COLOR: "1",
      JANEE_HOME: this.path,
      XDG_STATE_HOME: this.state,
      // What Deno has compiled stays where it is, or each start would compile again.
      DENO_DIR: process.env.DENO_DIR ?? join(process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache"), "deno"),
    };
    for (const name of ["SystemRoot", "TEMP", "TMP"]) {
      const value = process.env[name];
      if (value !== undefined) environment[name] = value;
    }
    return { ...environment, ...more };
  }

  /** One command, to its end. It has no terminal, and its stdin is at its end unless given. */
  async run(args: readonly string[], options: RunOptions = {}): Promise<Ran> {
    const started = this.#start(args, options);
    const { child, text } = started;
    child.stdin?.on("error", () => {});
    child.stdin?.end(options.stdin ?? "");
    try {
      const status = await within(runsWithinMs, started.ended, `janee ${args.join(" ")}`);
      this.printed += text.out + text.err;
      return { status, stdout: text.out, stderr: text.err };
    } catch (error) {
      signal(child, "SIGKILL");
      throw error;
    }
  }

  /** A command that must succeed. */
  async do(args: readonly string[], options: RunOptions = {}): Promise<Ran> {
    const ran = await this.run(args, options);
    if (ran.status === 0) return ran;
    throw new Error(`janee ${args.join(" ")} ended with ${ran.status}: ${ran.stderr}${ran.stdout}`);
  }

  /** A command that must succeed, and prints JSON. */
  async json<T>(args: readonly string[], options: RunOptions = {}): Promise<T> {
    const { stdout } = await this.do([...args, "--json"], options);
    return JSON.parse(stdout) as T;
  }

  grant(capability: string, ...more: string[]): Promise<Granted> {
    return this.json(["grant", capability, ...more], { env: { JANEE_UNATTENDED: "1" } });
  }

  /** `janee serve` on a free port, ready to answer. */
  async serve(args: readonly string[] = [], options: RunOptions = {}): Promise<Serving> {
    const all = ["serve", "--json", ...(args.includes("--port") ? [] : ["--port", "0"]), ...args];
    const { child, text, ended } = this.#start(all, options);
    child.stdin?.end();
    let kill: ReturnType<typeof setTimeout> | undefined;
    const stop = async (): Promise<number | null> => {
      signal(child, "SIGTERM");
      kill = setTimeout(() => signal(child, "SIGKILL"), stopsWithinMs);
      const status = await ended;
      clearTimeout(kill);
      if (this.#serving.delete(serving)) this.printed += text.out + text.err;
      return status;
    };
    let port = 0;
    const serving: Serving = {
      get port() {
        return port;
      },
      pid: child.pid ?? 0,
      stderr: () => text.err,
      stdout: () => text.out,
      stop,
    };
    this.#serving.add(serving);
    try {
      port = await within(startsWithinMs, this.#ready(child, text, ended), "the start of janee serve");
      return serving;
    } catch (error) {
      await stop();
      throw error;
    }
  }

  async #ready(
    child: ChildProcess,
    text: { out: string; err: string },
    ended: Promise<unknown>,
  ): Promise<number> {
    return new Promise((done, failed) => {
      const look = (): void => {
        if (!text.out.includes("}")) return;
        const { port } = JSON.parse(text.out) as { port: number };
        done(port);
      };
      child.stdout?.on("data", look);
      void ended.then(() => failed(new Error(`janee serve has ended: ${text.err}${text.out}`)));
      look();
    });
  }

  #start(args: readonly string[], options: RunOptions) {
    const [file = "", ...before] = options.command ?? janeeCommand();
    const child = spawn(file, [...before, ...args], {
      cwd: options.cwd ?? this.#folder,
      env: this.environment(options.env),
      stdio: ["pipe", "pipe", "pipe"],
    });
    const text = { out: "", err: "" };
    child.stdout?.on("data", (chunk: Buffer) => {
      text.out += chunk.toString("utf8");
    });
    child.stderr?.on("data", (chunk: Buffer) => {
      text.err += chunk.toString("utf8");
    });
    const ended = new Promise<number | null>((done, failed) => {
      child.on("error", failed);
      child.on("close", (code) => done(code));
    });
    return { child, text, ended };
  }

  /** Writes config.yaml as an editor would; credentials may stand in it in the clear. */
  writeConfig(text: string): void {
    const file = join(this.path, "config.yaml");
    writeFileSync(file, text, { mode: 0o600 });
    chmodSync(file, 0o600);
  }

  readConfig(): string {
    return readFileSync(join(this.path, "config.yaml"), "utf8");
  }

  auditText(): string {
    const file = join(this.path, "audit.log");
    return existsSync(file) ? readFileSync(file, "utf8") : "";
  }

  audit(): Line[] {
    const lines = this.auditText().split("\n");
    return lines.filter((line) => line !== "").map((line) => JSON.parse(line) as Line);
  }

  /** Ends what still runs, by its id, and removes everything. */
  async dispose(): Promise<void> {
    for (const serving of [...this.#serving]) await serving.stop();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** By its id: after `child.kill()` Deno reports the signal, whatever the status was. */
function signal(child: ChildProcess, name: "SIGTERM" | "SIGKILL"): void {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  try {
    process.kill(child.pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

/** A fresh home for `work` alone: what runs in it ends with it, and it is gone afterwards. */
export async function inHome<T>(work: (home: Home) => Promise<T>): Promise<T> {
  const home = new Home();
  try {
    return await work(home);
  } finally {
    await home.dispose();
  }
}
