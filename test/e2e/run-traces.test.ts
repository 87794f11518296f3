// What a run leaves to be found, by who looks from outside while it lives and after it: no key in any shape, no descriptor
// of janee, no token that still opens anything.
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { makeCertificate } from "../support/certificates.ts";
import { canary, Home, installedCommand } from "../support/janee.ts";
import { familyOf, filesBelow, found, processes, shapesOf } from "../support/search.ts";
import { startUpstream, type Upstream } from "../support/upstream.ts";
import { pause, until, within } from "../support/wait.ts";

const limit = { timeout: 90_000 };
const linux = process.platform === "linux";
const named = (word: string): string => canary.replace("CANARY", word);
const keys = {
  ...{ bearer: canary, password: `${named("BASIC")}/+ "x"`, query: named("QUERY"), token: named("ODD") },
  ...{ variable: named("VARIABLE"), file: named("FILE"), late: named("LATE") },
};
const secrets = Object.values(keys);

class Stage {
  readonly home = new Home();
  /** What holds keys on purpose lies here, outside of all that is searched. */
  readonly aside = mkdtempSync(join(tmpdir(), "janee-aside-"));
  readonly work = join(this.home.beside, "work");
  readonly temp = join(this.home.beside, "temp");
  upstream!: Upstream;

  static async open(): Promise<Stage> {
    const on = new Stage();
    const { home } = on;
    try {
      for (const folder of [on.work, on.temp]) mkdirSync(folder, { mode: 0o700 });
      const certificate = makeCertificate(on.aside, "upstream", ["DNS:localhost"]);
      on.upstream = await startUpstream({
        tls: certificate,
        answer: (seen, exchange) => {
          const { head } = seen;
          exchange.send(
            200,
            { "X-Echo": seen.values("authorization")[0] ?? "none" },
            `${head}\n${seen.body}`,
          );
        },
      });
      for (const name of ["file", "late"] as const) {
        writeFileSync(join(on.aside, name), `${keys[name]}\n`, { mode: 0o600 });
      }
      await home.do(["init"]);
      const at = (name: string): string => `baseUrl: "${on.url}/${name}", caFile: "${certificate.file}"`;
      home.writeConfig(`
services:
  bearer: { ${at("bearer")}, auth: { type: bearer, key: "${keys.bearer}" } }
  basic: { ${at("basic")}, auth: { type: basic, username: u, password: ${JSON.stringify(keys.password)} } }
  query: { ${at("query")}, auth: { type: query, params: { api_key: "${keys.query}" } } }
  headers: { ${at("headers")}, auth: { type: headers, header: X-Odd, key: "${keys.token}" } }
  variable: { ${at("variable")}, auth: { type: bearer, key: env:THE_VARIABLE } }
  filed: { ${at("filed")}, auth: { type: bearer, key: "file:${join(on.aside, "file")}" } }
  late: { ${at("late")}, auth: { type: bearer, key: "cmd:cat ${join(on.aside, "late")}" } }
capabilities:
  bearer: { service: bearer, autoApprove: true }
  basic: { service: basic, autoApprove: true }
  query: { service: query, autoApprove: true }
  headers: { service: headers, autoApprove: true }
  variable: { service: variable, autoApprove: true }
  filed: { service: filed, autoApprove: true }
  late: { service: late, autoApprove: true }
`);
      // The first command seals what was typed.
      await home.do(["list"]);
      return on;
    } catch (error) {
      await on.close();
      throw error;
    }
  }

  get url(): string {
    return `https://localhost:${this.upstream.port}`;
  }

  environment(more: Readonly<Record<string, string>> = {}): Record<string, string> {
    const own = { TMPDIR: this.temp, THE_VARIABLE: keys.variable, DENO_NO_UPDATE_CHECK: "1" };
    return this.home.environment({ ...own, ...more });
  }

  start(words: readonly string[], env: Readonly<Record<string, string>> = {}): Running {
    return new Running([...installedCommand(), ...words], this.work, this.environment(env));
  }

  script(text: string, env: Readonly<Record<string, string>> = {}, flags: readonly string[] = []): Running {
    return this.start(["run", ...flags, "--", "sh", "-c", text], env);
  }

  get names(): string[] {
    return ["bearer", "basic", "query", "headers", "variable", "filed", "late"];
  }

