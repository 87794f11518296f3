import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import fc from "fast-check";
import { Failure } from "../../src/engine/failure.ts";
import { readConfig, secretKey } from "../../src/engine/read-config.ts";
import { bearer, capability, contractExample, read, refused, service } from "./config-sample.ts";

interface Case {
  readonly id: string;
  readonly input: {
    readonly yaml?: string;
    readonly rule?: string;
    readonly url?: string;
    readonly urls?: readonly string[];
    readonly key?: string;
  };
  readonly expect: { readonly outcome: string; readonly code?: string };
}

function corpus(name: string): Case[] {
  const text = readFileSync(new URL(`../corpus/${name}`, import.meta.url), "utf8");
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Case);
}

function place(failure: Failure): string {
  return `${failure.at?.file}:${failure.at?.line}:${failure.at?.column}`;
}

function indented(text: string, by: string): string {
  return text.replace(/^(?=.)/gm, by);
}

test("the example of the contract reads as it says", () => {
  const { config, plain, secretPaths, warnings } = read(contractExample);
  assert.deepEqual([...config.services.keys()], ["stripe", "github", "twitter"]);
  const stripe = config.capabilities.get("stripe-readonly");
  assert.equal(stripe?.ttlMs, 3_600_000);
  assert.equal(stripe?.autoApprove, true);
  assert.deepEqual(
    config.capabilities.get("github-repos")?.rules.rules?.map((rule) => rule.text),
    ["allow: GET /repos/*", "allow: POST /repos/*/issues", "ask: PUT /repos/*", "deny: DELETE *"],
  );
  const twitter = config.capabilities.get("twitter");
  assert.deepEqual(twitter?.exec?.allowCommands, ["bird", "tweet-cli"]);
  assert.deepEqual([...(twitter?.exec?.envMap ?? [])], [["TWITTER_API_KEY", "{{credential}}"]]);
  assert.equal(twitter?.exec?.workDir, "~/projects");
  assert.deepEqual(config.network.proxy, { host: "proxy.corp", port: 3128 });
  assert.deepEqual(config.network.noProxy, [".corp"]);
  assert.equal(config.audit.sync, false);
  assert.deepEqual(
    plain.map(({ service, field, path }) => [service, field, path.join(".")]),
    [["stripe", "key", "services.stripe.auth.key"]],
  );
  assert.equal(plain[0]?.secret.reveal(), "sk_live_xxx");
  assert.equal(secretPaths.get(secretKey("twitter", "key"))?.join("."), "services.twitter.auth.key");
  assert.deepEqual(warnings, []);
});

test("corpus: config cases are refused with the code they name", () => {
  let decided = 0;
  for (const { id, input, expect } of corpus("config.jsonl")) {
    if (expect.outcome !== "error") continue;
    const urls = [...(input.urls ?? []), ...(input.url ? [input.url] : [])];
    const texts = urls.map((url) => service(`baseUrl: ${JSON.stringify(url)}`, bearer));
    if (input.yaml) texts.push(input.yaml);
    if (input.yaml?.startsWith("baseUrl")) texts.push(service(input.yaml, bearer));
    if (input.key) texts.push(service(`auth: {type: bearer, key: ${JSON.stringify(input.key)}}`));
    for (const text of texts) {
      assert.equal(refused(text).code, expect.code, `${id}: ${text}`);
      decided++;
    }
  }
  assert.ok(decided >= 12);
});

test("corpus: rules that cannot be meant are refused, each has a twin that is fine", () => {
  const twins = new Map([
    ["RULE-015", "allow: GET /x"],
    ["RULE-019", "allow: GET /v1/x"],
    ["RULE-021", "allow: GET /a%20/b"],
    ["RULE-025", "allow: GET /v1/{digit}"],
    ["RULE-026", "allow: get /x"],
    ["RULE-027", 'rules:\n  - deny: "*"\n'],
    ["RULE-028", "rules:\n  # b\n  - allow: GET /v1/a # only a\n  - allow: GET /v1/b     #c\n"],
    ["RULE-029", "rules:\n  - allow: GET /a\n  - allow: GET /b\n"],
    ["RULE-030", "rules: [{allow: GET /a}, {deny: GET /a}]\n"],
    ["RULE-031", "rules:\n  - allow: GET /a\n  - deny: GET /a\n"],
  ]);
  const inConfig = (written: string): string => {
    const yaml = written.startsWith("rules:") ? written : `rules:\n  - ${written}\n`;
    return capability() + indented(yaml, "    ");
  };
  for (const { id, input, expect } of corpus("rules-config.jsonl")) {
    const failure = refused(inConfig(input.yaml ?? input.rule ?? ""));
    assert.equal(failure.code, expect.code, `${id}: ${failure.message}`);
    assert.ok((failure.at?.line ?? 0) > 5, `${id}: ${place(failure)}`);
    read(inConfig(twins.get(id) ?? assert.fail(`${id} has no twin`)));
  }
});

