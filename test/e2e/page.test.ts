// The page for people: who gets in, what it shows, what it does, and who stays out.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Window } from "happy-dom";
import { type Answer, type Ask, request } from "../support/client.ts";
import { readCorpus } from "../support/corpus.ts";
import { canary, type Home, inHome } from "../support/janee.ts";
import { type Stage, withStage } from "../support/stage.ts";
import { until } from "../support/wait.ts";

const limit = { timeout: 60_000 };
const unattended = { env: { JANEE_UNATTENDED: "1" } };
const json = { "Content-Type": "application/json" };

const config = (origin: string): string =>
  `services:\n  api: { baseUrl: "${origin}", auth: { type: bearer, key: ${canary} } }\n` +
  `capabilities:\n  asks: { service: api, autoApprove: true, rules: [{ ask: "POST /v1/*" }, { allow: "GET *" }] }\n`;

async function ticketOf(home: Home): Promise<string> {
  const { url } = await home.json<{ url: string }>(["open"], unattended);
  assert.match(url, /^http:\/\/127\.0\.0\.1:\d+\/_janee\/#/);
  return new URL(url).hash.slice(1);
}

function enter(port: number, ticket: string, headers: Record<string, string> = {}): Promise<Answer> {
  const body = JSON.stringify({ ticket });
  return request(port, {
    method: "POST",
    target: "/_janee/api/enter",
    headers: { ...json, ...headers },
    body,
  });
}

async function opened(on: Stage): Promise<string> {
  const entered = await enter(on.port, await ticketOf(on.home));
  assert.equal(entered.status, 200, entered.text);
  return (JSON.parse(entered.text) as { token: string }).token;
}

function api(port: number, token: string, path: string, ask: Partial<Ask> = {}): Promise<Answer> {
  const headers = { ...json, Authorization: `Bearer ${token}`, ...ask.headers };
  return request(port, { method: "POST", target: `/_janee/api/${path}`, ...ask, headers });
}

interface State {
  readonly approvals: readonly {
    readonly id: string;
    readonly kind: string;
    readonly lines: readonly string[];
  }[];
  readonly sessions: readonly { readonly id: string; readonly capability: string }[];
  readonly trail: readonly Readonly<Record<string, string>>[];
}

async function stateOf(port: number, token: string): Promise<State & { text: string }> {
  const answer = await api(port, token, "state", { method: "GET" });
  assert.equal(answer.status, 200, answer.text);
  return { ...(JSON.parse(answer.text) as State), text: answer.text };
}

test("janee open wants a listener and a person", limit, () =>
  inHome(async (home) => {
    await home.do(["init"]);
    const early = await home.run(["open"], unattended);
    assert.equal(early.status, 2);
    assert.match(early.stderr, /janee serve/);
    const serving = await home.serve();
    const alone = await home.run(["open"]);
    assert.equal(alone.status, 4);
    assert.match(alone.stderr, /person/);
    assert.equal(alone.stdout, "");
    assert.match((await home.do(["open", "--print"], unattended)).stdout, /^http:.*\/_janee\/#\S+\n$/);
    assert.ok(home.audit().some((line) => line.message === "open" && line.outcome === "unattended"));
    await serving.stop();
  }),
);

test("a ticket lets one page in, once; whoever comes second throws both out", limit, () =>
  withStage({ config, grant: [] }, async (on) => {
    const ticket = await ticketOf(on.home);
    const [head = "", mac = ""] = ticket.split(".");
    for (const forged of [
      "",
      "x",
      `${head}.`,
      `${head}.AAAA${mac}`,
      `AAAA${head}.${mac}`,
      `${ticket}.${mac}`,
    ]) {
      assert.equal((await enter(on.port, forged)).error.code, "no_session", forged);
    }
    const { token } = JSON.parse((await enter(on.port, ticket)).text) as { token: string };
    await stateOf(on.port, token);
    const second = await enter(on.port, ticket);
    assert.deepEqual([second.status, second.error.code], [401, "no_session"]);
    assert.equal((await api(on.port, token, "state", { method: "GET" })).status, 401);
    assert.ok(on.audit().some((line) => line.surface === "page" && line.code === "no_session"));

    const other = await opened(on);
    await stateOf(on.port, other);
    assert.equal((await api(on.port, other, "leave")).status, 200);
    assert.equal((await api(on.port, other, "state", { method: "GET" })).status, 401);
  }),
);

test("a ticket is for the listener it was made for, and for no other home's", limit, () =>
  inHome(async (home) => {
    await home.do(["init"]);
    const first = await home.serve();
    const ticket = await ticketOf(home);
    await first.stop();
    const again = await home.serve(["--port", String(first.port)]);
    assert.equal((await enter(again.port, ticket)).error.code, "no_session", "it outlived its listener");
    await inHome(async (stranger) => {
      await stranger.do(["init"]);
      const theirs = await stranger.serve();
      const made = await ticketOf(home);
      assert.equal((await enter(theirs.port, made)).error.code, "no_session");
      assert.equal((await enter(again.port, made)).status, 200, "the twin");
    });
    await again.stop();
  }),
);

test("nothing of the page opens without its token, to another site, or under another name", limit, () =>
  withStage({ config, grant: [] }, async (on) => {
    const token = await opened(on);
    const { token: agent } = await on.home.grant("asks");
    const paths = ["approvals/x", "sessions/x/revoke", "revoke", "leave"];
    for (const path of paths) {
      for (const wrong of ["", "x".repeat(43), agent]) {
        assert.equal((await api(on.port, wrong, path, { body: "{}" })).status, 401, path);
      }
    }
    for (const headers of [
      { Origin: "https://evil.example" },
      { Origin: "null" },
      { "Sec-Fetch-Site": "cross-site" },
      { "Sec-Fetch-Site": "same-site" },
      { Host: "evil.example" },
    ]) {
      const foreign = await api(on.port, token, "state", { method: "GET", headers });
      assert.equal(foreign.status, 403, JSON.stringify(headers));
      assert.equal((await enter(on.port, await ticketOf(on.home), headers)).status, 403);
    }
    const own = { Origin: `http://127.0.0.1:${on.port}`, "Sec-Fetch-Site": "same-origin" };
    assert.equal((await api(on.port, token, "state", { method: "GET", headers: own })).status, 200);

    const document = await request(on.port, { target: "/_janee/" });
    assert.equal(document.status, 200);
    assert.equal(document.header("x-frame-options"), "DENY");
    assert.equal(document.header("cache-control"), "no-store");
    const policy = document.header("content-security-policy") ?? "";
    for (const wanted of [
      "default-src 'none'",
      "frame-ancestors 'none'",
      "base-uri 'none'",
      "form-action 'self'",
    ]) {
      assert.ok(policy.includes(wanted), policy);
    }
    assert.equal(document.header("set-cookie"), undefined);
    assert.equal(document.header("access-control-allow-origin"), undefined);
    const nonce = /'nonce-([^']+)'/.exec(policy)?.[1] ?? "";
    assert.ok(document.text.includes(`<script nonce="${nonce}">`));
    assert.ok(!(await request(on.port, { target: "/_janee/" })).text.includes(nonce), "a nonce is used once");
  }),
);

