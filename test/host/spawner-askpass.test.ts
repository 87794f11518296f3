// A password for git that is in no argument, variable or file, and that only the command's own kin can ask for.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { lstatSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import { type AddressInfo, createConnection } from "node:net";
import { join, normalize } from "node:path";
import { test } from "node:test";
import { Failure } from "../../src/engine/failure.ts";
import { Lifeline } from "../../src/engine/ports.ts";
import { until, within } from "../support/wait.ts";
import { ended, onStage } from "./spawning.ts";

const limit = { timeout: 60_000 };
const linux = process.platform === "linux";
const token = `tok-${"9f3a71c2e8".repeat(3)}`;

/** A repository with one file, as a web server without git would serve it. */
function makeRepository(folder: string): string {
  const work = join(folder, "origin");
  const env = { PATH: process.env.PATH, HOME: folder, GIT_CONFIG_NOSYSTEM: "1" };
  const git = (...args: string[]) => execFileSync("git", args, { cwd: work, env, stdio: "pipe" });
  mkdirSync(work);
  git("init", "-q", "-b", "main");
  execFileSync("sh", ["-c", "echo content > file"], { cwd: work });
  git("add", "file");
  git("-c", "user.name=a", "-c", "user.email=a@example.com", "commit", "-qm", "first");
  git("update-server-info");
  return join(work, ".git");
}

