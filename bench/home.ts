// A janee of its own in a temporary folder: home, policy, sessions and the server, all through the command line.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Box, Environment, Started } from "./box.ts";
import { freePort, listens, pinned, until } from "./box.ts";

const root = join(import.meta.dir, "..");
export const canary = "sk_bench_0123456789abcdef0123456789abcdef";

/** The executable under test: JANEE_BINARY, else dist/janee, which is built when it is missing. */
export function binary(): string {
  const named = process.env.JANEE_BINARY;
  if (named !== undefined) return named;
  const built = join(root, "dist", process.platform === "win32" ? "janee.exe" : "janee");
  if (!existsSync(built)) {
    process.stderr.write("building dist/janee\n");
    const run = spawnSync(process.execPath, [join(root, "scripts", "compile.ts")], {
      stdio: ["ignore", 2, 2],
    });
    if (run.status !== 0) throw new Error("dist/janee does not build");
  }
  return built;
}

const usualRules: readonly string[] = ["allow: GET /v1/*", 'deny: "*"'];

export interface Grant {
  readonly token: string;
  readonly session: string;
}

export class JaneeHome {
  readonly folder: string;
  readonly environment: Environment;

  constructor(folder: string) {
    this.folder = join(folder, ".janee");
    mkdirSync(this.folder, { recursive: true, mode: 0o700 });
    this.environment = {
      HOME: folder,
      JANEE_HOME: this.folder,
      XDG_STATE_HOME: join(folder, "state"),
      JANEE_UNATTENDED: "1",
    };
  }

  /** Runs one command, pinned to `core` when it is given, and returns what it prints. */
  run(args: readonly string[], core?: number): string {
    const command = core === undefined ? [binary(), ...args] : pinned([binary(), ...args], core);
    const run = spawnSync(command[0] ?? "", command.slice(1), {
      encoding: "utf8",
      env: { ...process.env, ...this.environment },
      stdio: ["ignore", "pipe", "pipe"],
    });
    if (run.status !== 0)
      throw new Error(`janee ${args[0]} ended with ${run.status}: ${run.stderr}${run.stdout}`);
    return run.stdout;
  }

  /** The config is sealed by the next command that loads it. */
  configure(upstreamPort: number, rules: readonly string[] = usualRules): void {
    this.#write([`    baseUrl: http://127.0.0.1:${upstreamPort}`], rules);
  }

  configureTls(baseUrl: string, caFile: string): void {
    this.#write([`    baseUrl: ${baseUrl}`, `    caFile: ${caFile}`], usualRules);
  }

  /** A service and a capability for each host, behind TLS and the network's proxy. */
  configureHosts(
    hosts: readonly string[],
    network: { readonly caFile: string; readonly proxy: string },
  ): void {
    const auth = `auth: { type: bearer, key: ${canary} }`;
    const lines = [
      "services:",
      ...hosts.map((host, index) => `  s${index}: { baseUrl: "https://${host}", ${auth} }`),
      "capabilities:",
      ...hosts.map((_, index) => `  s${index}: { service: s${index}, autoApprove: true }`),
      `network: ${JSON.stringify(network)}`,
    ];
    this.#save(lines);
  }

  /** A capability and a service of its own each: `bench-0`, `bench-1`, … */
  configureMany(count: number): void {
    const names = Array.from({ length: count }, (_, at) => `bench-${at}`);
    const services = names.map(
      (name, at) =>
        `  ${name}: { baseUrl: "http://127.0.0.1:9/${at}", auth: { type: bearer, key: ${canary}${at} } }`,
    );
    const capabilities = names.flatMap((name) => [
      `  ${name}:`,
      `    service: ${name}`,
      "    rules:",
      ...usualRules.map((rule) => `      - ${rule}`),
    ]);
    const lines = ["services:", ...services, "capabilities:", ...capabilities];
    this.#save(lines);
  }

  #write(service: readonly string[], rules: readonly string[]): void {
    const lines = [
      "services:",
      "  bench:",
      ...service,
      `    auth: { type: bearer, key: ${canary} }`,
      "capabilities:",
      "  bench:",
      "    service: bench",
      "    ttl: 8h",
      "    autoApprove: true",
      "    rules:",
      ...rules.map((rule) => `      - ${rule}`),
    ];
    this.#save(lines);
  }

  #save(lines: readonly string[]): void {
    writeFileSync(join(this.folder, "config.yaml"), `${lines.join("\n")}\n`, { mode: 0o600 });
  }

  grant(core?: number, capability = "bench"): Grant {
    return JSON.parse(this.run(["grant", capability, "--json"], core)) as Grant;
  }

  async serve(box: Box, core?: number): Promise<Serving> {
    const port = await freePort();
    const options = core === undefined ? {} : { core };
    const started = box.start([binary(), "serve", "--port", String(port)], {
      env: this.environment,
      ...options,
    });
    await until("janee serve", () => listens(port));
    return { ...started, port };
  }
}

export type Serving = Started & { readonly port: number };
