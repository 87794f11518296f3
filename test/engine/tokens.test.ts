// The cache of short-lived tokens: one fetch for many who wait, nothing for another purpose, and an end that is heeded.
import assert from "node:assert/strict";
import { test } from "node:test";
import { type Obtained, type Token, Tokens } from "../../src/engine/credential/tokens.ts";
import { Failure } from "../../src/engine/failure.ts";
import { Secret } from "../../src/engine/secret.ts";

class Bench {
  now = 1_000_000;
  fetched = 0;
  lifeMs = 3_600_000;
  failing = false;
  readonly withdrawn: string[] = [];
  readonly news: string[] = [];
  gate: Promise<void> = Promise.resolve();
  readonly tokens = new Tokens(() => this.now, {
    fetched: (service, until) => this.news.push(`fetched ${service} ${until}`),
    withdrawn: (service, heard) => this.news.push(`withdrawn ${service} ${heard}`),
  });

  async obtain(service = "s", ...purpose: string[]): Promise<Obtained> {
    const obtained = await this.tryObtain(service, ...purpose);
    if (obtained instanceof Failure) assert.fail(obtained.message);
    return obtained;
  }

  tryObtain(service = "s", ...purpose: string[]): Promise<Obtained | Failure> {
    return this.tokens.obtain(service, purpose, async (): Promise<Token | Failure> => {
      this.fetched += 1;
      const secret = new Secret(`token-${this.fetched}`);
      const expiresAt = this.now + this.lifeMs;
      await this.gate;
      if (this.failing) return new Failure("credential_failed", "no");
      const withdraw = async () => this.withdrawn.push(secret.reveal()) > 0;
      return { secret, expiresAt, withdraw };
    });
  }
}

const textOf = ({ token }: Obtained): string => token.secret.reveal();

test("many who wait have it fetched once, and those who come later get the same", async () => {
  const on = new Bench();
  const all = await Promise.all(Array.from({ length: 200 }, () => on.obtain()));
  assert.deepEqual([...new Set(all.map(textOf))], ["token-1"]);
  on.now += 3_539_999;
  assert.equal(textOf(await on.obtain()), "token-1");
  on.now += 1;
  const renewed = await on.obtain();
  assert.equal(textOf(renewed), "token-2");
  assert.deepEqual(
    renewed.earlier.map((one) => one.reveal()),
    ["token-1"],
  );
});

test("of a short life the last quarter is kept free, of a long one the last minute", async () => {
  for (const [lifeMs, usable] of [
    [4_000, 3_000],
    [240_000, 180_000],
    [3_600_000, 3_540_000],
  ] as const) {
    const on = new Bench();
    on.lifeMs = lifeMs;
    assert.equal((await on.obtain()).renewAt - on.now, usable);
  }
});

test("a token serves no other service and no other purpose, however their names are cut", async () => {
  const on = new Bench();
  const purposes: [string, ...string[]][] = [
    ["s"],
    ["s", ""],
    ["s", "a", "b"],
    ["s", "a,b"],
    ["s", 'a","b'],
    ["s", "ab"],
    ["sa", "b"],
    ["t", "a", "b"],
  ];
  const texts = new Set<string>();
  for (const purpose of purposes) texts.add(textOf(await on.obtain(...purpose)));
  assert.equal(texts.size, purposes.length);
});

test("a fetch that fails fails those who wait, and is tried again for the next", async () => {
  const on = new Bench();
  on.failing = true;
  const all = await Promise.all(Array.from({ length: 20 }, () => on.tryObtain()));
  assert.ok(all.every((one) => one instanceof Failure));
  assert.equal(on.fetched, 1);
  on.failing = false;
  assert.equal(textOf(await on.obtain()), "token-2");
});

test("given back are this service's tokens of before, the earlier ones that still live among them", async () => {
  const on = new Bench();
  on.lifeMs = 100_000;
  await on.obtain("s", "one");
  on.now += 80_000;
  await on.obtain("s", "one");
  await on.obtain("t", "one");
  const then = on.now;
  on.now += 10;
  await on.obtain("s", "two");
  await on.tokens.withdraw("s", then);
  assert.deepEqual(on.withdrawn.sort(), ["token-1", "token-2"]);
  assert.equal(textOf(await on.obtain("s", "two")), "token-4");
  assert.equal(textOf(await on.obtain("t", "one")), "token-3");
  assert.equal(textOf(await on.obtain("s", "one")), "token-5");
  on.now += 1_000_000;
  await on.tokens.withdraw("t");
  assert.equal(on.withdrawn.length, 2, "what has ended needs no end");
});

test("a token that is on its way when its service is revoked is given back, and used for nothing", async () => {
  const on = new Bench();
  let open = (): void => {};
  on.gate = new Promise((done) => {
    open = done;
  });
  const asked = on.tryObtain();
  assert.ok(on.tokens.some);
  await on.tokens.withdraw("s");
  open();
  assert.ok((await asked) instanceof Failure);
  await Promise.resolve();
  assert.deepEqual(on.withdrawn, ["token-1"]);
  assert.equal(textOf(await on.obtain()), "token-2");
});

test("a token that the service refuses is replaced, but not for each refusal", async () => {
  const on = new Bench();
  const first = await on.obtain();
  on.now += 10_000;
  assert.equal(first.refused(), false);
  assert.equal(textOf(await on.obtain()), "token-1");
  on.now += 20_000;
  assert.equal(first.refused(), true);
  const second = await on.obtain();
  assert.equal(textOf(second), "token-2");
  assert.equal(first.refused(), true);
  assert.equal(textOf(await on.obtain()), "token-2", "a late refusal of the old one says nothing of the new");
});
