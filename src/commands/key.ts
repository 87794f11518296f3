import { closeSync, lstatSync, openSync, readFileSync, statSync, unlinkSync } from "node:fs";
import { resolve } from "node:path";
import { Failure } from "../engine/failure.ts";
import { exportKeys, importKeys } from "../engine/key-export.ts";
import { didYouMean } from "../engine/nearest.ts";
import { entropy } from "../host/clock.ts";
import { broken, writeAtomic } from "../host/files.ts";
import { Home } from "../host/home.ts";
import { homePath } from "../host/home-path.ts";
import { isInside } from "../host/key-place.ts";
import { importVault } from "../host/keyring.ts";
import { askHidden, isInteractive, readStdinAll } from "../host/terminal.ts";
import type { Arguments, Command, Talk } from "./command.ts";
import { withJanee } from "./open.ts";
import { refuseWithoutPerson } from "./person.ts";
import { wireUp } from "./wire-up.ts";

const shortestPassphrase = 12;
const longestPassphrase = 4096;
const longestExport = 64 * 1024;

export const command: Command = {
  usage: "export [FILE] | import FILE",
  flags: {
    "passphrase-stdin": { type: "boolean", help: "read the passphrase from stdin instead of asking" },
    "passphrase-env": { type: "string", value: "NAME", help: "take the passphrase from this variable" },
    force: { type: "boolean", help: "export: replace FILE when it exists" },
  },
  positionals: { least: 1, most: 2 },
  notes: [
    "export: the keys of the vault under a passphrase, for another machine or a safe place; without FILE on stdout.",
    `The passphrase has at least ${shortestPassphrase} characters; several random words are good.`,
    "To move: copy JANEE_HOME, then janee key import FILE on the new machine.",
  ],
  async run(args, talk) {
    const [action = "", file] = args.positionals;
    if (action === "export") return exportTo(file === undefined ? undefined : resolve(file), args, talk);
    if (action === "import" && file !== undefined) return importFrom(resolve(file), args, talk);
    const what = action === "import" ? "import wants a file" : `unknown argument ${action.slice(0, 40)}`;
    return new Failure("usage", `${what}${didYouMean(action, ["export"])}`, {
      next: "expected: janee key export [FILE], or janee key import FILE",
    });
  },
};

function exportTo(file: string | undefined, args: Arguments, talk: Talk): Promise<number | Failure> {
  return withJanee(talk, async (janee) => {
    const unasked =
      refuseWithoutPassphrase(args, talk) ?? refusePlace(file, janee.home.path, args.flag("force"));
    if (unasked) return unasked;
    const where = file ?? "stdout";
    const refused = await refuseWithoutPerson(janee, talk, {
      command: `key export to ${where}`,
      stakes: [
        `The keys of the vault go to ${where}, under a passphrase.`,
        "With them, a copy of the home opens.",
      ],
      ask: "export the keys?",
    });
    if (refused) return refused;
    const passphrase = await takePassphrase(args, talk, true);
    if (passphrase instanceof Failure) return passphrase;
    if ([...passphrase].length < shortestPassphrase) {
      return new Failure("usage", `the passphrase is too short: at least ${shortestPassphrase} characters`, {
        next: "choose a longer passphrase; several random words are good",
      });
    }
    const text = exportKeys(janee.home.vault.bare(), passphrase, entropy);
    if (text instanceof Failure) return text;
    const unwritten = file === undefined ? undefined : writeNew(file, `${text}\n`, args.flag("force"));
    if (unwritten) return unwritten;
    if (talk.json) talk.printJson(file === undefined ? { export: text } : { file });
    else talk.print(file === undefined ? text : `exported to ${file}`);
    talk.say("  → it opens with the passphrase alone; after janee rotate, export anew");
    return 0;
  });
}

/** Before anything is asked, and again when the file is made. */
function refusePlace(file: string | undefined, home: string, force: boolean): Failure | undefined {
  if (file === undefined) return undefined;
  if (isInside(home, file)) {
    return new Failure("usage", "an export inside JANEE_HOME would travel with every backup of it", {
      next: "name a file elsewhere",
    });
  }
  return !force && lstatSync(file, { throwIfNoEntry: false }) ? exists(file) : undefined;
}

