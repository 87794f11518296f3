// The vendors' own SDKs with their base URL set to janee and a session token in place of the API key.
import assert from "node:assert/strict";
import { after, test } from "node:test";
import Anthropic from "@anthropic-ai/sdk";
import OpenAI from "openai";
import Stripe from "stripe";
import { canary } from "../support/janee.ts";
import { type Stage, shared } from "../support/stage.ts";
import type { Exchange, Seen } from "../support/upstream.ts";
import { until } from "../support/wait.ts";

const limit = { timeout: 30_000 };

const { stage, close } = shared({
  config: (origin) => `
services:
  openai: { baseUrl: "${origin}/v1", auth: { type: bearer, key: ${canary} } }
  anthropic: { baseUrl: "${origin}", auth: { type: headers, header: x-api-key, key: ${canary} } }
  stripe: { baseUrl: "${origin}", auth: { type: bearer, key: ${canary} } }
capabilities:
  openai: { service: openai, autoApprove: true, rules: [{ deny: "* /files*" }, { allow: "*" }] }
  anthropic: { service: anthropic, autoApprove: true, rules: [{ allow: "POST /v1/messages" }] }
  stripe:
    service: stripe
    autoApprove: true
    rules: [{ allow: GET /v1/* }, { allow: POST /v1/customers }, { deny: "*" }]
`,
  grant: ["openai", "anthropic", "stripe"],
});
after(close);

function json(exchange: Exchange, body: unknown, status = 200): void {
  exchange.send(status, { "Content-Type": "application/json" }, JSON.stringify(body));
}

/** Server-sent events, each sent once the one before it was seen. */
async function events(exchange: Exchange, list: readonly string[], seen: () => number): Promise<void> {
  exchange.begin(200, { "Content-Type": "text/event-stream", "Transfer-Encoding": "chunked" });
  for (const [index, event] of list.entries()) {
    exchange.chunk(event);
    await until(5_000, `event ${index} at the client`, () => seen() > index);
  }
  exchange.write("0\r\n\r\n");
}

/** What a call through an SDK leaves behind: the key reached the upstream, the token did not, the agent saw neither. */
function assertKept(on: Stage, seen: readonly Seen[], ...shown: unknown[]): void {
  assert.ok(seen.length > 0);
  for (const request of seen) {
    const key = [...request.values("authorization"), ...request.values("x-api-key")];
    assert.ok(
      key.some((value) => value === canary || value === `Bearer ${canary}`),
      request.head,
    );
  }
  assert.ok(!Buffer.concat(on.upstream.received).toString("latin1").includes("jns_"));
  const visible = `${JSON.stringify(shown)}${on.home.auditText()}${on.serving.stderr()}`;
  assert.ok(!visible.includes(canary));
}

async function refusedBy(work: () => Promise<unknown>): Promise<{ status: unknown; message: string }> {
  try {
    await work();
  } catch (error) {
    assert.ok(error instanceof Error);
    const status = "status" in error ? error.status : "statusCode" in error ? error.statusCode : undefined;
    return { status, message: `${error.message} ${JSON.stringify(error)}` };
  }
  throw new Error("the call was not refused");
}

test("OpenAI: a plain call and a stream, event by event", limit, async () => {
  const on = await stage();
  const seen = on.fresh();
  const client = new OpenAI({
    baseURL: `http://127.0.0.1:${on.port}/openai`,
    apiKey: on.token("openai"),
    maxRetries: 0,
  });
  on.upstream.answer = (_, exchange) =>
    json(exchange, {
      ...{ id: "1", object: "chat.completion", created: 1, model: "m" },
      choices: [{ index: 0, finish_reason: "stop", message: { role: "assistant", content: "hello" } }],
    });
  const ask = { model: "m", messages: [{ role: "user" as const, content: "hi" }] };
  const whole = await client.chat.completions.create(ask);
  assert.equal(whole.choices[0]?.message.content, "hello");
  assert.equal(seen[0]?.line, "POST /v1/chat/completions");
  assert.deepEqual(JSON.parse(seen[0]?.body.toString() ?? ""), ask);

  let shown = 0;
  const words = ["one ", "two ", "three"];
  const chunks = words.map((content) => {
    const delta = { id: "1", object: "chat.completion.chunk", choices: [{ index: 0, delta: { content } }] };
    return `data: ${JSON.stringify(delta)}\n\n`;
  });
  on.upstream.answer = (_, exchange) => events(exchange, [...chunks, "data: [DONE]\n\n"], () => shown);
  const stream = await client.chat.completions.create({ ...ask, stream: true });
  let text = "";
  for await (const piece of stream) {
    text += piece.choices[0]?.delta.content ?? "";
    shown += 1;
    if (shown === words.length) shown += 1;
  }
  assert.equal(text, words.join(""));
  assertKept(on, seen, whole, text);
});