test("an unquoted star says how to quote it, in block and in flow", () => {
  const block = refused(capability("rules:", "  - deny: *"));
  assert.match(block.message, /deny: "\*"/);
  assert.equal(place(block), "config.yaml:7:15");
  assert.equal(refused(capability("rules: [{ask: *}]")).code, "config_invalid_rule");
  assert.match(refused(capability("rules: [{ask: *}]")).message, /ask: "\*"/);
  assert.equal(refused(capability("description: *")).code, "config_invalid");
  const rules = read(capability("rules:", '  - deny: "*"', "  - allow: DELETE *")).config.capabilities.get(
    "c",
  )?.rules;
  assert.equal(rules?.rules?.length, 2);
});

test("rules of any other shape are refused where they stand", () => {
  const wrong: [string[], RegExp][] = [
    [["rules:"], /rules: \[\]/],
    [["rules: GET /x"], /expected a list/],
    [["rules:", "  - GET /x"], /expected one rule/],
    [["rules:", "  - allow:GET /x"], /space after the colon/],
    [["rules:", "  - Allow: GET /x"], /did you mean "allow"/],
    [["rules:", "  - allw: GET /x"], /did you mean "allow"/],
    [["rules:", "  - block: GET /x"], /expected allow, deny or ask$/],
    [["rules:", "  - allow:"], /quote the rule/],
    [["rules:", "  - allow: 7"], /quote the rule/],
    [["rules:", "  - {}"], /expected one rule/],
    [["rules:", "  -"], /expected one rule/],
    [["rules:", "  - allow: GET /a", "    allow: GET /b"], /twice|two keys/],
    [["rules:", "  - allow: GET /a?b=c"], /query/],
    [["rules:", "  - allow: TRACE /"], /never sent/],
    [["rules:", "  - allow: GET /v1/a #/b"], /comment/],
  ];
  for (const [lines, message] of wrong) {
    const failure = refused(capability(...lines));
    assert.equal(failure.code, "config_invalid_rule", lines.join("\n"));
    assert.match(failure.message, message);
    assert.ok(failure.at);
  }
  assert.deepEqual(read(capability("rules: []")).config.capabilities.get("c")?.rules.rules, []);
  assert.equal(read(capability()).config.capabilities.get("c")?.rules.unrestricted, true);
});

test("an empty file is a broken write, comments alone are an empty config", () => {
  for (const text of ["", " \n\n", "\t", "\ufeff"]) assert.equal(refused(text).code, "store_refused");
  const twins = [
    "# nothing yet\n",
    "services: {}\n",
    "services:\ncapabilities:\n",
    "---\n# x\n",
    "services: # none\n",
  ];
  for (const text of twins) assert.equal(read(text).config.services.size, 0);
});

