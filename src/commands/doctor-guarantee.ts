// What holds on this machine with this set-up, and what does not, in plain words; nothing is promised that is not so.
import { readFileSync } from "node:fs";
import type { Config } from "../engine/config.ts";
import { isWideOpen } from "../engine/describe-rules.ts";
import { Failure } from "../engine/failure.ts";
import type { VaultFile } from "../engine/vault.ts";
import { visible } from "../engine/visible.ts";
import { placeOf } from "../host/key-place.ts";
import type { Environment } from "../host/keyring.ts";
import { keychain } from "../host/runtime.ts";
import { readVault } from "./doctor-checks.ts";
import { foreignIn } from "./doctor-environment.ts";
import { execGuarantee } from "./doctor-exec.ts";

export interface Guarantee {
  readonly holds: readonly string[];
  readonly doesNotHold: readonly string[];
}

export interface Surroundings {
  readonly home: string;
  readonly environment: Environment;
  readonly config: Config | undefined;
  /** No problem was found. */
  readonly sound: boolean;
}

export async function guaranteeOf(where: Surroundings): Promise<Guarantee> {
  const { home, environment, config, sound } = where;
  const file = readVault(home);
  if (file instanceof Failure) {
    return {
      holds: ["No credential is kept here yet, so there is nothing to lose and nothing to use."],
      doesNotHold: [],
    };
  }
  const foreign = foreignIn(environment);
  return {
    holds: [
      "An agent that goes through janee gets sessions and answers, never a credential; a request is sent only when its capability allows it, and is in the audit trail first.",
      copyOf(home, file),
      ...asked(config, environment),
      ...(await execGuarantee(config)),
    ],
    doesNotHold: [
      ...(sound
        ? []
        : ["Mend the problems above first: what they touch does not work, and is not promised."]),
      ...(foreign.length > 0
        ? [`While ${foreign.join(" and ")} is set nothing is promised: what it names is inside janee.`]
        : []),
      `This does not hold against an agent that runs as your own user with an unsandboxed shell: it can reach ${reachOf(home, environment, file)} and open the vault. Give such an agent a sandbox, a container or a user of its own.`,
      ...memory(),
      ...wide(config, environment),
    ],
  };
}

function copyOf(home: string, file: VaultFile): string {
  const bound = file.machine ? ", and the key file opens it on this machine alone" : "";
  const kept = file.provider === "file" ? `: the key lies outside of it${bound}` : "";
  return `A copy of ${visible(home)} opens no credential${kept}.`;
}

function reachOf(home: string, environment: Environment, file: VaultFile): string {
  if (file.provider === "env") return "JANEE_KEY in the environment of a running janee";
  const place = placeOf(home, file.provider, file.id, environment, keychain());
  const name = place instanceof Failure ? "the key" : visible(place.name);
  return file.provider === "file" ? `the key file ${name}` : name;
}

/** Whom a person's yes stands before. */
function asked(config: Config | undefined, { JANEE_UNATTENDED }: Environment): string[] {
  const names = [...(config?.capabilities.values() ?? [])].filter((one) => !one.autoApprove);
  if (names.length === 0 || JANEE_UNATTENDED === "1") return [];
  return [`A person is asked before a session of ${listed(names)} begins.`];
}

/** What the set-up itself leaves open. */
function wide(config: Config | undefined, { JANEE_UNATTENDED }: Environment): string[] {
  const capabilities = [...(config?.capabilities.values() ?? [])];
  const free = capabilities.filter((one) => one.autoApprove);
  const unruled = capabilities.filter(isWideOpen);
  const clear = [...(config?.services.values() ?? [])].filter((one) => one.allowCleartext);
  return [
    ...(JANEE_UNATTENDED === "1"
      ? ["No person is asked: JANEE_UNATTENDED=1 says yes to whatever runs in this environment."]
      : []),
    ...(free.length > 0 ? [`Nobody is asked before a session of ${listed(free)}: autoApprove.`] : []),
    ...(unruled.length > 0
      ? [`${listed(unruled)} may do all that the credential can: no rule limits it.`]
      : []),
    ...(clear.length > 0
      ? [`What goes to ${listed(clear)} can be read on its way, the credential too: allowCleartext.`]
      : []),
    ...(config && !config.audit.sync
      ? ["A power cut can take the last lines of the trail with it: audit.sync is off."]
      : []),
  ];
}

function memory(): string[] {
  if (process.getuid?.() === 0)
    return ["This is root: nothing on this machine is closed to an agent that runs as root as well."];
  if (process.platform !== "linux" || ptraceScope() >= 1) return [];
  return [
    "This kernel lets the processes of one user read each other's memory (kernel.yama.ptrace_scope is 0 or missing), and a janee that runs has credentials in its own.",
  ];
}

function ptraceScope(): number {
  try {
    return Number(readFileSync("/proc/sys/kernel/yama/ptrace_scope", "utf8"));
  } catch {
    return 0;
  }
}

const mostNamed = 8;

function listed(all: readonly { readonly name: string }[]): string {
  const names = all.map(({ name }) => `"${name}"`);
  const rest = names.length - mostNamed;
  return rest > 0 ? `${names.slice(0, mostNamed).join(", ")} and ${rest} more` : names.join(", ");
}
