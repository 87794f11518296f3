// The audit trail: one JSON object a line, one keyed chain a writer, and nothing advances on what was not written.
import assert from "node:assert/strict";
import { test } from "node:test";
import { AuditTrail, headMac } from "../../src/engine/audit.ts";
import type { Entry } from "../../src/engine/entry.ts";
import { Failure } from "../../src/engine/failure.ts";
import type { ChainHead, Journal, Store } from "../../src/engine/ports.ts";
import { newToken } from "../../src/engine/token.ts";
import { entropy } from "../../src/host/clock.ts";
import { digest } from "../../src/host/digest.ts";

const key = new Uint8Array(32).fill(3);
const full: Entry = {
  timestamp: "2026-01-15T10:30:00.000Z",
  id: "a-1",
  event: "response",
  surface: "mcp",
  owner: "o",
  agent: "claude-code",
  session: "k3f9",
  capability: "stripe-readonly",
  service: "stripe",
  method: "GET",
  path: "/v1/balance",
  query: "",
  status: 200,
  decision: "allow",
  rule: "allow: GET /v1/*",
  reason: "User asked for account balance",
  outcome: "ok",
  durationMs: 84,
  bytesIn: 0,
  bytesOut: 512,
  redactions: 0,
};
const short: Entry = { timestamp: "2026-01-15T10:30:00.000Z", id: "a-2", event: "request" };

type Head = ChainHead & { readonly mac: string };

/** A trail whose file, heads and ticks are in the hand of the test. */
class Bench implements Journal {
  readonly writes: string[] = [];
  readonly heads: Head[] = [];
  /** What happened, in order. */
  readonly order: string[] = [];
  readonly tasks: (() => void)[] = [];
  journalFails = false;
  storeFails = false;
  readonly trail: AuditTrail;

  constructor() {
    const saveHead = (head: Head): void => {
      if (this.storeFails) throw new Error("disk full");
      this.heads.push(head);
      this.order.push("head");
    };
    this.trail = new AuditTrail({
      journal: this,
      store: { saveHead, heads: () => [] } as unknown as Store,
      digest,
      key,
      soon: (task) => this.tasks.push(task),
      writer: "w",
      afterWrite: () => this.order.push("after"),
    });
  }

  write(lines: Uint8Array): Failure | undefined {
    if (this.journalFails) return new Failure("audit_unavailable", "no");
    this.writes.push(Buffer.from(lines).toString());
    this.order.push("lines");
    return undefined;
  }

  async write1(entry: Entry): Promise<Failure | undefined> {
    const written = this.trail.append(entry);
    this.tick();
    return written;
  }

  tick(): void {
    for (const task of this.tasks.splice(0)) task();
  }

  get lines(): string[] {
    return this.writes.join("").split("\n").slice(0, -1);
  }
}

interface Line extends Record<string, unknown> {
  readonly writer: string;
  readonly seq: number;
  readonly prev: string;
  readonly hash: string;
}

function parse(line: string): Line {
  return JSON.parse(line) as Line;
}

/** The first line of a chain that does not follow from the one before, as a reader without the code would find it. */
function broken(lines: readonly string[]): number | undefined {
  let [prev, seq] = ["", 0];
  for (const [at, line] of lines.entries()) {
    const { hash, ...rest } = parse(line);
    const covered = line.replace(/,"hash":"[^"]*"\}$/, "}");
    seq += 1;
    if (rest.seq !== seq || rest.prev !== prev || digest.hmac(key, covered) !== hash) return at;
    prev = hash;
  }
  return undefined;
}

async function lineOf(entry: Entry): Promise<{ raw: string; line: Line }> {
  const bench = new Bench();
  assert.equal(await bench.write1(entry), undefined);
  assert.equal(bench.lines.length, 1);
  const raw = bench.lines[0] ?? "";
  return { raw, line: parse(raw) };
}

