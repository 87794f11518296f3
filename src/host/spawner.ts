// Commands for real: found once, started with nothing of janee's own, and ended with all that they started.
import { type ChildProcess, spawn } from "node:child_process";
import { homedir } from "node:os";
import { basename } from "node:path";
import { Failure } from "../engine/failure.ts";
import type { Lifeline, Program, SpawnEnd, Spawner, SpawnOrder } from "../engine/ports.ts";
import type { Environment } from "./key-place.ts";
import { type Askpass, openAskpass } from "./spawn/askpass.ts";
import { childEnvironment } from "./spawn/environment.ts";
import { type Bounds, Finder } from "./spawn/find.ts";
import { folderIn, realFolder } from "./spawn/folder.ts";
import { follow, notStarted } from "./spawn/follow.ts";
import { kinOf, type Run } from "./spawn/kin.ts";
import { type Mark, marked, markVariable, newMark } from "./spawn/marks.ts";
import { processOf } from "./spawn/processes.ts";
import { type Ready, ready } from "./spawn/ready.ts";
import { makeScratch, removeScratch, sweep } from "./spawn/scratch.ts";
import { childPath, searchPath } from "./spawn/search-path.ts";

export { guarantees } from "./spawn/ready.ts";

export function makeSpawner(of: { readonly home: string; readonly environment: Environment }): Spawner {
  return new LocalSpawner(of.home, { ...of.environment });
}

class LocalSpawner implements Spawner {
  readonly #home: string;
  readonly #environment: Environment;
  readonly #path: readonly string[];
  readonly #finder: Finder;
  #swept: Promise<void> | undefined;

  constructor(home: string, environment: Environment) {
    this.#home = home;
    this.#environment = environment;
    this.#path = searchPath(environment.PATH ?? environment.Path);
    this.#finder = new Finder(this.#path, environment.PATHEXT);
  }

  find(command: string, bounds: Bounds): Program | Failure {
    return this.#finder.find(command, bounds);
  }

  folder(workDir: string, cwd: string | undefined): string | Failure {
    return folderIn(workDir, cwd, this.#environment.HOME || homedir());
  }

  async run(order: SpawnOrder, lifeline: Lifeline): Promise<SpawnEnd | Failure> {
    const reach = await ready();
    this.#swept ??= sweep(this.#home);
    await this.#swept;
    if (lifeline.cutBy) return lifeline.cutBy;
    const scratch = makeScratch(this.#home);
    if (scratch instanceof Failure) return scratch;
    try {
      return await this.#runIn(scratch, order, lifeline, reach);
    } finally {
      await removeScratch(scratch);
    }
  }

  async #runIn(
    scratch: string,
    order: SpawnOrder,
    lifeline: Lifeline,
    reach: Ready,
  ): Promise<SpawnEnd | Failure> {
    const mark = newMark(basename(scratch), reach.libc);
    let run: Run | undefined;
    const mayAsk = (descriptor: number | undefined): boolean => {
      const pid = descriptor === undefined ? undefined : reach.libc.peerOf(descriptor);
      // Where the system does not say who asks, the nonce decides.
      if (pid === undefined) return !reach.adopting;
      return run !== undefined && kinOf(run, reach.adopting).some((one) => one.pid === pid);
    };
    const askpass = order.askpass ? await openAskpass(scratch, order.askpass, mayAsk) : undefined;
    if (askpass instanceof Failure) return askpass;
    try {
      if (lifeline.cutBy) return lifeline.cutBy;
      const child = this.#start(scratch, order, mark, askpass, reach);
      if (child instanceof Failure) return child;
      run = { mark, pid: child.pid ?? 0, started: processOf(child.pid ?? 0)?.started ?? 0 };
      return await follow(child, run, scratch, order, lifeline, reach);
    } finally {
      askpass?.close();
    }
  }

  /** Looked at, then started, with nothing in between. */
  #start(
    scratch: string,
    order: SpawnOrder,
    mark: Mark,
    askpass: Askpass | undefined,
    reach: Ready,
  ): ChildProcess | Failure {
    const { program, args, cwd = scratch, stdin } = order;
    const found = this.#finder.stillThere(program);
    if (found instanceof Failure) return found;
    if (cwd !== scratch && realFolder(cwd) !== cwd)
      return new Failure("cwd_denied", "cwd is not the folder that it was a moment ago");
    const path = childPath(this.#path, found.outside);
    const last = { ...askpass?.environment, [markVariable]: mark.name };
    const env = childEnvironment(this.#environment, path, scratch, order.environment, last);
    const options = {
      // One file can be several programs by the name it is started with (busybox).
      argv0: basename(program.name),
      cwd,
      env,
      // A session of its own: no terminal, and one group to signal.
      detached: process.platform !== "win32",
      windowsHide: true,
      stdio: [stdin.length > 0 ? "pipe" : "ignore", "pipe", "pipe"] as ["pipe" | "ignore", "pipe", "pipe"],
    };
    const refused = order.lastLook();
    if (refused) return refused;
    try {
      return marked(mark, reach.libc, () => spawn(program.path, [...args], options));
    } catch (error) {
      return notStarted(error);
    }
  }
}
