// A run around a config that lies elsewhere, as in a repository: no home is used, and none is left behind.
import { closeSync, fstatSync, openSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readBindings, refuseElsewhere, variableOf } from "../engine/bindings.ts";
import type { Config } from "../engine/config.ts";
import { Failure } from "../engine/failure.ts";
import { type ReadConfig, readConfig } from "../engine/read-config.ts";
import { shortId } from "../engine/token.ts";
import { visible } from "../engine/visible.ts";
import { entropy } from "../host/clock.ts";
import { ensureHome } from "../host/files.ts";
import { Home } from "../host/home.ts";
import { clearDeadRuns, inRunFolder } from "../host/run/folder.ts";
import type { Arguments, Talk } from "./command.ts";
import { type Janee, type WiredMore, wireUp } from "./wire-up.ts";

const idLength = 8;
const keyLength = 32;
const largest = 1024 * 1024;

export async function withElsewhere(
  talk: Talk,
  args: Arguments,
  work: (janee: Janee) => Promise<number | Failure>,
  more: WiredMore,
): Promise<number | Failure> {
  const read = readElsewhere(talk, args);
  if (read instanceof Failure) return read;
  const { environment } = talk;
  const place = join(environment.RUNNER_TEMP || tmpdir(), `janee-${process.getuid?.() ?? "run"}`);
  const refused = ensureHome(place);
  if (refused) return refused;
  // What was killed could not tidy up after itself.
  await clearDeadRuns(place);
  return inRunFolder(place, shortId(entropy, idLength), async (folder) => {
    const home = await Home.fixed(join(folder, "home"), keyed(environment), read);
    if (home instanceof Failure) return home;
    const janee = wireUp(home, home, more);
    if (janee instanceof Failure) return janee;
    try {
      return await work(janee);
    } finally {
      janee.close();
    }
  });
}

/** What wraps the keys of this one run never touches a disk. */
function keyed(environment: Talk["environment"]): Talk["environment"] {
  const made = () => Buffer.from(entropy.bytes(keyLength)).toString("base64");
  const { JANEE_KEY_FILE: _file, JANEE_KEYCHAIN: _chain, ...rest } = environment;
  return { ...rest, JANEE_KEY: environment.JANEE_KEY || made() };
}

function readElsewhere(talk: Talk, args: Arguments): ReadConfig | Failure {
  const bindings = readBindings(args.texts("bind"));
  if (bindings instanceof Failure) return bindings;
  const path = args.text("config") ?? "";
  const text = textOf(path);
  if (text instanceof Failure) return text;
  const read = readConfig(text, path);
  if (read instanceof Failure) return read;
  const { config } = read;
  const refused = refuseElsewhere(config, bindings);
  if (refused) return refused;
  const named = variablesIn(config);
  for (const name of bindings.keys()) {
    if (!named.has(name)) talk.say(`janee: --bind ${name}: nothing in ${visible(path)} refers to it`);
  }
  const caFile = args.text("ca-file");
  const network = caFile === undefined ? config.network : { ...config.network, caFile };
  return { ...read, config: { ...config, network } };
}

function variablesIn(config: Config): ReadonlySet<string | undefined> {
  return new Set(
    [...config.services.values()].flatMap(({ auth }) => [...auth.secret.values()].map(variableOf)),
  );
}

/** It is no secret, and others may own it. */
function textOf(path: string): string | Failure {
  try {
    const descriptor = openSync(path, "r");
    try {
      const stat = fstatSync(descriptor);
      if (stat.isFile() && stat.size <= largest) return readFileSync(descriptor, "utf8");
      return new Failure("config_invalid", `${visible(path)} is no file of up to 1 MiB`);
    } finally {
      closeSync(descriptor);
    }
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? "unknown error";
    return new Failure("config_missing", `${visible(path)} cannot be read (${code})`, {
      next: "name the config: --config FILE",
    });
  }
}
