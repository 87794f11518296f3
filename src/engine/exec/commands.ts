// Commands take the same road as requests: admit → ask → open → record → run → scrub → record.
import { admitCommand, type CommandAdmission, type Standing } from "../admit.ts";
import type { Asking as Questions } from "../asking.ts";
import type { Judged } from "../call.ts";
import { Failure } from "../failure.ts";
import type { Flight, InFlight } from "../in-flight.ts";
import { countUse, refuseOverLimit } from "../limit.ts";
import type { Digest, Policy, Program, SpawnEnd, Spawner, Store } from "../ports.ts";
import type { Prepared, PreparedServices } from "../prepared.ts";
import { sameExec, sameService } from "../same-service.ts";
import { judge, type Sessions } from "../session.ts";
import type { Standings } from "../standing.ts";
import { refusedCommand, type Trail } from "../trail.ts";
import { askpassOf } from "./askpass.ts";
import type { CommandCall, CommandReply } from "./call.ts";
import { Capture } from "./capture.ts";
import { fillEnvironment, openVariables } from "./environment.ts";
import { type GitGuards, gitLook, gitModulesLook, topLook } from "./git-guards.ts";
import { asksPassword, guarded, refuseSettings } from "./git-order.ts";
import { needsCredential, usesGit } from "./presets.ts";

export interface CommandParts {
  readonly policy: Policy;
  readonly store: Store;
  readonly sessions: Sessions;
  readonly services: PreparedServices;
  readonly digest: Digest;
  readonly spawner: Spawner;
}

/** Commands at work at once. */
const mostRunning = 128;

/** Listing a repository's settings. */
const longestLookMs = 10_000;

/** A command that was let through, with what it needs to run. */
interface Ready {
  readonly id: string;
  readonly startedAt: number;
  readonly call: CommandCall;
  readonly judged: Judged<CommandAdmission>;
  readonly prepared: Prepared;
  readonly program: Program;
  readonly cwd: string | undefined;
  readonly environment: ReadonlyMap<string, string>;
}

export class Commands {
  readonly #parts: CommandParts;
  readonly #trail: Trail;
  readonly #questions: Questions;
  readonly #standings: Standings;
  readonly #inFlight: InFlight;
  #running = 0;

  constructor(
    parts: CommandParts,
    shared: { trail: Trail; questions: Questions; standings: Standings; inFlight: InFlight },
  ) {
    this.#parts = parts;
    this.#trail = shared.trail;
    this.#questions = shared.questions;
    this.#standings = shared.standings;
    this.#inFlight = shared.inFlight;
  }

  async run(asked: CommandCall): Promise<CommandReply | Failure> {
    const id = this.#trail.newId();
    const caller = this.#standings.callerOf(asked);
    const call = caller
      ? await this.#standings.seated(asked, caller, () => this.#refusedByRules(asked))
      : asked;
    if (call instanceof Failure) return this.#refuse(id, asked, call);
    if (this.#running >= mostRunning) {
      return this.#refuse(id, call, new Failure("too_busy", "too many commands at once", { retryAfter: 1 }));
    }
    const judged = this.#judge(call);
    if (judged instanceof Failure) return this.#refuse(id, call, judged);
    const flight: Flight = { call, capability: call.capability, session: judged.session };
    this.#inFlight.begin(flight);
    this.#running += 1;
    try {
      const ready = await this.#prepare(id, call, judged);
      if (ready instanceof Failure) return await this.#refuse(id, call, ready, judged);
      return await this.#perform(ready);
    } finally {
      this.#running -= 1;
      this.#inFlight.end(flight);
    }
  }