test("what makes YAML mean something else than it looks like is refused", () => {
  const wrong = [
    "services: &a {}\n",
    "a: &a [x]\nb: *a\n",
    "services: !!map {}\n",
    "services: ! {}\n",
    "%YAML 1.1\n---\nservices: {}\n",
    "services: {}\n---\ncapabilities: {}\n",
    "---\n---\nservices: {}\n",
    "services: {}\n...\n",
    "? services\n: {}\n",
    "services: {}\nservices: {}\n",
    service("<<: {}", bearer),
    service("auth: {type: bearer, key: env:A, key: env:B}"),
    "services: {1: {auth: {type: bearer, key: env:A}}}\n",
    "services: {a\rb: {}}\n",
    "services: {}\0\n",
    "services: {} # \x1b[2J\n",
    "- services\n",
    "services\n",
    "services: []\n",
    `services: {} # ${"x".repeat(1024 * 1024)}\n`,
    `services: ${"[".repeat(100_000)}`,
    `services: ${"- ".repeat(100_000)}`,
  ];
  for (const text of wrong) assert.equal(refused(text).code, "config_invalid", text.slice(0, 60));
  const twins = [
    "---\nservices: {}\n",
    `services: {} # ${"x".repeat(1000 * 1024)}\n`,
    service("baseUrl: https://h", `auth: {type: headers, headers: {"X-A": "&a", "X-B": "*a", "X-C": "!!x"}}`),
    "\ufeffservices: {}\r\n",
  ];
  for (const text of twins) read(text);
});

test("unknown and misspelt keys name the place and the nearest right name", () => {
  const wrong: [string, RegExp, string][] = [
    ["service: {}\n", /did you mean "services"/, "config.yaml:1:1"],
    [capability("autoaprove: true"), /did you mean "autoApprove"/, "config.yaml:6:5"],
    [capability("auto_approve: true"), /did you mean "autoApprove"/, "config.yaml:6:5"],
    [capability("zzzzzzzz: true"), /expected one of service, mode/, "config.yaml:6:5"],
    [capability("deny: DELETE *"), /list "rules"/, "config.yaml:6:5"],
    [service("baseURL: https://h", bearer), /did you mean "baseUrl"/, "config.yaml:3:5"],
    [service("baseUrl: https://h", "key: abc"), /belongs under "auth"/, "config.yaml:4:5"],
    [service("auth: {type: beerer, key: x}"), /did you mean "bearer"/, "config.yaml:3:18"],
    [
      service("auth: {type: basic, header: X-A, password: y}"),
      /does not go with type: basic/,
      "config.yaml:3:25",
    ],
    ["network: {prox: http://a:1}\n", /did you mean "proxy"/, "config.yaml:1:11"],
    ["audit: {snyc: true}\n", /did you mean "sync"/, "config.yaml:1:9"],
    [
      capability().replace("service: s", "service: t"),
      /no service of this name.*did you mean "s"/,
      "config.yaml:5:14",
    ],
    [capability("mode: exce"), /did you mean "exec"/, "config.yaml:6:11"],
    [capability("approval: outofband"), /did you mean "out-of-band"/, "config.yaml:6:15"],
  ];
  for (const [text, message, where] of wrong) {
    const failure = refused(text);
    assert.equal(failure.code, "config_invalid");
    assert.match(failure.message, message);
    assert.equal(place(failure), where);
  }
});

test("the first complaint comes with its line also in a file with CRLF", () => {
  assert.equal(place(refused("services:\r\n  s:\r\n    baseUrll: x\r\n")), "config.yaml:3:5");
});

test("names of services and capabilities", () => {
  const named = (name: string): string => `services:\n  ${name}: {${bearer}}\n`;
  for (const name of [
    "mcp",
    "_janee",
    "Stripe",
    "a.b",
    '"a b"',
    '""',
    "-a",
    "__proto__",
    "a".repeat(65),
    '"a/b"',
  ]) {
    assert.equal(refused(named(name)).code, "config_invalid", name);
  }
  for (const name of ["stripe", "constructor", "a".repeat(64), '"1"', "a-b_c", "mcp2", "hasownproperty"]) {
    assert.equal(read(named(name)).config.services.size, 1);
  }
  assert.equal(refused(capability().replace("  c:", "  C:")).code, "config_invalid");
});