interface WebCase {
  readonly id: string;
  readonly input: { readonly method?: string; readonly headers?: Readonly<Record<string, string>> };
  readonly expect: { readonly status?: number; readonly response_headers?: Readonly<Record<string, string>> };
}

/** The corpus names the page by a path of its own; here it is at `/_janee/`. */
test("the cases of the corpus that are about the page", limit, () =>
  withStage({ config, grant: [] }, async (on) => {
    const cases = readCorpus().filter(({ group, surface }) => group === "web" && surface === "approval");
    assert.ok(cases.length >= 5);
    for (const { id, input, expect } of cases as unknown as WebCase[]) {
      const headers = Object.fromEntries(
        Object.entries(input.headers ?? {}).map(([name, value]) => [
          name,
          value.replace("PORT", String(on.port)),
        ]),
      );
      const method = input.method ?? "GET";
      const target = method === "GET" ? "/_janee/" : "/_janee/api/approvals/x";
      const answer = await request(on.port, {
        method,
        target,
        headers,
        ...(method === "GET" ? {} : { body: "{}" }),
      });
      assert.equal(answer.status, expect.status ?? 200, id);
      for (const [name, wanted] of Object.entries(expect.response_headers ?? {})) {
        for (const part of wanted.split("; "))
          assert.ok(answer.header(name)?.split("; ").includes(part), `${id}: ${part}`);
      }
    }
  }),
);

test("what a service sends is no document of this origin; programs get it", limit, () =>
  withStage({ config, grant: [] }, async (on) => {
    const { token } = await on.home.grant("asks");
    for (const dest of ["document", "iframe", "serviceworker", "script"]) {
      const shown = await request(on.port, {
        target: "/asks/v1",
        token,
        headers: { "Sec-Fetch-Dest": dest },
      });
      assert.deepEqual([shown.status, shown.error.code], [403, "foreign_origin"], dest);
    }
    const fetched = await request(on.port, {
      target: "/asks/v1",
      token,
      headers: { "Sec-Fetch-Dest": "empty" },
    });
    assert.equal(fetched.status, 200);
    assert.equal((await request(on.port, { target: "/asks/v1", token })).status, 200);
  }),
);

