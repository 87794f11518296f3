// A janee of its own that runs commands: to be started with more than it needs, or to be killed.
import { Failure } from "../../src/engine/failure.ts";
import { Lifeline } from "../../src/engine/ports.ts";
import { makeSpawner } from "../../src/host/spawner.ts";

const [task = "", home = "", ...rest] = process.argv.slice(2);
const spawner = makeSpawner({ home, environment: process.env });
const [name = "", ...args] = task === "descriptors" ? ["ls", "/proc/self/fd"] : rest;
const program = spawner.find(name, { outside: [] });
if (program instanceof Failure) throw new Error(program.message);
const running = spawner.run(
  {
    ...{ program, args, environment: new Map(), cwd: undefined, stdin: new Uint8Array(), timeoutMs: 60_000 },
    lastLook: () => undefined,
    output: (_, bytes) => process.stdout.write(bytes),
  },
  new Lifeline(),
);
if (task === "exit") setTimeout(() => process.exit(0), 500);
await running;
