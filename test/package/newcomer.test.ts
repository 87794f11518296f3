// From nothing to the first allowed call, as someone walks who does what the docs say.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { project } from "../../scripts/package/project.ts";
import { canary } from "../support/janee.ts";
import { type Typed, type Walked, walk } from "../support/newcomer.ts";
import { withUpstream } from "../support/upstream.ts";
import { download, windows } from "./stage.ts";

const limit = { timeout: 120_000 };
const mostCommands = 4;

function told({ way, typed, milliseconds }: Walked): string {
  const lines = typed.map(({ line, milliseconds: taken }) => {
    const shown = line.replace(/jns_\w+/, "jns_…").replace(/127\.0\.0\.1:\d+/g, "127.0.0.1");
    return `  ${taken.toFixed(0).padStart(6)} ms  ${shown}`;
  });
  return [
    `${way}: ${typed.length} commands, ${(milliseconds / 1000).toFixed(1)} s of waiting`,
    ...lines,
  ].join("\n");
}

/** The blocks of the page, line by line. */
function shortestWays(): string[][] {
  const page = readFileSync(new URL("../../docs/first-ten-minutes.md", import.meta.url), "utf8");
  return [...page.matchAll(/```sh\n([\s\S]*?)\n```/g)].map(([, block = ""]) => block.split("\n"));
}

/** What was typed, with the places of the page in the stead of local ones. */
function asTaught({ line }: Typed): string {
  return line
    .replace(/http:\S+ \| JANEE_INSTALL_BASE=\S+ sh$/, `${project.downloads}/install.sh | sh`)
    .replace(/-u \S+/, "-u https://api.example.com")
    .replace("serve --port 0 ", "serve ")
    .replace("curl -fsS -H", "curl -H")
    .replace(/jns_\w+(.*):\d+/, "jns_…$1:5263");
}

if (!windows) {
  test("a newcomer is at the first allowed call within four commands, through the proxy and MCP", limit, () =>
    withUpstream({}, async (upstream) => {
      upstream.answer = (seen, exchange) => {
        const right = seen.values("authorization").join() === `Bearer ${canary}`;
        exchange.send(right ? 200 : 401, { "Content-Type": "application/json" }, `{"pong":${right}}`);
      };
      const walked = await walk(await download(), `http://127.0.0.1:${upstream.port}`);
      assert.deepEqual(
        walked.map(({ way }) => way),
        ["reverse proxy", "MCP"],
      );
      const taught = shortestWays();
      for (const [at, one] of walked.entries()) {
        console.log(told(one));
        assert.ok(one.typed.length <= mostCommands, told(one));
        assert.deepEqual(one.typed.map(asTaught), taught[at]);
        assert.match(one.answer, /pong.*true/);
        assert.equal(one.shown.includes(canary), false, "nobody was shown the key");
      }
      assert.deepEqual(
        upstream.seen.map(({ line }) => line.split(" HTTP/")[0]),
        ["GET /v1/ping", "GET /v1/ping"],
      );
    }),
  );
}