test("approve, deny and revoke by the page hold at once, and no secret is in what it gets", limit, () =>
  withStage({ config, grant: [] }, async (on) => {
    const page = await opened(on);
    const { token, session } = await on.home.grant("asks");
    const post = (body: string): Promise<Answer> =>
      request(on.port, { method: "POST", target: "/asks/v1/pay", token, body });
    const waitingId = async (): Promise<string> => {
      const { approvals } = await stateOf(on.port, page);
      assert.equal(approvals.length, 1);
      assert.ok(approvals[0]?.lines.some((line) => line.includes("POST /v1/pay")));
      return approvals[0]?.id ?? "";
    };
    assert.equal((await post("yes")).error.code, "approval_pending");
    const id = await waitingId();
    assert.equal((await api(on.port, page, `approvals/${id}`, { body: '{"verdict":"maybe"}' })).status, 400);
    assert.equal((await api(on.port, page, `approvals/${id}`, { body: '{"verdict":"once"}' })).status, 200);
    assert.equal((await post("yes")).status, 200);
    assert.equal((await post("yes")).error.code, "approval_pending", "a yes is used once");
    const decline = { body: '{"verdict":"declined"}' };
    assert.equal((await api(on.port, page, `approvals/${await waitingId()}`, decline)).status, 200);
    assert.equal((await post("yes")).error.code, "approval_declined");
    assert.equal((await api(on.port, page, `approvals/${id}`, decline)).error.code, "approval_expired");

    const before = await stateOf(on.port, page);
    assert.deepEqual(
      before.sessions.map((one) => [one.id, one.capability]),
      [[session, "asks"]],
    );
    assert.ok(before.trail.some((line) => line.event === "approval" && line.surface === "page"));
    assert.ok(
      !before.text.includes(canary) && !before.text.includes(token) && !before.text.includes("tokenHash"),
    );
    assert.equal((await api(on.port, page, `sessions/${session}/revoke`)).status, 200);
    assert.equal((await request(on.port, { target: "/asks/v1", token })).error.code, "session_revoked");
    assert.equal((await api(on.port, page, `sessions/${session}/revoke`)).error.code, "not_found");
    const next = await on.home.grant("asks");
    assert.equal((await request(on.port, { target: "/asks/v1", token: next.token })).status, 200);
    assert.equal((await api(on.port, page, "revoke")).status, 200);
    assert.equal(
      (await request(on.port, { target: "/asks/v1", token: next.token })).error.code,
      "session_revoked",
    );
    await on.home.do(["logs", "verify"]);
  }),
);

test("the page in a browser: a click says yes only after it could be seen", limit, () =>
  withStage({ config, grant: [] }, async (on) => {
    const { token } = await on.home.grant("asks");
    const post = (): Promise<Answer> =>
      request(on.port, { method: "POST", target: "/asks/v1/%3Cimg%20src=x%3E", token, body: "x" });
    await post();
    const origin = `http://127.0.0.1:${on.port}`;
    const document = await request(on.port, { target: "/_janee/" });
    const [, script = ""] = /<script[^>]*>([\s\S]*)<\/script>/.exec(document.text) ?? [];
    const window = new Window({ url: `${origin}/_janee/#${await ticketOf(on.home)}` });
    try {
      window.document.body.innerHTML = document.text.replace(/<script[\s\S]*<\/script>/, "");
      Object.defineProperty(window.document, "hasFocus", { value: () => true });
      const fetchHere = (path: string, init: RequestInit): Promise<Response> =>
        fetch(`${origin}${path}`, init);
      const names = [
        "window",
        "document",
        "location",
        "history",
        "fetch",
        "performance",
        "confirm",
        "setTimeout",
      ];
      const run = new Function(...names, script);
      const { document: dom, location, history } = window;
      run(window, dom, location, history, fetchHere, performance, () => true, window.setTimeout.bind(window));
      assert.equal(location.hash, "", "the ticket stays in no address");
      const yes = await until(
        5_000,
        "the card",
        () => dom.querySelector("#approvals article button") ?? undefined,
      );
      assert.ok(yes.hasAttribute("disabled"), "a click that was on its way says nothing");
      await until(5_000, "the button", () => !yes.hasAttribute("disabled"));
      assert.match(dom.querySelector("#approvals pre")?.textContent ?? "", /%3Cimg/);
      (yes as unknown as { click(): void }).click();
      await until(5_000, "the answer", () => dom.querySelector("#approvals article") === null);
      assert.equal((await post()).status, 200);
      (dom.querySelector("#everything") as unknown as { click(): void }).click();
      await until(5_000, "the end", () =>
        /No active/.test(dom.querySelector("#sessions")?.textContent ?? ""),
      );
      assert.equal((await post()).error.code, "session_revoked");
    } finally {
      window.dispatchEvent(new window.Event("pagehide"));
      await window.happyDOM.close();
    }
  }),
);
