// The config file is changed under the lock: what stands there at that moment is what is edited, sealed and in force.
import assert from "node:assert/strict";
import { appendFileSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { Failure } from "../../src/engine/failure.ts";
import { Home } from "../../src/host/home.ts";

const service = {
  path: ["services", "up"],
  value: { baseUrl: "http://127.0.0.1:9", auth: { type: "bearer", key: "sk_test_home_0123456789" } },
};
const capability = { path: ["capabilities", "up"], value: { service: "up", ttl: "30m" } };

async function withHome(work: (home: Home, again: () => Promise<Home>) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "janee-home-"));
  const environment = { JANEE_HOME: join(folder, "home"), XDG_STATE_HOME: join(folder, "state") };
  const open = async (): Promise<Home> => {
    const home = await Home.open(environment, true);
    assert.ok(home instanceof Home);
    return home;
  };
  try {
    await work(await open(), open);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function textOf(home: Home): string {
  return readFileSync(home.configPath, "utf8");
}

test("what was written is in force at once, sealed, and the same as what the next process reads", () =>
  withHome(async (home, again) => {
    assert.equal(await home.update(() => [service, capability]), undefined);
    assert.ok(!textOf(home).includes("sk_test_home"));
    assert.match(textOf(home), /key: sealed:v1:/);
    const { config } = home.current();
    assert.deepEqual(config, (await again()).current().config);
    const [up] = [...config.services.values()];
    assert.ok(up);
    const opened = await home.open(up);
    assert.ok(!(opened instanceof Failure));
    assert.equal(opened.get("key")?.reveal(), "sk_test_home_0123456789");
  }));

test("a rehearsal writes nothing, and what it read is not believed once the file says something else", () =>
  withHome(async (home) => {
    assert.equal(await home.update(() => [service, capability]), undefined);
    const before = textOf(home);
    const wider = [{ path: ["capabilities", "up", "autoApprove"], value: true }];
    const rehearsed = home.rehearse(() => wider);
    assert.ok(!(rehearsed instanceof Failure) && !(rehearsed.after instanceof Failure));
    assert.equal(rehearsed.after.capabilities.get("up")?.autoApprove, true);
    assert.equal(textOf(home), before);

    appendFileSync(home.configPath, "  other: { service: up } # of another process\n");
    let seen: readonly string[] = [];
    const plan = ({ config }: { config: { capabilities: ReadonlyMap<string, unknown> } }) => {
      seen = [...config.capabilities.keys()];
      return wider;
    };
    assert.equal(await home.update(plan, rehearsed.document), undefined);
    assert.deepEqual(seen, ["up", "other"]);
    assert.match(textOf(home), /of another process/);
    assert.deepEqual([...home.current().config.capabilities.keys()], ["up", "other"]);
    assert.equal(home.current().config.capabilities.get("up")?.autoApprove, true);
  }));

test("edits that are wrong, and a file that is, leave the file as it stands", () =>
  withHome(async (home) => {
    assert.equal(await home.update(() => [service, capability]), undefined);
    const good = textOf(home);
    const ttl = { path: ["capabilities", "up", "ttl"], value: "1 fortnight" };
    const wrong = await home.update(() => [ttl]);
    assert.equal(wrong?.code, "config_invalid");
    assert.equal(wrong?.at?.line, good.split("\n").findIndex((line) => /^\s+ttl:/.test(line)) + 1);
    const none = await home.update(() => new Failure("not_found", "nothing to do"));
    assert.equal(none?.code, "not_found");
    assert.equal(textOf(home), good);
    appendFileSync(home.configPath, "oops: [\n");
    const bad = textOf(home);
    assert.equal((await home.update(() => [{ ...ttl, value: "1h" }]))?.code, "config_invalid");
    assert.equal(textOf(home), bad);
    assert.equal(home.current().config.capabilities.get("up")?.ttlMs, 30 * 60_000, "the last good one holds");
  }));
