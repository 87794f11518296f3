// The reverse proxy over the whole engine: bytes in, bytes out, and what the upstream saw.
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { Agents } from "../../src/engine/agents.ts";
import { Approvals } from "../../src/engine/approval.ts";
import { AuditTrail } from "../../src/engine/audit.ts";
import { RowSeal } from "../../src/engine/authentic.ts";
import { wholeBody } from "../../src/engine/bodies.ts";
import { Broker } from "../../src/engine/broker.ts";
import { Failure } from "../../src/engine/failure.ts";
import { PageAccess } from "../../src/engine/page-access.ts";
import { Placeholders } from "../../src/engine/placeholder.ts";
import type { Policy, Upstream, UpstreamRequest } from "../../src/engine/ports.ts";
import { PreparedServices } from "../../src/engine/prepared.ts";
import { Secret } from "../../src/engine/secret.ts";
import { Sessions } from "../../src/engine/session.ts";
import { newToken } from "../../src/engine/token.ts";
import { clock, entropy } from "../../src/host/clock.ts";
import { decoder } from "../../src/host/decode.ts";
import { digest } from "../../src/host/digest.ts";
import { openStore, type SqliteStore } from "../../src/host/store-sqlite.ts";
import { ownAuthorities } from "../../src/surface/foreign.ts";
import { makePage, type Page } from "../../src/surface/page/page.ts";
import { People } from "../../src/surface/page/people.ts";
import { serveConnection } from "../../src/surface/proxy.ts";
import type { Connection } from "../../src/wire/connection.ts";
import { Flow } from "../../src/wire/flow.ts";
import { field } from "../../src/wire/http1.ts";
import { read } from "../engine/config-sample.ts";
import { toolsWith } from "../support/tools.ts";

const home = mkdtempSync(join(tmpdir(), "janee-proxy-"));
const opened: SqliteStore[] = [];
after(() => {
  for (const store of opened) store.close();
  rmSync(home, { recursive: true, force: true });
});

const canary = "sk_live_JANEE_CANARY_0123456789";
let count = 0;

/** One janee: a real engine between a fake wire and a fake upstream. */
class Bench {
  readonly saw: UpstreamRequest[] = [];
  readonly audit: Record<string, unknown>[] = [];
  readonly sessions: Sessions;
  readonly #config: ReturnType<typeof read>["config"];
  readonly broker: Broker;
  readonly page: Page;
  readonly agents: Agents;
  readonly #policy: Policy;
  answer = "ok";
  auditFails = false;

  constructor(rules: readonly string[]) {
    const written = rules.map((rule) => {
      const [effect, ...rest] = rule.split(": ");
      return `{${effect}: ${JSON.stringify(rest.join(": "))}}`;
    });
    const line = (name: string): string =>
      `  ${name}: {service: ${name}, autoApprove: true, rules: [${written.join(", ")}]}`;
    this.#config = read(
      [
        "services:",
        "  gh: {baseUrl: https://gh.example, auth: {type: bearer, key: env:K}}",
        "  stripe: {baseUrl: https://stripe.example, auth: {type: bearer, key: env:K}}",
        "capabilities:",
        line("gh"),
        line("stripe"),
        "",
      ].join("\n"),
    ).config;
    this.#policy = { current: () => ({ config: this.#config, generation: 1 }) };
    count += 1;
    const store = openStore(join(home, `${count}.db`));
    opened.push(store);
    const key = new Uint8Array(32).fill(1);
    const rows = new RowSeal(digest, () => key);
    this.sessions = new Sessions(store, rows, clock, entropy, digest);
    const trail = new AuditTrail({
      journal: {
        write: (lines) => {
          if (this.auditFails) return new Failure("audit_unavailable", "the audit log cannot be written");
          for (const one of Buffer.from(lines).toString().trim().split("\n"))
            this.audit.push(JSON.parse(one) as Record<string, unknown>);
          return undefined;
        },
      },
      store,
      digest,
      key,
      soon: (task) => void setImmediate(task),
      writer: "w",
      afterWrite: () => {},
    });
    const upstream: Upstream = {
      pooled: () => undefined,
      connect: async () => ({
        reused: false,
        release: () => {},
        send: async (request) => {
          this.saw.push(request);
          const fields = [field("Content-Type", "text/plain"), field("X-Echo", canary)];
          return { status: 200, fields, body: wholeBody(Buffer.from(this.answer)) };
        },
      }),
    };
    this.agents = new Agents(store, rows, entropy, digest);
    const approvals = new Approvals(store, rows, entropy, digest, () => this.sessions.now());
    this.broker = new Broker({
      policy: this.#policy,
      store,
      sessions: this.sessions,
      approvals,
      agents: this.agents,
      spawner: {
        find: () => new Failure("command_denied", "not in this test"),
        folder: () => new Failure("cwd_denied", "not in this test"),
        run: () => Promise.resolve(new Failure("spawn_failed", "not in this test")),
      },
      services: new PreparedServices(
        {
          open: async () => new Map([["key", new Secret(canary)]]),
          exchange: async () => new Failure("credential_failed", "not in this test"),
        },
        toolsWith({ upstream, policy: this.#policy }),
      ),
      clock,
      placeholders: new Placeholders(digest, () => key),
      upstream,
      decoder,
      audit: trail,
      digest,
      entropy,
    });
    this.page = this.#pageOver(rows, approvals);
  }

  #pageOver(rows: RowSeal, approvals: Approvals): Page {
    const { broker, sessions } = this;
    return makePage({
      version: "1.2.3",
      access: new PageAccess({ rows, entropy, digest, url: () => undefined, now: clock.wall }),
      people: new People({ sessions, approvals, broker, note: async () => undefined, trail: () => [] }),
      nonce: () => "n",
    });
  }

