// What the tests of files, lock and vault do in other processes, some of which are killed.
import { closeSync, openSync } from "node:fs";
import { join } from "node:path";
import { Failure } from "../../src/engine/failure.ts";
import { readPrivate, writeAtomic } from "../../src/host/files.ts";
import { openOrCreate, rotateVault } from "../../src/host/keyring.ts";
import { homeLock, withLock } from "../../src/host/lock.ts";

const [task = "", home = "", argument = ""] = process.argv.slice(2);
const counter = join(home, "counter");

function must<T>(result: T | Failure): T {
  if (result instanceof Failure) throw new Error(`${result.code}: ${result.message}`);
  return result;
}

/** The number is written many times over, so that a torn file could not look whole. */
function add(): void {
  const bytes = must(readPrivate(counter));
  const count = Number(bytes?.toString().split("\n")[0] ?? 0) + 1;
  must(writeAtomic(counter, `${count}\n`.repeat(2_000)));
}

if (task === "add") {
  for (let turn = 0; turn < Number(argument); turn++) must(await withLock(homeLock(home), add));
  console.log("added");
} else if (task === "hold") {
  must(
    await withLock(homeLock(home), async () => {
      console.log("held");
      await new Promise((resolve) => setTimeout(resolve, 600_000));
    }),
  );
} else if (task === "create") {
  const environment = { XDG_STATE_HOME: argument, HOME: argument, LOCALAPPDATA: argument };
  console.log(must(await openOrCreate(home, environment, false)).id);
} else if (task === "rotate") {
  const [state = "", killedAt = ""] = argument.split("|");
  const environment = { XDG_STATE_HOME: state, HOME: state, LOCALAPPDATA: state };
  const seal = (text: string) => writeAtomic(join(home, "sealed"), text);
  await rotateVault(
    home,
    (_old, next) => seal(next.current),
    environment,
    undefined,
    (step) => {
      if (step === killedAt) process.kill(process.pid, "SIGKILL");
    },
  );
} else if (task === "write") {
  const result = writeAtomic(join(home, "config.yaml"), "new ".repeat(Number(argument)));
  console.log(JSON.stringify(result ?? null));
} else if (task === "write without descriptors") {
  const open: number[] = [];
  try {
    for (;;) open.push(openSync("/dev/null", "r"));
  } catch {
    // Now there are none left.
  }
  const result = writeAtomic(join(home, "config.yaml"), "new");
  for (const fd of open) closeSync(fd);
  console.log(JSON.stringify(result ?? null));
} else {
  throw new Error(`no task "${task}"`);
}
