// Attacks that once worked, each with the harmless twin that must go on working.
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { deflateSync, gzipSync } from "node:zlib";
import { canary } from "../support/janee.ts";
import { shared } from "../support/stage.ts";
import { until } from "../support/wait.ts";

const limit = { timeout: 60_000 };

const { stage, close } = shared({
  config: (origin, home) => {
    const counter = join(home.beside, "count.sh");
    writeFileSync(
      counter,
      `#!/bin/sh\necho x >> ${join(home.beside, "runs")}\necho sk_test_from_a_command_0123\n`,
      {
        mode: 0o700,
      },
    );
    return `
services:
  up: { baseUrl: "${origin}", auth: { type: bearer, key: ${canary} } }
  ref: { baseUrl: "${origin}", auth: { type: bearer, key: "cmd:${counter}" } }
capabilities:
  up:
    service: up
    autoApprove: true
    rules: [{ deny: DELETE /* }, { ask: PUT /* }, { allow: GET /* }, { allow: POST /* }]
  ref: { service: ref, autoApprove: true, rules: [{ allow: GET /* }] }
`;
  },
  grant: ["up"],
});
after(close);

const form = { "Content-Type": "application/x-www-form-urlencoded" };

// A pattern that looks ahead from each character once stopped the whole process for minutes.
test("long padded names and paths are judged at once", limit, async () => {
  const on = await stage();
  on.fresh();
  on.upstream.answer = (_, exchange) => exchange.send(200, {}, "ok");
  const padded = `method${".".repeat(3_000_000)}=1`;
  assert.equal((await on.ask("up", "/x", { method: "POST", headers: form, body: padded })).status, 200);
  assert.equal((await on.ask("up", `/${".".repeat(15_000)}x`)).status, 200);
  assert.equal((await on.ask("up", `/x?${"method.".repeat(2000)}=1`)).status, 200);
});

// A second spelling of the type once hid the form behind it.
test(
  "a form cannot hide behind another Content_Type, and a body without a type is no form",
  limit,
  async () => {
    const on = await stage();
    const body = "_method=DELETE&a=1";
    for (const headers of [
      { Content_Type: "text/plain", ...form },
      { ...form, "Content.Type": "text/plain" },
    ]) {
      const answer = await on.ask("up", "/x", { method: "POST", headers, body });
      assert.equal(answer.error.code, "method_override_denied");
    }
    const seen = on.fresh();
    assert.equal((await on.ask("up", "/x", { method: "POST", headers: form, body: "a=1" })).status, 200);
    assert.equal((await on.ask("up", "/x", { method: "POST", body })).status, 200);
    assert.deepEqual(seen.at(-1)?.values("content-type"), ["application/octet-stream"]);
  },
);

test(
  "a compressed form is refused, for it could hide a method; what is no form may be compressed",
  limit,
  async () => {
    const on = await stage();
    const refused = on.fresh();
    for (const [name, coding] of [
      ["Content-Encoding", "gzip"],
      ["content_encoding", "x-gzip"],
      ["CONTENT-ENCODING", "identity, br"],
    ] as const) {
      const body = gzipSync("_method=DELETE");
      const answer = await on.ask("up", "/x", { method: "POST", headers: { ...form, [name]: coding }, body });
      assert.equal(answer.error.code, "method_override_denied", coding);
      assert.equal(answer.status, 403);
    }
    assert.equal(refused.length, 0);
    const seen = on.fresh();
    const plain = { ...form, "Content-Encoding": "identity" };
    assert.equal((await on.ask("up", "/x", { method: "POST", headers: plain, body: "a=1" })).status, 200);
    const json = { "Content-Type": "application/json", "Content-Encoding": "gzip" };
    const body = gzipSync('{"a":1}');
    assert.equal((await on.ask("up", "/x", { method: "POST", headers: json, body })).status, 200);
    assert.deepEqual(seen.at(-1)?.body, body);
  },
);

test("no spelling of an override or identity header gets through", limit, async () => {
  const on = await stage();
  for (const name of ["X.HTTP.Method.Override", "X~Http~Method~Override", "X.Original.Url", "Destination"]) {
    const answer = await on.ask("up", "/x", { headers: { [name]: "DELETE" } });
    assert.equal(answer.status, 400, name);
  }
  const seen = on.fresh();
  assert.equal(
    (await on.ask("up", "/x", { headers: { "X.Api.Key": "mine", "X-Custom.Name": "kept" } })).status,
    200,
  );
  assert.deepEqual(seen.at(-1)?.values("x.api.key"), []);
  assert.deepEqual(seen.at(-1)?.values("x-custom.name"), ["kept"]);
});

test("a key in the name of a response header goes with its field", limit, async () => {
  const on = await stage();
  on.upstream.answer = (_, exchange) => exchange.send(200, { [canary]: "1", "X-Kept": "1" }, "ok");
  const answer = await on.ask("up", "/x");
  assert.ok(!answer.head.toLowerCase().includes(canary.toLowerCase()));
  assert.equal(answer.header("x-kept"), "1");
});