test("base URLs: what they may be", () => {
  const urls: [string, string, string, number, string][] = [
    ["https://api.example.com", "api.example.com", "", 443, "api.example.com"],
    ["https://API.example.com/", "api.example.com", "", 443, "api.example.com"],
    ["https://h:8443/api/v2/", "h", "/api/v2", 8443, "h:8443"],
    ["https://h:443", "h", "", 443, "h"],
    ["http://127.0.0.1:3000/x", "127.0.0.1", "/x", 3000, "127.0.0.1:3000"],
    ["http://localhost", "localhost", "", 80, "localhost"],
    ["http://[::1]:8080", "::1", "", 8080, "[::1]:8080"],
    ["https://[2001:DB8::1]/a%2Fb", "2001:db8::1", "/a%2Fb", 443, "[2001:db8::1]"],
    ["http://127.1", "127.0.0.1", "", 80, "127.0.0.1"],
    ["http://0x7f000001", "127.0.0.1", "", 80, "127.0.0.1"],
    ["https://h/a@b", "h", "/a@b", 443, "h"],
    ["https://my_service:9", "my_service", "", 9, "my_service:9"],
  ];
  for (const [url, host, prefix, port, authority] of urls) {
    const base = read(service(`baseUrl: "${url}"`, bearer)).config.services.get("s")?.base;
    assert.deepEqual(
      [base?.text, base?.host, base?.prefix, base?.port, base?.authority],
      [url, host, prefix, port, authority],
    );
  }
});

test("base URLs: what they may not be", () => {
  const wrong = [
    ...[
      "",
      "api.example.com",
      "ftp://h",
      "file:///",
      "javascript:alert(1)",
      "https://",
      "https:///x",
      "https://:80",
    ],
    ...[
      "http://u:p@h/",
      "https://u@h",
      "https://h/?a=b",
      "https://h/#x",
      "https://h?",
      "https://*.example.com",
    ],
    ...[
      `https://$\{X}.evil`,
      "https://h/{x}",
      "https://h/a b",
      " https://h",
      "https://h\\@evil",
      "https://h/a/../b",
    ],
    ...[
      "https://h/%2e%2e/b",
      "https://h/a//b",
      "https://h//",
      "https://h/.",
      "https://h/%252e%252e/",
      "https://h:0",
    ],
    ...[
      "https://h:99999",
      "https://h:",
      "https://h.",
      "https://a..b",
      "https://h%2e",
      "https://ｈ",
      "https://bücher.de",
    ],
    ...[
      "https://1.2.3.4.5",
      "https://[::1",
      "https://[fe80::1%25eth0]",
      "https://h/%41",
      "https://h/a%2f",
      "https:h",
    ],
    ...["https://h/é", "https:\\\\h", "https://h\u00ad", "https://h\u3002com"],
  ];
  for (const url of wrong) {
    const failure = refused(service(`baseUrl: ${JSON.stringify(url)}`, bearer));
    assert.equal(failure.code, "config_invalid", url);
  }
});

test("a credential goes in the clear, or to a metadata address, only where the service says so", () => {
  const cleartext = [
    "http://api.example.com",
    "http://10.0.0.1",
    "http://0.0.0.0",
    "http://[::ffff:127.0.0.1]",
    "http://128.1",
  ];
  for (const url of cleartext) {
    const failure = refused(service(`baseUrl: "${url}"`, bearer));
    assert.equal(failure.code, "store_refused", url);
    assert.match(failure.next ?? "", /allowCleartext: true/);
    read(service(`baseUrl: "${url}"`, bearer, "allowCleartext: true"));
  }
  const local = [
    ...[
      "https://169.254.169.254",
      "https://[fe80::1]",
      "https://[febf::1]",
      "https://100.100.100.200",
      "https://168.63.129.16",
    ],
    ...["https://[fd00:ec2::254]", "https://metadata.google.internal", "https://METADATA.google.internal/x"],
    ...[
      "https://2852039166",
      "https://0xa9.0xfe.0xa9.0xfe",
      "https://0251.0376.0251.0376",
      "https://169.254.43518",
    ],
    ...["https://[::ffff:169.254.169.254]", "https://[64:ff9b::a9fe:a9fe]", "https://[::169.254.169.254]"],
  ];
  for (const url of local) {
    const failure = refused(service(`baseUrl: "${url}"`, bearer, "allowCleartext: true"));
    assert.equal(failure.code, "store_refused", url);
    assert.match(failure.next ?? "", /allowLinkLocal: true/);
    read(service(`baseUrl: "${url}"`, bearer, "allowLinkLocal: true"));
  }
  for (const url of [
    "https://169.253.1.1",
    "https://[fec0::1]",
    "https://[fd00:ec2::253]",
    "https://[::ffff:1.2.3.4]",
  ]) {
    read(service(`baseUrl: "${url}"`, bearer));
  }
  const both = "http://169.254.169.254";
  assert.match(refused(service(`baseUrl: ${both}`, bearer)).next ?? "", /allowCleartext/);
});

