// An approval is bound to everything it was asked about, and used once.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { after, test } from "node:test";
import { Approvals, type Question } from "../../src/engine/approval.ts";
import { RowSeal } from "../../src/engine/authentic.ts";
import { entropy } from "../../src/host/clock.ts";
import { digest } from "../../src/host/digest.ts";
import { openStore, type SqliteStore } from "../../src/host/store-sqlite.ts";

const home = mkdtempSync(join(tmpdir(), "janee-approval-"));
const opened: SqliteStore[] = [];
after(() => {
  for (const store of opened) store.close();
  rmSync(home, { recursive: true, force: true });
});

const minute = 60_000;
const key = new Uint8Array(32).fill(9);
let time = 1_800_000_000_000;
let count = 0;

function newPath(): string {
  count += 1;
  return join(home, `${count}.db`);
}

function approvals(path = newPath()): Approvals {
  const store = openStore(path);
  opened.push(store);
  return new Approvals(store, new RowSeal(digest, () => key), entropy, digest, () => time);
}

const question: Question = {
  kind: "request",
  owner: "o",
  agent: "claude",
  session: "s1",
  capability: "c",
  service: "s",
  ttlMs: 3_600_000,
  reason: "why",
  rule: "ask: PUT /v1/*",
  method: "PUT",
  target: "/v1/x?a=1",
  headers: ["accept: */*"],
  bodyBytes: 3,
  bodyDigest: "d",
  bodyPreview: "abc",
};

test("the same question is the same record", () => {
  const from = approvals();
  const { approval, isNew } = from.ask(question);
  assert.ok(isNew);
  assert.equal(approval.state, "pending");
  const again = from.ask({ ...question });
  assert.ok(!again.isNew);
  assert.equal(again.approval.id, approval.id);
  assert.equal(from.find(question)?.id, approval.id);
  assert.deepEqual(
    from.list({ decided: false }).map(({ id }) => id),
    [approval.id],
  );
});

test("a change of any bound field asks anew", () => {
  const { rule: _rule, reason: _reason, bodyDigest: _bodyDigest, ...less } = question;
  const changes: readonly (readonly [string, Question])[] = [
    ["kind", { ...question, kind: "session" }],
    ["owner", { ...question, owner: "p" }],
    ["session", { ...question, session: "s2" }],
    ["capability", { ...question, capability: "d" }],
    ["service", { ...question, service: "t" }],
    ["TTL", { ...question, ttlMs: 1 }],
    ["reason", { ...question, reason: "because" }],
    ["rule", { ...question, rule: "ask: *" }],
    ["method", { ...question, method: "POST" }],
    ["target", { ...question, target: "/v1/x?a=2" }],
    ["one more header", { ...question, headers: ["accept: */*", "x: 1"] }],
    ["a header's value", { ...question, headers: ["accept: text/html"] }],
    ["two headers in one", { ...question, headers: ["accept: */*, x: 1"] }],
    ["body", { ...question, bodyDigest: "e" }],
    ["nothing of three", less],
  ];
  const from = approvals();
  const { approval } = from.ask(question);
  from.decide(approval.id, "once");
  const bindings = new Set([approval.binding]);
  for (const [what, changed] of changes) {
    assert.equal(from.find(changed), undefined, what);
    const asked = from.ask(changed);
    assert.ok(asked.isNew && asked.approval.state === "pending", what);
    bindings.add(asked.approval.binding);
  }
  assert.equal(bindings.size, changes.length + 1);
  assert.equal(from.find(question)?.state, "approved");
});

test("what only people read does not make a new question", () => {
  const from = approvals();
  const { approval } = from.ask(question);
  assert.equal(from.ask({ ...question, agent: "another name" }).approval.id, approval.id);
  assert.equal(from.ask({ ...question, bodyPreview: "" }).approval.id, approval.id);
});

test("an approval is used once, then the question is asked anew", () => {
  const from = approvals();
  const { approval } = from.ask(question);
  assert.ok(!from.use(approval.id), "pending");
  assert.equal(from.decide(approval.id, "once")?.state, "approved");
  assert.ok(from.use(approval.id));
  assert.ok(!from.use(approval.id));
  assert.equal(from.find(question)?.state, "used");
  const next = from.ask(question);
  assert.ok(next.isNew && next.approval.id !== approval.id);
  assert.ok(!from.use(next.approval.id));
  assert.ok(!from.use("nobody"));
});

test("of two processes exactly one uses it", () => {
  const path = newPath();
  const [one, two] = [approvals(path), approvals(path)];
  for (let run = 0; run < 20; run++) {
    const asked = one.ask({ ...question, target: `/v1/${run}` }).approval;
    two.decide(asked.id, "once");
    // Both have read it as approved before either uses it.
    assert.deepEqual([one.byId(asked.id)?.state, two.byId(asked.id)?.state], ["approved", "approved"]);
    const uses =
      run % 2 === 0 ? [one.use(asked.id), two.use(asked.id)] : [two.use(asked.id), one.use(asked.id)];
    assert.deepEqual(uses, [true, false]);
  }
});