function exists(file: string): Failure {
  return new Failure("usage", `${file} exists already`, {
    next: "name another file, or replace it with --force",
  });
}

/** The name is taken first, so that nothing made in between is overwritten; then the file is written whole. */
function writeNew(file: string, text: string, force: boolean): Failure | undefined {
  if (force) return writeAtomic(file, text);
  try {
    closeSync(openSync(file, "wx", 0o600));
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EEXIST" ? exists(file) : broken(error, `write ${file}`);
  }
  const failure = writeAtomic(file, text);
  if (failure) unlinkSync(file);
  return failure;
}

async function importFrom(file: string, args: Arguments, talk: Talk): Promise<number | Failure> {
  const home = homePath(talk.environment);
  if (home instanceof Failure) return home;
  const text = readExport(file);
  if (text instanceof Failure) return text;
  const unasked = refuseWithoutPassphrase(args, talk);
  if (unasked) return unasked;
  const passphrase = await takePassphrase(args, talk, false);
  if (passphrase instanceof Failure) return passphrase;
  const keys = importKeys(text, passphrase);
  if (keys instanceof Failure) return keys;
  const vault = await importVault(home, keys, talk.environment);
  if (vault instanceof Failure) return vault;
  await noteImport(talk);
  if (talk.json) talk.printJson({ home, vault: vault.id });
  else talk.print(`the vault in ${home} opens on this machine`);
  talk.say(`  → the export is no longer needed here: rm ${file}`);
  return 0;
}

/** The keys are in place by now: what does not open for another reason is told, and does not undo that. */
async function noteImport(talk: Talk): Promise<void> {
  const home = await Home.open(talk.environment, true);
  const janee = home instanceof Failure ? home : wireUp(home);
  if (janee instanceof Failure) {
    talk.say(`janee: the keys are in place, but the home does not open yet: ${janee.message}`);
    if (janee.next !== undefined) talk.say(`  → ${janee.next}`);
    return;
  }
  const note = {
    event: "command",
    surface: "cli",
    owner: "person",
    outcome: "done",
    message: "key import",
  } as const;
  const unwritten = await janee.note(note);
  if (unwritten) talk.say(`janee: ${unwritten.message}`);
  janee.close();
}

function readExport(file: string): string | Failure {
  try {
    const stat = statSync(file);
    if (stat.isFile() && stat.size <= longestExport) return readFileSync(file, "utf8");
    return new Failure("usage", `${file} is no key export`, {
      next: "name the file that janee key export wrote",
    });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") return broken(error, `read ${file}`);
    return new Failure("not_found", `${file} does not exist`, {
      next: "name the file that janee key export wrote",
    });
  }
}

/** Without a terminal nothing is ever waited for. */
function refuseWithoutPassphrase(args: Arguments, talk: Talk): Failure | undefined {
  const name = args.text("passphrase-env");
  if (args.flag("passphrase-stdin")) {
    if (name === undefined) return undefined;
    return new Failure("usage", "--passphrase-stdin and --passphrase-env are two sources: choose one");
  }
  if (name !== undefined) {
    if (talk.environment[name]) return undefined;
    return new Failure("usage", `the variable ${name.slice(0, 64)} is not set`, {
      next: "set it for this command",
    });
  }
  if (isInteractive()) return undefined;
  return new Failure("usage", "a passphrase is needed, and there is no terminal to ask for it", {
    next: "give it with --passphrase-stdin or --passphrase-env NAME",
  });
}

async function takePassphrase(args: Arguments, talk: Talk, twice: boolean): Promise<string | Failure> {
  if (args.flag("passphrase-stdin")) return readStdinAll(longestPassphrase);
  const name = args.text("passphrase-env");
  if (name !== undefined) return talk.environment[name] ?? "";
  const first = await askHidden("passphrase: ");
  const again = twice && first !== undefined ? await askHidden("the same again: ") : first;
  if (first === undefined || again === undefined)
    return new Failure("usage", "no passphrase: nothing was done");
  if (first === again) return first;
  return new Failure("usage", "the two passphrases differ: nothing was exported", { next: "try again" });
}
