// A home with stand-ins for command-line tools, which say what they were given and write down that they ran.
import assert from "node:assert/strict";
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { assertWithoutKey } from "./corpus-stage.ts";
import { canary, Home, type Line, type Ran, type RunOptions } from "./janee.ts";
import { Agent, type AgentOptions, type Told } from "./mcp.ts";

/** What janee itself is started with, and no command may see. */
export const parentSecrets = { JANEE_MASTER_KEY: "parent-x", OTHER_API_KEY: "parent-y", SSH_AUTH_SOCK: "/z" };

const script = (marks: string): string => `#!/bin/sh
printf '%s\\n' "\${0##*/} $*" >> '${marks}'
hex() { od -An -v -tx1 | tr -d ' \\n'; }
mode=$1
[ $# -gt 0 ] && shift
key=$TWITTER_API_KEY
case $mode in
  env) env ;;
  plain) echo "$key"; echo "$key" >&2 ;;
  base64) printf %s "$key" | base64 -w0 ;;
  hex) printf %s "$key" | hex ;;
  percent) printf %s "$key" | hex | sed 's/../%&/g' ;;
  reversed) printf %s "$key" | rev ;;
  halves) printf %.12s "$key"; printf %s "\${key#????????????}" >&2 ;;
  writes) printf "%.\${1}s" "$key"; sleep 0.03; printf %s "$key" | tail -c +$(($1 + 1)) ;;
  args) for one; do printf '[%s]' "$one"; done ;;
  home) touch "$HOME/left"; stat -c '%a %n' "$HOME" ;;
  pwd) pwd -P ;;
  open) ls -l /proc/self/fd ;;
  exit) exit "$1" ;;
  kill) kill -9 $$ ;;
  leave) sleep "$1" & echo hi ;;
  sleep) echo begun; sleep "$1" & setsid sleep "$1" & sleep "$1" ;;
  stubborn) trap '' TERM; echo begun; (sleep "$1"); while :; do (sleep 1); done ;;
  binary) printf '\\377\\376\\000\\001\\377' ;;
  big) printf BEGIN; head -c 3000000 /dev/zero | tr '\\0' x; printf END ;;
  many) yes "$1" | head -c 1000000 ;;
  cat) cat ;;
  deaf) exec 0<&-; sleep 0.1; echo deaf ;;
  *) printf '[%s]' "$mode" "$@" ;;
esac
`;

export class ExecStage {
  readonly home = new Home();
  readonly #agents: Agent[] = [];

  constructor(names: readonly string[]) {
    mkdirSync(this.bin, { mode: 0o700 });
    mkdirSync(this.work, { mode: 0o700 });
    for (const name of names) this.standIn(name);
  }

  get bin(): string {
    return join(this.home.beside, "bin");
  }

  /** A folder for `workDir`. */
  get work(): string {
    return join(this.home.beside, "work");
  }

  get #marks(): string {
    return join(this.home.beside, "marks");
  }

  standIn(name: string): string {
    const file = join(this.bin, name);
    writeFileSync(file, script(this.#marks));
    chmodSync(file, 0o755);
    return file;
  }

  /** A line for each run of a stand-in, since the last time this was asked. */
  marks(): string[] {
    const text = existsSync(this.#marks) ? readFileSync(this.#marks, "utf8") : "";
    writeFileSync(this.#marks, "");
    return text.split("\n").filter((line) => line !== "");
  }

  get environment(): Record<string, string> {
    return { PATH: `${this.bin}:${process.env.PATH}`, ...parentSecrets };
  }

  async connect(options: AgentOptions): Promise<Agent> {
    const agent = await Agent.stdio(this.home, { env: this.environment, ...options });
    this.#agents.push(agent);
    return agent;
  }

  /** A `janee` of the command line, with the stand-ins on its PATH. */
  run(args: readonly string[], { env = {}, ...options }: RunOptions = {}): Promise<Ran> {
    return this.home.run(args, { ...options, env: { ...this.environment, ...env } });
  }

  /** The audit lines of commands since `from`. */
  lines(from = 0): Line[] {
    return this.home
      .audit()
      .slice(from)
      .filter(({ argv }) => argv !== undefined);
  }

  /** The trail is whole, and the key is in no file, line or answer. */
  async assertClean(): Promise<void> {
    const verified = await this.run(["logs", "verify"]);
    assert.equal(verified.status, 0, verified.stderr + verified.stdout);
    const told = this.#agents.map(({ heard }) => heard).join("\n");
    for (const text of [this.home.auditText(), this.home.printed, told]) {
      assertWithoutKey(Buffer.from(text), canary);
    }
  }

  async close(): Promise<void> {
    for (const agent of this.#agents) await agent.close();
    await this.home.dispose();
  }
}

export function exec(
  agent: Agent,
  capability: string,
  command: readonly string[],
  more: Readonly<Record<string, unknown>> = {},
): Promise<Told> {
  return agent.call("exec", { capability, command, ...more });
}

/** stdout of a run that ended well. */
export function outOf({ isError, content, text }: Told): string {
  assert.ok(!isError && content.exitCode === 0, text);
  return String(content.stdout);
}
