// A session is one owner's time-limited use of one capability, and a row that anything else wrote does not exist.
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { after, test } from "node:test";
import { RowSeal } from "../../src/engine/authentic.ts";
import type { Capability } from "../../src/engine/config.ts";
import { everyone } from "../../src/engine/holds.ts";
import type { Clock, Store } from "../../src/engine/ports.ts";
import { judge, Sessions } from "../../src/engine/session.ts";
import { looksLikeToken, newToken, shortId, withoutTokens } from "../../src/engine/token.ts";
import { entropy } from "../../src/host/clock.ts";
import { digest } from "../../src/host/digest.ts";
import { openStore, type SqliteStore } from "../../src/host/store-sqlite.ts";
import { read, capability as sample } from "./config-sample.ts";

const home = mkdtempSync(join(tmpdir(), "janee-session-"));
const opened: SqliteStore[] = [];
after(() => {
  for (const store of opened) store.close();
  rmSync(home, { recursive: true, force: true });
});

/** A clock in the hand of the test. */
class HandClock implements Clock {
  wallTime = 1_800_000_000_000;
  elapsedTime = 5_000;
  wall(): number {
    return this.wallTime;
  }
  elapsed(): number {
    return this.elapsedTime;
  }
  pass(milliseconds: number): void {
    this.wallTime += milliseconds;
    this.elapsedTime += milliseconds;
  }
}

let count = 0;
function newPath(): string {
  count += 1;
  return join(home, `${count}.db`);
}

function store(path = newPath()): SqliteStore {
  const made = openStore(path);
  opened.push(made);
  return made;
}

const rowKey = new Uint8Array(32).fill(7);

/** One process: its own connection, clock and memory of rows. */
function sessions(on: Store, clock: Clock = new HandClock(), key = rowKey): Sessions {
  return new Sessions(on, new RowSeal(digest, () => key), clock, entropy, digest);
}

function capability(name: string): Capability {
  const found = read(sample("ttl: 1h")).config.capabilities.get("c");
  if (!found) assert.fail("no capability");
  return { ...found, name };
}

function mint(from: Sessions, owner = "o", name = "c"): ReturnType<Sessions["mint"]> {
  return from.mint({ owner, capability: capability(name), approvedBy: "policy" });
}

const hour = 3_600_000;

test("a token is jns_ and 32 random bytes in base62, of one length whatever the bytes", () => {
  assert.match(newToken(entropy), /^jns_[0-9A-Za-z]{43}$/);
  const fixed = (byte: number): string => newToken({ bytes: (size) => new Uint8Array(size).fill(byte) });
  assert.equal(fixed(0), `jns_${"0".repeat(43)}`);
  assert.match(fixed(255), /^jns_[0-9A-Za-z]{43}$/);
  let value = 0n;
  const alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
  for (const letter of fixed(255).slice(4)) value = value * 62n + BigInt(alphabet.indexOf(letter));
  assert.equal(value, 2n ** 256n - 1n);
  assert.equal(new Set(Array.from({ length: 1000 }, () => newToken(entropy))).size, 1000);
});

test("what looks like a token is taken for one, and cut out of text", () => {
  const token = newToken(entropy);
  assert.ok(
    looksLikeToken(token) && looksLikeToken("jns_") && !looksLikeToken("JNS_x") && !looksLikeToken("xjns_"),
  );
  assert.equal(withoutTokens(`a ${token} b ${token}`), "a [janee:session] b [janee:session]");
  assert.equal(withoutTokens("jns_ is a prefix"), "jns_ is a prefix");
});

test("a short id holds no letters that people mistake for others", () => {
  for (let run = 0; run < 200; run++) assert.match(shortId(entropy), /^[2-9a-hjkmnp-z]{6}$/);
  assert.equal(shortId(entropy, 8).length, 8);
});

test("the store and its files hold the hash of a token, never the token", () => {
  const path = newPath();
  const on = store(path);
  const { token, session } = mint(sessions(on));
  const written = [
    on.sessionById(session.id)?.row,
    ...["", "-wal"].map((end) => readFileSync(`${path}${end}`, "latin1")),
  ];
  assert.ok(written.join("").includes(session.tokenHash));
  assert.ok(!written.join("").includes(token.slice(4, 24)));
  assert.equal(session.tokenHash, digest.sha256(token));
});

test("a token opens its own session, and nothing near it opens any", () => {
  const from = sessions(store());
  const { token, session } = mint(from);
  assert.deepEqual(from.byToken(token), session);
  assert.deepEqual(from.byId(session.id), session);
  const changed = `${token.slice(0, -1)}${token.endsWith("0") ? "1" : "0"}`;
  for (const wrong of [
    "",
    token.slice(0, -1),
    `${token}0`,
    changed,
    ` ${token}`,
    token.slice(4),
    session.tokenHash,
  ]) {
    assert.equal(from.byToken(wrong), undefined, wrong);
  }
  assert.equal(from.byId("nobody"), undefined);
});

