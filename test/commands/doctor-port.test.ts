// Who listens where `janee serve` would: nobody, this home's, another home's, or another program.
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { examine, type Finding, healthy } from "../support/doctor.ts";
import { type Home, inHome } from "../support/janee.ts";

const limit = { timeout: 60_000 };

async function heard(home: Home, port: number | "usual"): Promise<Finding> {
  const { status, findings } = await examine(home, { port });
  assert.equal(status, 0);
  const found = findings.filter(({ check }) => check === "port");
  assert.equal(found.length, 1);
  return found[0] as Finding;
}

test("doctor: a janee serve on another port than the usual is found where it is", limit, () =>
  inHome(async (home) => {
    await healthy(home);
    const serving = await home.serve();
    const found = await heard(home, "usual");
    assert.equal(found.level, "ok");
    assert.match(found.message, new RegExp(`^janee serve answers on ${serving.port}, not on the usual 5263`));
    assert.match((await heard(home, serving.port)).message, new RegExp(`answers on ${serving.port}`));
    assert.equal((await heard(home, 1)).message, `1 is free; janee serve of this home is on ${serving.port}`);
    await serving.stop();
    assert.equal(
      (await heard(home, serving.port)).message,
      `${serving.port} is free: janee serve is not running`,
    );
  }),
);

test("doctor: a janee serve of another home is not taken for this one's", limit, () =>
  inHome((other) =>
    inHome(async (home) => {
      await healthy(home);
      await healthy(other);
      const serving = await other.serve();
      const found = await heard(home, serving.port);
      assert.equal(found.level, "warn");
      assert.match(found.message, /a janee serve of another home or user answers/);
      assert.match(found.remedy ?? "", /janee serve --port \d+$/);
    }),
  ),
);

test("doctor: a port that another program has, and a serve that does not answer", limit, () =>
  inHome(async (home) => {
    await healthy(home);
    const other = createServer((socket) => {
      socket.on("error", () => {});
      socket.resume();
      socket.end("220 mail\r\n");
    });
    await new Promise<void>((done) => other.listen(0, "127.0.0.1", done));
    const address = other.address();
    const port = typeof address === "object" && address ? address.port : 0;
    const taken = await heard(home, port);
    assert.equal(taken.level, "warn");
    assert.match(taken.message, /is taken by another program$/);
    // As a janee serve leaves it whose process lives and does not answer: the test's own.
    const announced = { url: `http://127.0.0.1:${port}`, pid: process.pid };
    writeFileSync(join(home.path, "serve.json"), JSON.stringify(announced), { mode: 0o600 });
    const silent = await heard(home, "usual");
    assert.match(silent.message, new RegExp(`said that it is on ${port}, and does not answer`));
    assert.equal(silent.level, "warn");
    await new Promise((done) => other.close(done));
  }),
);
