// What a newcomer types wrong: each is told what was expected and what to do next, with the status of a usage error.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { Failure } from "../../src/engine/failure.ts";
import { readConfig } from "../../src/engine/read-config.ts";
import { canary, type Home, inHome } from "../support/janee.ts";

const limit = { timeout: 120_000 };
const url = ["-u", "https://api.example.com"];
const key = ["--key-stdin"];

type Slip = readonly [words: readonly string[], told: RegExp];

const slips: readonly Slip[] = [
  [["lsit"], /unknown command lsit; did you mean "list"\?/],
  [["--verison"], /unknown flag --verison; did you mean "--version"\?/],
  [["help", "grnat"], /unknown command grnat; did you mean "grant"\?/],
  [["list", "--jsn"], /unknown flag --jsn; did you mean "--json"\?/],
  [["list", "extra"], /unexpected argument; expected: janee list/],
  [["grant"], /expected: janee grant <capability>/],
  [["grant", "dmo"], /no capability "dmo"; did you mean "demo"\?/],
  [["grant", "demo", "--port", "abc"], /--port wants a number from 1 to 65535/],
  [["grant", "demo", "--ttl", "soon"], /--ttl wants a duration with its unit/],
  [["grant", "demo", "--ttl", "9h"], /--ttl is longer than the 1h/],
  [["serve", "--port", "80x"], /--port wants a number/],
  [["serve", "--grant", "dmo", "--port", "0"], /did you mean "demo"\?/],
  [["doctor", "--port", ""], /--port needs a value/],
  [["add", "Stripe", ...key], /the name of the service: .*lower-case.*\n.*such as stripe/],
  [["add", "my.api", ...url, ...key], /the name of the service: .*\n.*such as my-api/],
  [["add", "mcp", ...url, ...key], /the name of the service: .*reserved/],
  [["add", "x", ...key], /base URL is missing\n.*--base-url/],
  [
    ["add", "x", "-u", "api.example.com", ...key],
    /--base-url: expected http:\/\/ or https:\/\/.*\n.*such as --base-url/,
  ],
  [["add", "x", "-u", "https://api.example.com/?k=v", ...key], /--base-url: a base URL has no query/],
  [["add", "x", ...url, ...key, "--ttl", "5"], /--ttl: expected a duration.*\n.*--ttl 30m/],
  [["add", "x", ...url, ...key, "--ttl", "2d"], /--ttl: at most 24h/],
  [
    ["add", "x", ...url, ...key, "--allow", "GET v1"],
    /--allow: .*begins with "\/"\n.*such as --allow "GET \/v1/,
  ],
  [["add", "x", ...url, ...key, "--deny", "GTE /v1/*"], /--deny: .*expected "\*" or a method/],
  [["add", "x", ...url, ...key, "--capability", "A B"], /--capability: expected a name.*\n.*such as a-b/],
  [
    ["add", "x", ...url, "--key-env", "NOT_THERE"],
    /--key-env: the variable NOT_THERE is not set\n.*export it/,
  ],
  [["add", "x", ...url, "--key-file", "nope"], /the file nope cannot be read\n.*name a file/],
  [["add", "x", ...url], /API key of x is missing\n.*--key-stdin/],
  [
    ["add", "x", ...url, ...key, "--auth-type", "bearr"],
    /unknown --auth-type bearr; did you mean "bearer"\?/,
  ],
  [["add", "x", ...url, ...key, "--ca-file", "nope.pem"], /--ca-file: there is no such file/],
  [["add", "x", ...key, "--exec"], /--exec wants --allow-commands/],
  [
    ["add", "x", ...key, "--exec", "--allow-commands", "ls", "--env-map", "API_KEY=token"],
    /--env-map API_KEY=… .*\n.*--env-map "API_KEY=\{\{credential\}\}"/,
  ],
  [
    [
      "add",
      "x",
      ...key,
      "--exec",
      "--allow-commands",
      "ls",
      "--env-map",
      "A={{credential}}",
      "--env-map",
      "B=credential",
    ],
    /--env-map B=…/,
  ],
  [["set", "dmo", ...key], /there is no service "dmo"/],
  [["rm", "dmo"], /there is no service "dmo"/],
  [["revoke"], /expected one of: a session id, --all/],
  [["revoke", "zzz"], /no active session has the id "zzz"\n.*janee sessions/],
  [["approve", "zzz"], /nothing waits under the id "zzz"\n.*janee approvals/],
  [["config", "chek"], /did you mean "check"\?/],
  [["ca", "prnt"], /unknown argument prnt; did you mean "print"\?/],
  [["connect", "curser"], /unknown client curser; did you mean "cursor"\?/],
  [["completion", "bahs"], /unknown shell bahs; did you mean "bash"\?/],
  [["logs", "--since", "yesterday"], /--since wants a time ago/],
];