test("at most one live session per owner and capability", () => {
  const from = sessions(store());
  const first = mint(from);
  const other = mint(from, "o", "d");
  const stranger = mint(from, "p");
  const second = mint(from);
  assert.equal(from.byToken(first.token)?.state, "ended");
  for (const { token } of [second, other, stranger]) assert.equal(from.byToken(token)?.state, "live");
  assert.equal(from.live("o", "c")?.id, second.session.id);
  assert.equal(from.list().length, 3);
  assert.equal(from.list({ ended: true }).length, 4);
});

test("a session lasts its TTL and no millisecond more; a shorter wish is granted, a longer is not", () => {
  const clock = new HandClock();
  const from = sessions(store(), clock);
  const { session } = mint(from);
  assert.equal(session.expiresAt - session.createdAt, hour);
  clock.pass(hour - 1);
  assert.equal(judge(session, from.now()), undefined);
  assert.equal(from.live("o", "c")?.id, session.id);
  clock.pass(1);
  assert.equal(judge(session, from.now())?.code, "session_expired");
  assert.equal(from.live("o", "c"), undefined);
  const wish = (ttlMs: number): number => {
    const made = from.mint({ owner: "q", capability: capability("c"), approvedBy: "policy", ttlMs });
    return made.session.expiresAt - made.session.createdAt;
  };
  assert.equal(wish(5_000), 5_000);
  assert.equal(wish(9 * hour), hour);
});

test("judge: each state has its code", () => {
  const from = sessions(store());
  const { session } = mint(from);
  const at = session.createdAt;
  assert.equal(judge(session, at), undefined);
  assert.equal(judge({ ...session, state: "ended" }, at)?.code, "session_ended");
  assert.equal(judge({ ...session, state: "revoked" }, at)?.code, "session_revoked");
  assert.equal(judge({ ...session, state: "revoked" }, at + 2 * hour)?.code, "session_revoked");
  assert.equal(judge({ ...session, state: "expired" }, at)?.code, "session_expired");
  assert.equal(judge(session, at - 60_000), undefined);
  assert.equal(judge(session, at - 60_001)?.code, "session_expired");
});

test("a wall clock set back within a process stops nothing from expiring", () => {
  const clock = new HandClock();
  const from = sessions(store(), clock);
  const { session } = mint(from);
  clock.elapsedTime += hour;
  clock.wallTime -= 86_400_000;
  assert.equal(judge(session, from.now())?.code, "session_expired");
});

test("a wall clock set back across a restart ends what was live, for good", () => {
  const path = newPath();
  const clock = new HandClock();
  const before = sessions(store(path), clock);
  const { session, token } = mint(before);
  clock.pass(10 * 60_000);
  before.noteTime();
  const back = new HandClock();
  back.wallTime = clock.wallTime - 5 * 60_000;
  const restarted = sessions(store(path), back);
  assert.equal(restarted.byToken(token)?.state, "expired");
  back.pass(2 * hour);
  assert.equal(restarted.byId(session.id)?.state, "expired");
  // The time is right again: a new session can be had.
  assert.equal(mint(restarted).session.state, "live");
});

test("a clock that is a little behind at a restart ends nothing", () => {
  const path = newPath();
  const clock = new HandClock();
  const before = sessions(store(path), clock);
  const { token } = mint(before);
  clock.pass(10_000);
  before.noteTime();
  const back = new HandClock();
  back.wallTime = clock.wallTime - 59_000;
  assert.equal(sessions(store(path), back).byToken(token)?.state, "live");
});

test("revoke ends and holds that owner and capability, and no other", () => {
  const from = sessions(store());
  const { session } = mint(from);
  assert.ok(!from.holds.held("o", "c"));
  assert.equal(from.revoke(session.id)?.state, "revoked");
  assert.ok(from.holds.held("o", "c"));
  assert.ok(!from.holds.held("o", "d") && !from.holds.held("p", "c"));
  assert.equal(from.revoke(session.id), undefined);
  assert.equal(from.revoke("nobody"), undefined);
});

test("end is no revocation", () => {
  const from = sessions(store());
  const { session } = mint(from);
  assert.equal(from.end(session.id)?.state, "ended");
  assert.ok(!from.holds.held("o", "c"));
  assert.equal(from.end(session.id), undefined);
  assert.equal(from.revoke(session.id), undefined);
  assert.ok(!from.holds.held("o", "c"));
});