test("auth: every type, in its long and its short form", () => {
  const forms: [string, string[]][] = [
    ["auth: {type: bearer, key: abc}", ["key=services.s.auth.key"]],
    ["auth: {type: basic, username: me, password: abc}", ["password=services.s.auth.password"]],
    ["auth: {type: basic, password: abc}", ["password=services.s.auth.password"]],
    [
      "auth: {type: headers, headers: {X-A: a, __proto__: b}}",
      ["headers.X-A=services.s.auth.headers.X-A", "headers.__proto__=services.s.auth.headers.__proto__"],
    ],
    ["auth: {type: headers, header: X-Api-Key, key: abc}", ["headers.X-Api-Key=services.s.auth.key"]],
    ["auth: {type: query, params: {api_key: abc}}", ["params.api_key=services.s.auth.params.api_key"]],
    ["auth: {type: query, param: api_key, key: abc}", ["params.api_key=services.s.auth.key"]],
  ];
  for (const [line, fields] of forms) {
    const { config, plain, secretPaths } = read(service("baseUrl: https://h", line));
    assert.deepEqual(
      plain.map((one) => `${one.field}=${one.path.join(".")}`),
      fields,
    );
    assert.deepEqual(
      [...(config.services.get("s")?.auth.secret.keys() ?? [])],
      plain.map((one) => one.field),
    );
    assert.deepEqual(
      [...secretPaths.values()],
      plain.map((one) => one.path),
    );
  }
  const wrong = [
    ...[
      "auth: {type: bearer}",
      "auth: {}",
      "auth: abc",
      "auth: {key: abc}",
      "auth: {type: basic, username: me}",
    ],
    ...["auth: {type: headers, headers: {}}", "auth: {type: headers, headers: {A: x, a: y}}", "auth:"],
    ...[
      "auth: {type: headers, headers: {Host: x}}",
      "auth: {type: headers, headers: {Transfer-Encoding: x}}",
    ],
    ...["auth: {type: headers, header: 'X Y', key: x}", "auth: {type: headers, header: X-A}"],
    ...["auth: {type: headers, headers: {A: x}, key: y}", "auth: {type: query, params: {'a b': x}}"],
    ...["auth: {type: basic, username: 'a:b', password: x}", "auth: {type: basic, username: 7, password: x}"],
    ...["auth: {type: headers, headers: [X-A]}", "auth: {type: query, params: {a: [x]}}"],
  ];
  for (const line of wrong)
    assert.equal(refused(service("baseUrl: https://h", line)).code, "config_invalid", line);
});

test("a credential is text that a header can hold, or a reference", () => {
  const wrong = [
    ...[
      '""',
      "7",
      "1e5",
      "true",
      "",
      "~",
      "[a]",
      "{a: b}",
      '"a\\nb"',
      '"a\\r"',
      '"a\\0b"',
      '"a\\tb"',
      '"\\x7f"',
      '"a\\x80"',
    ],
    ...[
      '"a€"',
      '"€"',
      '" a"',
      '"a "',
      "env:",
      "env:a-b",
      '"env:A B"',
      "file:",
      "file:x",
      "'cmd:'",
      "'cmd: '",
    ],
    ...["Sealed:v1:AAAA", "|\n        abc"],
  ];
  for (const key of wrong) {
    assert.equal(refused(service("auth:", "  type: bearer", `  key: ${key}`)).code, "config_invalid", key);
  }
  const kinds: [string, string][] = [
    ["abc", "plain"],
    ['"a b é"', "plain"],
    ['"7"', "plain"],
    ["'*'", "plain"],
    ["Env:x", "plain"],
    ["env:NAME", "reference"],
    ["file:/run/key", "reference"],
    ["file:~/key", "reference"],
    ["cmd:op read op://vault/item/field", "reference"],
    ["sealed:v1:abc+/=", "sealed"],
    ["sealed:v2:abc", "sealed"],
  ];
  for (const [key, kind] of kinds) {
    const auth = read(service("auth:", "  type: bearer", `  key: ${key}`)).config.services.get("s")?.auth;
    assert.equal(auth?.secret.get("key")?.kind, kind, key);
  }
});

