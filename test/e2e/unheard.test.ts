// Nobody listens to what janee says, or its output cannot be written: work goes on, and an exit code stays what it was.
import assert from "node:assert/strict";
import { appendFileSync, existsSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { request } from "../support/client.ts";
import { canary, type Home, inHome, janeeCommand } from "../support/janee.ts";
import { withUpstream } from "../support/upstream.ts";
import { pause } from "../support/wait.ts";

const limit = { timeout: 90_000 };

/** janee with a stderr whose reader has gone away, and its own process id. */
function unheard(home: Home): { command: readonly string[]; env: Record<string, string> } {
  const pipe = join(home.beside, "stderr");
  const script = '[ -p "$PIPE" ] || mkfifo "$PIPE"; (: < "$PIPE") & exec "$0" "$@" 2> "$PIPE"';
  return { command: ["sh", "-c", script, ...janeeCommand()], env: { PIPE: pipe } };
}

test("janee serve goes on when nobody reads its log any more, and says its state in the trail", limit, () =>
  withUpstream({}, (upstream) =>
    inHome(async (home) => {
      home.writeConfig(
        `services:\n  up: { baseUrl: "http://127.0.0.1:${upstream.port}", auth: { type: bearer, key: ${canary} } }\ncapabilities:\n  open: { service: up, autoApprove: true }\n`,
      );
      const { token } = await home.grant("open");
      const serving = await home.serve([], unheard(home));
      const ask = () => request(serving.port, { target: "/open/x", token });
      assert.equal((await ask()).status, 200);
      appendFileSync(join(home.path, "config.yaml"), "nonsense: true\n");
      const kept = () => home.audit().some(({ outcome }) => outcome === "kept");
      for (let tries = 0; tries < 100 && !kept(); tries++) {
        assert.equal((await ask()).status, 200);
        await pause(50);
      }
      assert.ok(kept(), "the trail has the bad config");
      assert.equal((await ask()).status, 200);
      assert.equal(await serving.stop(), 0);
    }),
  ),
);

test("an exit code is the same whether or not its message is heard", limit, () =>
  inHome(async (home) => {
    await home.do(["init"]);
    for (const [args, status] of [
      [["list"], 0],
      [["lst"], 2],
      [["why", "nobody", "GET", "/"], 2],
    ] as const) {
      assert.equal((await home.run(args)).status, status);
      assert.equal((await home.run(args, unheard(home))).status, status, args.join(" "));
    }
  }),
);

test(
  "output that does not fit is said, with a status of its own; a reader that has enough is no failure",
  limit,
  () =>
    inHome(async (home) => {
      await home.do(["init"]);
      const into = (place: string) => ({
        command: ["sh", "-c", `exec "$0" "$@" ${place}`, ...janeeCommand()],
      });
      if (existsSync("/dev/full")) {
        const full = await home.run(["config", "path"], into("> /dev/full"));
        assert.equal(full.status, 1);
        assert.match(full.stderr, /standard output cannot be written \(ENOSPC\)/u);
      }
      const enough = await home.run(["config", "schema"], {
        command: ["sh", "-c", '{ "$0" "$@"; echo "$?" >&2; } | head -c 1', ...janeeCommand()],
      });
      assert.match(enough.stderr, /^0\n$/u);
    }),
);