test("revoking a capability holds everyone there, and leaves the others", () => {
  const from = sessions(store());
  const [a, b, other] = [mint(from, "a"), mint(from, "b"), mint(from, "a", "d")];
  assert.deepEqual(
    from
      .revokeEvery("c")
      .map(({ id }) => id)
      .sort(),
    [a.session.id, b.session.id].sort(),
  );
  assert.equal(from.byId(other.session.id)?.state, "live");
  assert.ok(from.holds.held("a", "c") && from.holds.held("stranger", "c") && !from.holds.held("a", "d"));
});

test("revoking all holds everyone everywhere, also where no session was", () => {
  const from = sessions(store());
  assert.equal(from.revokeEvery(undefined).length, 0);
  assert.ok(from.holds.held("anyone", "c") && from.holds.held("anyone", "new"));
  const { session } = mint(from);
  assert.equal(from.revokeEvery(undefined)[0]?.id, session.id);
  assert.equal(from.list().length, 0);
});

test("a yes for one capability after revoke --all leaves the others held", () => {
  const from = sessions(store());
  from.revokeEvery(undefined);
  from.holds.lift("o", "c", ["c", "d", "e"]);
  assert.ok(!from.holds.held("o", "c") && !from.holds.held("p", "c"));
  assert.ok(from.holds.held("o", "d") && from.holds.held("o", "e"));
  from.holds.lift("o", "d", ["c", "d", "e"]);
  assert.ok(!from.holds.held("o", "d") && from.holds.held("o", "e"));
});

test("a yes for one owner does not lift what holds another by name", () => {
  const from = sessions(store());
  for (const owner of ["a", "b"]) from.revoke(mint(from, owner).session.id);
  from.holds.lift("a", "c", ["c"]);
  assert.ok(!from.holds.held("a", "c") && from.holds.held("b", "c"));
});

test("approve marks a live session as a person's, and no other", () => {
  const from = sessions(store());
  const { session } = mint(from);
  from.approve(session.id);
  assert.equal(from.byId(session.id)?.approvedBy, "person");
  const ended = mint(from, "p").session;
  from.end(ended.id);
  from.approve(ended.id);
  assert.deepEqual([from.byId(ended.id)?.approvedBy, from.byId(ended.id)?.state], ["policy", "ended"]);
});

/** What someone with an editor and no key can do to the file. */
function tamper(path: string, sql: string): void {
  const database = new DatabaseSync(path);
  database.exec(sql);
  database.close();
}

test("a row that anything else wrote does not exist", () => {
  const edits: readonly (readonly [what: string, sql: string])[] = [
    ["a later expiry", `UPDATE session SET row = replace(row, '"expiresAt":1', '"expiresAt":9')`],
    ["another owner", `UPDATE session SET row = replace(row, '"owner":"o"', '"owner":"p"')`],
    ["one more blank", "UPDATE session SET row = row || ' '"],
    ["no MAC", "UPDATE session SET mac = ''"],
    ["another MAC", "UPDATE session SET mac = (SELECT mac FROM session WHERE owner = 'p')"],
  ];
  for (const [what, sql] of edits) {
    const path = newPath();
    const { session, token } = mint(sessions(store(path)));
    mint(sessions(store(path)), "p");
    tamper(path, sql);
    const other = sessions(store(path));
    assert.equal(other.byToken(token), undefined, what);
    assert.equal(other.byId(session.id), undefined, what);
    assert.equal(other.live("o", "c"), undefined, what);
    assert.ok(!other.list().some(({ id }) => id === session.id), what);
  }
});

test("a sound row under another token, id, owner or capability is not found there", () => {
  const path = newPath();
  const from = sessions(store(path));
  const mine = mint(from, "mine");
  const theirs = mint(from, "theirs", "d");
  tamper(
    path,
    `CREATE TEMP TABLE kept AS SELECT * FROM session WHERE owner = 'theirs'; DELETE FROM session WHERE owner = 'mine';
     UPDATE session SET token_hash = '${mine.session.tokenHash}', id = '${mine.session.id}', owner = 'mine', capability = 'c'`,
  );
  const other = sessions(store(path));
  assert.equal(other.byToken(mine.token), undefined);
  assert.equal(other.byId(mine.session.id), undefined);
  assert.equal(other.live("mine", "c"), undefined);
  // The row itself still says whose it is.
  assert.deepEqual(
    other.list().map(({ id }) => id),
    [theirs.session.id],
  );
});