test("capability fields: types, durations, limits", () => {
  const wrong = [
    ...[
      "ttl: 60",
      "ttl: 0s",
      "ttl: 25h",
      "ttl: 2d",
      "ttl: 1H",
      "ttl: 1.5h",
      "ttl: 1h30m",
      "ttl:",
      "ttl: '-1h'",
      "ttl: 1:30",
    ],
    ...["autoApprove: yes", 'autoApprove: "true"', "autoApprove:", "autoApprove: 1", "requireReason: no"],
    ...[
      "limit: 100",
      "limit: 0/h",
      "limit: 1/w",
      "limit: /h",
      "allowedAgents: claude",
      "allowedAgents: [1]",
      "allowedAgents: ['']",
    ],
    ...[
      "description: 7",
      "mode: [http]",
      "timeout: 30s",
      "allowCommands: [a]",
      "envMap: {PATH: x}",
      'envMap: {MY_KEY: "{{credential.nosuch}}"}',
      "workDir: /x",
      "description: a\0b",
    ],
  ];
  for (const line of wrong) assert.equal(refused(capability(line)).code, "config_invalid", line);
  assert.match(refused(capability("ttl: 60")).message, /unit/);
  const mapped = read(capability('envMap: {MY_KEY: "key={{credential}}"}')).config.capabilities.get("c");
  assert.deepEqual([...(mapped?.runMap ?? [])], [["MY_KEY", "key={{credential}}"]], "for janee run");
  const fine = read(
    capability(
      "ttl: 24h",
      "autoApprove: True",
      "limit: 100/h",
      "allowedAgents: []",
      "approval: out-of-band",
      "description: NO",
    ),
  );
  const read_ = fine.config.capabilities.get("c");
  assert.equal(read_?.ttlMs, 86_400_000);
  assert.deepEqual(read_?.limit, { count: 100, windowMs: 3_600_000, text: "100/h" });
  assert.deepEqual(read_?.allowedAgents, []);
  assert.equal(read_?.approval, "out-of-band");
  assert.equal(read_?.description, "NO");
  assert.equal(fine.warnings.length, 1);
  assert.equal(fine.warnings[0]?.at?.line, 6);
  assert.deepEqual(read(capability("ttl: 8h")).warnings, []);
  assert.equal(read(capability()).config.capabilities.get("c")?.ttlMs, 3_600_000);
});

test("exec mode has its own keys, and is the only one that does without a baseUrl", () => {
  const exec = (...lines: string[]): string =>
    capability("mode: exec", ...lines).replace("baseUrl: https://api.example.com, ", "");
  const commands = "allowCommands: [bird, /usr/bin/gh]";
  const policy = read(exec(commands)).config.capabilities.get("c");
  assert.equal(policy?.exec?.timeoutMs, 30_000);
  assert.equal(policy?.rules.unrestricted, false);
  const wrong: string[][] = [
    ...[
      [],
      [commands, "rules: []"],
      ["allowCommands: bird"],
      ["allowCommands: [./bird]"],
      ["allowCommands: [bin/bird]"],
    ],
    ...[
      ["allowCommands: ['']"],
      [commands, "timeout: 61m"],
      [commands, "timeout: 2h"],
      [commands, "timeout: 0o17"],
    ],
    ...[
      [commands, "envMap: {'A B': x}"],
      [commands, "envMap: {A: 7}"],
      [commands, 'envMap: {A: "{{credentials}}"}'],
    ],
    ...[[commands, 'workDir: ""']],
  ];
  for (const lines of wrong) assert.equal(refused(exec(...lines)).code, "config_invalid", lines.join());
  read(exec(commands, "timeout: 60m", 'envMap: {A: "x{{credential}}", B: plain}'));
  const http = capability().replace("baseUrl: https://api.example.com, ", "");
  assert.match(refused(http).message, /no baseUrl/);
});

