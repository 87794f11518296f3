// What `janee doctor` looks at. Each check stands alone: one that fails leaves the others their say.
import { accessSync, constants, existsSync, readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { RowSeal } from "../engine/authentic.ts";
import { Failure } from "../engine/failure.ts";
import type { Hold } from "../engine/holds.ts";
import type { ReadConfig } from "../engine/read-config.ts";
import { judge, type Session } from "../engine/session.ts";
import { parseVaultFile, type Vault, type VaultFile } from "../engine/vault.ts";
import { digest } from "../host/digest.ts";
import { checkPrivate, readPrivate } from "../host/files.ts";
import { placeOf } from "../host/key-place.ts";
import { type Environment, openVault, vaultPath } from "../host/keyring.ts";
import { machineId } from "../host/machine.ts";
import { isCompiled, keychain, runtimeName } from "../host/runtime.ts";
import { openExistingState } from "../host/state.ts";
import { openTrail } from "./audit-files.ts";
import { findingsOf, readConfigFile } from "./config.ts";
import { brokenTrail } from "./logs.ts";
import { verifyTrail } from "./verify-trail.ts";
import { version } from "./version.ts";

export interface Found {
  readonly level: "ok" | "warn" | "problem";
  readonly check: string;
  readonly message: string;
  /** The command or the edit that mends it. */
  readonly remedy?: string;
  /** A problem of the config (exit 3), or of all that keeps the credentials and the trail (exit 5). */
  readonly about?: "config" | "vault";
}

const verifiedBelow = 64 * 1024 * 1024;

export function problemOf(check: string, failure: Failure): Found {
  const place = failure.at ? `${failure.at.file}:${failure.at.line}:${failure.at.column}: ` : "";
  const about = failure.code.startsWith("config_") ? "config" : "vault";
  const remedy = failure.next === undefined ? {} : { remedy: failure.next };
  return { level: "problem", check, message: `${place}${failure.message}`, about, ...remedy };
}

export function checkRuntime(): Found {
  const name = runtimeName();
  const { bun, deno, node } = process.versions;
  const shown = `janee ${version} on ${name} ${bun ?? deno ?? node}${isCompiled ? ", compiled" : ""}`;
  if (name !== "node") return { level: "ok", check: "runtime", message: shown };
  const remedy = "use the janee binary, or run the source with Bun or Deno";
  return { level: "warn", check: "runtime", message: `${shown}: janee is not tested on it`, remedy };
}

export function checkHome(home: string): Found[] {
  const check = "home";
  const refused = checkPrivate(home, "folder");
  if (refused?.code === "not_found") {
    const message = `there is no home at ${home}`;
    return [{ level: "problem", check, message, remedy: "janee init", about: "config" }];
  }
  const found: Found[] = [
    refused ? problemOf(check, refused) : { level: "ok", check, message: `${home} is yours alone` },
  ];
  const authority = join(home, "ca");
  const issued = existsSync(authority) ? readdirSync(authority).map((name) => join("ca", name)) : [];
  for (const name of [
    "config.yaml",
    "vault.json",
    "state.db",
    "audit.log",
    "lock.db",
    "serve.json",
    ...issued,
  ]) {
    const unfit = checkPrivate(join(home, name), "file");
    if (unfit && unfit.code !== "not_found") found.push(problemOf(check, unfit));
  }
  return found;
}

/** What vault.json says of itself, before any key is looked for. */
export function readVault(home: string): VaultFile | Failure {
  const bytes = readPrivate(vaultPath(home));
  if (bytes instanceof Failure) return bytes;
  if (bytes) return parseVaultFile(bytes.toString("utf8"));
  return new Failure("key_missing", `there is no vault in ${home}`, { next: "janee init" });
}

export async function checkKey(home: string, environment: Environment, file: VaultFile): Promise<Found[]> {
  const check = "key";
  const place = placeOf(home, file.provider, file.id, environment, keychain());
  if (place instanceof Failure) return [problemOf(check, place)];
  const current = await place.current();
  if (current instanceof Failure) return [problemOf(check, current)];
  if (!current) {
    const next = `${place.mend}, or take the vault over from an export: janee key import`;
    return [
      problemOf(check, new Failure("key_missing", `the key is not there: expected ${place.name}`, { next })),
    ];
  }
  const kept = { file: `in the file ${place.name}`, env: "in JANEE_KEY", keychain: `in ${place.name}` }[
    file.provider
  ];
  const bound = file.machine
    ? "bound to this machine"
    : "not bound to a machine: a copy of the key opens it anywhere";
  const found: Found[] = [{ level: "ok", check, message: `kept ${kept}, ${bound}` }];
  if (!file.machine && file.provider === "file" && place.own && (await machineId()) !== undefined) {
    const message = "the vault was made without a machine id, and this machine has one";
    const remedy = "janee key export FILE, then janee key import FILE: it is bound then";
    found.push({ level: "warn", check, message, remedy });
  }
  return found;
}

export async function checkVault(
  home: string,
  environment: Environment,
): Promise<{ vault?: Vault; found: Found[] }> {
  const check = "vault";
  const vault = await openVault(home, environment);
  if (vault instanceof Failure) return { found: [problemOf(check, vault)] };
  if (!vault.betweenKeys) return { vault, found: [{ level: "ok", check, message: "opens" }] };
  const message = "opens, with two keys: a rotation did not finish";
  return { vault, found: [{ level: "warn", check, message, remedy: "janee rotate" }] };
}

export function checkConfig(home: string): { read?: ReadConfig; found: Found[] } {
  const check = "config";
  const read = readConfigFile(join(home, "config.yaml"));
  if (read instanceof Failure) return { found: [problemOf(check, read)] };
  const { services, capabilities } = read.config;
  const found: Found[] = [
    { level: "ok", check, message: `${services.size} services, ${capabilities.size} capabilities` },
  ];
  for (const { message, at } of findingsOf(read)) {
    const place = at ? `${at.file}:${at.line}:${at.column}: ` : "";
    const remedy = /unrestricted/.test(message)
      ? "give the capability rules, such as: - allow: GET /*"
      : "edit config.yaml, then: janee config check";
    found.push({ level: "warn", check, message: `${place}${message}`, remedy });
  }
  return { read, found };
}

export interface Stored {
  readonly found: readonly Found[];
  readonly live: readonly Session[];
  /** The latest time that janee has seen. */
  readonly latest?: number;
}

/** Looks only: no session is ended, whatever the clock says. */
export function checkState(home: string, vault: Vault | undefined): Stored {
  const check = "state";
  const path = join(home, "state.db");
  const store = openExistingState(home);
  if (store instanceof Failure) return { found: [problemOf(check, store)], live: [] };
  if (!store) {
    return {
      found: [{ level: "ok", check, message: "no state.db yet: the first command makes it" }],
      live: [],
    };
  }
  try {
    const latest = store.latestTime();
    if (!vault) return { found: [{ level: "ok", check, message: "state.db opens" }], live: [], latest };
    const rows = new RowSeal(
      digest,
      () => vault.rowKey,
      () => vault.olderRowKeys,
    );
    const now = Date.now();
    const sessions = store.sessions({ ended: false }).map((stored) => rows.read<Session>("session", stored));
    const live = sessions.filter((session) => session !== undefined && !judge(session, now)) as Session[];
    const holds = store.holds().map((stored) => rows.read<Hold>("hold", stored));
    const found: Found[] = [{ level: "ok", check, message: `state.db opens, live sessions: ${live.length}` }];
    if (holds.length > 0) {
      const held = holds.map((hold) =>
        hold?.capability === "*" ? "every capability" : (hold?.capability ?? "unknown"),
      );
      const message = `revoked and held until a person approves or grants: ${[...new Set(held)].join(", ")}`;
      const remedy = "janee grant <capability>, or approve the next request";
      found.push({ level: "ok", check, message, remedy });
    }
    const forged = [...sessions, ...holds].filter((row) => row === undefined).length;
    if (forged > 0) {
      const message = `${forged} rows of state.db were not written by janee: sessions among them do not exist`;
      const remedy = `put it aside: mv ${path} ${path}.broken (all sessions end)`;
      found.push({ level: "problem", check, message, remedy, about: "vault" });
    }
    return { found, live, latest };
  } finally {
    store.close();
  }
}

export function checkTrail(home: string, vault: Vault | undefined): Found[] {
  const check = "audit";
  const path = join(home, "audit.log");
  const place = existsSync(path) ? path : dirname(path);
  try {
    accessSync(place, constants.W_OK);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? "unknown error";
    const next = `make ${place} writable, and see that its disk has room: until then nothing is sent`;
    return [
      problemOf(check, new Failure("audit_unavailable", `${place} cannot be written (${code})`, { next })),
    ];
  }
  const writable: Found = { level: "ok", check, message: "audit.log can be written" };
  const files = openTrail(home);
  if (files instanceof Failure) return [problemOf(check, files)];
  const size = files.reduce((sum, file) => sum + file.size, 0);
  for (const file of files) file.close();
  if (!vault) return [writable];
  if (size >= verifiedBelow) {
    const message = `the trail has ${Math.round(size / 1024 / 1024)} MiB and was not verified here`;
    return [writable, { level: "ok", check, message, remedy: "janee logs verify" }];
  }
  const report = verifyTrail(home, vault.auditKey);
  if (report instanceof Failure) return [problemOf(check, report)];
  if (!report.intact)
    return [writable, { ...problemOf(check, brokenTrail(report)), remedy: "janee logs verify" }];
  return [writable, { level: "ok", check, message: `the trail is intact: ${report.lines} lines` }];
}