test("of two decisions the first stands", () => {
  const path = newPath();
  const [one, two] = [approvals(path), approvals(path)];
  const { approval } = one.ask(question);
  assert.equal(one.decide(approval.id, "declined")?.state, "declined");
  assert.equal(two.decide(approval.id, "once"), undefined);
  assert.equal(two.find(question)?.state, "declined");
  assert.equal(two.decide("nobody", "once"), undefined);
});

test("a decline is final, however long ago", () => {
  const from = approvals();
  const { approval } = from.ask(question);
  from.decide(approval.id, "declined");
  for (const wait of [0, 11 * minute, 30 * 24 * 60 * minute]) {
    time += wait;
    const again = from.ask(question);
    assert.ok(!again.isNew);
    assert.equal(again.approval.state, "declined");
    assert.ok(!from.use(approval.id));
  }
  assert.ok(from.ask({ ...question, target: "/v1/y" }).isNew);
});

test("a question that nobody answers expires, and can then be neither answered nor used", () => {
  const from = approvals();
  const { approval } = from.ask(question);
  time += 10 * minute - 1;
  assert.equal(from.byId(approval.id)?.state, "pending");
  time += 1;
  assert.equal(from.byId(approval.id)?.state, "expired");
  assert.equal(from.decide(approval.id, "once"), undefined);
  assert.deepEqual(from.list({ decided: false }), []);
  assert.ok(from.ask(question).isNew);
});

test("a yes that nobody uses expires, ten minutes after it was given", () => {
  const from = approvals();
  const { approval } = from.ask(question);
  time += 9 * minute;
  from.decide(approval.id, "once");
  time += 10 * minute - 1;
  assert.equal(from.find(question)?.state, "approved");
  time += 1;
  assert.equal(from.find(question)?.state, "expired");
  assert.ok(!from.use(approval.id));
  assert.ok(from.ask(question).isNew);
});

test("a session's question and a request's are not one another's answer", () => {
  const from = approvals();
  const common = { owner: "o", session: "s1", capability: "c", service: "s", ttlMs: 1 };
  const session = from.ask({ kind: "session", ...common }).approval;
  from.decide(session.id, "once");
  assert.ok(from.ask({ kind: "request", ...common }).isNew);
  assert.equal(from.find({ kind: "session", ...common })?.state, "approved");
});

test("decided ones are listed when they are asked for", () => {
  const from = approvals();
  const one = from.ask(question).approval;
  const two = from.ask({ ...question, target: "/v1/y" }).approval;
  from.decide(one.id, "declined");
  assert.deepEqual(
    from.list({ decided: false }).map(({ id }) => id),
    [two.id],
  );
  assert.deepEqual(
    from.list({ decided: true }).map(({ id }) => id),
    [two.id, one.id],
  );
});

function tamper(path: string, sql: string): void {
  const database = new DatabaseSync(path);
  database.exec(sql);
  database.close();
}

test("a row that anything else wrote approves nothing", () => {
  for (const sql of [
    `UPDATE approval SET row = replace(row, '"pending"', '"approved"'), pending = 0`,
    "UPDATE approval SET mac = ''",
    `UPDATE approval SET row = replace(row, '/v1/x', '/v1/y')`,
  ]) {
    const path = newPath();
    const { approval } = approvals(path).ask(question);
    tamper(path, sql);
    const other = approvals(path);
    assert.equal(other.byId(approval.id), undefined, sql);
    assert.equal(other.find(question), undefined, sql);
    assert.ok(!other.use(approval.id), sql);
  }
});

test("a sound yes moved under another question or id is no answer there", () => {
  const path = newPath();
  const from = approvals(path);
  const harmless = from.ask(question).approval;
  from.decide(harmless.id, "once");
  const grave = { ...question, method: "DELETE", target: "/v1/everything" };
  const wanted = from.ask(grave).approval;
  tamper(
    path,
    `DELETE FROM approval WHERE id = '${wanted.id}'; UPDATE approval SET digest = '${wanted.binding}'`,
  );
  const other = approvals(path);
  assert.equal(other.find(grave), undefined);
  assert.equal(other.ask(grave).approval.state, "pending");
  tamper(path, `DELETE FROM approval WHERE id <> '${harmless.id}'; UPDATE approval SET id = '${wanted.id}'`);
  assert.equal(approvals(path).byId(wanted.id), undefined);
  assert.ok(!approvals(path).use(wanted.id));
});
