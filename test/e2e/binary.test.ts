// The command line from outside: what surrounds it does not reach in, and what is wrong is said plainly, at once.
import assert from "node:assert/strict";
import { chmodSync, existsSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { request } from "../support/client.ts";
import { canary, type Home, inHome, installedCommand, janeeCommand, onDeno } from "../support/janee.ts";
import { heard } from "../support/signals.ts";
import { withUpstream } from "../support/upstream.ts";
import { until } from "../support/wait.ts";

const limit = { timeout: 90_000 };

interface Refusal {
  readonly error: { readonly code: string; readonly message: string; readonly next?: string };
}

async function refusal(
  home: Home,
  args: readonly string[],
): Promise<{ status: number | null; error: Refusal["error"] }> {
  const ran = await home.run([...args, "--json"]);
  return { status: ran.status, error: (JSON.parse(ran.stdout) as Refusal).error };
}

/** A folder as a hostile repository would leave it: each file would run code, or move janee's home. */
function hostileFolder(home: Home): { folder: string; mark: string } {
  const folder = join(home.beside, "repository");
  const mark = join(home.beside, "code-of-the-repository-ran");
  mkdirSync(join(folder, "node_modules", "hono"), { recursive: true });
  const plant = (name: string, text: string): void => writeFileSync(join(folder, name), text);
  const write = `require("node:fs").writeFileSync(${JSON.stringify(mark)}, "ran");`;
  plant("evil.cjs", write);
  plant("evil.ts", `import { writeFileSync } from "node:fs"; writeFileSync(${JSON.stringify(mark)}, "ran");`);
  plant("bunfig.toml", `preload = ["./evil.cjs"]\n[run]\nbun = true\n[test]\npreload = ["./evil.cjs"]\n`);
  const variables = [
    `JANEE_HOME=${join(home.beside, "stolen")}`,
    "JANEE_UNATTENDED=1",
    "NODE_TLS_REJECT_UNAUTHORIZED=0",
  ];
  for (const name of [".env", ".env.local", ".env.production", ".env.development"])
    plant(name, variables.join("\n"));
  plant(
    "package.json",
    JSON.stringify({ type: "commonjs", imports: { "#x": "./evil.cjs" }, main: "evil.cjs" }),
  );
  plant(
    "tsconfig.json",
    JSON.stringify({ compilerOptions: { baseUrl: ".", paths: { "*": ["./evil.ts"], hono: ["./evil.ts"] } } }),
  );
  plant("deno.json", JSON.stringify({ imports: { hono: "./evil.ts", "node:fs": "./evil.ts" } }));
  plant("index.ts", write);
  plant("config.yaml", "services: {}\n");
  plant(join("node_modules", "hono", "package.json"), JSON.stringify({ name: "hono", main: "index.js" }));
  plant(join("node_modules", "hono", "index.js"), write);
  return { folder, mark };
}

// Started in a stranger's repository, a broker that loads its files has already given up the keys.
test("nothing in the folder it is started in has any effect", limit, async () => {
  await withUpstream({}, (upstream) =>
    inHome(async (home) => {
      const { folder: cwd, mark } = hostileFolder(home);
      const there = { cwd, command: installedCommand() };
      assert.equal((await home.run(["--version"], there)).status, 0);
      const add = [
        "add",
        "api",
        "-u",
        `http://127.0.0.1:${upstream.port}`,
        "--auth-type",
        "bearer",
        "--key-stdin",
      ];
      await home.do(add, { ...there, stdin: canary });
      const refused = await home.run(["grant", "api"], there);
      assert.equal(refused.status, 4, "JANEE_UNATTENDED came out of a .env");
      const granted = await home.json<{ token: string }>(["grant", "api"], {
        ...there,
        env: { JANEE_UNATTENDED: "1" },
      });
      const serving = await home.serve([], there);
      const answer = await request(serving.port, { target: "/api/v1/x", token: granted.token });
      assert.equal(answer.status, 200);
      assert.equal((await request(serving.port, { target: "/_janee/health" })).status, 200);
      assert.ok(!existsSync(mark), "code of the repository was run");
      assert.ok(!existsSync(join(home.beside, "stolen")), "JANEE_HOME came out of a .env");
      assert.ok(existsSync(join(home.path, "state.db")));
    }),
  );
});

test("an unknown command or flag is exit 2 with the nearest right one", limit, async () => {
  await inHome(async (home) => {
    const near: readonly (readonly [args: readonly string[], nearest: RegExp])[] = [
      [["revok"], /revoke/],
      [["sesions"], /sessions/],
      [["list", "--jsno"], /--json/],
      [["serve", "--prot", "0"], /--port/],
      [["add", "x", "--key-stdn"], /--key-stdin/],
      [["revoke", "--al"], /--all/],
    ];
    for (const [args, nearest] of near) {
      const ran = await home.run(args);
      assert.equal(ran.status, 2, `${args.join(" ")}: ${ran.stderr}`);
      assert.match(ran.stderr, nearest);
      assert.equal(ran.stdout, "");
    }
    for (const args of [["why", "x"], ["grant"], ["serve", "more"], ["serve", "--port", "x"], ["add"]]) {
      assert.equal((await home.run(args)).status, 2, args.join(" "));
    }
    assert.equal((await home.run([])).status, 2);
    assert.deepEqual(readdirSync(home.path), [], "a command that was not understood leaves nothing behind");
  });
});

test("what stands behind -- is an argument, never a flag, and is not passed over", limit, async () => {
  await inHome(async (home) => {
    await home.do(["init"]);
    for (const args of [
      ["list", "--", "extra"],
      ["revoke", "--", "--all"],
      ["rm", "--", "one", "two"],
    ]) {
      const { status, stderr } = await home.run(args);
      assert.equal(status, 2, args.join(" "));
      assert.match(stderr, /→ janee/u, args.join(" "));
    }
    assert.equal((await home.run(["config", "--", "path"])).status, 0);
    assert.match((await home.run(["rm", "--", "nobody"])).stderr, /no service "nobody"/u);
  });
});

test("help and version go to stdout, on every command, and need no home", limit, async () => {
  await inHome(async (home) => {
    const overview = await home.do(["--help"]);
    const commands = [...overview.stdout.matchAll(/^ {2}([a-z]+) {2,}/gm)].map(([, name]) => name ?? "");
    for (const name of ["add", "serve", "grant", "revoke", "approve", "logs", "doctor"])
      assert.ok(commands.includes(name), name);
    for (const name of commands) {
      const { stdout } = await home.do([name, "--help"]);
      assert.match(stdout, new RegExp(`^usage: janee ${name}`));
      assert.doesNotMatch(stdout, /\u001b/);
    }
    const { version } = await home.json<{ version: string }>(["--version"]);
    assert.match(version, /^\d+\.\d+\.\d+/);
    assert.deepEqual(readdirSync(home.path), []);
  });
});

test("what is missing is named, and nothing waits for a terminal that is not there", limit, async () => {
  await inHome(async (home) => {
    const unopened = await refusal(home, ["list"]);
    assert.deepEqual([unopened.status, unopened.error.code], [3, "config_missing"]);
    await home.do(["init"]);
    const before = home.readConfig();
    const missing: readonly (readonly [args: readonly string[], status: number, says: RegExp])[] = [
      [["test", "nothing"], 2, /nothing/],
      [["set", "nothing", "--key-stdin"], 2, /nothing/],
      [["rm", "nothing"], 2, /nothing/],
      [["grant", "nothing"], 2, /nothing/],
      [["why", "nothing", "GET", "/"], 2, /nothing/],
      [["approve", "nothing"], 2, /nothing/],
      [["add", "unheard-of"], 2, /base-url/],
      [["add", "api", "-u", "http://127.0.0.1:1"], 2, /--(key-stdin|auth-type)/],
      [["add", "stripe"], 2, /--key-stdin/],
    ];
    for (const [args, status, says] of missing) {
      const ran = await home.run(args);
      assert.equal(ran.status, status, `${args.join(" ")}: ${ran.status} ${ran.stderr}`);
      assert.match(ran.stderr, says, args.join(" "));
    }
    assert.equal(home.readConfig(), before, "half-written");
    for (const name of ["\u001b[8m", "Upper", "mcp", "_janee", "a".repeat(65), "a/b", "..", ""]) {
      const ran = await home.run(
        ["add", name, "-u", "http://127.0.0.1:1", "--auth-type", "bearer", "--key-stdin"],
        { stdin: "k".repeat(20) },
      );
      assert.ok(ran.status === 2 || ran.status === 3, `${JSON.stringify(name)}: ${ran.status} ${ran.stderr}`);
      assert.doesNotMatch(ran.stderr + ran.stdout, /\u001b/);
    }
    for (const key of ["abc\r\nX: y", "abc\u0000def-and-more", "ключ-который-не-ascii", ""]) {
      const ran = await home.run(
        ["add", "api", "-u", "http://127.0.0.1:1", "--auth-type", "bearer", "--key-stdin"],
        { stdin: key },
      );
      assert.notEqual(ran.status, 0, `a key that no header can carry was taken: ${JSON.stringify(key)}`);
      assert.notEqual(ran.status, 1, ran.stderr);
    }
  });
});

test("a secret on the command line works, and earns a warning that names --key-stdin", limit, async () => {
  await inHome(async (home) => {
    const ran = await home.do([
      "add",
      "api",
      "-u",
      "http://127.0.0.1:1",
      "--auth-type",
      "bearer",
      "--key",
      canary,
    ]);
    assert.match(ran.stderr, /--key-stdin/);
    assert.ok(!ran.stderr.includes(canary) && !ran.stdout.includes(canary));
  });
});

test("a port in use, a bad host and a second signal", limit, async () => {
  await inHome(async (home) => {
    await home.do(["init"]);
    const serving = await home.serve();
    const taken = await refusal(home, ["serve", "--port", String(serving.port)]);
    assert.equal(taken.error.code, "address_in_use");
    assert.ok(taken.error.next);
    assert.equal(taken.status, 6);
    assert.notEqual((await home.run(["serve", "--port", "0", "--host", "192.0.2.1"])).status, 0);
    assert.equal(
      (await request(serving.port, { target: "/_janee/health" })).status,
      200,
      "the first goes on",
    );
    assert.equal(await serving.stop(), 0, "SIGTERM is a clean end");
  });
});

test(
  "serve ends in order when its terminal hangs up, and goes on when its starter had that ignored",
  limit,
  async () => {
    await inHome(async (home) => {
      await home.do(["init"]);
      const announced = (): boolean => existsSync(join(home.path, "serve.json"));
      for (const name of heard("SIGHUP", "SIGQUIT")) {
        const serving = await home.serve();
        process.kill(serving.pid, name);
        await until(10_000, `the end by ${name}`, () => !announced());
        assert.equal(await serving.stop(), 0, name);
      }
      // Deno takes the signal for itself when it starts, whatever its starter had ignored.
      if (onDeno) return;
      const command = ["sh", "-c", 'trap "" HUP; exec "$0" "$@"', ...janeeCommand()];
      const detached = await home.serve([], { command });
      process.kill(detached.pid, "SIGHUP");
      assert.equal((await request(detached.port, { target: "/_janee/health" })).status, 200);
      assert.equal(await detached.stop(), 0);
      assert.ok(!announced());
    });
  },
);

test("serve answers for further names with --allow-host, and for no others", limit, async () => {
  await inHome(async (home) => {
    await home.do(["init"]);
    const serving = await home.serve(["--allow-host", "janee.internal"]);
    const ask = async (host: string): Promise<number> =>
      (await request(serving.port, { target: "/_janee/health", headers: { Host: host } })).status;
    for (const host of ["127.0.0.1", "localhost", "[::1]", "LOCALHOST", "janee.internal"]) {
      assert.equal(await ask(`${host}:${serving.port}`), 200, host);
    }
    for (const host of [
      "evil.example",
      "127.0.0.1.nip.io",
      "janee.internal.evil.example",
      "xjanee.internal",
    ]) {
      assert.equal(await ask(`${host}:${serving.port}`), 403, host);
    }
    assert.equal(await ask(`127.0.0.1:${serving.port + 1}`), 403);
    const origin = (value: string) =>
      request(serving.port, { target: "/_janee/health", headers: { Origin: value } });
    for (const value of ["https://evil.example", "null", `http://127.0.0.1:${serving.port}.evil.example`]) {
      const answer = await origin(value);
      assert.equal(answer.status, 403, value);
      assert.equal(answer.header("access-control-allow-origin"), undefined);
    }
    assert.equal((await origin(`http://127.0.0.1:${serving.port}`)).status, 200);
  });
});

test("a home that others can read, or that is a link, is refused with 5 and the remedy", limit, async () => {
  if (process.platform === "win32") return;
  await inHome(async (home) => {
    await home.do(["init"]);
    chmodSync(home.path, 0o755);
    const open = await refusal(home, ["list"]);
    assert.deepEqual([open.status, open.error.code], [5, "bad_permissions"]);
    assert.match(open.error.next ?? "", /^chmod 700 /);
    chmodSync(home.path, 0o700);
    const link = join(home.beside, "link");
    symlinkSync(home.path, link);
    const linked = await home.run(["list"], { env: { JANEE_HOME: link } });
    assert.equal(linked.status, 5, linked.stderr);
    const relative = await home.run(["list"], { env: { JANEE_HOME: "relative" } });
    assert.equal(relative.status, 2);
  });
});

test("plain text without a terminal; --json is one JSON value", limit, async () => {
  await inHome(async (home) => {
    await home.do(
      ["add", "api", "-u", "http://127.0.0.1:1", "--auth-type", "bearer", "--key-stdin", "--auto-approve"],
      {
        stdin: canary,
      },
    );
    for (const args of [
      ["list"],
      ["sessions"],
      ["approvals"],
      ["logs"],
      ["config", "check"],
      ["search"],
      ["doctor"],
    ]) {
      for (const env of [{}, { NO_COLOR: "", TERM: "xterm-256color", FORCE_COLOR: "1" }]) {
        const plain = await home.run(args, { env });
        assert.doesNotMatch(plain.stdout + plain.stderr, /\u001b/, args.join(" "));
      }
      const { stdout } = await home.run([...args, "--json"]);
      const values = args[0] === "logs" ? stdout.trim().split("\n") : [stdout];
      for (const value of values)
        assert.doesNotThrow(() => JSON.parse(value), `${args.join(" ")}: ${stdout.slice(0, 200)}`);
    }
  });
});
