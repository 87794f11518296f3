// What `janee doctor` says of variables: those that change what janee is, those that seem to, and those that nobody reads.
import { homedir } from "node:os";
import { join } from "node:path";
import { nearest } from "../engine/nearest.ts";
import { visible } from "../engine/visible.ts";
import type { Environment } from "../host/keyring.ts";
import { runtimeName } from "../host/runtime.ts";
import type { Found } from "./doctor-checks.ts";

const check = "environment";
const warn = (message: string, remedy: string): Found => ({ level: "warn", check, message, remedy });

/** While one of these is set, foreign code or a foreign eye is inside janee, and nothing can be promised. */
const foreign: Readonly<Record<string, string>> = {
  BUN_OPTIONS: "it can load foreign code into janee",
  BUN_INSPECT: "it opens a debugger, and whoever reaches that reads what janee holds",
  LD_PRELOAD: "it loads a foreign library into janee",
  LD_AUDIT: "it loads a foreign library into janee",
  DYLD_INSERT_LIBRARIES: "it loads a foreign library into janee",
};

const misleading: Readonly<Record<string, readonly [message: string, remedy: string]>> = {
  BUN_BE_BUN: ["the janee binary then runs as bun, not as janee", "unset BUN_BE_BUN"],
  LD_LIBRARY_PATH: ["janee takes its libraries from there first", "unset LD_LIBRARY_PATH for janee"],
  DYLD_LIBRARY_PATH: ["janee takes its libraries from there first", "unset DYLD_LIBRARY_PATH for janee"],
  NODE_EXTRA_CA_CERTS: [
    "it adds authorities that a runtime may trust",
    "unset it, and name the file in config.yaml: network.caFile",
  ],
  JANEE_KEY: [
    "every process of this environment can open the vault",
    "set it for janee serve alone, never for the shell of an agent",
  ],
};

/** All that somebody reads: janee itself, its installers, and what it sets for others. */
const own = [
  ...["HOME", "KEY", "KEY_FILE", "KEYCHAIN", "UNATTENDED", "DEBUG", "ASKPASS", "RUN"],
  ...["TOKEN", "BASE_URL", "AGENT_TOKEN", "INSTALL_DIR", "INSTALL_BASE"],
].map((name) => `JANEE_${name}`);

export function foreignIn(environment: Environment): readonly string[] {
  const found = Object.keys(foreign).filter((name) => environment[name]);
  // Bun leaves it alone, which Deno does not.
  return runtimeName() === "deno" && loadsCode(environment) ? [...found, "NODE_OPTIONS"] : found;
}

export function checkEnvironment(environment: Environment): Found[] {
  const found = [
    ...Object.keys(foreign)
      .filter((name) => environment[name])
      .map((name) => warn(`${name} is set: ${foreign[name]}`, `unset ${name}`)),
    ...Object.entries(misleading)
      .filter(([name]) => environment[name])
      .map(([name, [message, remedy]]) => warn(`${name} is set: ${message}`, remedy)),
    ...runtimeOptions(environment),
    ...ofJanee(environment),
    ...proxies(environment),
    ...account(environment),
  ];
  return found.length > 0 ? found : [{ level: "ok", check, message: "no variable misleads" }];
}

function loadsCode({ NODE_OPTIONS }: Environment): boolean {
  return /(?:^|\s)(?:-r|--require|--import|--loader|--experimental-loader|--inspect)/.test(
    NODE_OPTIONS ?? "",
  );
}

function runtimeOptions(environment: Environment): Found[] {
  const found: Found[] = [];
  if (environment.NODE_TLS_REJECT_UNAUTHORIZED === "0") {
    const message = "NODE_TLS_REJECT_UNAUTHORIZED=0 is set: it asks runtimes not to check certificates";
    found.push(warn(message, "unset NODE_TLS_REJECT_UNAUTHORIZED"));
  }
  if (loadsCode(environment)) {
    const heeded =
      runtimeName() === "deno"
        ? "it loads foreign code into janee"
        : "janee does not heed it, but it loads code into Node programs that janee run starts";
    found.push(warn(`NODE_OPTIONS is set: ${heeded}`, "unset NODE_OPTIONS before janee runs"));
  }
  return found;
}

function ofJanee(environment: Environment): Found[] {
  const found: Found[] = [];
  if (environment.JANEE_UNATTENDED === "1") {
    const message =
      "JANEE_UNATTENDED=1 is set: whatever runs in this environment can say yes in a person's place";
    found.push(warn(message, "unset JANEE_UNATTENDED"));
  }
  for (const name of Object.keys(environment).sort()) {
    // JANEE_DEV_… and JANEE_TEST_… are for those who work on janee.
    if (!/^JANEE_/i.test(name) || own.includes(name) || /^JANEE_(?:DEV|TEST|BINARY)/.test(name)) continue;
    const meant = nearest(name, own);
    const message = `${visible(name.slice(0, 64))} is set, and janee reads no such variable`;
    found.push(
      warn(
        message,
        meant === undefined
          ? `unset it; there are ${own.slice(0, 6).join(", ")}`
          : `set ${meant}, if that was meant`,
      ),
    );
  }
  if (environment.JANEE_HOME && environment.JANEE_HOME !== join(homedir(), ".janee")) {
    const message = `JANEE_HOME is set: all of this is about ${visible(environment.JANEE_HOME)}, not about ~/.janee`;
    found.push({ level: "ok", check, message });
  }
  return found;
}

function proxies(environment: Environment): Found[] {
  const names = ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"].flatMap((name) => [name, name.toLowerCase()]);
  const set = names.filter((name) => environment[name]);
  if (set.length === 0) return [];
  const message = `${set.join(", ")} ${set.length === 1 ? "is" : "are"} set: janee does not use it`;
  return [warn(message, "if janee is to use a proxy, name it in config.yaml: network.proxy")];
}

function account({ SUDO_USER }: Environment): Found[] {
  if (process.getuid?.() !== 0 || !SUDO_USER || SUDO_USER === "root") return [];
  const message = `this is root, by sudo of ${visible(SUDO_USER.slice(0, 32))}: what janee makes now belongs to root, and that user's janee will refuse it`;
  return [warn(message, "run janee without sudo: it needs no root")];
}