test("service keys that nothing reads yet are held to their types", () => {
  read(
    service(
      bearer,
      "placeholders: [header, query, path, body]",
      "capture: true",
      "maxAge: 90d",
      "caFile: ~/x.pem",
    ),
  );
  for (const line of [
    "placeholders: [cookie]",
    "placeholders: header",
    "capture: 1",
    "maxAge: 90",
    "caFile: ''",
    "caFile: 1",
  ]) {
    assert.equal(refused(service(bearer, line)).code, "config_invalid", line);
  }
});

test("network: proxy, exceptions, certificates", () => {
  const network = (line: string): string => `network:\n  ${line}\n`;
  for (const url of [
    "https://p:1",
    "http://p",
    "p:3128",
    "http://p:0",
    "http://p:70000",
    "http://p:1/x",
    "http://u@p:1",
    "http://a:b@c@p:1",
  ]) {
    assert.equal(refused(network(`proxy: ${url}`)).code, "config_invalid", url);
  }
  const proxy = read(network("proxy: http://me:p%40ss@Proxy.corp:3128")).config.network.proxy;
  assert.deepEqual(proxy, { host: "proxy.corp", port: 3128, authorization: `Basic ${btoa("me:p@ss")}` });
  for (const line of ["noProxy: .corp", "noProxy: ['*']", "noProxy: [10.0.0.0/8]", "noProxy: [1]"]) {
    assert.equal(refused(network(line)).code, "config_invalid", line);
  }
  assert.deepEqual(read(network("noProxy: [.Corp, h, '::1']")).config.network.noProxy, [".corp", "h", "::1"]);
  assert.equal(read("audit: {sync: true}\n").config.audit.sync, true);
});

const canary = "sk_live_CANARY4242424242424242";

