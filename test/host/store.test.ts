// One SQLite file shared by all processes.
import assert from "node:assert/strict";
import { chmodSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { after, test } from "node:test";
import { Failure } from "../../src/engine/failure.ts";
import { openExistingState, openState, openStateToStop } from "../../src/host/state.ts";
import { openStore, type SqliteStore } from "../../src/host/store-sqlite.ts";
import { runtimeCommand, start } from "./children.ts";

const root = mkdtempSync(join(tmpdir(), "janee-store-"));
const opened: SqliteStore[] = [];
after(() => {
  for (const store of opened) store.close();
  rmSync(root, { recursive: true, force: true });
});

let count = 0;
function newPath(): string {
  count += 1;
  return join(root, `${count}.db`);
}

function open(path: string): SqliteStore {
  const store = openStore(path);
  opened.push(store);
  return store;
}

function session(id: string, live = true, owner = "o") {
  return { id, tokenHash: `hash-${id}`, owner, capability: "c", live, until: 10 };
}

test("the database and its side files are private", () => {
  const path = newPath();
  const store = open(path);
  store.putSession(session("a"), { row: "{}", mac: "m" });
  for (const end of ["", "-wal", "-shm"]) assert.equal(statSync(`${path}${end}`).mode & 0o777, 0o600, end);
});

test("what was put is found by each of its keys, and nothing else is", () => {
  const store = open(newPath());
  const stored = { row: '{"x":1}', mac: "m" };
  store.putSession(session("a"), stored);
  assert.deepEqual({ ...store.sessionById("a") }, stored);
  assert.deepEqual({ ...store.sessionByToken("hash-a") }, stored);
  assert.deepEqual({ ...store.liveSession("o", "c") }, stored);
  assert.equal(store.sessionById("hash-a"), undefined);
  assert.equal(store.sessionByToken("a"), undefined);
  assert.equal(store.liveSession("o", "d"), undefined);
  // SQL in a value is a value.
  assert.equal(store.sessionById("' OR 1=1 --"), undefined);
});

test("two live sessions of one owner and capability cannot be stored", () => {
  const store = open(newPath());
  store.putSession(session("a"), { row: "1", mac: "m" });
  assert.throws(() => store.putSession(session("b"), { row: "2", mac: "m" }), /UNIQUE/);
  store.putSession(session("a", false), { row: "1e", mac: "m" });
  store.putSession(session("b"), { row: "2", mac: "m" });
  assert.equal(store.liveSession("o", "c")?.row, "2");
  assert.deepEqual(
    store.sessions({ ended: false }).map(({ row }) => row),
    ["2"],
  );
  assert.deepEqual(
    store.sessions({ ended: true }).map(({ row }) => row),
    ["2", "1e"],
  );
});

test("the newest approval for a question is the one that is found", () => {
  const store = open(newPath());
  for (const id of ["a", "b"])
    store.putApproval(
      { id, digest: "d", owner: "o", capability: "c", pending: true, until: 10 },
      { row: id, mac: "m" },
    );
  assert.equal(store.approvalByDigest("d")?.row, "b");
  store.putApproval(
    { id: "a", digest: "d", owner: "o", capability: "c", pending: false, until: 10 },
    { row: "a2", mac: "m" },
  );
  assert.equal(store.approvalByDigest("d")?.row, "b");
  assert.equal(store.approvalById("a")?.row, "a2");
  assert.deepEqual(
    store.approvals({ decided: false }).map(({ row }) => row),
    ["b"],
  );
  assert.deepEqual(
    store.approvals({ decided: true }).map(({ row }) => row),
    ["b", "a2"],
  );
});

test("version changes with each commit of another, with each write of one's own, and with nothing else", () => {
  const path = newPath();
  const [one, two] = [open(path), open(path)];
  const seen = one.version();
  one.sessions({ ended: true });
  two.sessions({ ended: true });
  assert.equal(one.version(), seen);
  two.putHold("o", "c", { row: "h", mac: "m" });
  const after1 = one.version();
  assert.notEqual(after1, seen);
  assert.equal(one.version(), after1);
  one.dropHolds("o", "c");
  assert.notEqual(one.version(), after1);
  assert.equal(two.holds().length, 0);
  const before = two.version();
  two.putApproval(
    { id: "a", digest: "d", owner: "o", capability: "c", pending: true, until: 10 },
    { row: "a", mac: "m" },
  );
  assert.notEqual(two.version(), before);
});

test("a transaction commits all or nothing, also one inside another", () => {
  const path = newPath();
  const [store, other] = [open(path), open(path)];
  const put = (id: string): void => store.putSession(session(id, false), { row: id, mac: "m" });
  assert.throws(() =>
    store.transaction(() => {
      put("a");
      store.transaction(() => put("b"));
      assert.ok(store.sessionById("b"));
      assert.equal(other.sessionById("b"), undefined, "nobody sees what is not committed");
      throw new Error("no");
    }),
  );
  assert.equal(store.sessionById("a"), undefined);
  assert.equal(store.sessionById("b"), undefined);
  const made = store.transaction(() => {
    put("c");
    return 7;
  });
  assert.equal(made, 7);
  assert.equal(other.sessionById("c")?.row, "c");
});

test("what ended before a time is forgotten, and what lives is not, however old", () => {
  const store = open(newPath());
  store.putSession({ ...session("gone", false), until: 9 }, { row: "gone", mac: "m" });
  store.putSession({ ...session("kept", false), until: 10 }, { row: "kept", mac: "m" });
  store.putSession({ ...session("live"), until: 1 }, { row: "live", mac: "m" });
  store.putApproval(
    { id: "a", digest: "d", owner: "o", capability: "c", pending: false, until: 9 },
    { row: "a", mac: "m" },
  );
  store.putApproval(
    { id: "b", digest: "d", owner: "o", capability: "c", pending: false, until: 10 },
    { row: "b", mac: "m" },
  );
  store.putHold("o", "c", { row: "h", mac: "m" });
  store.forgetBefore(10);
  assert.deepEqual(
    store.sessions({ ended: true }).map(({ row }) => row),
    ["live", "kept"],
  );
  assert.deepEqual(
    store.approvals({ decided: true }).map(({ row }) => row),
    ["b"],
  );
  assert.equal(store.holds().length, 1);
});

test("heads and the latest time are replaced, one a writer", () => {
  const path = newPath();
  const store = open(path);
  assert.equal(store.latestTime(), 0);
  store.setLatestTime(5.7);
  store.setLatestTime(1_800_000_000_000);
  store.saveHead({ writer: "w", seq: 1, hash: "a", mac: "m" });
  store.saveHead({ writer: "w", seq: 2, hash: "b", mac: "n" });
  store.saveHead({ writer: "v", seq: 1, hash: "c", mac: "o" });
  const again = open(path);
  assert.equal(again.latestTime(), 1_800_000_000_000);
  assert.deepEqual(
    again
      .heads()
      .map(({ writer, seq, hash, mac }) => [writer, seq, hash, mac])
      .sort(),
    [
      ["v", 1, "c", "o"],
      ["w", 2, "b", "n"],
    ],
  );
});

test("heads that a line keeps are forgotten with the head of its writer, unless they have moved on", () => {
  const store = open(newPath());
  for (const writer of ["a", "b", "c"]) store.saveHead({ writer, seq: 1, hash: "x", mac: "m" });
  const taken = store.heads().slice(0, 2);
  store.saveHead({ writer: "b", seq: 2, hash: "y", mac: "m" });
  store.saveHead({ writer: "d", seq: 1, hash: "z", mac: "m" }, taken);
  const named = store.heads().map(({ writer, seq }) => `${writer}${seq}`);
  assert.deepEqual(named, ["b2", "c1", "d1"], "oldest first");
});

test("a file that is no database is an error, and is left as it was", () => {
  const path = newPath();
  writeFileSync(path, "this is no database, and longer than a header of one ".repeat(40));
  const before = statSync(path).size;
  assert.throws(() => openStore(path), /not a database/);
  assert.equal(statSync(path).size, before);
});

function layoutOf(path: string, set?: number): number {
  const database = new DatabaseSync(path);
  if (set !== undefined) database.exec(`PRAGMA user_version = ${set}`);
  const { user_version: found } = database.prepare("PRAGMA user_version").get() as { user_version: number };
  database.close();
  return found;
}

test("a new database says its layout; one from before layouts were counted is taken over with all it holds", () => {
  const path = newPath();
  const store = openStore(path);
  store.putSession(session("a"), { row: "1", mac: "m" });
  store.close();
  assert.equal(layoutOf(path), 1);
  assert.equal(layoutOf(path, 0), 0);
  assert.equal(open(path).sessionById("a")?.row, "1");
  assert.equal(layoutOf(path), 1);
});

test("a database of a newer janee is refused, says what to do, and is left as it was", () => {
  const home = mkdtempSync(join(root, "newer-"));
  chmodSync(home, 0o700);
  const path = join(home, "state.db");
  const made = openState(home);
  assert.ok(!(made instanceof Failure));
  made.close();
  layoutOf(path, 2);
  for (const opening of [openState, openExistingState, openStateToStop]) {
    const refused = opening(home);
    assert.ok(refused instanceof Failure);
    assert.equal(refused.code, "store_refused");
    assert.match(refused.message, /newer janee/);
    assert.match(refused.next ?? "", /use the newer janee/);
  }
  assert.equal(layoutOf(path), 2);
  assert.equal(layoutOf(path, 1), 1);
  const again = openExistingState(home);
  assert.ok(again && !(again instanceof Failure), "the nearest twin opens");
  again.close();
});

test("four processes that open a new database at once all get it, and count together", async () => {
  const script = join(root, "opener.ts");
  const module = new URL("../../src/host/store-sqlite.ts", import.meta.url).href;
  writeFileSync(
    script,
    `import { openStore } from ${JSON.stringify(module)};
     const store = openStore(process.argv[2]);
     for (let at = 0; at < 25; at++) store.countUse("c", 1);
     store.close();`,
  );
  for (let round = 0; round < 2; round++) {
    const path = newPath();
    const children = Array.from({ length: 4 }, () => start(runtimeCommand(script, path)).ended);
    for (const { code, err } of await Promise.all(children)) assert.equal(code, 0, err);
    assert.equal(open(path).readUse("c", 1).current, 100);
  }
});

test("many commits without a pause do not make the write-ahead log grow without end", async () => {
  const path = newPath();
  const store = openStore(path);
  for (let seq = 1; seq <= 12_000; seq++) {
    store.saveHead({ writer: "w", seq, hash: "a".repeat(43), mac: "m".repeat(43) });
    if (seq % 50 === 0) await new Promise((done) => setImmediate(done));
  }
  const pages = statSync(`${path}-wal`).size / 4096;
  assert.ok(pages < 10_000, `${pages} pages`);
  store.close();
  const again = openStore(path);
  assert.equal(again.heads()[0]?.seq, 12_000);
  again.close();
});