  async close(): Promise<void> {
    await this.home.dispose();
    await this.upstream?.stop();
    rmSync(this.aside, { recursive: true, force: true });
  }
}

class Running {
  readonly child: ChildProcess;
  out = "";
  err = "";
  readonly #closed: Promise<number | null>;

  constructor([file = "", ...args]: readonly string[], cwd: string, env: Record<string, string>) {
    const child = spawn(file, args, { cwd, env, stdio: ["ignore", "pipe", "pipe"] });
    child.stdout.on("data", (bytes: Buffer) => {
      this.out += bytes.toString("latin1");
    });
    child.stderr.on("data", (bytes: Buffer) => {
      this.err += bytes.toString("latin1");
    });
    this.child = child;
    this.#closed = new Promise((done) => child.once("close", (status) => done(status)));
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  says(word: string): Promise<unknown> {
    return until(20_000, `the command to say ${word}: ${this.err}`, () => this.out.includes(word));
  }

  ended(): Promise<number | null> {
    return within(30_000, this.#closed, "the end of the run");
  }
}

let opened: Promise<Stage> | undefined;
function stage(): Promise<Stage> {
  opened ??= Stage.open();
  return opened;
}
after(async () => (await opened?.catch(() => undefined))?.close());

/** Holds a command with a grandchild until it is told to go on; what is to be seen of it all meanwhile and afterwards. */
async function traces(
  on: Stage,
  running: Running,
  go: string,
): Promise<readonly (readonly [string, string])[]> {
  await running.says("waits");
  const family = familyOf(running.pid);
  assert.ok(family.length >= 3, `janee, its command and a grandchild: ${family}`);
  const places = [...processes(family), ...filesBelow(on.home.beside)];
  writeFileSync(go, "");
  assert.equal(await running.ended(), 0, running.err);
  rmSync(go);
  return [...places, ["stdout", running.out], ["stderr", running.err], ...filesBelow(on.home.beside)];
}

const waits = (go: string): string =>
  `sh -c 'echo waits; for i in $(seq 300); do [ -e "$0" ] && exit 0; sleep 0.1; done' '${go}'; :`;

test("no key is in any environment, argument, file, output or log of a run, in no shape", limit, async () => {
  if (!linux) return;
  const on = await stage();
  on.upstream.seen.length = 0;
  const go = join(on.work, "go");
  const asks = on.names.map((name) => `curl -sS -i -H "X-Try: ${name}" ${on.url}/${name}/x`).join("; ");
  const env = {
    ...{ EXACT: keys.bearer, BASIC: Buffer.from(`u:${keys.password}`).toString("base64") },
    ...{
      IN_A_URL: `postgres://u:${encodeURIComponent(keys.query)}@db`,
      HEXED: Buffer.from(keys.file).toString("hex"),
    },
  };
  const flags = ["--capability", on.names.join(","), "--summary", join(on.work, "summary.md")];
  const running = on.script(`${asks}; env > all.txt; ${waits(go)}`, env, flags);
  const places = await traces(on, running, go);
  assert.equal(on.upstream.seen.length, on.names.length, running.out);
  const sent = on.upstream.seen.map(({ head }) => head).join("\n");
  assert.deepEqual(
    secrets.filter((secret) => found([["sent", sent]], [secret]).length === 0),
    [],
    "each key went out, and came back in the answer",
  );
  assert.ok((running.out.match(/\[janee:redacted\]/g) ?? []).length >= on.names.length);
  assert.deepEqual(found(places, secrets), []);
  const where = places.map(([name]) => name);
  for (const name of ["audit.log", "state.db", "vault.json", "all.txt", "summary.md", "ca-bundle.pem"])
    assert.ok(
      where.some((one) => one.endsWith(name)),
      `${name} was searched`,
    );
});

test(
  "its twin: what is planted is found by that search, at each place and in each shape",
  limit,
  async () => {
    if (!linux) return;
    const on = await stage();
    const go = join(on.work, "go");
    const planted = join(on.work, "planted");
    mkdirSync(planted);
    const foreign = named("PLANTED");
    for (const [index, text] of [...shapesOf(foreign).values()].entries())
      writeFileSync(join(planted, `${index}`), `before${text}behind`);
    const running = on.script(`echo "out ${foreign}"; echo "err ${foreign}" >&2; ${waits(go)}`, {
      INHERITED: Buffer.from(`user:${foreign}`).toString("base64"),
    });
    const places = await traces(on, running, go);
    rmSync(planted, { recursive: true });
    const hits = found(places, [foreign]);
    for (const where of ["arguments of janee", "arguments of child", "stdout", "stderr"])
      assert.ok(hits.includes(`${where}: plain`), `${where}: ${hits}`);
    for (const kind of ["child", "grandchild"])
      assert.ok(
        hits.some((hit) => hit.startsWith(`environment of ${kind}: base64 after`)),
        `${kind}: ${hits}`,
      );
    for (const [index, shape] of [...shapesOf(foreign).keys()].entries())
      assert.ok(hits.includes(`work/planted/${index}: ${shape}`), shape);
  },
);

test("no descriptor goes to the command but its input, output and errors", limit, async () => {
  if (!linux) return;
  const on = await stage();
  const list = "ls -l /proc/self/fd";
  const inherits = (words: readonly string[]): Running =>
    new Running(
      ["sh", "-c", 'exec 7</etc/hostname 9<"$JANEE_HOME/config.yaml"; exec "$@"', "sh", ...words],
      on.work,
      on.environment(),
    );
  const numbers = ({ out }: Running): string[] =>
    [...out.matchAll(/ (\d+) -> (?!\/proc\/\d+\/fd$)/gm)].map(([, number]) => number ?? "").sort();
  const bare = inherits(["sh", "-c", list]);
  await bare.ended();
  for (const number of ["0", "1", "2", "7", "9"])
    assert.ok(numbers(bare).includes(number), `without janee they are there: ${bare.out}`);
  const summary = ["--summary", join(on.work, "summary.md")];
  const behind = inherits([
    ...installedCommand(),
    "run",
    ...summary,
    "--capability",
    "bearer",
    "--",
    "sh",
    "-c",
    list,
  ]);
  assert.equal(await behind.ended(), 0, behind.err);
  assert.deepEqual(numbers(behind), ["0", "1", "2"], behind.out);
});

test(
  "a key that only a request makes known is told of, where the command had it all along",
  limit,
  async () => {
    const on = await stage();
    const flags = ["--capability", "late"];
    const ask = `curl -sS ${on.url}/late/x >/dev/null`;
    const had = on.script(
      `${ask}; ${ask}`,
      { HIDDEN: `Bearer ${keys.late}`, OTHER: "something else" },
      flags,
    );
    assert.equal(await had.ended(), 0, had.err);
    const alarms = had.err.match(/ALARM: the command has the key of "late" itself, in HIDDEN$/gm);
    assert.equal(alarms?.length, 1, had.err);
    assert.match(had.err, /1 alarm$/m);
    const [line] = on.home
      .audit()
      .filter(({ event }) => event === "alarm")
      .slice(-1);
    assert.match(String(line?.message), /HIDDEN/);
    assert.ok(!on.home.auditText().includes(keys.late));

    const unasked = on.script("true", { HIDDEN: keys.late }, flags);
    await unasked.ended();
    assert.doesNotMatch(unasked.err, /ALARM/, "nobody looks it up beside a request");
    const clean = on.script(ask, { HIDDEN: "Bearer something-else-entirely" }, flags);
    await clean.ended();
    assert.doesNotMatch(clean.err, /ALARM/);
  },
);

test("a key in the command's own arguments is told of", limit, async () => {
  const on = await stage();
  const flags = ["run", "--capability", "bearer", "--"];
  const typed = on.start([...flags, "sh", "-c", `: ${keys.bearer}`]);
  assert.equal(await typed.ended(), 0);
  assert.match(typed.err, /a key is in the arguments of the command/);
  const clean = on.start([...flags, "sh", "-c", ": something-else"]);
  await clean.ended();
  assert.doesNotMatch(clean.err, /arguments/);
});

/** Asks through the proxy until it is told to go on, and once more then. */
const outlives = (on: Stage, go: string): string => `
  ask() { curl -sS --max-time 5 -o /dev/null -w '%{http_code}\\n' ${on.url}/bearer/x; }
  ask > before.txt 2>&1
  printf %s "$HTTPS_PROXY" > proxy.txt
  setsid sh -c 'for i in $(seq 300); do [ -e "$0" ] && break; sleep 0.1; done; curl -sS --max-time 5 -w "%{http_code}" ${on.url}/bearer/late; echo "$?" > after.txt' '${go}' >/dev/null 2>&1 &
`;

async function sessionsOfRuns(on: Stage): Promise<string[]> {
  const all = await on.home.json<{ owner: string; id: string }[]>(["sessions"]);
  return all.filter(({ owner }) => owner.startsWith("run:")).map(({ id }) => id);
}

test("a child that outlives its run has nothing: neither there nor at janee serve", limit, async () => {
  const on = await stage();
  const go = join(on.work, "go");
  const serving = await on.home.serve();
  try {
    for (const end of ["ended", "killed"]) {
      const stays = end === "killed" ? "echo stays; exec sleep 20" : "";
      const running = on.script(`${outlives(on, go)}${stays}`, {}, ["--capability", "bearer"]);
      if (end === "killed") {
        await running.says("stays");
        assert.equal((await sessionsOfRuns(on)).length, 1);
        process.kill(running.pid, "SIGKILL");
        running.child.stdout?.destroy();
        running.child.stderr?.destroy();
      }
      await running.ended();
      assert.equal(readFileSync(join(on.work, "before.txt"), "utf8"), "200\n");
      on.upstream.seen.length = 0;
      writeFileSync(go, "");
      await until(20_000, "the child that stayed", () => existsSync(join(on.work, "after.txt")));
      await until(20_000, "its status", () => readFileSync(join(on.work, "after.txt"), "utf8") !== "");
      // 7: nobody listens there.
      assert.equal(readFileSync(join(on.work, "after.txt"), "utf8"), "7\n");
      const proxy = readFileSync(join(on.work, "proxy.txt"), "utf8").replace(/:\d+$/, `:${serving.port}`);
      const elsewhere = new Running(
        ["curl", "-sS", "-k", "-o", "/dev/null", "-w", "%{http_connect}", "-x", proxy, `${on.url}/bearer/x`],
        on.work,
        on.environment({ NO_PROXY: "" }),
      );
      await elsewhere.ended();
      assert.equal(elsewhere.out, "407", "its token opens nothing at serve");
      assert.deepEqual(on.upstream.seen, []);
      // One that was killed is cleared up when it is looked for, if it is older than a few seconds.
      for (let look = 0; look < 60 && (await sessionsOfRuns(on)).length > 0; look += 1) await pause(200);
      assert.deepEqual(await sessionsOfRuns(on), []);
      for (const name of ["go", "after.txt", "before.txt", "proxy.txt"]) rmSync(join(on.work, name));
    }
  } finally {
    await serving.stop();
  }
  assert.deepEqual(readdirSync(join(on.home.path, "runs")), []);
});

test(
  "janee inside a run: its own commands reach services by themselves, and not through the run",
  limit,
  async () => {
    const on = await stage();
    const own = `JANEE_HOME='${on.home.path}' XDG_STATE_HOME='${on.home.state}' THE_VARIABLE='x'`;
    const janee = installedCommand().join(" ");
    const call = (id: number, method: string, params: object): string =>
      JSON.stringify({ jsonrpc: "2.0", id, method, params });
    const client = {
      protocolVersion: "2025-06-18",
      capabilities: {},
      clientInfo: { name: "t", version: "1" },
    };
    writeFileSync(
      join(on.work, "mcp.txt"),
      `${call(1, "initialize", client)}\n${call(2, "tools/list", {})}\n`,
    );
    const script = `
    env ${own} ${janee} test bearer --json >/dev/null; echo "test $?"
    env ${own} ${janee} mcp < mcp.txt
    env ${own} ${janee} run -- true; echo "run $?"`;
    on.upstream.seen.length = 0;
    const running = on.script(script, {}, ["--capability", "query"]);
    assert.equal(await running.ended(), 0, running.err);
    assert.match(running.out, /^test 0$/m, running.out + running.err);
    assert.match(running.out, /"id":1,.*"serverInfo"|"serverInfo".*"id":1/, running.out);
    assert.match(running.out, /"tools":\[/);
    assert.match(running.out, /^run 125$/m);
    assert.match(running.err, /inside a janee run already/);
    assert.deepEqual(
      on.upstream.seen.map((seen) => seen.values("authorization")),
      [[`Bearer ${keys.bearer}`]],
    );
    assert.doesNotMatch(
      running.err,
      /\d+ allowed/,
      `nothing of it went through the run's proxy: ${running.err}`,
    );
  },
);