test("Anthropic: a plain call and a stream, event by event", limit, async () => {
  const on = await stage();
  const seen = on.fresh();
  const client = new Anthropic({
    baseURL: `http://127.0.0.1:${on.port}/anthropic`,
    apiKey: on.token("anthropic"),
    maxRetries: 0,
  });
  const message = {
    ...{
      id: "m1",
      type: "message",
      role: "assistant",
      model: "m",
      stop_reason: "end_turn",
      stop_sequence: null,
    },
    content: [{ type: "text", text: "hello" }],
    usage: { input_tokens: 1, output_tokens: 1 },
  };
  on.upstream.answer = (_, exchange) => json(exchange, message);
  const ask = { model: "m", max_tokens: 8, messages: [{ role: "user" as const, content: "hi" }] };
  const whole = await client.messages.create(ask);
  assert.deepEqual(whole.content[0], { type: "text", text: "hello" });
  assert.equal(seen[0]?.line, "POST /v1/messages");
  assert.equal(seen[0]?.values("anthropic-version").length, 1, "the SDK's own headers pass");

  let shown = 0;
  const event = (type: string, more: object): string =>
    `event: ${type}\ndata: ${JSON.stringify({ type, ...more })}\n\n`;
  const list = [
    event("message_start", { message: { ...message, content: [] } }),
    event("content_block_start", { index: 0, content_block: { type: "text", text: "" } }),
    event("content_block_delta", { index: 0, delta: { type: "text_delta", text: "one " } }),
    event("content_block_delta", { index: 0, delta: { type: "text_delta", text: "two" } }),
    event("content_block_stop", { index: 0 }),
    event("message_delta", { delta: { stop_reason: "end_turn" }, usage: { output_tokens: 2 } }),
    event("message_stop", {}),
  ];
  on.upstream.answer = (_, exchange) => events(exchange, list, () => shown);
  let text = "";
  for await (const piece of await client.messages.create({ ...ask, stream: true })) {
    if (piece.type === "content_block_delta" && piece.delta.type === "text_delta") text += piece.delta.text;
    shown += 1;
  }
  assert.equal(text, "one two");
  assert.equal(shown, list.length);
  assertKept(on, seen, whole, text);
});

/** Stripe's SDK has a host, and no base URL: its fetch is given one. */
function stripeAt(on: Stage): Stripe {
  const through = (input: string | URL | Request, init?: RequestInit): Promise<Response> => {
    const { pathname, search } = new URL(input instanceof Request ? input.url : String(input));
    return fetch(`http://127.0.0.1:${on.port}/stripe${pathname}${search}`, init);
  };
  return new Stripe(on.token("stripe"), {
    ...{ host: "127.0.0.1", port: on.port, protocol: "http", maxNetworkRetries: 0, telemetry: false },
    httpClient: Stripe.createFetchHttpClient(through as typeof fetch),
  });
}

test("Stripe: a read, a list page by page, and a form", limit, async () => {
  const on = await stage();
  const seen = on.fresh();
  const client = stripeAt(on);
  on.upstream.answer = (request, exchange) => {
    const { pathname, searchParams } = new URL(request.target, "http://upstream");
    if (pathname === "/v1/balance") return json(exchange, { object: "balance", available: [] });
    if (request.method === "POST")
      return json(exchange, { id: "c9", object: "customer", email: request.body.toString() });
    const first = searchParams.get("starting_after") === null;
    const ids = first ? ["c1", "c2"] : ["c3"];
    const page = ids.map((id) => ({ id, object: "customer" }));
    return json(exchange, { object: "list", url: "/v1/customers", has_more: first, data: page });
  };
  const balance = await client.balance.retrieve();
  assert.equal(balance.object, "balance");
  const found: string[] = [];
  for await (const customer of client.customers.list({ limit: 2 })) found.push(customer.id);
  assert.deepEqual(found, ["c1", "c2", "c3"]);
  const made = await client.customers.create({ email: "a@b.example", metadata: { a: "b c" } });
  assert.equal(made.email, "email=a%40b.example&metadata[a]=b%20c");
  assertKept(on, seen, balance, found, made);
});

// An SDK that reads a refusal as a fault of the network tries again, or hides the reason.
test("a denied call is thrown as 403, with the rule, by each SDK", limit, async () => {
  const on = await stage();
  const seen = on.fresh();
  const openai = new OpenAI({ baseURL: `http://127.0.0.1:${on.port}/openai`, apiKey: on.token("openai") });
  const files = await refusedBy(() => openai.files.list());
  assert.equal(files.status, 403);
  assert.match(files.message, /deny: \* \/files\*/);
  const anthropic = new Anthropic({
    baseURL: `http://127.0.0.1:${on.port}/anthropic`,
    apiKey: on.token("anthropic"),
  });
  const models = await refusedBy(() => anthropic.models.list());
  assert.equal(models.status, 403);
  assert.match(models.message, /rule_denied/);
  const customers = await refusedBy(() => stripeAt(on).customers.del("c1"));
  assert.equal(customers.status, 403);
  assert.match(customers.message, /rule/);
  assert.equal(seen.length, 0);
  for (const { message } of [files, models, customers]) assert.ok(!message.includes(canary));
});

test("a revoked session is thrown as 403 at the next call, in mid-conversation", limit, async () => {
  const on = await stage();
  on.fresh();
  const { token, session } = await on.home.grant("openai");
  const client = new OpenAI({ baseURL: `http://127.0.0.1:${on.port}/openai`, apiKey: token });
  on.upstream.answer = (_, exchange) =>
    json(exchange, { object: "list", data: [{ id: "m", object: "model" }] });
  assert.equal((await client.models.list()).data.length, 1);
  await on.home.do(["revoke", session]);
  const refused = await refusedBy(() => client.models.list());
  assert.equal(refused.status, 403);
  assert.match(refused.message, /session_revoked/);
});
