// The blocks of the docs that show commands with their output are run, in order, in one shell.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { delimiter, join } from "node:path";
import { test } from "node:test";
import { type Home, inHome, janeeCommand } from "../support/janee.ts";
import { withUpstream } from "../support/upstream.ts";

const limit = { timeout: 120_000 };

interface Step {
  readonly line: string;
  readonly wanted: string;
}

/** Commands after `$ `; what follows is what they print, `…` standing for anything. */
function stepsOf(markdown: string): Step[] {
  const steps: Step[] = [];
  for (const [, block = ""] of markdown.matchAll(/```console\n([\s\S]*?)```/g)) {
    for (const part of block.split(/^\$ /m).slice(1)) {
      const end = part.indexOf("\n");
      steps.push({ line: part.slice(0, end), wanted: part.slice(end + 1).trimEnd() });
    }
  }
  return steps;
}

function matches(printed: string, wanted: string): boolean {
  const escaped = wanted.split("…").map((piece) => piece.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  return new RegExp(`^${escaped.join("[\\s\\S]*")}$`).test(printed.trimEnd());
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const address = server.address();
  await new Promise((done) => server.close(done));
  return typeof address === "object" && address ? address.port : 0;
}

/** One shell for all steps; a mark behind each says where its output ends. What it started ends with it. */
function runAll(home: Home, steps: readonly Step[]): Promise<string[]> {
  const folder = join(home.beside, "bin");
  mkdirSync(folder);
  const words = janeeCommand().map((word) => `'${word}'`);
  writeFileSync(join(folder, "janee"), `#!/bin/sh\nexec ${words.join(" ")} "$@"\n`);
  chmodSync(join(folder, "janee"), 0o755);
  const env = home.environment({ PATH: `${folder}${delimiter}${process.env.PATH ?? ""}` });
  const script = [
    "trap 'kill $(jobs -p) 2>/dev/null' EXIT",
    ...steps.map(({ line }) => `${line}\necho '@@end'`),
  ].join("\n");
  return new Promise((done, failed) => {
    execFile("bash", ["--norc", "-c", script], { env, timeout: 60_000 }, (error, stdout) => {
      if (error && stdout === "") failed(error);
      else done(stdout.split("@@end\n").slice(0, steps.length));
    });
  });
}

test("docs/first-ten-minutes.md is what happens", limit, () =>
  inHome((home) =>
    withUpstream({}, async (upstream) => {
      upstream.answer = (seen, exchange) => {
        const body = { path: seen.target, sent: seen.values("authorization").join("") };
        exchange.send(200, { "Content-Type": "application/json" }, `${JSON.stringify(body)}\n`);
      };
      const port = await freePort();
      const local = `http://127.0.0.1:${upstream.port}`;
      const ready = `for i in $(seq 200); do curl -fs http://127.0.0.1:${port}/_janee/health >/dev/null && break; sleep 0.1; done`;
      const steps = stepsOf(
        readFileSync(new URL("../../docs/first-ten-minutes.md", import.meta.url), "utf8"),
      ).map(({ line, wanted }) => ({
        wanted: wanted.replaceAll("https://api.example.com", local),
        line: line
          .replaceAll("https://api.example.com", local)
          .replace("janee serve &", `janee serve --port ${port} 2>/dev/null & ${ready}`)
          .replaceAll("janee grant demo --env", "janee grant demo --env 2>/dev/null"),
      }));
      assert.ok(steps.length >= 10);
      const printed = await runAll(home, steps);
      for (const [at, { line, wanted }] of steps.entries()) {
        const said = printed[at] ?? "";
        assert.ok(matches(said, wanted), `${line}\nprinted:\n${said}\nand not:\n${wanted}`);
      }
    }),
  ),
);