test("a line has the contract's fields in the contract's order", async () => {
  const order = [
    ...[
      "timestamp",
      "id",
      "event",
      "surface",
      "owner",
      "agent",
      "session",
      "capability",
      "service",
      "method",
    ],
    ...[
      "path",
      "query",
      "status",
      "decision",
      "rule",
      "reason",
      "outcome",
      "durationMs",
      "bytesIn",
      "bytesOut",
    ],
    ...["redactions", "writer", "seq", "prev", "hash"],
  ];
  assert.deepEqual(Object.keys((await lineOf(full)).line), order);
  const shuffled = Object.fromEntries(Object.entries(full).reverse()) as unknown as Entry;
  const { raw, line } = await lineOf(shuffled);
  assert.deepEqual(Object.keys(line), order);
  assert.ok(
    raw.startsWith('{"timestamp":"2026-01-15T10:30:00.000Z","id":"a-1","event":"response","surface":"mcp"'),
  );
  for (const [name, value] of Object.entries(full)) assert.equal(line[name], value, name);
});

test("what is not known is left out, and what is empty or zero is not", async () => {
  const { line } = await lineOf({ ...short, query: "", count: 0, ...({ reason: undefined } as object) });
  assert.deepEqual(Object.keys(line), [
    "timestamp",
    "id",
    "event",
    "query",
    "count",
    "writer",
    "seq",
    "prev",
    "hash",
  ]);
});

