// One known credential through a whole run of everything: it is found nowhere that an agent, a log or a backup shows.
import assert from "node:assert/strict";
import { chmodSync, existsSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { type Answer, request } from "../support/client.ts";
import { canary, type Home, inHome, type Ran, type RunOptions } from "../support/janee.ts";
import { type Upstream, withUpstream } from "../support/upstream.ts";

const limit = { timeout: 120_000 };
const unattended = { env: { JANEE_UNATTENDED: "1" } };
const rotated = canary.replace("CANARY", "SECOND");
const secrets = [canary, rotated];

/** Everything that came out of janee, with where it came out. */
class Heard {
  readonly #pieces: (readonly [where: string, text: string])[] = [];
  readonly tokens = new Set<string>();

  add(where: string, text: string): void {
    this.#pieces.push([where, text]);
  }

  assertWithout(needles: Iterable<string>): void {
    for (const needle of needles) {
      const shapes = [
        needle,
        Buffer.from(needle).toString("base64").replace(/=+$/, ""),
        Buffer.from(needle).toString("hex"),
      ];
      for (const [where, text] of this.#pieces) {
        for (const shape of shapes) {
          assert.ok(
            !text.toLowerCase().includes(shape.toLowerCase()),
            `${where} shows ${needle}: ${text.slice(0, 300)}`,
          );
        }
      }
    }
  }
}

function filesOf(folder: string): string[] {
  const names = readdirSync(folder, { recursive: true, encoding: "utf8" }).map((name) => join(folder, name));
  return names.filter((name) => statSync(name).isFile());
}

interface Run {
  readonly home: Home;
  readonly upstream: Upstream;
  readonly heard: Heard;
  readonly run: (args: readonly string[], options?: RunOptions) => Promise<Ran>;
}

/** A home in which everything that any command prints is kept. */
function listening<T>(work: (on: Run) => Promise<T>): Promise<T> {
  return withUpstream({}, (upstream) =>
    inHome(async (home) => {
      const heard = new Heard();
      const run = async (args: readonly string[], options?: RunOptions): Promise<Ran> => {
        const ran = await home.run(args, options);
        heard.add(`stderr of janee ${args.join(" ")}`, ran.stderr);
        // The one command whose purpose it is to print a token.
        if (args[0] !== "grant") heard.add(`stdout of janee ${args.join(" ")}`, ran.stdout);
        return ran;
      };
      return work({ home, upstream, heard, run });
    }),
  );
}

/** Files at rest, the write-ahead log included. */
function readFiles(home: Home, heard: Heard): void {
  for (const folder of [home.path, home.state]) {
    for (const name of filesOf(folder)) heard.add(name, readFileSync(name).toString("latin1"));
  }
}

test("a whole run: the credential is in no output, file, log, database or answer", limit, async () => {
  await listening(async ({ home, upstream, heard, run }) => {
    const origin = `http://127.0.0.1:${upstream.port}`;
    const expectStatus = async (
      status: number,
      args: readonly string[],
      options?: RunOptions,
    ): Promise<Ran> => {
      const ran = await run(args, options);
      assert.equal(ran.status, status, `janee ${args.join(" ")}: ${ran.stderr}${ran.stdout}`);
      return ran;
    };
    await expectStatus(0, ["init"]);
    const rules = ["--auto-approve", "--allow", "GET *", "--ask", "POST /ask*", "--deny", "DELETE *"];
    await expectStatus(0, ["add", "first", "-u", origin, "--auth-type", "bearer", "--key-stdin", ...rules], {
      stdin: `${canary}\n`,
    });
    await expectStatus(0, [
      "add",
      "named",
      "-u",
      origin,
      "--auth-type",
      "headers",
      "--header",
      `X-Key=${canary}`,
    ]);
    await expectStatus(0, ["add", "argued", "-u", origin, "--auth-type", "bearer", "--key", canary]);
    await expectStatus(
      0,
      ["add", "from-env", "-u", origin, "--auth-type", "bearer", "--key-env", "THE_KEY"],
      {
        env: { THE_KEY: canary },
      },
    );
    const keyFile = join(home.beside, "key.txt");
    writeFileSync(keyFile, `${canary}\n`, { mode: 0o600 });
    await expectStatus(0, ["add", "from-file", "-u", origin, "--auth-type", "bearer", "--key-file", keyFile]);
    home.writeConfig(
      `${home.readConfig().replace("\ncapabilities:", `\n  typed: { baseUrl: "${origin}", auth: { type: bearer, key: ${canary} } }\ncapabilities:`)}`,
    );
    for (const json of [[], ["--json"]]) {
      await expectStatus(0, ["list", ...json]);
      await expectStatus(0, ["test", "first", ...json]);
      await expectStatus(0, ["why", "first", "GET", "/v1/x", ...json]);
      await expectStatus(4, ["why", "first", "DELETE", "/v1/x", ...json]);
      await expectStatus(0, ["config", "check", ...json]);
      await expectStatus(0, ["config", "path", ...json]);
      await run(["doctor", ...json]);
    }
    assert.ok(!home.readConfig().includes(canary), "a typed credential is sealed in place");

    const serving = await home.serve();
    const granted = await home.grant("first");
    heard.tokens.add(granted.token);
    const hear = (where: string, answer: Answer): Answer => {
      heard.add(where, `${answer.head}\r\n\r\n${answer.body.toString("latin1")}`);
      return answer;
    };
    const ask = async (
      method: string,
      target: string,
      headers: Record<string, string> = {},
      body?: string,
    ): Promise<Answer> =>
      hear(
        `${method} ${target}`,
        await request(serving.port, {
          method,
          target,
          token: granted.token,
          headers,
          ...(body === undefined ? {} : { body }),
        }),
      );

    upstream.answer = (seen, exchange) => {
      const echo = `${seen.head}\n${canary}\n${Buffer.from(canary).toString("base64")}\n${seen.body}`;
      exchange.send(200, { "X-Echo": canary, "Set-Cookie": `k=${canary}`, ETag: `"${canary}"` }, echo);
    };
    const echoed = await ask("GET", "/first/v1/echo");
    assert.match(echoed.text, /\[janee:redacted\]/);
    await ask("GET", `/first/v1/x?mine=${canary}`);
    await ask("GET", `/first/v1/${canary}`, { "X-Mine": canary, "User-Agent": canary });
    await ask("POST", "/first/ask", { "X-Mine": canary }, `{"key":"${canary}"}`);
    await ask("DELETE", `/first/v1/${canary}`);
    await ask("GET", `/first/v1/../${canary}`);
    await ask("GET", `/${canary.toLowerCase()}/x`);
    await ask("GET", "/first/v1/x", { Host: `${canary}.example` });
    hear("a token in the path", await request(serving.port, { target: `/first/${granted.token}` }));
    upstream.answer = (_, exchange) => exchange.write(`HTTP/1.1 banana ${canary}\r\n\r\n`);
    assert.equal((await ask("GET", "/first/v1/nonsense")).status, 502);
    upstream.answer = (_, exchange) => exchange.send(200, { "Content-Encoding": canary }, canary);
    assert.equal((await ask("GET", "/first/v1/coded")).status, 502);
    upstream.answer = (_, exchange) =>
      exchange.send(500, { "Content-Type": "text/html" }, `<pre>${canary}</pre>`);
    assert.equal((await ask("GET", "/first/v1/failed")).status, 500);
    await run(["test", "first"]);

    const [waiting] = await home.json<{ id: string }[]>(["approvals"]);
    for (const json of [[], ["--json"]]) {
      await expectStatus(0, ["approvals", ...json]);
      await expectStatus(0, ["sessions", "--all", ...json]);
      await expectStatus(0, ["logs", ...json]);
      await expectStatus(0, ["logs", "--denied", ...json]);
    }
    await expectStatus(0, ["approve", waiting?.id ?? ""], unattended);
    await expectStatus(0, ["set", "first", "--key-stdin"], { stdin: rotated, ...unattended });
    upstream.answer = (seen, exchange) => exchange.send(200, {}, seen.head);
    assert.match((await ask("GET", "/first/v1/rotated")).text, /redacted/);
    await expectStatus(0, ["revoke", "--all"]);
    await ask("GET", "/first/v1/after");
    await expectStatus(0, ["rotate"], unattended);
    await expectStatus(0, ["logs", "verify"]);
    await expectStatus(0, ["rm", "first"], unattended);
    readFiles(home, heard);
    await serving.stop();
    heard.add("janee serve", serving.stdout() + serving.stderr());
    readFiles(home, heard);
    assert.ok(existsSync(join(home.path, "state.db")) && existsSync(join(home.path, "vault.json")));
    heard.assertWithout(secrets);
    heard.assertWithout(heard.tokens);
  });
});

// A message that quotes the line it complains about shows the credential that stands in that line.
const mistakes: readonly (readonly [name: string, yaml: string])[] = [
  [
    "an unknown key beside it",
    `services:\n  a: { baseUrl: "https://a.example", auth: { type: bearer, kee: KEY } }\n`,
  ],
  ["a colon too many", `services:\n  a:\n    auth:\n      key: KEY: KEY\n`],
  ["a bracket that never closes", `services:\n  a: { auth: { type: bearer, key: [KEY\n`],
  ["a quote that never closes", `services:\n  a:\n    auth: { type: bearer, key: "KEY }\n`],
  [
    "a key that is a list",
    `services:\n  a: { baseUrl: "https://a.example", auth: { type: bearer, key: [KEY] } }\n`,
  ],
  [
    "an unknown type of auth",
    `services:\n  a: { baseUrl: "https://a.example", auth: { type: KEY, key: KEY } }\n`,
  ],
  [
    "a base URL with user info",
    `services:\n  a: { baseUrl: "https://u:KEY@a.example", auth: { type: bearer, key: KEY } }\n`,
  ],
  ["the key as a base URL", `services:\n  a: { baseUrl: KEY, auth: { type: bearer, key: KEY } }\n`],
  [
    "the key as a header's name",
    `services:\n  a: { baseUrl: "https://a.example", auth: { type: headers, header: "KEY KEY", key: x } }\n`,
  ],
  ["the key as the name of a service", `services:\n  KEY: { auth: { type: bearer, key: KEY } }\n`],
  ["the key as a key", `services:\n  a: { KEY: KEY, auth: { type: bearer, key: KEY } }\n`],
  ["the key as a rule", `capabilities:\n  a: { service: a, rules: [{ allow: KEY }] }\n`],
  ["the key as a ttl", `capabilities:\n  a: { service: KEY, ttl: KEY }\n`],
  ["a duplicate key", `services:\n  a: { auth: { type: bearer, key: KEY, key: KEY } }\n`],
  ["an anchor", `services:\n  a: { auth: { type: bearer, key: &k KEY }, b: *k }\n`],
  ["a tag", `services:\n  a: { auth: { type: bearer, key: !secret KEY } }\n`],
  [
    "a line break in the key",
    `services:\n  a: { baseUrl: "https://a.example", auth: { type: bearer, key: "KEY\\r\\nX: KEY" } }\n`,
  ],
  ["a tab for indentation", `services:\n\ta: { auth: { type: bearer, key: KEY } }\n`],
  [
    "an edited seal",
    `services:\n  a: { baseUrl: "https://a.example", auth: { type: bearer, key: "sealed:v1:KEY" } }\ncapabilities:\n  a: { service: a }\n`,
  ],
];

test("a bad config says where and what, and never shows a value", limit, async () => {
  await listening(async ({ home, heard, run }) => {
    await run(["init"]);
    for (const [name, yaml] of mistakes) {
      home.writeConfig(yaml.replaceAll("KEY", canary));
      for (const args of [["list"], ["config", "check"], ["config", "check", "--json"], ["doctor"]]) {
        const ran = await run(args);
        if (name === "an edited seal") continue;
        assert.ok(ran.status !== 1, `a bug: ${name}: ${ran.stderr}`);
        if (args[0] === "list") {
          assert.equal(ran.status, 3, `${name}: ${ran.stderr}`);
          assert.match(ran.stderr, /config\.yaml:\d+:\d+: \S/, name);
        }
      }
      await run(["test", "a"]);
      assert.ok(home.readConfig().includes(canary), "a bad config is not touched");
    }
    readFilesBut(home, heard, "config.yaml");
    heard.assertWithout(secrets);
  });
});

function readFilesBut(home: Home, heard: Heard, except: string): void {
  for (const folder of [home.path, home.state]) {
    for (const name of filesOf(folder)) {
      if (!name.endsWith(except)) heard.add(name, readFileSync(name).toString("latin1"));
    }
  }
}

test(
  "wrong permissions, wrong keys and edited bindings: refused, with the remedy, without the value",
  limit,
  async () => {
    if (process.platform === "win32") return;
    await listening(async ({ home, upstream, heard, run }) => {
      const origin = `http://127.0.0.1:${upstream.port}`;
      const add = ["add", "api", "-u", origin, "--auth-type", "bearer", "--key-stdin", "--auto-approve"];
      assert.equal((await run(add, { stdin: canary })).status, 0);
      const [keyFile = ""] = filesOf(home.state);
      const loose: readonly (readonly [path: string, mode: number, right: number])[] = [
        [home.path, 0o755, 0o700],
        [join(home.path, "state.db"), 0o666, 0o600],
        [join(home.path, "vault.json"), 0o640, 0o600],
        [keyFile, 0o604, 0o600],
      ];
      for (const [path, wrong, right] of loose) {
        chmodSync(path, wrong);
        const ran = await run(["list"]);
        assert.equal(ran.status, 5, `${path} ${wrong.toString(8)}: ${ran.stderr}`);
        assert.match(ran.stderr, /chmod/, "the command that mends it");
        assert.equal((await run(["serve", "--port", "0"])).status, 5);
        chmodSync(path, right);
      }
      const config = home.readConfig();
      home.writeConfig(config.replace(origin, "http://127.0.0.1:1"));
      const moved = await run(["test", "api"]);
      assert.equal(moved.status, 5, moved.stderr);
      assert.match(moved.stderr, /janee set api/);
      const basic = config
        .replace(/^( +)type: bearer/m, "$1type: basic")
        .replace(/^( +)key:/m, "$1password:");
      home.writeConfig(basic);
      assert.equal((await run(["test", "api"])).status, 5);
      home.writeConfig(config);
      assert.equal((await run(["test", "api"])).status, 0);
      // Another vault's key, which is a sound one.
      const otherKey = join(home.beside, "other.key");
      const other = { JANEE_HOME: join(home.beside, "other"), JANEE_KEY_FILE: otherKey };
      assert.equal((await run(["init"], { env: other })).status, 0);
      const wrongKey = await run(["test", "api"], { env: { JANEE_KEY_FILE: otherKey } });
      assert.equal(wrongKey.status, 5, wrongKey.stderr);
      const noKey = await run(["test", "api"], { env: { XDG_STATE_HOME: join(home.beside, "elsewhere") } });
      assert.equal(noKey.status, 5, noKey.stderr);
      assert.equal(upstream.seen.length, 1, "what did not open was not sent");
      readFiles(home, heard);
      heard.assertWithout(secrets);
    });
  },
);
