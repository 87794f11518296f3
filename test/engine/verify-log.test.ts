import assert from "node:assert/strict";
import { createHash, createHmac } from "node:crypto";
import { test } from "node:test";
import { AuditTrail, headMac } from "../../src/engine/audit.ts";
import type { Entry } from "../../src/engine/entry.ts";
import { Failure } from "../../src/engine/failure.ts";
import type { ChainHead, Digest, Store } from "../../src/engine/ports.ts";
import { LogCheck, type LogReport, type StoredHead } from "../../src/engine/verify-log.ts";
import { digest as hostDigest } from "../../src/host/digest.ts";

const digest: Digest = {
  ...hostDigest,
  sha256: (text) => createHash("sha256").update(text).digest("base64url"),
  hmac: (key, text) => createHmac("sha256", key).update(text).digest("base64url"),
};
const key = new Uint8Array(32).fill(7);

/** A trail as janee writes it: files of lines, and the heads of their writers. */
class Trail {
  files = new Map<string, string[]>([["audit.log", []]]);
  heads = new Map<string, StoredHead>();
  #count = 0;
  #writers = new Map<string, AuditTrail>();

  #writer(name: string): AuditTrail {
    const known = this.#writers.get(name);
    if (known) return known;
    const store = {
      heads: () => [...this.heads.values()],
      saveHead: (head: StoredHead, takenOver: readonly ChainHead[] = []) => {
        this.heads.set(head.writer, head);
        for (const { writer, seq } of takenOver) {
          if (this.heads.get(writer)?.seq === seq) this.heads.delete(writer);
        }
      },
    };
    const made = new AuditTrail({
      journal: {
        write: (lines) => {
          this.lines().push(...Buffer.from(lines).toString().split("\n").slice(0, -1));
          return undefined;
        },
      },
      store: store as unknown as Store,
      digest,
      key,
      soon: () => {},
      writer: name,
      afterWrite: () => {},
    });
    this.#writers.set(name, made);
    return made;
  }

  lines(file = "audit.log"): string[] {
    const lines = this.files.get(file);
    if (!lines) throw new Error(`no file ${file}`);
    return lines;
  }

  write(writer: string, entry: Partial<Entry> = {}): this {
    this.#count += 1;
    const trail = this.#writer(writer);
    const timestamp = "2026-01-15T10:30:00.000Z";
    void trail.append({ timestamp, id: `id-${this.#count}`, event: "session", reason: "line", ...entry });
    trail.flush();
    return this;
  }

  /** The current file is put aside, as the journal does. */
  rotate(): this {
    const current = this.lines();
    this.files = new Map([...this.files].filter(([name]) => name !== "audit.log"));
    this.files.set(`audit.log.${this.files.size + 1}`, current).set("audit.log", []);
    return this;
  }

  check(headsNow?: readonly StoredHead[]): LogReport {
    const check = new LogCheck(digest, key, [...this.heads.values()]);
    for (const [file, lines] of this.files) {
      for (const [index, text] of lines.entries()) check.take(file, index + 1, text);
    }
    return check.report(headsNow ?? [...this.heads.values()]);
  }
}

/** Six lines of one writer, interleaved with four of another; the first line of `w` is audit.log:1. */
function sample(): Trail {
  const trail = new Trail();
  for (let turn = 0; turn < 6; turn++) {
    trail.write("w");
    if (turn < 4) trail.write("v");
  }
  return trail;
}

function seqsOf(trail: Trail, file = "audit.log"): string[] {
  return trail.lines(file).map((line) => {
    const { writer, seq } = JSON.parse(line) as { writer: string; seq: number };
    return `${writer}${seq}`;
  });
}

function at(trail: Trail, name: string): number {
  const index = seqsOf(trail).indexOf(name);
  assert.notEqual(index, -1, `no line ${name}`);
  return index;
}

function edit(trail: Trail, name: string, change: (line: string) => string): void {
  const index = at(trail, name);
  trail.lines()[index] = change(trail.lines()[index] ?? "");
}

function remove(trail: Trail, ...names: string[]): void {
  for (const name of names) trail.lines().splice(at(trail, name), 1);
}

const untouched = sample();

test("an untouched trail is intact, without a note", () => {
  assert.deepEqual(untouched.check(), {
    intact: true,
    lines: 10,
    writers: 2,
    problemCount: 0,
    problems: [],
    notes: [],
  });
  assert.deepEqual(seqsOf(untouched), ["w1", "v1", "w2", "v2", "w3", "v3", "w4", "v4", "w5", "w6"]);
});

