// What one client of `janee mcp` is served with: loaded and opened while it reads the answer to its handshake.
import { setTimeout as pause } from "node:timers/promises";
import { Failure } from "../engine/failure.ts";
import { didYouMean } from "../engine/nearest.ts";
import { shortId } from "../engine/token.ts";
import { visible } from "../engine/visible.ts";
import { entropy } from "../host/clock.ts";
import { servingUrl } from "../host/serving.ts";
import { onStopSignal } from "../host/stop-signals.ts";
import type { Served } from "../surface/mcp/face.ts";
import type { Talk } from "./command.ts";
import { withJanee } from "./open.ts";
import { watchOver } from "./watch.ts";
import type { Janee } from "./wire-up.ts";

const ownerIdLength = 8;
const stateKeyBytes = 32;
/** A command that has to be killed is given up after three seconds. */
const endsWithinMs = 4_000;

interface Wanted {
  readonly only: ReadonlySet<string> | undefined;
  readonly agent: string | undefined;
}

interface Serving {
  readonly ended: Promise<void>;
  readonly stop: () => Promise<void>;
}

export function serveClient(
  talk: Talk,
  wanted: Wanted,
  ready: (served: Served) => void,
  serving: Serving,
): Promise<number | Failure> {
  return withJanee(talk, async (janee) => {
    const { home, broker, sessions, approvals } = janee;
    const { only, agent } = wanted;
    const unknown = refuseUnknown(only, home.current().config.capabilities.keys());
    if (unknown) return unknown;
    for (const warning of home.warnings) talk.say(`janee: warning: ${visible(warning.message)}`);
    const caller = {
      owner: `mcp:${shortId(entropy, ownerIdLength)}`,
      ...(agent === undefined ? {} : { agent }),
      ...(only === undefined ? {} : { only }),
    };
    const watch = watchOver(janee, talk);
    onStopSignal(() => void serving.stop());
    ready({ caller, face: { broker, policy: home, sessions, approvals, ...faceOf(janee) } });
    await serving.ended;
    await broker.endSessionsOf(caller, "mcp");
    // What this has cut ends with a line in the trail.
    await Promise.race([broker.idle(), pause(endsWithinMs, undefined, { ref: false })]);
    watch.stop();
    return 0;
  });
}

function faceOf({ home }: Janee) {
  return { stateKey: entropy.bytes(stateKeyBytes), servingUrl: () => servingUrl(home.path) };
}

function refuseUnknown(only: ReadonlySet<string> | undefined, names: Iterable<string>): Failure | undefined {
  const known = [...names];
  for (const name of only ?? []) {
    if (known.includes(name)) continue;
    const message = `there is no capability "${name.slice(0, 64)}"${didYouMean(name, known)}`;
    const next = known.length === 0 ? "janee add <service>" : `known capabilities: ${known.join(", ")}`;
    return new Failure("unknown_capability", message, { next });
  }
  return undefined;
}