test("a MAC is bound to its table and its key", () => {
  const rows = new RowSeal(digest, () => rowKey);
  const value = { id: "a" };
  const stored = rows.write("session", value);
  const fresh = (key = rowKey): RowSeal => new RowSeal(digest, () => key);
  assert.deepEqual(fresh().read("session", stored), value);
  assert.equal(fresh().read("approval", stored), undefined);
  assert.equal(fresh(new Uint8Array(32).fill(8)).read("session", stored), undefined);
  assert.equal(fresh().read("session", undefined), undefined);
  // What was read once is not believed in another table, nor with another content.
  const reader = fresh();
  assert.deepEqual(reader.read("session", stored), value);
  assert.equal(reader.read("session", { ...stored, row: '{"id":"b"}' }), undefined);
});

test("the same row read under another table is not believed from memory", () => {
  const rows = new RowSeal(digest, () => rowKey);
  const stored = rows.write("hold", { owner: "o" });
  assert.deepEqual(rows.read("hold", stored), { owner: "o" });
  assert.equal(rows.read("session", stored), undefined);
});

test("a hold that was tampered with still holds, and holds everyone", () => {
  const path = newPath();
  const from = sessions(store(path));
  from.revoke(mint(from).session.id);
  tamper(path, `UPDATE hold SET row = '{"owner":"nobody","capability":"none","since":0}'`);
  const other = sessions(store(path));
  assert.ok(other.holds.held("o", "c") && other.holds.held("p", "d"));
});

test("a revocation by one process is seen by the next read of another", () => {
  const path = newPath();
  const [one, two] = [store(path), store(path)];
  const [a, b] = [sessions(one), sessions(two)];
  const { session, token } = mint(a);
  assert.equal(b.byToken(token)?.state, "live");
  const version = two.version();
  assert.equal(two.version(), version);
  a.revoke(session.id);
  assert.notEqual(two.version(), version);
  assert.equal(b.byToken(token)?.state, "revoked");
  assert.ok(b.holds.held("o", "c"));
  const own = one.version();
  b.revokeEvery(undefined);
  assert.notEqual(one.version(), own);
  assert.ok(a.holds.held("x", "y"));
  const before = one.version();
  mint(a, "z");
  assert.notEqual(one.version(), before, "its own writes count as well");
});

test("a transaction that fails leaves nothing behind", () => {
  const on = store();
  const from = sessions(on);
  const { session } = mint(from);
  assert.throws(() =>
    on.transaction(() => {
      from.revoke(session.id);
      throw new Error("no");
    }),
  );
  assert.equal(from.byId(session.id)?.state, "live");
  assert.ok(!from.holds.held("o", "c"));
  assert.equal(on.transaction(() => from.revoke(session.id))?.state, "revoked");
  assert.equal(everyone, "*");
});

test("time is kept in the store at most once a second", () => {
  const clock = new HandClock();
  const on = store();
  const from = sessions(on, clock);
  from.noteTime();
  const noted = on.latestTime();
  assert.equal(noted, clock.wallTime);
  clock.pass(999);
  from.noteTime();
  assert.equal(on.latestTime(), noted);
  clock.pass(1);
  from.noteTime();
  assert.equal(on.latestTime(), noted + 1000);
});

test("tidying marks what has expired, forgets what ended long ago, and leaves what lives and what holds", () => {
  const clock = new HandClock();
  const on = store();
  const from = sessions(on, clock);
  const old = mint(from, "old");
  const revoked = mint(from, "revoked");
  from.revoke(revoked.session.id);
  clock.pass(hour);
  const live = mint(from, "live");
  from.tidy();
  assert.equal(from.byId(old.session.id)?.state, "expired");
  assert.equal(from.byId(revoked.session.id)?.state, "revoked");
  assert.equal(from.byId(live.session.id)?.state, "live");
  clock.pass(366 * 24 * hour);
  from.tidy();
  from.tidy();
  assert.equal(from.byId(old.session.id), undefined);
  assert.equal(from.byToken(revoked.token), undefined);
  assert.ok(from.holds.held("revoked", "c"), "a hold outlives the session it began with");
});

test("a revocation between a person's look and the grant holds; told of the hold, the person lifts it", () => {
  const on = store();
  const from = sessions(on, new HandClock());
  const request = { owner: "o", capability: capability("c"), approvedBy: "policy" } as const;
  assert.ok(from.grant(request, false, ["c"]), "nothing holds it");
  from.revokeEvery(undefined);
  assert.equal(from.grant({ ...request, owner: "p" }, false, ["c"]), undefined);
  assert.equal(from.list().length, 0, "no session lives on after the revocation");
  assert.ok(from.grant({ ...request, owner: "p" }, true, ["c"]));
  assert.equal(from.holds.held("", "c"), false);
});