async function withDemo(work: (home: Home) => Promise<void>): Promise<void> {
  await inHome(async (home) => {
    await home.do(["add", "demo", ...url, ...key, "--auto-approve"], { stdin: canary });
    await work(home);
  });
}

test("slips of a newcomer are told with what was expected and what to do", limit, () =>
  withDemo(async (home) => {
    const before = home.readConfig();
    for (const [words, told] of slips) {
      const { status, stderr, stdout } = await home.run(words, { stdin: canary });
      const line = `janee ${words.join(" ")}`;
      assert.equal(status, 2, `${line}\n${stderr}`);
      assert.match(stderr, told, line);
      assert.equal(stdout, "", line);
      assert.match(stderr, /\n {2}→ |expected|wants|give |choose /, `${line} says what to do\n${stderr}`);
      assert.doesNotMatch(stderr, /bug in janee/);
    }
    assert.equal(home.readConfig(), before, "none of them changed anything");
    assert.equal(home.printed.includes(canary), false);
  }),
);

test("the twins of some of them are done", limit, () =>
  withDemo(async (home) => {
    const stdin = canary;
    await home.do(["add", "my-api", ...url, ...key, "--ttl", "8h", "--allow", "get /v1/*"], { stdin });
    const exec = ["add", "tool", ...key, "--exec", "--allow-commands", "ls"];
    await home.do([...exec, "--env-map", "API_KEY={{credential}}", "--env-map", "REGION=eu"], { stdin });
    await home.do(["help", "grant"]);
    assert.match((await home.do(["grant", "demo", "--port", "8080"])).stdout, /127\.0\.0\.1:8080\/demo/);
    const found = await home.run(["search", "zzz-nothing"]);
    assert.equal(found.status, 0);
    assert.match(found.stderr, /knows no such service\n {2}→ it can be added all the same: janee add NAME/);
    assert.equal((await home.do(["search", "stripe"])).stderr, "");
  }),
);

test("connect names a capability that is not there, and says nothing of one that is", limit, () =>
  withDemo(async (home) => {
    const unknown = await home.do(["connect", "cursor", "--capability", "demo,dmo"]);
    assert.match(
      unknown.stderr,
      /warning: there is no capability "dmo"; did you mean "demo"\?: janee mcp will not start/,
    );
    assert.doesNotMatch(unknown.stderr, /no capability "demo"/);
    assert.match(unknown.stdout, /"demo,dmo"/);
    assert.doesNotMatch((await home.do(["connect", "cursor", "--capability", "demo"])).stderr, /warning/);
  }),
);

test("add --help shows what goes with every service, and a scheme's own flags when it is named", limit, () =>
  inHome(async (home) => {
    const lines = async (...words: string[]): Promise<string[]> =>
      (await home.do(["add", "--help", ...words])).stdout.split("\n");
    const general = await lines();
    assert.ok(general.length < 60, `${general.length} lines`);
    assert.ok(general.some((line) => /^ {2}--mtls +client certificate/.test(line)));
    assert.ok(!general.some((line) => line.includes("--certificate-file")));
    for (const words of [["--auth-type", "mtls"], ["--mtls"]]) {
      const own = await lines(...words);
      assert.ok(own.some((line) => /^ {2}--certificate-file PATH/.test(line)));
      assert.ok(own.includes("with --auth-type mtls"));
      assert.ok(!own.some((line) => line.includes("--consumer-key")));
    }
    const whole = readFileSync(new URL("../../docs/commands.md", import.meta.url), "utf8");
    for (const flag of ["--certificate-file PATH", "--consumer-key VALUE", "with --auth-type hmac"]) {
      assert.ok(whole.includes(flag), flag);
    }
  }),
);

test("init writes a config whose example is right as it stands", limit, () =>
  inHome(async (home) => {
    await home.do(["init"]);
    const text = home.readConfig();
    const example = [...text.matchAll(/^# {3}(.*)$/gm)].map(([, line]) => line).join("\n");
    const read = readConfig(example, "config.yaml");
    assert.ok(!(read instanceof Failure), read instanceof Failure ? read.message : "");
    const [service] = read.config.services.values();
    assert.equal(service?.name, "stripe");
    const { rules } = read.config.capabilities.get("stripe-readonly") ?? {};
    assert.deepEqual(
      rules?.rules?.map((rule) => rule.text),
      ["allow: GET /v1/*", "ask: POST /v1/refunds", 'deny: "*"'],
    );
    assert.ok(text.split("\n").every((line) => line.length <= 120));
    await home.do(["add", "demo", ...url, ...key], { stdin: canary });
    const after = home.readConfig();
    for (const line of text.split("\n").filter((one) => one.startsWith("#")))
      assert.ok(after.includes(line), line);
  }),
);