// Bytes behind the end of the compressed data once held the request, and its place, for ever.
test("a compressed answer with more behind it ends", limit, async () => {
  const on = await stage();
  const body = deflateSync(Buffer.from("hello"));
  on.upstream.answer = (_, exchange) => {
    exchange.begin(200, { "Content-Encoding": "deflate", "Transfer-Encoding": "chunked" });
    exchange.chunk(body);
    for (let piece = 0; piece < 5; piece++) exchange.chunk(Buffer.alloc(20_000));
    exchange.end();
  };
  // Bun's zlib ends there and drops the rest, Deno's calls the whole damaged: both come to an end.
  const answer = await on.ask("up", "/tail");
  assert.equal(answer.text, answer.complete ? "hello" : "");
  await until(10_000, "its response line", () =>
    on.audit().some((line) => line.path === "/tail" && line.event === "response"),
  );
});

test("an undecodable answer is refused and its connection given up", limit, async () => {
  const on = await stage();
  let gone = false;
  on.upstream.answer = (_, exchange) => {
    exchange.begin(200, { "Content-Encoding": "zstd", "Transfer-Encoding": "chunked" });
    exchange.chunk("x".repeat(100));
    void exchange.gone.then(() => {
      gone = true;
    });
  };
  assert.equal((await on.ask("up", "/x")).status, 502);
  await until(10_000, "the upstream sees its connection closed", () => gone);
});

// What a person approved once was once sent twice, when the kept connection closed under it.
test("an approved request is not repeated on a new connection", limit, async () => {
  const on = await stage();
  on.upstream.answer = (_, exchange) => exchange.send(200, {}, "ok");
  const put = { method: "PUT", body: "once" } as const;
  assert.equal((await on.ask("up", "/once", put)).error.code, "approval_pending");
  const waiting = JSON.parse((await on.home.run(["approvals", "--json"])).stdout) as { id: string }[];
  const unattended = { env: { JANEE_UNATTENDED: "1" } };
  assert.equal((await on.home.run(["approve", waiting[0]?.id ?? ""], unattended)).status, 0);
  assert.equal((await on.ask("up", "/warm")).status, 200);
  const seen = on.fresh();
  on.upstream.answer = (_, exchange) => exchange.reset();
  assert.equal((await on.ask("up", "/once", put)).status, 502);
  assert.equal(seen.length, 1);
});

test("one session cannot flood a person with questions", limit, async () => {
  const on = await stage();
  const codes: string[] = [];
  for (let number = 0; number < 22; number++) {
    codes.push((await on.ask("up", `/flood/${number}`, { method: "PUT" })).error.code ?? "");
  }
  assert.equal(codes[0], "approval_pending");
  assert.equal(codes.at(-1), "limit_reached");
});

test("requests of nobody do not run the command of a reference", limit, async () => {
  const on = await stage();
  for (let number = 0; number < 5; number++)
    assert.equal((await on.ask("ref", "/x", { token: undefined })).status, 401);
  const runs = await on.home.run(["list"], { command: ["cat", join(on.home.beside, "runs")] });
  assert.notEqual(runs.status, 0, "the file of runs does not exist");
});

// `--key env:NAME` is no new secret: it names one that exists.
test("a reference goes to a new host only with a person's yes", limit, async () => {
  const on = await stage();
  const add = ["add", "elsewhere", "-u", "https://elsewhere.example", "--key", "env:GITHUB_TOKEN"];
  assert.equal((await on.home.run(add)).status, 4);
  assert.equal((await on.home.run(add, { env: { JANEE_UNATTENDED: "1" } })).status, 0);
  const own = ["add", "own", "-u", "https://own.example", "--key", "sk_test_its_own_0123456789"];
  assert.equal((await on.home.run(own)).status, 0);
  const stolen = [
    ...own.slice(0, 1),
    "own",
    "--capability",
    "up",
    "--allow",
    "*",
    "--key",
    "sk_test_its_own_0123456789",
  ];
  assert.equal(
    (await on.home.run(stolen)).status,
    2,
    "another service's capability is not changed on the side",
  );
});

test("allowedAgents holds, and the name is a person's to give", limit, async () => {
  const on = await stage();
  const text = on.home.readConfig();
  on.home.writeConfig(
    `${text}  alices: { service: up, autoApprove: true, allowedAgents: [alice], rules: [{ allow: GET /* }] }\n`,
  );
  const unattended = { env: { JANEE_UNATTENDED: "1" } };
  assert.equal((await on.home.run(["grant", "alices", "--agent", "mallory"], unattended)).status, 4);
  assert.equal((await on.home.run(["grant", "alices", "--agent", "alice"])).status, 4, "no person, no grant");
  assert.equal((await on.home.run(["grant", "alices", "--agent", "alice"], unattended)).status, 0);
});