test("whatever an agent writes, one entry is one line of visible text that reads back as it was", async () => {
  for (const text of [
    'x","status":200}\n{"fake":1',
    "a\r\nb\tc\u0000d",
    "\u2028\u2029",
    "\u202e\u202d\u2066\u2069\u200e\u200f\u061c",
    "\u001b[2K\u001b[1A",
    "\u009b31m\u0085\u007f",
    "\u200b\u200d\u2060\ufeff\u00ad",
    "\ufff9\ufffb",
    "\u00e9 \u65e5\u672c \u{1f600}",
    "\\ / \" '",
    "__proto__",
  ]) {
    for (const name of ["path", "query", "reason", "agent", "capability", "message"] as const) {
      const { raw, line } = await lineOf({ ...short, [name]: text });
      assert.equal(line[name], text, JSON.stringify(text));
      assert.doesNotMatch(
        raw,
        /[\x00-\x1f\x7f-\x9f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/,
      );
    }
  }
});

test("a lone surrogate becomes a replacement character, and a pair stays", async () => {
  const { line } = await lineOf({ ...short, reason: "a\ud800b\udc00c \u{1f600}" });
  assert.equal(line.reason, "a\ufffdb\ufffdc \u{1f600}");
});

test("each field has its bound", async () => {
  for (const [name, limit] of [
    ["path", 16_384],
    ["query", 16_384],
    ["reason", 500],
    ["agent", 100],
    ["message", 2000],
    ["capability", 300],
    ["method", 300],
  ] as const) {
    const exact = "x".repeat(limit);
    assert.equal((await lineOf({ ...short, [name]: exact })).line[name], exact, name);
    assert.equal((await lineOf({ ...short, [name]: `${exact}y` })).line[name], `${exact}\u2026`, name);
  }
  const { line } = await lineOf({ ...short, agent: `${"x".repeat(99)}\u{1f600}` });
  assert.equal(line.agent, `${"x".repeat(99)}\ufffd\u2026`);
});

test("no session token stands in a line, wherever it was written and wherever it is cut", async () => {
  const token = newToken(entropy);
  for (const name of [
    "path",
    "query",
    "reason",
    "agent",
    "message",
    "capability",
    "owner",
    "rule",
  ] as const) {
    const { raw, line } = await lineOf({ ...short, [name]: `a ${token} b ${token}` });
    assert.ok(!raw.includes(token.slice(4, 14)), name);
    assert.equal(line[name], "a [janee:session] b [janee:session]", name);
  }
  for (let before = 80; before <= 100; before++) {
    const { raw } = await lineOf({ ...short, agent: `${"x".repeat(before)}${token}` });
    assert.ok(!raw.includes(token.slice(4, 9)), String(before));
  }
  assert.equal((await lineOf({ ...short, reason: "jns_ alone" })).line.reason, "jns_ alone");
});

test("entries of one tick share one write; the chain goes on across writes", async () => {
  const bench = new Bench();
  const waiting = [short, full, short].map((entry) => bench.trail.append(entry));
  assert.equal(bench.tasks.length, 1);
  assert.equal(bench.writes.length, 0);
  bench.tick();
  assert.deepEqual(await Promise.all(waiting), [undefined, undefined, undefined]);
  assert.equal(bench.writes.length, 1);
  await bench.write1(short);
  await bench.write1(full);
  assert.equal(bench.writes.length, 3);
  assert.equal(broken(bench.lines), undefined);
  assert.deepEqual(
    bench.lines.map((line) => parse(line).seq),
    [1, 2, 3, 4, 5],
  );
  bench.trail.flush();
  assert.equal(bench.writes.length, 3);
});

test("a changed, a removed and a swapped line break the chain", async () => {
  const bench = new Bench();
  for (let at = 0; at < 5; at++) await bench.write1({ ...short, id: `a-${at}` });
  const lines = bench.lines;
  assert.equal(broken(lines), undefined);
  assert.equal(broken(lines.with(2, (lines[2] ?? "").replace("a-2", "a-9"))), 2);
  assert.equal(broken(lines.toSpliced(2, 1)), 2);
  assert.equal(broken([0, 2, 1, 3, 4].map((at) => lines[at] ?? "")), 1);
  assert.equal(broken(lines.slice(1)), 0);
});

test("the head is stored after the lines, with the last hash and a MAC, and then what follows runs", async () => {
  const bench = new Bench();
  await bench.write1(short);
  await bench.write1(full);
  assert.deepEqual(bench.order, ["lines", "head", "after", "lines", "head", "after"]);
  const last = parse(bench.lines.at(-1) ?? "");
  const head = bench.heads.at(-1);
  assert.deepEqual(head, {
    writer: "w",
    seq: 2,
    hash: last.hash,
    mac: headMac(digest, key, { writer: "w", seq: 2, hash: last.hash }),
  });
  assert.notEqual(head?.mac, headMac(digest, key, { writer: "w", seq: 1, hash: last.hash }));
});

test("a write that failed is told to all who wait, advances nothing, and a new chain begins", async () => {
  const bench = new Bench();
  await bench.write1(short);
  bench.journalFails = true;
  const waiting = [bench.trail.append(full), bench.trail.append(full)];
  bench.tick();
  for (const failure of await Promise.all(waiting)) assert.equal(failure?.code, "audit_unavailable");
  assert.equal(bench.heads.length, 1);
  assert.deepEqual(bench.order, ["lines", "head", "after"]);
  bench.journalFails = false;
  assert.equal(await bench.write1(full), undefined);
  assert.equal(bench.trail.writer, "w.1");
  const [first, second] = bench.lines.map(parse);
  assert.deepEqual([first?.writer, first?.seq], ["w", 1]);
  assert.deepEqual([second?.writer, second?.seq, second?.prev], ["w.1", 1, ""]);
  assert.equal(broken(bench.lines.slice(1)), undefined);
});

test("a head that cannot be stored is a failure as well: nothing follows, and a new chain begins", async () => {
  const bench = new Bench();
  bench.storeFails = true;
  assert.equal((await bench.write1(full))?.code, "audit_unavailable");
  assert.deepEqual(bench.order, ["lines"]);
  bench.storeFails = false;
  assert.equal(await bench.write1(full), undefined);
  assert.equal(bench.heads[0]?.writer, "w.1");
  assert.equal(bench.heads[0]?.seq, 1);
});