interface Tampering {
  readonly title: string;
  readonly tamper: (trail: Trail) => void;
  /** The first problem: kind, file:line if it has one, writer and seq. */
  readonly first: string;
  readonly count?: number;
}

const tamperings: readonly Tampering[] = [
  {
    title: "a changed byte",
    tamper: (trail) => edit(trail, "w3", (line) => line.replace("line", "lime")),
    first: "changed audit.log:5 w3",
    count: 1,
  },
  {
    title: "a changed byte in the last line",
    tamper: (trail) => edit(trail, "w6", (line) => line.replace("line", "lime")),
    first: "changed audit.log:10 w6",
    count: 1,
  },
  {
    title: "a changed byte in the first line",
    tamper: (trail) => edit(trail, "w1", (line) => line.replace("line", "lime")),
    first: "changed audit.log:1 w1",
    count: 1,
  },
  {
    title: "a changed hash",
    tamper: (trail) =>
      edit(trail, "w3", (line) => line.replace(/.(?="\}$)/, (old) => (old === "A" ? "E" : "A"))),
    first: "changed audit.log:5 w3",
    count: 1,
  },
  {
    title: "a changed line that no longer parses",
    tamper: (trail) => edit(trail, "w3", (line) => line.replace('"reason":', '"reason"')),
    first: "changed audit.log:5 w3",
    count: 1,
  },
  {
    title: "white space added to a line",
    tamper: (trail) => edit(trail, "w3", (line) => `${line} `),
    first: "foreign audit.log:5 ",
  },
  {
    title: "the first line removed",
    tamper: (trail) => remove(trail, "w1"),
    first: "missing audit.log:2 w1",
  },
  {
    title: "a line in the middle removed",
    tamper: (trail) => remove(trail, "w3"),
    first: "missing audit.log:6 w3",
    count: 1,
  },
  {
    title: "lines in a row removed",
    tamper: (trail) => remove(trail, "w2", "w3", "w4"),
    first: "missing audit.log:6 w2",
    count: 1,
  },
  {
    title: "the tail cut off",
    tamper: (trail) => remove(trail, "w6"),
    first: "cut audit.log:9 w6",
    count: 1,
  },
  {
    title: "a longer tail cut off",
    tamper: (trail) => void trail.lines().splice(4),
    first: "cut audit.log:3 w3",
    count: 2,
  },
  {
    title: "the whole file emptied",
    tamper: (trail) => void trail.lines().splice(0),
    first: "cut  w1",
    count: 2,
  },
  {
    title: "two lines swapped",
    tamper: (trail) => {
      const lines = trail.lines();
      const [three, four] = [at(trail, "w3"), at(trail, "w4")];
      [lines[three], lines[four]] = [lines[four] ?? "", lines[three] ?? ""];
    },
    first: "missing audit.log:5 w3",
    count: 2,
  },
  {
    title: "a line moved to the end",
    tamper: (trail) => trail.lines().push(...trail.lines().splice(at(trail, "w3"), 1)),
    first: "missing audit.log:6 w3",
    count: 2,
  },
  {
    title: "a line that stands twice",
    tamper: (trail) => trail.lines().splice(5, 0, trail.lines()[4] ?? ""),
    first: "moved audit.log:6 w3",
    count: 1,
  },
  {
    title: "a forged line without a seal",
    tamper: (trail) =>
      trail.lines().splice(3, 0, '{"timestamp":"2026-01-15T10:30:00.000Z","event":"response"}'),
    first: "foreign audit.log:4 ",
    count: 1,
  },
  {
    title: "a forged line at the end of a chain",
    tamper: (trail) => {
      const last = trail.lines().at(-1) ?? "";
      trail.lines().push(last.replace('"seq":6', '"seq":7'));
    },
    first: "changed audit.log:11 w7",
    count: 1,
  },
  {
    title: "a forged line of a writer that never was",
    tamper: (trail) => trail.lines().push((trail.lines()[0] ?? "").replace('"writer":"w"', '"writer":"x"')),
    first: "changed audit.log:11 x1",
    count: 1,
  },
  {
    title: "a JSON value that is no object",
    tamper: (trail) => trail.lines().push("17"),
    first: "foreign audit.log:11 ",
  },
  {
    title: "a head that was edited",
    tamper: (trail) => {
      const head = trail.heads.get("w");
      if (head) trail.heads.set("w", { ...head, seq: 5 });
    },
    first: "head  w5",
    count: 1,
  },
  {
    title: "a head of a chain that is gone",
    tamper: (trail) => remove(trail, "v1", "v2", "v3", "v4"),
    first: "cut  v1",
    count: 1,
  },
];

function named(report: LogReport): string {
  const [first] = report.problems;
  if (!first) return "nothing";
  const { kind, file, line, writer = "", seq = "" } = first;
  return `${kind} ${file === undefined ? "" : `${file}:${line}`} ${writer}${seq}`;
}

for (const { title, tamper, first, count } of tamperings) {
  test(`named by its first line: ${title}`, () => {
    const trail = sample();
    tamper(trail);
    const report = trail.check();
    assert.equal(named(report), first);
    assert.equal(report.intact, false);
    if (count !== undefined) assert.equal(report.problemCount, count, JSON.stringify(report.problems));
  });
}

test("a change inside a chain says where, in words", () => {
  const trail = sample();
  remove(trail, "w3");
  assert.equal(
    trail.check().problems[0]?.message,
    "line 3 of writer w is missing between audit.log:3 and audit.log:6",
  );
  const cut = sample();
  cut.lines().splice(8);
  assert.equal(cut.check().problems[0]?.message, "lines 5 to 6 of writer w were cut off after audit.log:7");
});

test("a problem in one chain does not hide a second one behind it", () => {
  const trail = sample();
  edit(trail, "w2", (line) => line.replace("line", "lime"));
  edit(trail, "w5", (line) => line.replace("line", "lime"));
  remove(trail, "v2");
  const report = trail.check();
  assert.deepEqual(
    report.problems.map(({ kind, writer, seq }) => `${kind} ${writer}${seq}`),
    ["changed w2", "missing v2", "changed w5"],
  );
});

test("problems are counted beyond those that are kept", () => {
  const trail = sample();
  for (let count = 0; count < 1000; count++) trail.lines().push('{"forged":true}');
  const report = trail.check();
  assert.equal(report.problemCount, 1000);
  assert.equal(report.problems.length, 100);
});

test("lines past the head are a crash: intact, with a note", () => {
  const trail = sample();
  const head = trail.heads.get("w");
  const before = sample().write("w").write("w");
  assert.ok(head);
  before.heads.set("w", head);
  const report = before.check();
  assert.equal(report.intact, true);
  assert.deepEqual(
    report.notes.map(({ kind, count, first }) => [kind, count, first]),
    [["tail", 1, ["w"]]],
  );
});

test("a head rolled back to an old one of janee's own is the same as a crash, and a cut that fits it is seen", () => {
  const trail = sample();
  const old: StoredHead = { writer: "w", seq: 5, hash: "", mac: "" };
  const line = JSON.parse(trail.lines()[at(trail, "w5")] ?? "") as { hash: string };
  const head = { ...old, hash: line.hash };
  trail.heads.set("w", { ...head, mac: headMac(digest, key, head) });
  assert.equal(trail.check().intact, true);
  remove(trail, "w5", "w6");
  assert.equal(named(trail.check()), "cut audit.log:7 w5");
});

test("a head that names another line than the one in the file", () => {
  const trail = sample();
  const head = { writer: "w", seq: 6, hash: "another" };
  trail.heads.set("w", { ...head, mac: headMac(digest, key, head) });
  assert.equal(named(trail.check()), "changed audit.log:10 w6");
});

test("a writer that is at work while the trail is read is no crash", () => {
  const trail = sample();
  const before = [...trail.heads.values()];
  trail.write("w").write("new");
  const check = new LogCheck(digest, key, before);
  for (const [index, text] of trail.lines().entries()) check.take("audit.log", index + 1, text);
  assert.deepEqual(check.report([...trail.heads.values()]).notes, []);
});

test("a chain without a head is a note when it is whole, and a problem when it is not", () => {
  const trail = sample();
  trail.heads.delete("v");
  const whole = trail.check();
  assert.equal(whole.intact, true);
  assert.deepEqual(
    whole.notes.map(({ kind, first }) => [kind, first]),
    [["headless", ["v"]]],
  );
  remove(trail, "v1");
  assert.equal(named(trail.check()), "missing audit.log:3 v1");
});

test("a torn fragment is a note, and the line that follows on the same one counts", () => {
  const trail = sample();
  const fragment = (trail.lines()[0] ?? "").slice(0, 60);
  edit(trail, "w3", (line) => fragment + line);
  trail.lines().splice(3, 0, fragment);
  const report = trail.check();
  assert.deepEqual(report.problems, []);
  assert.deepEqual(
    report.notes.map(({ kind, count, first }) => [kind, count, first]),
    [["torn", 2, ["audit.log:4", "audit.log:6"]]],
  );
});

test("a line that was torn by hand is missed, and the unreadable one is named", () => {
  const trail = sample();
  edit(trail, "w3", (line) => line.slice(0, -20));
  const report = trail.check();
  assert.equal(named(report), "missing audit.log:7 w3");
  assert.match(report.problems[0]?.message ?? "", /the line at audit\.log:5 is unreadable/);
});

test("a batch that reached the file in part, and the chain that begins after it", () => {
  const trail = new Trail();
  let full = false;
  const store = {
    heads: () => [],
    saveHead: (head: StoredHead) => void trail.heads.set(head.writer, head),
  };
  const audit = new AuditTrail({
    journal: {
      write: (lines) => {
        const all = Buffer.from(lines).toString().split("\n").slice(0, -1);
        if (!full) {
          trail.lines().push(...all);
          return undefined;
        }
        trail.lines().push(all[0] ?? "", (all[1] ?? "").slice(0, 50));
        return new Failure("audit_unavailable", "the disk is full");
      },
    },
    ...{ store: store as unknown as Store, digest, key, soon: () => {}, writer: "w", afterWrite: () => {} },
  });
  const write = (...ids: string[]): void => {
    for (const id of ids) void audit.append({ timestamp: "2026-01-15T10:30:00.000Z", id, event: "session" });
    audit.flush();
  };
  write("1", "2");
  full = true;
  write("3", "4");
  full = false;
  write("5");
  const report = trail.check();
  assert.deepEqual(report.problems, []);
  assert.deepEqual(
    report.notes.map(({ kind }) => kind),
    ["torn", "tail"],
  );
  assert.equal(report.writers, 2);
});

test("chains go on across rotated files, and a line missing at the border is named", () => {
  const make = (): Trail => sample().rotate().write("w").write("v").rotate().write("w").write("v");
  const trail = make();
  assert.deepEqual([...trail.files.keys()], ["audit.log.1", "audit.log.2", "audit.log"]);
  assert.equal(trail.check().intact, true);
  assert.deepEqual(trail.check().notes, []);

  trail.lines("audit.log.2").shift();
  assert.equal(named(trail.check()), "missing audit.log:1 w7");

  const without = make();
  without.files.delete("audit.log.1");
  assert.equal(named(without.check()), "missing audit.log.2:1 w1");
});

test("twenty writers, interleaved, and one line of one of them removed", () => {
  const trail = new Trail();
  const names = Array.from({ length: 20 }, (_, index) => `writer${index}-`);
  for (let turn = 0; turn < 50; turn++) {
    for (const [index, name] of names.entries()) if ((turn + index) % 3 > 0 || turn === 49) trail.write(name);
  }
  const report = trail.check();
  assert.deepEqual([report.intact, report.writers, report.notes.length], [true, 20, 0]);
  const index = at(trail, "writer13-20");
  trail.lines().splice(index, 1);
  assert.match(named(trail.check()), /^missing audit\.log:\d+ writer13-20$/);
});

test("admitted requests that never got a response are named, refused ones are not", () => {
  const trail = new Trail();
  trail.write("w", { id: "a", event: "request", decision: "allow" });
  trail.write("w", { id: "b", event: "request", decision: "approved" });
  trail.write("w", { id: "c", event: "request", decision: "deny" });
  trail.write("w", { id: "a", event: "response", decision: "allow", status: 200 });
  const report = trail.check();
  assert.equal(report.intact, true);
  assert.deepEqual(
    report.notes.map(({ kind, count, first }) => [kind, count, first]),
    [["unanswered", 1, ["b"]]],
  );
});

test("what an agent wrote cannot end a line early or pass for a seal", () => {
  const trail = new Trail();
  const seal = `,"writer":"x","seq":1,"prev":"","hash":"${"A".repeat(43)}"}`;
  for (const path of [
    seal,
    `/v1/x","status":200}\n{"fake":1`,
    `\n${seal}`,
    "\u2028\u202e",
    '{"timestamp":"',
    "é✓🙂",
  ]) {
    trail.write("w", { event: "request", decision: "deny", path, reason: path });
  }
  assert.equal(trail.lines().length, 6);
  assert.deepEqual(trail.check().problems, []);
  assert.equal(trail.check().writers, 1);
});

test("another key makes every line a changed one", () => {
  const other = new LogCheck(digest, new Uint8Array(32), []);
  for (const [index, text] of untouched.lines().entries()) other.take("audit.log", index + 1, text);
  assert.equal(other.report().problemCount, 10);
});

/** A hundred commands of two lines each, beside a `serve` that writes all the while. */
function commands(count = 100): Trail {
  const trail = new Trail();
  for (let number = 1; number <= count; number++)
    trail.write(`c${number}-`).write("serve").write(`c${number}-`);
  return trail;
}

test("the heads of many commands are taken over, and the trail is as intact as before", () => {
  const trail = commands(1000);
  assert.ok(trail.heads.size <= 33, `${trail.heads.size} heads`);
  const { intact, lines, writers, notes } = trail.check();
  assert.deepEqual(
    { intact, lines, writers, notes },
    { intact: true, lines: 3000, writers: 1001, notes: [] },
  );
});

test("thousands of heads from before they were taken over become few, a command at a time", () => {
  const trail = new Trail();
  for (let number = 0; number < 2000; number++) {
    const head = { writer: `old${number}`, seq: 1, hash: "h" };
    trail.heads.set(head.writer, { ...head, mac: headMac(digest, key, head) });
  }
  for (let number = 0; number < 40; number++) trail.write(`c${number}-`);
  assert.ok(trail.heads.size <= 33);
  assert.equal(trail.check().problemCount, 2000, "and each of them is still missed");
});

test("whatever of any command is removed, the check names it, whether its head is stored or taken over", () => {
  const names = seqsOf(commands());
  const seen = new Set<string>();
  for (const name of names) {
    const trail = commands();
    const [writer = ""] = name.split("-");
    if (writer.startsWith("serve") || seen.has(writer)) continue;
    seen.add(writer);
    const stored = trail.heads.has(`${writer}-`);
    remove(trail, `${writer}-2`);
    const [tail] = trail.check().problems;
    assert.deepEqual(
      [tail?.kind, tail?.writer, tail?.seq],
      ["cut", `${writer}-`, 2],
      `tail, stored: ${stored}`,
    );
    remove(trail, `${writer}-1`);
    const all = trail.check().problems.find((problem) => problem.writer === `${writer}-`);
    assert.deepEqual([all?.kind, all?.seq], ["cut", 1], `all lines, stored: ${stored}`);
  }
  assert.equal(seen.size, 100);
});

test("what took heads over cannot be removed together with them, nor be changed", () => {
  const heads = commands();
  const keeper = heads.lines().findIndex((line) => line.includes('"follows"'));
  const name = seqsOf(heads)[keeper] ?? "";
  assert.match(name, /^c\d+-1$/);
  const gone = commands();
  gone.lines().splice(0, keeper + 1);
  assert.equal(gone.check().intact, false);
  const emptied = commands();
  edit(emptied, name, (line) => line.replace(/"follows":\[.*?\]/, '"follows":[]'));
  assert.equal(named(emptied.check()), `changed audit.log:${keeper + 1} ${name}`);
});

test("a writer whose head was taken over while it was at work stores it again, and its tail is not lost", () => {
  const trail = commands();
  const before = trail.heads.get("serve");
  assert.equal(before?.seq, 100);
  for (let number = 0; number < 40; number++) trail.write(`d${number}-`);
  assert.equal(trail.heads.has("serve"), false, "taken over");
  assert.equal(trail.check().intact, true);
  trail.write("serve");
  assert.equal(trail.heads.get("serve")?.seq, 101);
  assert.equal(trail.check().intact, true);
  remove(trail, "serve101");
  assert.equal(named(trail.check()).split(" ").at(-1), "serve101");
});

test("a crash between the line that takes heads over and the store is no alarm", () => {
  const trail = commands(10);
  for (let number = 0; number < 60; number++) {
    const before = new Map(trail.heads);
    trail.write(`d${number}-`);
    const took = trail.lines().at(-1)?.includes('"follows"');
    if (took) trail.heads = before;
    assert.equal(trail.check().intact, true);
  }
});

test("a stored head that janee did not write is not taken over", () => {
  const trail = commands(8);
  const [first] = trail.heads.values();
  assert.ok(first);
  trail.heads.set(first.writer, { ...first, seq: 1 });
  for (let number = 0; number < 60; number++) trail.write(`d${number}-`);
  assert.equal(named(trail.check()), `head  ${first.writer}1`);
});
