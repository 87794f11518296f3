// Sessions, revocation, approval and policy while `janee serve` runs: what one process decides, all obey at once.
import assert from "node:assert/strict";
import {
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { type Answer, request, requestBytes, withClient } from "../support/client.ts";
import { canary, type Home, type Line } from "../support/janee.ts";
import { withStage } from "../support/stage.ts";
import { pause, until } from "../support/wait.ts";

const limit = { timeout: 60_000 };
const unattended = { env: { JANEE_UNATTENDED: "1" } };

const services = (origin: string): string =>
  `services:\n  api: { baseUrl: "${origin}", auth: { type: bearer, key: ${canary} } }\ncapabilities:\n`;
const one = (origin: string): string => `${services(origin)}  one: { service: api, autoApprove: true }\n`;
const two = (origin: string): string => `${one(origin)}  two: { service: api, autoApprove: true }\n`;
const asking = (origin: string): string =>
  `${services(origin)}  asks: { service: api, autoApprove: true, rules: [{ ask: "POST /v1/*" }, { allow: "GET *" }] }\n`;

interface Waiting {
  readonly id: string;
  readonly kind: string;
  readonly method?: string;
  readonly target?: string;
  readonly bodyDigest?: string;
  readonly bodyBytes?: number;
  readonly rule?: string;
}

function approvals(home: Home): Promise<Waiting[]> {
  return home.json<Waiting[]>(["approvals"]);
}

function refusal(answer: Answer): string {
  return `${answer.status} ${answer.error.code}`;
}

const endings: readonly (readonly [name: string, args: (session: string) => string[]])[] = [
  ["revoke <id>", (session) => ["revoke", session]],
  ["revoke --capability", () => ["revoke", "--capability", "one"]],
  ["revoke --all", () => ["revoke", "--all"]],
  ["rm of the capability", () => ["rm", "one"]],
  ["rm of the service", () => ["rm", "api"]],
];

// A session that outlives its revocation by one request is a session that was not revoked.
for (const [name, args] of endings) {
  test(
    `${name} from another process: the next request is refused, and those in flight end`,
    limit,
    async () => {
      await withStage({ config: one, grant: ["one"] }, async (on) => {
        on.upstream.answer = async (seen, exchange) => {
          if (seen.target === "/v1/waits") return;
          if (seen.target === "/v1/plain") return exchange.send(200, {}, "ok");
          exchange.begin(200, { "Content-Type": "text/event-stream", "Transfer-Encoding": "chunked" });
          for (let index = 0; index < 2_000 && !exchange.isGone; index++) {
            exchange.chunk(`data: ${index}\n\n`);
            await pause(10);
          }
        };
        assert.equal((await on.ask("one", "/v1/plain")).text, "ok");
        const [session] = await on.home.json<{ id: string }[]>(["sessions"]);
        const clients = [on.client(), on.client(), on.client()] as const;
        const [streaming, waiting, kept] = clients;
        try {
          streaming.write(on.bytes("one", "/v1/stream"));
          waiting.write(on.bytes("one", "/v1/waits"));
          kept.write(on.bytes("one", "/v1/plain"));
          assert.equal((await kept.answer()).status, 200);
          await streaming.shows("data: 1\n");
          await until(5_000, "the waiting request", () =>
            on.upstream.seen.some(({ target }) => target === "/v1/waits"),
          );
          await on.home.do(args(session?.id ?? ""), unattended);
          const returned = performance.now();
          kept.write(on.bytes("one", "/v1/plain"));
          const next = await kept.answer();
          assert.ok(next.status === 403 || next.status === 404, refusal(next));
          assert.ok([403, 404].includes((await on.ask("one", "/v1/plain")).status));
          await streaming.untilClosed(2_000);
          assert.ok(!(await streaming.answer()).complete, "a stream that was cut looks whole");
          await until(
            2_000,
            "the answer to the waiting request",
            () => waiting.closed || waiting.pending.length > 0,
          );
          console.log(
            `${name}: in flight ended ${Math.round(performance.now() - returned)} ms after it had returned`,
          );
          const before = on.upstream.seen.length;
          await pause(50);
          assert.equal(on.upstream.seen.length, before, "a request started afterwards");
        } finally {
          for (const client of clients) client.destroy();
        }
      });
    },
  );
}

test("under load from many clients, no request that follows a revocation gets through", limit, async () => {
  await withStage({ config: one, grant: ["one"] }, async (on) => {
    let returned = false;
    const late: number[] = [];
    let before = 0;
    const client = async (): Promise<void> => {
      await withClient(on.port, async (connection) => {
        for (let turn = 0; turn < 20_000; turn++) {
          const after = returned;
          connection.write(on.bytes("one", "/v1/x"));
          const { status } = await connection.answer();
          if (after) late.push(status);
          else before += 1;
          if (late.length > 100) return;
          if (status !== 200) await pause(5);
        }
      });
    };
    const clients = Array.from({ length: 8 }, client);
    await pause(200);
    await on.home.do(["revoke", "--all"]);
    returned = true;
    await Promise.all(clients);
    assert.ok(before > 20, `only ${before} requests before`);
    assert.deepEqual([...new Set(late)], [403]);
  });
});

// A policy that opens again by itself after a person has closed it is no stop button.
test(
  "revocation outranks autoApprove until a person grants, and only for what was granted",
  limit,
  async () => {
    await withStage({ config: two, grant: ["one", "two"] }, async (on) => {
      await on.home.do(["revoke", "--all"]);
      for (const name of ["one", "two"]) {
        const refused = await on.home.run(["grant", name, "--json"]);
        assert.equal(refused.status, 4);
        assert.equal(
          (JSON.parse(refused.stdout) as { error: { code: string } }).error.code,
          "person_required",
        );
      }
      const again = await on.home.json<{ token: string }>(["grant", "one"], unattended);
      const line = on
        .audit()
        .findLast(({ event, outcome }) => event === "command" && outcome === "unattended");
      assert.ok(line, "an unattended yes is written down");
      assert.match(String(line.message), /grant one/);
      assert.equal((await on.ask("one", "/v1/x", { token: again.token })).status, 200);
      assert.equal((await on.ask("one", "/v1/x")).status, 403, "the old session stays revoked");
      assert.equal((await on.home.run(["grant", "one"])).status, 0, "the hold is lifted");
      assert.equal((await on.home.run(["grant", "two"])).status, 4, "the other capability is still held");
    });
  },
);

test("a grant of a capability that is not autoApprove takes a person", limit, async () => {
  const config = (origin: string): string => `${services(origin)}  manual: { service: api }\n`;
  await withStage({ config, grant: [] }, async (on) => {
    const refused = await on.home.run(["grant", "manual"]);
    assert.equal(refused.status, 4);
    assert.match(refused.stderr, /terminal/);
    assert.deepEqual(await on.home.json(["sessions"]), []);
    const { token } = await on.home.json<{ token: string }>(["grant", "manual"], unattended);
    assert.equal((await on.ask("manual", "/v1/x", { token })).status, 200);
  });
});

// The wrong one of two sessions revoked leaves the right one alive.
test("revoke refuses an ambiguous prefix, an unknown id and no choice at all", limit, async () => {
  await withStage({ config: one, grant: [] }, async (on) => {
    const ids: string[] = [];
    const shared = (): string | undefined =>
      ids.map((id) => id.slice(0, 1)).find((first, at, all) => all.indexOf(first) !== at);
    for (let round = 0; round < 12 && !shared(); round++) {
      const more = await Promise.all([on.home.grant("one"), on.home.grant("one"), on.home.grant("one")]);
      ids.push(...more.map(({ session }) => session));
    }
    const prefix = shared() ?? "";
    const refused = await on.home.run(["revoke", prefix, "--json"]);
    assert.equal(refused.status, 2);
    assert.equal((JSON.parse(refused.stdout) as { error: { code: string } }).error.code, "ambiguous_id");
    assert.equal((await on.home.run(["revoke", "zzzzzzzzzz"])).status, 2);
    assert.equal((await on.home.run(["revoke"])).status, 2);
    assert.equal((await on.home.run(["revoke", "--all", ids[0] ?? ""])).status, 2);
    assert.equal((await on.home.json<unknown[]>(["sessions"])).length, ids.length, "nothing was revoked");
    await on.home.do(["revoke", ids[0] ?? ""]);
    assert.equal((await on.home.json<unknown[]>(["sessions"])).length, ids.length - 1);
    assert.equal((await on.home.json<unknown[]>(["sessions", "--all"])).length, ids.length);
  });
});

// A rule that is written but not yet in force is a rule that does not hold.
test(
  "rules edited in the file hold for the very next request, however the file is written",
  limit,
  async () => {
    const config = (rules: string) => (origin: string) =>
      `${services(origin)}  one: { service: api, autoApprove: true, rules: [${rules}] }\n`;
    await withStage({ config: config('{ allow: "GET /v1/*" }'), grant: ["one"] }, async (on) => {
      const file = join(on.home.path, "config.yaml");
      const original = on.home.readConfig();
      assert.equal((await on.ask("one", "/v1/x")).status, 200);
      for (let turn = 0; turn < 3; turn++) {
        on.home.writeConfig(original.replace("allow:", "deny:"));
        assert.equal(refusal(await on.ask("one", "/v1/x")), "403 rule_denied");
        writeFileSync(`${file}.new`, original, { mode: 0o600 });
        renameSync(`${file}.new`, file);
        assert.equal((await on.ask("one", "/v1/x")).status, 200);
      }
      const widened = await until(5_000, "the audit line", () =>
        on
          .audit()
          .find(({ event, changes }) => event === "policy" && JSON.stringify(changes).includes("wider")),
      );
      assert.ok(widened);
      assert.match(on.serving.stderr(), /wider/);
    });
  },
);

test(
  "a config that became bad leaves the old one in force and says so, until a good one comes",
  limit,
  async () => {
    const config = (origin: string): string =>
      `${services(origin)}  one: { service: api, autoApprove: true, rules: [{ allow: "GET /v1/*" }] }\n`;
    await withStage({ config, grant: ["one"] }, async (on) => {
      const original = on.home.readConfig();
      const broken: readonly (readonly [name: string, text: string])[] = [
        ["a syntax error", `${original}  two: [\n`],
        ["an unknown key", original.replace("autoApprove", "autoAprove")],
        ["an unquoted star", original.replace('allow: "GET /v1/*"', "deny: *")],
        ["cut in the middle of a value", original.slice(0, original.indexOf("autoApprove") + 5)],
        ["cut in the middle of the credential", original.slice(0, original.indexOf("sealed:") + 30)],
        ["bytes that are no text", `${original}\u0000`],
      ];
      for (const [name, text] of broken) {
        const said = on.serving.stderr().length;
        on.home.writeConfig(text);
        assert.equal((await on.ask("one", "/v1/x")).status, 200, name);
        assert.equal(refusal(await on.ask("one", "/v2/x")), "403 rule_denied", name);
        const now = await until(5_000, `word of ${name}`, () => on.serving.stderr().slice(said));
        assert.match(now, /not in force/, name);
        assert.ok(!now.includes("sealed:"), "a message shows a value");
        const fresh = await on.home.run(["serve", "--port", "0"]);
        assert.equal(fresh.status, 3, `${name}: nothing starts on a bad file: ${fresh.stderr}`);
        assert.match(fresh.stderr, /config\.yaml:\d+:\d+: /, name);
        on.home.writeConfig(original.replace("/v1/*", "/v2/*"));
        assert.equal((await on.ask("one", "/v2/x")).status, 200, `picked up after ${name}`);
        on.home.writeConfig(original);
        assert.equal((await on.ask("one", "/v1/x")).status, 200);
      }
      const kept = on.audit().filter(({ event, outcome }) => event === "policy" && outcome === "kept");
      assert.equal(kept.length, broken.length);
    });
  },
);

// Whoever can write the database could otherwise write a session.
test("a row that was not written by janee does not exist", limit, async () => {
  await withStage({ config: two, grant: ["one", "two"] }, async (on) => {
    await on.home.do(["revoke", "--capability", "two"]);
    const edit = (work: (database: DatabaseSync) => void): void => {
      const database = new DatabaseSync(join(on.home.path, "state.db"));
      try {
        database.exec("PRAGMA busy_timeout = 5000");
        work(database);
      } finally {
        database.close();
      }
    };
    edit((database) => {
      database.exec(
        `UPDATE session SET row = replace(row, '"revoked"', '"live"'), live = 1 WHERE row LIKE '%"two"%'`,
      );
    });
    assert.ok((await on.ask("two", "/v1/x")).status >= 401, "a revoked row was revived");
    assert.equal((await on.ask("one", "/v1/x")).status, 200);
    edit((database) => {
      database.exec(`UPDATE session SET row = replace(row, '"one"', '"two"') WHERE row LIKE '%"one"%'`);
    });
    for (const name of ["one", "two"]) {
      const answer = await on.ask(name, "/v1/x", { token: on.token("one") });
      assert.ok(answer.status === 401 || answer.status === 403, `${name}: ${refusal(answer)}`);
    }
    edit((database) =>
      database.exec(`UPDATE hold SET row = replace(row, '"two"', '"three"'), capability = 'three'`),
    );
    assert.equal((await on.home.run(["grant", "two"])).status, 4, "a hold was edited away");
  });
});

test("a session's expiry cannot be moved in the database", limit, async () => {
  await withStage({ config: one, grant: ["one"] }, async (on) => {
    assert.equal((await on.ask("one", "/v1/x")).status, 200);
    const database = new DatabaseSync(join(on.home.path, "state.db"));
    try {
      database.exec("PRAGMA busy_timeout = 5000");
      const text = String(database.prepare("SELECT row FROM session").get()?.row);
      const { expiresAt } = JSON.parse(text) as { expiresAt: number };
      const moved = text.replace(String(expiresAt), String(expiresAt + 1_000_000));
      database.prepare("UPDATE session SET row = ?").run(moved);
    } finally {
      database.close();
    }
    assert.equal(refusal(await on.ask("one", "/v1/x")), "401 session_unknown");
  });
});

// What lies in a backup, a log or a crash dump must open nothing.
test("neither token nor credential stands in any file of the home or the state folder", limit, async () => {
  await withStage({ config: two, grant: ["one", "two"] }, async (on) => {
    const token = on.token("one");
    await on.ask("one", "/v1/x");
    await on.ask("two", `/v1/${token}?t=${token}`, { headers: { "X-Mine": token } });
    await on.ask("two", "/v1/x", { token });
    await on.ask(token, "/v1/x", { token });
    await request(on.port, { target: `/${token}?${token}`, headers: { Host: token } });
    await on.home.do(["revoke", "--all"]);
    await on.serving.stop();
    const files = [on.home.path, on.home.state].flatMap((folder) =>
      readdirSync(folder, { recursive: true, encoding: "utf8" }).map((name) => join(folder, name)),
    );
    assert.ok(files.some((name) => name.endsWith("state.db")));
    for (const name of files.filter((file) => statSync(file).isFile())) {
      const bytes = readFileSync(name);
      assert.ok(!bytes.includes(token), `the token stands in ${name}`);
      assert.ok(!bytes.includes(canary), `the credential stands in ${name}`);
    }
    assert.ok(!on.home.printed.includes(canary));
    const talk = on.serving.stderr() + on.serving.stdout();
    assert.ok(!talk.includes("jns_"), "janee serve printed a token");
  });
});

test("a revocation outlives the death of every process", limit, async () => {
  await withStage({ config: two, grant: ["one", "two"] }, async (on) => {
    for (const name of ["one", "two"]) {
      await on.home.do(["revoke", "--capability", name]);
      process.kill(on.serving.pid, "SIGKILL");
      await on.serving.stop();
      on.serving = await on.home.serve();
      assert.equal(refusal(await on.ask(name, "/v1/x")), "403 session_revoked");
    }
    assert.equal((await on.home.run(["logs", "verify"])).status, 0, "a killed process is no false alarm");
  });
});

const order = { method: "POST", body: '{"amount":1}', headers: { "Content-Type": "application/json" } };

// An approval that covers more than what was shown is an approval of something else.
test("ask: one yes is for one request, as it was shown", limit, async () => {
  await withStage({ config: asking, grant: ["asks"] }, async (on) => {
    const send = (more: object = {}, target = "/v1/orders?x=1"): Promise<Answer> =>
      on.ask("asks", target, { ...order, ...more });
    const pending = await send();
    assert.equal(refusal(pending), "403 approval_pending");
    assert.match(pending.error.rule ?? "", /^ask: POST \/v1\/\*/);
    const [waiting, ...others] = await approvals(on.home);
    assert.deepEqual(others, []);
    assert.deepEqual(
      [waiting?.kind, waiting?.method, waiting?.target],
      ["request", "POST", "/v1/orders?x=1"],
    );
    assert.equal(waiting?.bodyDigest, await sha256(order.body));
    assert.equal(waiting?.bodyBytes, order.body.length);
    assert.match(pending.error.next ?? "", new RegExp(waiting?.id ?? "no id"));
    assert.doesNotMatch(pending.error.next ?? "", /janee approve/, "the agent is not told how to approve");

    assert.equal((await send()).error.code, "approval_pending");
    assert.equal((await approvals(on.home)).length, 1, "the same request asks once");
    assert.equal((await on.home.run(["approve", waiting?.id ?? ""])).status, 4, "a yes takes a person");
    assert.equal(on.upstream.seen.length, 0);

    await on.home.do(["approve", waiting?.id ?? ""], unattended);
    assert.equal((await send({ body: '{"amount":2}' })).error.code, "approval_pending", "another body");
    assert.equal((await send({}, "/v1/orders?x=2")).error.code, "approval_pending", "another query");
    const header = { headers: { ...order.headers, "X-Mode": "live" } };
    assert.equal((await send(header)).error.code, "approval_pending", "another header");
    assert.equal(on.upstream.seen.length, 0);
    assert.equal((await send()).status, 200);
    assert.equal(on.upstream.seen.length, 1);
    assert.equal(on.upstream.seen[0]?.body.toString(), order.body);
    assert.equal((await send()).error.code, "approval_pending", "used once");
    assert.equal(on.upstream.seen.length, 1);
    assert.equal((await on.ask("asks", "/v1/orders")).status, 200, "what is allowed goes on");
  });
});

test("ask: one yes is used by one of many that race for it", limit, async () => {
  await withStage({ config: asking, grant: ["asks"] }, async (on) => {
    await on.ask("asks", "/v1/orders", order);
    const [waiting] = await approvals(on.home);
    await on.home.do(["approve", waiting?.id ?? ""], unattended);
    const answers = await Promise.all(Array.from({ length: 12 }, () => on.ask("asks", "/v1/orders", order)));
    assert.equal(answers.filter(({ status }) => status === 200).length, 1);
    assert.equal(on.upstream.seen.length, 1);
  });
});

test("ask: a no is final for that request", limit, async () => {
  await withStage({ config: asking, grant: ["asks"] }, async (on) => {
    await on.ask("asks", "/v1/orders", order);
    const [waiting] = await approvals(on.home);
    await on.home.do(["deny", waiting?.id ?? ""]);
    for (let turn = 0; turn < 2; turn++) {
      assert.equal(refusal(await on.ask("asks", "/v1/orders", order)), "403 approval_declined");
    }
    assert.deepEqual(await approvals(on.home), []);
    assert.equal(
      (await on.home.run(["approve", waiting?.id ?? ""], unattended)).status,
      2,
      "decided is decided",
    );
    assert.equal(on.upstream.seen.length, 0);
  });
});

test("ask: a rule that denies meanwhile outranks the yes", limit, async () => {
  await withStage({ config: asking, grant: ["asks"] }, async (on) => {
    await on.ask("asks", "/v1/orders", order);
    const [waiting] = await approvals(on.home);
    await on.home.do(["approve", waiting?.id ?? ""], unattended);
    on.home.writeConfig(on.home.readConfig().replace("ask:", "deny:"));
    assert.equal(refusal(await on.ask("asks", "/v1/orders", order)), "403 rule_denied");
    assert.equal(on.upstream.seen.length, 0);
  });
});

test("ask: a yes does not pass to another session, and ends with its own", limit, async () => {
  await withStage({ config: asking, grant: ["asks"] }, async (on) => {
    const other = await on.home.grant("asks");
    await on.ask("asks", "/v1/orders", order);
    const [waiting] = await approvals(on.home);
    await on.home.do(["approve", waiting?.id ?? ""], unattended);
    const stolen = await on.ask("asks", "/v1/orders", { ...order, token: other.token });
    assert.equal(refusal(stolen), "403 approval_pending");
    await on.home.do(["revoke", "--all"]);
    assert.equal(refusal(await on.ask("asks", "/v1/orders", order)), "403 session_revoked");
    assert.equal(on.upstream.seen.length, 0);
  });
});

test("limit: what exceeds it is 429 with Retry-After, counted by all processes together", limit, async () => {
  const config = (origin: string): string =>
    `${services(origin)}  few: { service: api, autoApprove: true, limit: 3/h, rules: [{ allow: "GET *" }] }\n` +
    "  many: { service: api, autoApprove: true }\n";
  await withStage({ config, grant: ["few", "many"] }, async (on) => {
    const second = await on.home.serve();
    const askSecond = (): Promise<Answer> =>
      request(second.port, { target: "/few/v1/x", token: on.token("few") });
    assert.equal(
      (await on.ask("few", "/v1/x", { method: "POST" })).status,
      403,
      "what is denied does not count",
    );
    assert.equal((await on.ask("few", "/v1/x")).status, 200);
    assert.equal((await askSecond()).status, 200);
    assert.equal((await on.ask("few", "/v1/x")).status, 200);
    for (const answer of [await askSecond(), await on.ask("few", "/v1/x")]) {
      assert.equal(refusal(answer), "429 limit_reached");
      assert.ok(Number(answer.header("retry-after")) >= 1);
    }
    const another = await on.home.grant("few");
    assert.equal(
      (await on.ask("few", "/v1/x", { token: another.token })).status,
      429,
      "a new session starts no new count",
    );
    assert.equal((await on.ask("many", "/v1/x")).status, 200);
    assert.equal(on.upstream.seen.length, 4);
  });
});

test("limit: of many at once, no more than the limit pass", limit, async () => {
  const config = (origin: string): string =>
    `${services(origin)}  few: { service: api, autoApprove: true, limit: 5/h }\n`;
  await withStage({ config, grant: ["few"] }, async (on) => {
    const second = await on.home.serve();
    const ports = [on.port, second.port];
    const send = (index: number): Promise<Answer> =>
      withClient(ports[index % 2] ?? 0, (client) => {
        const target = "/few/v1/x";
        return client.write(requestBytes(ports[index % 2] ?? 0, { target, token: on.token("few") })).answer();
      });
    const answers = await Promise.all(Array.from({ length: 30 }, (_, index) => send(index)));
    assert.equal(answers.filter(({ status }) => status === 200).length, 5);
    assert.equal(on.upstream.seen.length, 5);
  });
});

// A log that cannot be written and requests that go on: the story of a theft that nobody can read.
test("while the log cannot be written nothing is sent, and it resumes by itself", limit, async () => {
  await withStage({ config: one, grant: ["one"] }, async (on) => {
    assert.equal((await on.ask("one", "/v1/x")).status, 200);
    const log = join(on.home.path, "audit.log");
    renameSync(log, `${log}.aside`);
    // A folder in its place: nobody can append to it, not even root.
    mkdirSync(log);
    const refused = await on.ask("one", "/v1/x");
    assert.equal(refusal(refused), "503 audit_unavailable");
    assert.equal(on.upstream.seen.length, 1);
    rmdirSync(log);
    renameSync(`${log}.aside`, log);
    const again = await until(5_000, "the log", () => on.audit().length > 0);
    assert.ok(again);
    assert.equal((await on.ask("one", "/v1/x")).status, 200);
    const ends = on.audit().filter(({ event }: Line) => event === "response");
    assert.equal(ends.length, 2);
  });
});

async function sha256(text: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return Buffer.from(digest).toString("hex");
}
