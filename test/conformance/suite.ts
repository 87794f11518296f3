// The official conformance suite, run as anyone would run it: by the URL of a server.
import { spawn } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parse } from "yaml";
import { startForwarder } from "../support/forwarder.ts";
import { onDeno, root } from "../support/janee.ts";
import { within } from "../support/wait.ts";

const here = dirname(fileURLToPath(import.meta.url));
const runsWithinMs = 90_000;

/** As it stands in checks.json. */
export interface Check {
  readonly id: string;
  readonly status: "SUCCESS" | "FAILURE" | "WARNING" | "SKIPPED" | "INFO";
  readonly errorMessage?: string;
}

export interface Outcome {
  readonly status: number | null;
  readonly text: string;
  /** Scenario to its checks. */
  readonly checks: ReadonlyMap<string, readonly Check[]>;
  /** What failed and is not in the file, and what is in the file and passed. */
  readonly unexpected: readonly string[];
  readonly stale: readonly string[];
}

/** The latest release, and the next one, which knows the revision of 2026-07-28. */
const packages = { named: "@modelcontextprotocol/conformance", next: "mcp-conformance-next" } as const;

export interface Target {
  readonly port: number;
  readonly token: string;
  readonly stop: () => Promise<unknown>;
}

/**
 * Runs the suite against what `start` starts, which is told the port that the suite will name. The suite has no way to
 * give a token, so it is put on each request on the way.
 */
export async function conformance(
  which: keyof typeof packages,
  args: readonly string[],
  baseline: string,
  start: (port: number) => Promise<Target>,
): Promise<Outcome> {
  let token = "";
  const results = mkdtempSync(join(tmpdir(), "janee-conformance-"));
  const forwarder = await startForwarder(() => `Authorization: Bearer ${token}`);
  try {
    const target = await start(forwarder.port);
    try {
      token = target.token;
      forwarder.target = target.port;
      const expected = join(here, baseline);
      const all = ["server", "--url", `http://127.0.0.1:${forwarder.port}/mcp`, ...args];
      const ran = await run(which, [...all, "--expected-failures", expected, "--output-dir", results]);
      const checks = checksIn(results);
      return { ...ran, checks, ...compared(checks, expected) };
    } finally {
      await target.stop();
    }
  } finally {
    await forwarder.stop();
    rmSync(results, { recursive: true, force: true });
  }
}

async function run(
  which: keyof typeof packages,
  args: readonly string[],
): Promise<{ status: number | null; text: string }> {
  const script = join(root, "node_modules", packages[which], "dist", "index.js");
  const before = onDeno ? ["run", "-A", "--quiet"] : [];
  const child = spawn(process.execPath, [...before, script, ...args], {
    cwd: tmpdir(),
    stdio: ["ignore", "pipe", "pipe"],
  });
  let text = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (bytes: Buffer) => {
      text += bytes.toString("utf8");
    });
  }
  const ended = new Promise<number | null>((done, failed) => {
    child.on("error", failed);
    child.on("close", (code) => done(code));
  });
  try {
    return { status: await within(runsWithinMs, ended, "the end of the conformance suite"), text };
  } finally {
    child.kill("SIGKILL");
  }
}

function checksIn(results: string): ReadonlyMap<string, readonly Check[]> {
  const found = readdirSync(results).map((folder): [string, Check[]] => {
    const scenario = /^server-(.+)-\d{4}-\d\d-\d\dT[\d-]+Z$/.exec(folder)?.[1];
    if (scenario === undefined) throw new Error(`the conformance suite wrote a folder ${folder}`);
    return [scenario, JSON.parse(readFileSync(join(results, folder, "checks.json"), "utf8")) as Check[]];
  });
  return new Map(found);
}

const isFailure = ({ status }: Check): boolean => status === "FAILURE" || status === "WARNING";

/** Also for scenarios of which the suite says that they are not scored. A line is `scenario` or `scenario:check`. */
function compared(
  checks: ReadonlyMap<string, readonly Check[]>,
  file: string,
): { unexpected: string[]; stale: string[] } {
  const { server } = parse(readFileSync(file, "utf8")) as { readonly server: readonly string[] };
  const expected = new Set(server);
  const failed = [...checks].flatMap(([scenario, all]) =>
    all.filter(isFailure).map((check) => ({ scenario, check, name: `${scenario}:${check.id}` })),
  );
  // What goes over the wire is of the schema, whatever a scenario wanted.
  const isExpected = ({ scenario, check, name }: (typeof failed)[number]): boolean =>
    expected.has(name) || (expected.has(scenario) && check.id !== "wire-schema-valid");
  const unexpected = failed
    .filter((one) => !isExpected(one))
    .map(({ name, check }) => `${name}: ${check.errorMessage ?? check.status}`);
  const stale = server.filter((line) => {
    const [scenario = ""] = line.split(":");
    return checks.has(scenario) && !failed.some((one) => one.scenario === line || one.name === line);
  });
  return { unexpected, stale };
}