  token(capability: string): string {
    const found = this.#config.capabilities.get(capability);
    if (!found) assert.fail("no capability");
    return this.sessions.mint({ owner: "o", capability: found, approvedBy: "policy" }).token;
  }

  /** All that a connection answers to these bytes. */
  async talk(bytes: string): Promise<string> {
    let text = "";
    const incoming = new Flow({ setFlowing: () => {}, stopped: () => {} });
    incoming.push(Buffer.from(bytes, "latin1"));
    incoming.end();
    const connection: Connection = {
      peer: "127.0.0.1",
      incoming,
      write: (part) => {
        text += part.toString("latin1");
        return true;
      },
      drained: async () => {},
      onGone: () => {},
      within: () => {},
      end: async () => {},
      destroy: () => {},
    };
    await serveConnection(
      connection,
      {
        broker: this.broker,
        policy: this.#policy,
        page: (head, body) => this.page(head, body),
        mcp: () => Promise.resolve(new Failure("not_found", "not in this test")),
        own: ownAuthorities(5263, ["127.0.0.1"]),
        patience: { idle: 1000, head: 1000, body: 1000 },
        mostRequests: 10,
      },
      { atWork: 0 },
    );
    return text;
  }

  /** Status and code of the answer to one request. */
  async ask(target: string, ...lines: readonly string[]): Promise<string> {
    const text = await this.talk(
      [`GET ${target} HTTP/1.1`, "Host: 127.0.0.1:5263", ...lines, "", ""].join("\r\n"),
    );
    const status = text.slice(9, 12);
    const code = /"code":"([a-z_]+)"/.exec(text)?.[1];
    return code === undefined ? status : `${status} ${code}`;
  }

  get lines(): string[] {
    return this.saw.map(({ method, target }) => `${method} ${target}`);
  }
}

const bearer = (token: string): string => `Authorization: Bearer ${token}`;

interface Case {
  readonly id: string;
  readonly input: {
    readonly rules: readonly string[];
    readonly session_for: string;
    readonly raw_target: string;
  };
  readonly expect: {
    readonly status?: number;
    readonly status_in?: readonly number[];
    readonly code?: string;
  };
}

