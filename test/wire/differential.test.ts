import assert from "node:assert/strict";
import type { Buffer } from "node:buffer";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { type Message, type Reading, readRequests } from "./connection.ts";
import { connectionBytes, randomParts, seeded } from "./generate.ts";

interface Seen extends Message {
  readonly complete: boolean;
}

interface Verdict {
  readonly id: number;
  readonly requests: readonly Seen[];
  readonly error: string | null;
}

async function askNode(cases: readonly Buffer[]): Promise<Verdict[]> {
  const script = fileURLToPath(new URL("./oracle.mjs", import.meta.url));
  const node = spawn("node", [script], { stdio: ["pipe", "pipe", "inherit"] });
  const ended = once(node, "close");
  const verdicts: Verdict[] = [];
  let version: { node: string; other: string | null } | undefined;
  const lines = createInterface({ input: node.stdout });
  const read = once(lines, "close");
  lines.on("line", (line) => {
    if (version === undefined) version = JSON.parse(line);
    else verdicts.push(JSON.parse(line));
  });
  node.stdin.end(cases.map((one, id) => `${id} ${one.toString("base64")}\n`).join(""));
  await read;
  assert.deepEqual(await ended, [0, null]);
  assert.equal(version?.other, null, "the oracle must be Node itself");
  assert.equal(verdicts.length, cases.length);
  return verdicts;
}

/** Why the two readings differ, or undefined. */
function difference(wire: Reading, node: Verdict): string | undefined {
  const whole = node.requests.filter((one) => one.complete);
  for (const [index, mine] of wire.messages.entries()) {
    const seen = whole[index];
    if (seen === undefined) return `node did not read request ${index}: ${node.error}`;
    const { start, minor, raw, body } = seen;
    try {
      assert.deepEqual({ start, minor, raw, body }, mine);
    } catch (error) {
      return `request ${index}: ${error}`;
    }
  }
  // Past a refusal or the last request of a connection nothing is read here, so nothing can be compared.
  const comparable = wire.ended === "open" || wire.ended === "incomplete";
  if (comparable && whole.length !== wire.messages.length) return `node read ${whole.length} requests`;
  return undefined;
}

test("whatever the wire accepts, node:http reads identically", { timeout: 300_000 }, async () => {
  const seed = Number(process.env.JANEE_SEED ?? Math.floor(Math.random() * 2 ** 32));
  const wanted = Number(process.env.JANEE_FUZZ_CASES ?? 10_000);
  console.log(`wire differential: JANEE_SEED=${seed} JANEE_FUZZ_CASES=${wanted}`);
  const random = seeded(seed);
  const cases: Buffer[] = [];
  const readings: Reading[] = [];
  let refused = 0;
  for (let count = 0; count < wanted; count += 1) {
    const whole = connectionBytes(random);
    const reading = readRequests([whole]);
    const parts = randomParts(random, whole);
    assert.deepEqual(readRequests(parts), reading, `seed ${seed} case ${count}: differs when split`);
    if (reading.messages.length === 0 && reading.ended !== "incomplete") refused += 1;
    else {
      cases.push(whole);
      readings.push(reading);
    }
  }
  let accepted = 0;
  const failures: string[] = [];
  for (const verdict of await askNode(cases)) {
    const reading = readings[verdict.id] as Reading;
    accepted += reading.messages.length;
    const why = difference(reading, verdict);
    if (why !== undefined) {
      failures.push(
        `${why}\n${JSON.stringify(cases[verdict.id]?.toString("latin1"))}\nwire: ${reading.ended}`,
      );
    }
  }
  console.log(`compared ${cases.length} connections, ${accepted} requests; ${refused} refused at once`);
  assert.equal(
    failures.length,
    0,
    `seed ${seed}: ${failures.length} differ\n${failures.slice(0, 5).join("\n\n")}`,
  );
  // A generator that produces next to nothing acceptable would prove nothing.
  assert.ok(wanted < 100 || accepted > wanted / 4, `only ${accepted} requests were accepted`);
});