test("no complaint repeats what may be a credential, wherever it was put", () => {
  const put: string[] = [
    ...[
      canary,
      `"${canary}`,
      `${canary}: x`,
      `services: ${canary}`,
      `services:\n  ${canary}: {}`,
      `services:\n  - ${canary}`,
    ],
    ...[
      `services:\n  ${canary}`,
      `${canary}:\n  a: b: c`,
      `services: {s: ${canary}}`,
      `key: ${canary}\nservices: {}`,
    ],
    ...["&", "*", "!", "!!", "@", "`", "%", "|", ">", "? ", "- ", "{", "[", "'", '"'].flatMap((mark) => [
      service("auth:", "  type: bearer", `  key: ${mark}${canary}`, `  ${mark}${canary}`),
      service("auth:", `  ${mark}${canary}: x`, "  type: bearer"),
      `${mark}${canary}\n`,
    ]),
    ...["\t", "\0", "\x1b", "\r", "€", "\\q", " #", ": ", ", "].flatMap((odd) => [
      service(`auth: {type: bearer, key: ${canary}${odd}${canary}}`),
      service(`auth: {type: bearer, key: "${canary}${odd}${canary}"}`, "x"),
      service("auth:", "  type: bearer", `  key: ${canary}${odd}x`, "   bad: y"),
    ]),
    ...[
      `auth: {type: ${canary}, key: x}`,
      `auth: {type: bearer, ${canary}: x}`,
      `auth: {${canary}}`,
      `auth: ${canary}`,
    ],
    ...[`auth: {type: bearer, key: ${canary}, kye: ${canary}}`, `auth: {type: bearer, key: {${canary}: x}}`],
    ...[
      `auth: {type: bearer, key: [${canary}]}`,
      `auth: {type: basic, username: "${canary}:x", password: "${canary} "}`,
    ],
    ...[
      `auth: {type: headers, headers: {"${canary} ": ${canary}}}`,
      `auth: {type: headers, headers: {Host: ${canary}}}`,
    ],
    ...[
      `auth: {type: headers, header: "${canary}:", key: ${canary}}`,
      `auth: {type: query, param: "${canary}=", key: x}`,
    ],
    ...[`auth: {type: bearer, key: "env:${canary}-"}`, `auth: {type: bearer, key: "file:${canary}"}`],
    ...[`auth: {type: bearer, key: "sealed:${canary}"}`, `auth: {type: bearer, key: "${canary}\\n"}`],
    ...[
      `key: ${canary}`,
      `baseUrl: ${canary}`,
      `baseUrl: https://u:${canary}@h`,
      `baseUrl: https://h/?key=${canary}`,
    ],
    ...[
      `baseUrl: https://h/%2e%2e/${canary}`,
      `baseUrl: http://${canary}`,
      `baseUrl: https://h/bot${canary}//`,
    ],
    ...[`allowCookies: ${canary}`, `caFile: [${canary}]`, `maxAge: ${canary}`, `placeholders: [${canary}]`],
  ].map((line) =>
    line.includes("\n") || !/^(?:auth|key|base|allow|ca|max|place)/.test(line) ? line : service(line),
  );
  const capabilities = [
    ...[
      `service: ${canary}`,
      `ttl: ${canary}`,
      `mode: ${canary}`,
      `limit: ${canary}`,
      `rules: ${canary}`,
      `${canary}: 1`,
    ],
    ...[
      `rules: [${canary}]`,
      `rules: [{${canary}: x}]`,
      `rules: [{allow: ${canary}}]`,
      `rules: [{allow: GET ${canary}}]`,
    ],
    ...[
      `rules: [{allow: ${canary} /x}]`,
      `rules: [{allow: [${canary}]}]`,
      `rules: [{allow: "GET /%2e/${canary}"}]`,
    ],
    ...[
      `rules: [{allow: "allow:${canary}"}]`,
      `rules: ["allow:${canary}"]`,
      `rules: [{allow: "GET /${canary}%41"}]`,
    ],
    ...[
      `approval: ${canary}`,
      `autoApprove: ${canary}`,
      `allowedAgents: ${canary}`,
      `envMap: {A: ${canary}}`,
    ],
    ...[`rules: [{allow: "GET /é/${canary}"}]`, `rules: [{allow: *${canary}}]`],
  ].map((line) => capability(line));
  const exec = [
    `allowCommands: ["./${canary}"]`,
    `envMap: {"${canary}-": x}`,
    `envMap: {A: "{{${canary}}}"}`,
    `timeout: ${canary}`,
  ];
  const texts = [
    ...put,
    ...capabilities,
    ...exec.map((line) => capability("mode: exec", line)),
    ...[
      `network: {proxy: "http://u:${canary}@p"}`,
      `network: {noProxy: ["${canary}/"]}`,
      `network: ${canary}`,
    ],
    ...[`audit: {sync: ${canary}}`, `audit: {${canary}: true}`],
  ];
  let judged = 0;
  for (const text of texts) {
    const failure = readConfig(text, "config.yaml");
    if (!(failure instanceof Failure)) continue;
    judged++;
    assert.ok(!JSON.stringify(failure).includes("CANARY"), `${JSON.stringify(failure)}\n${text}`);
  }
  assert.ok(judged > texts.length - 12, `${judged} of ${texts.length} were refused`);
});

test("property: no text throws, and no complaint repeats it", () => {
  const piece = fc.oneof(
    fc.constantFrom(
      "services:",
      "  s:",
      "    auth:",
      "      type: bearer",
      "      key: ",
      "rules:",
      "- allow: ",
      "\n",
      " ",
    ),
    fc.constantFrom(
      "&a",
      "*a",
      "!t",
      "---",
      "...",
      "{",
      "}",
      "[",
      "]",
      ",",
      ":",
      "#",
      "'",
      '"',
      "|",
      ">",
      "\t",
      "?",
      "%",
    ),
    fc.constant(canary),
    fc.string({ maxLength: 4 }),
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 24 }), (pieces) => {
      const result = readConfig(pieces.join(""), "config.yaml");
      assert.ok(!(result instanceof Failure) || !JSON.stringify(result).includes("CANARY"));
    }),
    { numRuns: 2000 },
  );
});

test("a hostile file is refused in no time", () => {
  const began = Date.now();
  const many = `services:\n${Array.from({ length: 20_000 }, (_, at) => `  s${at}: {${bearer}}\n`).join("")}`;
  assert.equal(read(many).config.services.size, 20_000);
  refused(`a: ${"{a: ".repeat(200_000)}`);
  refused(`a: "${"\\".repeat(500_000)}`);
  refused(`${"a".repeat(1_000_000)}: 1`);
  refused(service(`baseUrl: https://h/${"%25".repeat(300_000)}`, bearer));
  assert.ok(Date.now() - began < 10_000);
});