test("corpus: no target leads from one service to another, and each attempt is audited", async () => {
  const text = readFileSync(new URL("../corpus/path-cross-service.jsonl", import.meta.url), "utf8");
  for (const line of text.trim().split("\n")) {
    const { id, input, expect } = JSON.parse(line) as Case;
    const bench = new Bench(input.rules);
    const [status = "", code] = (
      await bench.ask(input.raw_target, bearer(bench.token(input.session_for)))
    ).split(" ");
    assert.ok((expect.status_in ?? [expect.status]).includes(Number(status)), `${id}: ${status} ${code}`);
    if (expect.code !== undefined) assert.equal(code, expect.code, id);
    assert.deepEqual(bench.saw, [], id);
    assert.equal(bench.audit.length, 1, id);
  }
});

test("a request goes out as it was matched, with the real credential and without the token", async () => {
  const bench = new Bench(["allow: GET /v1/*"]);
  const token = bench.token("gh");
  assert.equal(await bench.ask("/gh/v1/a%2fb?x=%2e%2e", bearer(token), "X-A: 1"), "200");
  assert.deepEqual(bench.lines, ["GET /v1/a%2Fb?x=%2e%2e"]);
  const sent = bench.saw[0]?.fields.map(({ name, value }) => `${name}: ${value}`);
  assert.deepEqual(sent, ["X-A: 1", `Authorization: Bearer ${canary}`]);
  assert.deepEqual(
    bench.audit.map(({ event, path, query, decision }) => [event, path, query, decision]),
    [
      ["request", "/v1/a%2Fb", "x=%2e%2e", "allow"],
      ["response", "/v1/a%2Fb", "x=%2e%2e", "allow"],
    ],
  );
  const [first, second] = bench.audit;
  assert.equal(first?.id, second?.id);
  assert.ok(!JSON.stringify([bench.audit, sent]).includes(token));
});

test("the credential does not come back, in a header or in the body", async () => {
  const bench = new Bench(["allow: GET /v1/*"]);
  bench.answer = `your key is ${canary}.`;
  const text = await bench.talk(
    `GET /gh/v1/x HTTP/1.1\r\nHost: 127.0.0.1:5263\r\n${bearer(bench.token("gh"))}\r\n\r\n`,
  );
  assert.ok(!text.includes("CANARY"), text);
  assert.ok(text.includes("X-Echo: [janee:redacted]") && text.endsWith("your key is [janee:redacted]."));
  assert.equal(bench.audit[1]?.redactions, 2);
  assert.ok(!JSON.stringify(bench.audit).includes("CANARY"));
});

test("each refusal has its status and its code, and its twin passes", async () => {
  const bench = new Bench(["allow: GET /v1/*", "deny: *"]);
  const [gh, stripe] = [bench.token("gh"), bench.token("stripe")];
  assert.equal(await bench.ask("/gh/v1/x", bearer(gh)), "200");
  assert.equal(await bench.ask("/gh/v1/x"), "401 no_session");
  assert.equal(await bench.ask("/gh/v1/x", "Authorization: Bearer sk_live_x"), "401 no_session");
  assert.equal(await bench.ask("/gh/v1/x", bearer(newToken(entropy))), "401 session_unknown");
  assert.equal(await bench.ask("/gh/v1/x", bearer(gh.slice(0, -1))), "401 session_unknown");
  assert.equal(await bench.ask("/gh/v1/x", bearer(stripe)), "403 session_wrong_capability");
  assert.equal(await bench.ask("/gh/v1/x", bearer(gh), `X-Api-Key: ${gh}`), "400 session_ambiguous");
  assert.equal(await bench.ask("/none/v1/x", bearer(gh)), "404 unknown_capability");
  assert.equal(await bench.ask("/GH/v1/x", bearer(gh)), "404 unknown_capability");
  assert.equal(await bench.ask("/gh/v2/x", bearer(gh)), "403 rule_denied");
  assert.equal(await bench.ask("/gh", bearer(gh)), "403 rule_denied");
  assert.equal(await bench.ask("/gh?x", bearer(gh)), "403 rule_denied");
  assert.equal(await bench.ask("/gh//v1/x", bearer(gh)), "400 path_ambiguous");
  assert.equal(await bench.ask("//gh/v1/x", bearer(gh)), "400 path_ambiguous");
  assert.equal(await bench.ask("/gh/v1/x", bearer(gh), "X-Original-URL: /admin"), "400 path_override");
  assert.equal(await bench.ask("/gh/v1/x", bearer(gh), "Origin: http://evil.example"), "403 foreign_origin");
  assert.equal(await bench.ask("http://127.0.0.1:5263/gh/v1/x", bearer(gh)), "400 target_absolute_form");
  const [session] = bench.sessions.list().filter(({ capability }) => capability === "gh");
  bench.sessions.revoke(session?.id ?? "");
  assert.equal(await bench.ask("/gh/v1/x", bearer(gh)), "403 session_revoked");
  assert.equal(await bench.ask("/stripe/v1/x", bearer(stripe)), "200");
  assert.deepEqual(bench.lines, ["GET /v1/x", "GET /v1/x"]);
});