/** Serves a folder to those who know the password; `seen` is called while one is being served. */
async function serveFolder<T>(
  root: string,
  seen: () => void,
  work: (origin: string) => Promise<T>,
): Promise<T> {
  const right = `Basic ${Buffer.from(`person:${token}`).toString("base64")}`;
  const server = createServer((request, response) => {
    if (request.headers.authorization !== right) {
      response.writeHead(401, { "www-authenticate": 'Basic realm="test"' }).end();
      return;
    }
    seen();
    try {
      const path = normalize(new URL(request.url ?? "/", "http://x").pathname).replace(/^\/repo\.git/, "");
      response.end(readFileSync(join(root, path)));
    } catch {
      response.writeHead(404).end();
    }
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  try {
    return await work(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  } finally {
    server.close();
    server.closeAllConnections();
  }
}

function filesIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .map((name) => join(folder, name))
    .filter((path) => lstatSync(path).isFile());
}

function holdToken(paths: readonly string[]): string[] {
  return paths.filter((path) => {
    try {
      return readFileSync(path, "latin1").includes(token);
    } catch {
      return false;
    }
  });
}

test("git clones with a password that is nowhere to be found", limit, () =>
  onStage(async ({ folder, home, run }) => {
    const repository = makeRepository(folder);
    const found: string[] = [];
    let looks = 0;
    let modes = "";
    const look = (): void => {
      looks += 1;
      for (const name of readdirSync(join(home, "run"))) {
        const scratch = join(home, "run", name);
        modes = [scratch, join(scratch, "askpass")]
          .map((path) => (lstatSync(path).mode & 0o777).toString(8))
          .join();
      }
      if (linux) {
        const processes = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
        found.push(
          ...holdToken(processes.flatMap((pid) => [`/proc/${pid}/cmdline`, `/proc/${pid}/environ`])),
        );
      }
      found.push(...holdToken(filesIn(folder)));
    };
    const prompts: string[] = [];
    const askpass = (prompt: string): string | undefined => {
      prompts.push(prompt);
      return prompt.startsWith("Username") ? "person" : token;
    };
    await serveFolder(repository, look, async (origin) => {
      const target = join(folder, "clone");
      const { end, err } = await run(["git", "clone", `${origin}/repo.git`, target], { askpass });
      assert.equal(ended(end).exitCode, 0, err);
      assert.equal(readFileSync(join(target, "file"), "utf8"), "content\n");
      assert.deepEqual(
        prompts.map((prompt) => prompt.replace(origin.replace("http://", ""), "HOST")),
        ["Username for 'http://HOST': ", "Password for 'http://person@HOST': "],
      );
      assert.ok(looks > 3);
      assert.equal(modes, "700,700");
      assert.deepEqual(found, []);
      assert.deepEqual(holdToken(filesIn(folder)), []);
      assert.deepEqual(readdirSync(join(home, "run")), []);

      const refused = await run(["git", "clone", `${origin}/repo.git`, `${target}2`], {
        askpass: () => undefined,
      });
      assert.notEqual(ended(refused.end).exitCode, 0);
      const none = await run(["git", "clone", `${origin}/repo.git`, `${target}3`]);
      assert.notEqual(ended(none.end).exitCode, 0, "without an askpass nothing is asked and nothing hangs");
    });
  }),
);

function askFrom(place: string, nonce: string): Promise<string> {
  return new Promise((done) => {
    let reply = "";
    const socket = createConnection(place.slice(place.indexOf("@") + 1));
    socket.on("connect", () => socket.write(`${JSON.stringify({ nonce, prompt: "Password: " })}\n`));
    socket.on("data", (bytes) => {
      reply += bytes;
    });
    socket.on("error", () => done("error"));
    socket.on("end", () => socket.end());
    socket.on("close", () => done(reply));
  });
}

test("only the command's own kin get an answer, and only with the nonce", limit, () =>
  onStage(async ({ spawner }) => {
    if (!linux) return;
    const program = spawner.find("sh", { outside: [] });
    assert.ok(!(program instanceof Failure));
    let out = "";
    const asked: string[] = [];
    const script = `
      echo "$JANEE_ASKPASS"
      "$GIT_ASKPASS" "Password for ü: "; echo "status $?"
      "$SSH_ASKPASS" "again"; echo "status $?"
      JANEE_ASKPASS="0$JANEE_ASKPASS" "$GIT_ASKPASS" "Password: "; echo "status $?"
      echo all; sleep 100`;
    const lifeline = new Lifeline();
    const running = spawner.run(
      {
        ...{ program, args: ["-c", script], environment: new Map(), cwd: undefined, stdin: new Uint8Array() },
        timeoutMs: 50_000,
        lastLook: () => undefined,
        output: (_, bytes) => {
          out += bytes;
        },
        askpass: (prompt) => {
          asked.push(prompt);
          return asked.length === 1 ? token : undefined;
        },
      },
      lifeline,
    );
    await until(40_000, "the answers", () => out.includes("all\n"));
    const [place = "", ...lines] = out.trim().split("\n");
    assert.deepEqual(lines, [token, "status 0", "status 1", "status 1", "all"]);
    assert.deepEqual(asked, ["Password for ü: ", "again"]);
    // This process has the same user and knows everything, but the command did not start it.
    assert.equal(await within(10_000, askFrom(place, place.split("@")[0] ?? ""), "a reply"), "{}");
    assert.equal(asked.length, 2);
    lifeline.cut(new Failure("session_revoked", "over"));
    await running;
    assert.equal(await askFrom(place, ""), "error", "the socket is gone");
  }),
);

test("a home with a long path has its socket elsewhere", limit, () =>
  onStage(async ({ folder }) => {
    const long = join(folder, "x".repeat(90));
    mkdirSync(long);
    const { makeSpawner } = await import("../../src/host/spawner.ts");
    const spawner = makeSpawner({ home: long, environment: process.env });
    const program = spawner.find("sh", { outside: [] });
    assert.ok(!(program instanceof Failure));
    let out = "";
    const order = {
      ...{ program, args: ["-c", '"$GIT_ASKPASS" x; echo "$JANEE_ASKPASS"'], environment: new Map() },
      ...{ cwd: undefined, stdin: new Uint8Array(), timeoutMs: 30_000, askpass: () => "answer" },
      lastLook: () => undefined,
      output: (_: string, bytes: Buffer) => {
        out += bytes;
      },
    };
    ended(await spawner.run(order, new Lifeline()));
    const [answer, place = ""] = out.trim().split("\n");
    assert.equal(answer, "answer");
    const socket = place.slice(place.indexOf("@") + 1);
    assert.ok(socket.length < 104 && !socket.startsWith(long));
    assert.throws(() => lstatSync(socket), "gone");
  }),
);