  #refusedByRules(call: CommandCall): Failure | undefined {
    const { policy, sessions } = this.#parts;
    const admission = admitCommand(policy.current().config, "rules-only", call, sessions.now());
    return admission instanceof Failure ? admission : undefined;
  }

  #judge(call: CommandCall): Judged<CommandAdmission> | Failure {
    const { policy, store, sessions } = this.#parts;
    const { config, generation } = policy.current();
    const version = store.versionOfTick();
    const session = this.#standings.sessionOf(call);
    const standing: Standing = call.by === "person" ? "rules-only" : { session };
    const admission = admitCommand(config, standing, call, sessions.now());
    return admission instanceof Failure ? admission : { admission, session, version, generation };
  }

  async #prepare(id: string, call: CommandCall, judged: Judged<CommandAdmission>): Promise<Ready | Failure> {
    const { sessions, services, spawner, store } = this.#parts;
    const { service, exec, command, capability } = judged.admission;
    const startedAt = sessions.now();
    const prepared = services.known(service) ?? (await services.prepare(service));
    if (prepared instanceof Failure) return prepared;
    const cwd = folderOf(spawner, exec.workDir, call.cwd);
    if (cwd instanceof Failure) return cwd;
    const program = this.#find(judged.admission, cwd);
    if (program instanceof Failure) return program;
    // A git that talks to no service gets no credential.
    const variables = needsCredential(command) ? exec.envMap : openVariables(exec.envMap);
    const environment = fillEnvironment(variables, service.auth, prepared.secrets);
    const ready: Ready = { id, startedAt, call, judged, prepared, program, cwd, environment };
    const refused =
      this.#questions.unansweredSession(judged, prepared) ??
      this.#questions.unanswered(judged, this.#questionOf(ready), prepared) ??
      refuseOverLimit(store, capability, sessions.now());
    return refused ?? (command.length === 0 ? new Failure("bad_argv", "there is no command") : ready);
  }

  #find({ exec, command }: CommandAdmission, cwd: string | undefined): Program | Failure {
    const [name = ""] = command;
    const sha256 = exec.sha256.get(name);
    const outside = cwd === undefined || exec.workDir === undefined ? [] : [cwd, exec.workDir];
    return this.#parts.spawner.find(name, { outside, ...(sha256 === undefined ? {} : { sha256 }) });
  }

  async #perform(ready: Ready): Promise<CommandReply | Failure> {
    const { id, startedAt, call, judged, prepared, cwd } = ready;
    const story = this.#trail.commandStory(call, judged, cwd, prepared);
    const begun = { id, startedAt, body: { kind: "whole" as const, bytes: call.stdin } };
    const unwritten = await this.#trail.begin(begun, story);
    if (unwritten) return unwritten;
    const { output } = call;
    const stdout = new Capture(prepared.scrubber, output && ((bytes) => output("stdout", bytes)));
    const stderr = new Capture(prepared.scrubber, output && ((bytes) => output("stderr", bytes)));
    const end = await this.#spawn(ready, { stdout, stderr });
    const captured = { stdout: stdout.end(), stderr: stderr.end() };
    const bytesOut = stdout.bytesOut + stderr.bytesOut;
    const redactions = stdout.redactions + stderr.redactions;
    if (end instanceof Failure) {
      await this.#trail.end(begun, story, { bytesOut, redactions, failure: end.code });
      return end;
    }
    const { exitCode, signal, timedOut } = end;
    const untold = await this.#trail.end(begun, story, {
      ...{ bytesOut, redactions },
      ...(exitCode === null ? {} : { exitCode }),
      ...(signal === null ? {} : { signal }),
      ...(timedOut ? { outcome: "timed_out" as const } : {}),
    });
    return untold ?? { ...end, ...captured };
  }

  async #spawn(
    ready: Ready,
    into: Readonly<Record<"stdout" | "stderr", Capture>>,
  ): Promise<SpawnEnd | Failure> {
    const { call, judged, prepared, program, cwd, environment } = ready;
    const { exec, command, service } = judged.admission;
    const unsafe = usesGit(program.name) ? await this.#refuseRepository(ready) : undefined;
    if (unsafe) return unsafe;
    const askpass = asksPassword(command) ? askpassOf(service, prepared.secrets) : undefined;
    return this.#parts.spawner.run(
      {
        ...{ program, cwd, stdin: call.stdin, timeoutMs: exec.timeoutMs },
        ...guarded(command, environment),
        lastLook: () => this.#lastLook(ready),
        output: (stream, bytes) => into[stream].push(bytes),
        ...(askpass === undefined ? {} : { askpass }),
      },
      call.lifeline,
    );
  }

  /** A folder of its own holds no repository. What git lists elsewhere is read before it gets anything. */
  async #refuseRepository(ready: Ready): Promise<Failure | undefined> {
    const { judged, cwd } = ready;
    if (cwd === undefined) return undefined;
    const own = await this.#listed(ready, cwd, gitLook());
    if (own instanceof Failure) return own;
    if (own === undefined) {
      const name = judged.admission.command[0];
      return new Failure(
        "argv_denied",
        `the git settings of this folder cannot be read, so "${name}" does not run in it`,
      );
    }
    const unsafe = refuseSettings(own);
    if (unsafe) return unsafe;
    const top = await this.#listed(ready, cwd, topLook());
    // Outside of a repository there is no top, and no file of submodules.
    const modules =
      typeof top === "string" ? await this.#listed(ready, cwd, gitModulesLook(top.trim())) : top;
    if (modules instanceof Failure) return modules;
    return modules === undefined ? undefined : refuseSettings(modules);
  }

  /** What git prints, run without the credential; undefined where it ends with an error. */
  async #listed(ready: Ready, cwd: string, look: GitGuards): Promise<string | Failure | undefined> {
    const git = this.#parts.spawner.find("git", { outside: [cwd] });
    if (git instanceof Failure) return git;
    const printed: Buffer[] = [];
    const end = await this.#parts.spawner.run(
      {
        ...{ program: git, cwd, stdin: Buffer.alloc(0), timeoutMs: longestLookMs, ...look },
        lastLook: () => {
          const stands = this.#stillStands(ready, this.#parts.store.version());
          return stands instanceof Failure ? stands : undefined;
        },
        output: (stream, bytes) => void (stream === "stdout" && printed.push(bytes)),
      },
      ready.call.lifeline,
    );
    if (end instanceof Failure) return end;
    return end.exitCode === 0 ? Buffer.concat(printed).toString("utf8") : undefined;
  }

  /** In the tick in which the command starts: what is spent is spent, and what was revoked does not start. */
  #lastLook(ready: Ready): Failure | undefined {
    const { store, sessions } = this.#parts;
    return store.transaction(() => {
      const judged = this.#stillStands(ready, store.version());
      if (judged instanceof Failure) return judged;
      const { capability } = judged.admission;
      const now = sessions.now();
      const refused =
        refuseOverLimit(store, capability, now) ??
        this.#questions.spendAnswer(judged, this.#questionOf(ready));
      if (!refused) countUse(store, capability, now);
      return refused;
    });
  }

  #stillStands({ call, judged }: Ready, version: number): Judged<CommandAdmission> | Failure {
    const { policy, sessions } = this.#parts;
    const same = version === judged.version && policy.current().generation === judged.generation;
    if (same) return (judged.session && judge(judged.session, sessions.now())) ?? judged;
    const again = this.#judge(call);
    if (again instanceof Failure) return again;
    const { service, exec, decision } = again.admission;
    const before = judged.admission;
    const changed =
      !sameService(service, before.service) ||
      !sameExec(exec, before.exec) ||
      decision.effect !== before.decision.effect;
    if (!changed) return again;
    return new Failure("too_busy", "the policy changed while this command was on its way", {
      next: "run it again",
    });
  }

  #questionOf({ call, judged, program, cwd }: Ready) {
    const { stdin } = call;
    return {
      program: program.path,
      argv: judged.admission.command,
      ...(cwd === undefined ? {} : { cwd }),
      ...(call.reason === undefined ? {} : { reason: call.reason }),
      bodyBytes: stdin.length,
      ...(stdin.length === 0 ? {} : { bodyDigest: hexDigest(this.#parts.digest, stdin) }),
    };
  }

  async #refuse(
    id: string,
    call: CommandCall,
    failure: Failure,
    judged?: Judged<CommandAdmission>,
  ): Promise<Failure> {
    const session = judged?.session ?? this.#standings.sessionOf(call);
    await this.#trail.refuse(refusedCommand(id, call, session, judged?.admission.service.name), failure);
    return failure;
  }
}

function folderOf(
  spawner: Spawner,
  workDir: string | undefined,
  cwd: string | undefined,
): string | Failure | undefined {
  if (workDir !== undefined) return spawner.folder(workDir, cwd);
  if (cwd === undefined) return undefined;
  return new Failure(
    "cwd_denied",
    "this capability has no workDir, so its commands run in a folder of their own",
  );
}

function hexDigest(digest: Digest, bytes: Buffer): string {
  return Buffer.from(digest.sha256(bytes), "base64url").toString("hex");
}