test("a foreign Host is refused before the token is looked at", async () => {
  const bench = new Bench(["allow: GET /v1/*"]);
  const text = await bench.talk(
    `GET /gh/v1/x HTTP/1.1\r\nHost: evil.example\r\n${bearer(bench.token("gh"))}\r\n\r\n`,
  );
  assert.match(text, /^HTTP\/1\.1 403 /);
  assert.match(text, /foreign_host/);
  assert.deepEqual(bench.saw, []);
});

test("pipelined requests are judged each by itself, and after a malformed one nothing is read", async () => {
  const bench = new Bench(["allow: GET /v1/*"]);
  const auth = bearer(bench.token("gh"));
  const request = (target: string): string =>
    `GET ${target} HTTP/1.1\r\nHost: 127.0.0.1:5263\r\n${auth}\r\n\r\n`;
  const text = await bench.talk(request("/gh/v1/1") + request("/gh/v2/2") + request("/gh/v1/3"));
  assert.deepEqual(text.match(/HTTP\/1\.1 \d+/g), ["HTTP/1.1 200", "HTTP/1.1 403", "HTTP/1.1 200"]);
  assert.deepEqual(bench.lines, ["GET /v1/1", "GET /v1/3"]);
  const broken = await bench.talk(
    `${request("/gh/v1/4")}GET /gh/v1/5 HTTP/1.1\nHost: x\r\n\r\n${request("/gh/v1/6")}`,
  );
  assert.deepEqual(broken.match(/HTTP\/1\.1 \d+/g), ["HTTP/1.1 200", "HTTP/1.1 400"]);
  assert.deepEqual(bench.lines.slice(2), ["GET /v1/4"]);
});

test("health answers without a token, and only there", async () => {
  const bench = new Bench(["allow: GET /v1/*"]);
  assert.match(
    await bench.talk("GET /_janee/health HTTP/1.1\r\nHost: 127.0.0.1:5263\r\n\r\n"),
    /"version":"1\.2\.3"/,
  );
  assert.equal(await bench.ask("/_janee/none"), "404 not_found");
  assert.equal(await bench.ask("/_janeex/health"), "404 unknown_capability");
});

test("while the audit log cannot be written nothing is sent, and then it is again", async () => {
  const bench = new Bench(["allow: GET /v1/*"]);
  const auth = bearer(bench.token("gh"));
  bench.auditFails = true;
  assert.equal(await bench.ask("/gh/v1/x", auth), "503 audit_unavailable");
  assert.deepEqual(bench.saw, []);
  bench.auditFails = false;
  assert.equal(await bench.ask("/gh/v1/x", auth), "200");
  assert.equal(bench.saw.length, 1);
});

// The agent was known when its request came, and its token was taken away before the session began.
test("an agent that is removed while it asks gets no session that would outlive it", async () => {
  const bench = new Bench(["allow: GET /v1/*"]);
  const added = bench.agents.add("bot", true, 0);
  const caller = added && bench.agents.byToken(added.token);
  if (!caller) assert.fail("the agent is not known");
  const wish = { surface: "mcp-http", caller, capability: "gh" };
  const before = await bench.broker.requestAccess(wish);
  assert.ok(!(before instanceof Failure));
  bench.agents.remove("bot");
  await bench.broker.endSessionsOf(caller, "cli");
  const after = await bench.broker.requestAccess(wish);
  assert.ok(after instanceof Failure && after.code === "session_unknown");
  assert.deepEqual(bench.sessions.liveOf(caller.owner), []);
});
