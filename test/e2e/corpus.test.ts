// The attack corpus through a real `janee serve` to an upstream that records what reaches it.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { makeCertificate } from "../support/certificates.ts";
import { type Answer, Client, withClient } from "../support/client.ts";
import { type Case, isRun, notOverHttp, readCorpus } from "../support/corpus.ts";
import {
  answerAs,
  assertWithoutKey,
  bytesOf,
  capabilitiesOf,
  capabilityOf,
  configFor,
  drip,
  serviceOf,
} from "../support/corpus-stage.ts";
import { canary, Home, type Line, root, type Serving } from "../support/janee.ts";
import { type Seen, startUpstream, type Upstream } from "../support/upstream.ts";
import { pause } from "../support/wait.ts";

const corpus = readCorpus();
const cases = corpus.filter(isRun);
const limit = { timeout: 30_000 };

/** Each peer's refusals get at most 100 audit lines a minute, so a fresh listener takes over before that. */
const refusalsOfOneListener = 80;
const redacted = "[janee:redacted]";

class Stage {
  readonly home = new Home();
  readonly #tokens = new Map<string, string>();
  #refusals = 0;
  upstream!: Upstream;
  silent!: Upstream;
  serving!: Serving;

  static async open(): Promise<Stage> {
    const stage = new Stage();
    try {
      await stage.#prepare();
      return stage;
    } catch (error) {
      await stage.close();
      throw error;
    }
  }

  async #prepare(): Promise<void> {
    this.upstream = await startUpstream();
    const certificate = makeCertificate(this.home.beside, "stranger", ["DNS:localhost", "IP:127.0.0.1"]);
    this.silent = await startUpstream({ tls: certificate });
    await this.home.do(["init"]);
    this.home.writeConfig(configFor(cases, `http://127.0.0.1:${this.upstream.port}`, this.silent.port));
    for (const [name] of capabilitiesOf(cases)) {
      this.#tokens.set(name, (await this.home.grant(name)).token);
    }
    this.serving = await this.home.serve();
  }

  token(capability: string): string {
    const token = this.#tokens.get(capability);
    assert.ok(token, `no session for ${capability}`);
    return token;
  }

  /** Counts a refusal, and changes to a fresh listener before its lines run out. */
  async refused(): Promise<void> {
    this.#refusals += 1;
    if (this.#refusals < refusalsOfOneListener) return;
    this.#refusals = 0;
    await this.serving.stop();
    this.serving = await this.home.serve();
  }

  async close(): Promise<void> {
    await this.home.dispose();
    await this.upstream?.stop();
    await this.silent?.stop();
  }
}

let opened: Promise<Stage> | undefined;
function stage(): Promise<Stage> {
  opened ??= Stage.open();
  return opened;
}
after(async () => (await opened?.catch(() => undefined))?.close());

interface Outcome {
  readonly answer: Answer;
  readonly everything: Buffer;
  readonly seen: readonly Seen[];
  readonly lines: readonly Line[];
  readonly isClosed: boolean;
}

/** Puts the request of a case to the proxy, with the upstream answering as the case says. */
async function perform(on: Stage, one: Case, bytes: Buffer, method: string): Promise<Outcome> {
  on.upstream.seen.length = 0;
  on.upstream.received.length = 0;
  const linesBefore = on.home.auditText().length;
  return withClient(on.serving.port, async (client) => {
    client.write(bytes);
    const answer = await client.answer(method);
    if (one.expect.connection_closed) await client.untilClosed();
    const lines = on.home.auditText().slice(linesBefore).split("\n");
    return {
      answer,
      everything: client.everything,
      seen: [...on.upstream.seen],
      lines: lines.filter((line) => line !== "").map((line) => JSON.parse(line) as Line),
      isClosed: client.closed,
    };
  });
}

/** Secrets that stand where nothing is passed on at all leave no mark behind. */
const droppedWhole = new Set(["LEAK-052", "LEAK-053", "LEAK-054"]);

function assertVerdict(one: Case, outcome: Outcome, body: Buffer | undefined): void {
  const { expect } = one;
  const { answer, seen, lines } = outcome;
  const said = `${answer.status} ${answer.text.slice(0, 200)}`;
  const outcomes = typeof expect.outcome === "string" ? [expect.outcome] : expect.outcome;
  const passed = answer.status < 400 && answer.complete;
  if (outcomes.every((each) => each === "error" || each === "denied"))
    assert.ok(!passed, `let through: ${said}`);
  if (!outcomes.includes("error") && !outcomes.includes("denied")) assert.ok(passed, `refused: ${said}`);
  assertStatus(one, answer, said);

  if (expect.upstream_saw === null && one.group !== "smuggling") assert.deepEqual(linesOf(seen), []);
  if (one.group === "smuggling" && !one.input.raw?.startsWith("(upstream)"))
    assert.deepEqual(linesOf(seen), []);
  if (typeof expect.upstream_saw === "string") assert.equal(seen[0]?.line, expect.upstream_saw);
  if (typeof expect.upstream_saw === "string") assert.equal(seen.length, 1);
  if (expect.upstream_requests !== undefined) assert.equal(seen.length, expect.upstream_requests);
  if (expect.upstream_requests_max !== undefined) assert.ok(seen.length <= expect.upstream_requests_max);
  for (const absent of expect.upstream_headers_absent ?? []) {
    const [name = "", part] = absent.split(":");
    const values = seen.flatMap((request) => request.values(name));
    const found = part === undefined ? values : values.filter((value) => value.includes(part));
    assert.deepEqual(found, [], `the upstream saw ${absent}`);
  }
  if (expect.upstream_auth !== undefined)
    assert.deepEqual(seen[0]?.values("authorization"), [expect.upstream_auth]);

  const key = one.input.key && serviceOf(one) === "slashed" ? "ab/cdSECRET/x1234567" : canary;
  if (expect.contains_key === false || !outcomes.includes("undetectable"))
    assertWithoutKey(outcome.everything, key);
  const marked = passed && expect.replacement !== undefined && !droppedWhole.has(one.id.slice(0, -1));
  if (marked) {
    assert.ok(outcome.everything.includes(redacted), `nothing marks the place: ${said}`);
    const end = lines.find(({ event }) => event === "response");
    assert.ok(Number(end?.redactions) > 0, "the audit line counts no redaction");
  }
  if (expect.body_unchanged || outcomes.includes("undetectable")) assert.deepEqual(answer.body, body);
  for (const name of expect.response_headers_absent ?? []) assert.equal(answer.header(name), undefined);
  if (expect.connection_closed) assert.ok(outcome.isClosed);
  if (expect.audited) assertAudited(answer, lines);
}

function assertStatus(one: Case, answer: Answer, said: string): void {
  const { expect } = one;
  if (expect.status !== undefined) assert.equal(answer.status, expect.status, said);
  if (expect.status_in) assert.ok(expect.status_in.includes(answer.status), said);
  const refused = answer.status >= 400;
  if (refused) assert.ok(answer.error.code && answer.error.message, `not the shape of an error: ${said}`);
}

function linesOf(seen: readonly Seen[]): string[] {
  return seen.map(({ line }) => line);
}

function assertAudited(answer: Answer, lines: readonly Line[]): void {
  const requests = lines.filter(({ event }) => event === "request");
  assert.equal(requests.length, 1, `one line for one request: ${JSON.stringify(lines)}`);
  if (answer.status < 400) {
    const end = lines.find(({ event }) => event === "response");
    assert.equal(end?.id, requests[0]?.id);
    assert.equal(end?.status, answer.status);
    return;
  }
  assert.equal(requests[0]?.decision, "deny");
  assert.equal(requests[0]?.code, answer.error.code);
}

test("every case of the corpus is run here, or is named with the reason why not", limit, () => {
  const ids = new Set(corpus.flatMap(({ id, group }) => [id, group]));
  const stale = Object.keys(notOverHttp).filter((name) => !ids.has(name));
  assert.deepEqual(stale, [], "the table names cases that do not exist");
  const groups = [...new Set(cases.map(({ group }) => group))].sort();
  const promised = ["dos", "headers", "leak", "path", "path-accept", "path-cross-service", "path-origin"];
  promised.push("path-wire", "redirect", "rules", "session", "smuggling", "web");
  assert.deepEqual(groups, promised);
  assert.ok(cases.length > 200, `only ${cases.length} cases are run`);
});

/** What no broker can find: the README has to say so. */
const documented: Readonly<Record<string, RegExp>> = {
  "LEAK-020": /CDATA/,
  "LEAK-024": /UTF-7/,
  "LEAK-030": /prefix alone/,
  "LEAK-031": /two JSON\s+fields/,
  "LEAK-032": /sliced/,
  "LEAK-048": /two events/,
  "MCP-009": /prompt injection/,
  "STORE-006": /rollback|rolled back|older copy|restor/i,
  "AUD-015": /recompute|re-?write[sn]? the (?:trail|log|chain)|your own user/i,
};

test("every case that cannot be detected is a limit that the README names", limit, () => {
  const readme = readFileSync(join(root, "README.md"), "utf8");
  const told = corpus.filter(({ group, expect }) => group !== "exec" && expect.outcome === "undetectable");
  const undetectable = told.map(({ id }) => id.replace(/[mr]$/, ""));
  assert.deepEqual([...new Set(undetectable)].sort(), Object.keys(documented).sort());
  for (const [id, words] of Object.entries(documented)) assert.match(readme, words, id);
  assert.match(readme, /BUN_OPTIONS/, "what can still reach into the binary");
});

// A regression in target, rule, header or wire would let the very request of the case through.
for (const one of cases) {
  const special = specialOf(one);
  test(
    `${one.id} ${one.input.title ?? one.input.target ?? one.input.raw_target ?? ""}`.trim(),
    limit,
    async () => {
      const on = await stage();
      if (special) return special(on, one);
      const body = answerAs(on.upstream, on.serving.port, one);
      const { bytes, method } = bytesOf(one, on.serving.port, on.token(capabilityOf(one)));
      const outcome = await perform(on, one, bytes, method);
      assertVerdict(one, outcome, body);
      if (outcome.answer.status >= 400) await on.refused();
    },
  );
}

type Special = (on: Stage, one: Case) => Promise<void>;

function specialOf(one: Case): Special | undefined {
  if (one.input.upstream_response?.connect) return badConnections;
  if (one.input.upstream_response?.chunks?.startsWith("for i")) return everySplit;
  if (one.id.startsWith("LEAK-045")) return compressedBomb;
  if (one.id.startsWith("LEAK-090")) return guessing;
  if (one.id.startsWith("LEAK-091")) return pauses;
  if (one.id === "DOS-005") return longTarget;
  return undefined;
}

/** An upstream that cannot be reached, or proves to be someone else: the text of the error names no key. */
async function badConnections(on: Stage, one: Case): Promise<void> {
  for (const [service, code] of [
    ["stranger", "upstream_tls"],
    ["nowhere", "upstream_unreachable"],
  ]) {
    const ran = await on.home.run(["test", service ?? "", "--json"]);
    assert.equal(ran.status, 6);
    assert.equal((JSON.parse(ran.stdout) as { error: { code: string } }).error.code, code);
    assertWithoutKey(Buffer.from(ran.stdout + ran.stderr), canary);
  }
  on.upstream.answer = (_, exchange) => exchange.reset();
  const { bytes, method } = bytesOf(one, on.serving.port, on.token(capabilityOf(one)));
  const { answer, everything } = await perform(on, one, bytes, method);
  assert.equal(answer.status, 502);
  assertWithoutKey(everything, canary);
}

async function everySplit(on: Stage, one: Case): Promise<void> {
  const { bytes, method } = bytesOf(one, on.serving.port, on.token(capabilityOf(one)));
  for (let at = 1; at < canary.length; at++) {
    on.upstream.answer = (_, exchange) => drip(exchange, [canary.slice(0, at), canary.slice(at)], 2);
    const { answer } = await perform(on, one, bytes, method);
    assert.equal(answer.text, redacted, `split at ${at}`);
  }
}

async function compressedBomb(on: Stage, one: Case): Promise<void> {
  answerAs(on.upstream, on.serving.port, one);
  const { bytes } = bytesOf(one, on.serving.port, on.token(capabilityOf(one)));
  let most = 0;
  const client = new Client(on.serving.port);
  const watch = setInterval(() => {
    most = Math.max(most, residentMebibytes(on.serving.pid));
  }, 20);
  try {
    client.write(bytes);
    await client.untilClosed(25_000);
    assert.ok(!client.everything.subarray(-5).equals(Buffer.from("0\r\n\r\n")), "the answer looks whole");
    assert.ok(client.everything.length < 2 ** 30, "a gibibyte was passed on");
    if (most > 0) assert.ok(most < 300, `${most} MiB resident`);
  } finally {
    clearInterval(watch);
    client.destroy();
  }
}

/** 0 where the system does not say. */
function residentMebibytes(pid: number): number {
  try {
    const status = readFileSync(`/proc/${pid}/status`, "utf8");
    return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1] ?? 0) / 1024;
  } catch {
    return 0;
  }
}

/** A right guess of a part of the key looks like any other: it comes back as it was sent, uncounted. */
async function guessing(on: Stage, one: Case): Promise<void> {
  const alphabet = "0AaZz9_";
  on.upstream.answer = (seen, exchange) => exchange.send(200, { "Content-Type": "text/plain" }, seen.body);
  for (const length of [0, 7, 20, 41]) {
    for (const next of [canary[length] ?? "", ...alphabet]) {
      const guess = canary.slice(0, length) + next;
      const { bytes, method } = bytesOf(
        { ...one, input: { ...one.input, body: guess } },
        on.serving.port,
        on.token(capabilityOf(one)),
      );
      const { answer, lines } = await perform(on, one, bytes, method);
      assert.equal(answer.text, guess);
      assert.equal(lines.find(({ event }) => event === "response")?.redactions, 0);
    }
  }
}

/** What is held back while the upstream pauses depends on the number of bytes, never on what they are. */
async function pauses(on: Stage, one: Case): Promise<void> {
  const shown: number[] = [];
  const filler = "x".repeat(200);
  for (const prefix of [canary.slice(0, 30), "q".repeat(30), canary.slice(0, 5).padEnd(30, "q")]) {
    let proceed: () => void = () => {};
    const gate = new Promise<void>((done) => {
      proceed = done;
    });
    on.upstream.answer = async (_, exchange) => {
      exchange.begin(200, { "Content-Type": "text/plain", "Transfer-Encoding": "chunked" });
      exchange.chunk(filler + prefix);
      await gate;
      exchange.chunk(" end");
      exchange.write("0\r\n\r\n");
    };
    const { bytes } = bytesOf(one, on.serving.port, on.token(capabilityOf(one)));
    await withClient(on.serving.port, async (client) => {
      client.write(bytes);
      await client.head();
      await pause(250);
      shown.push(client.content().length);
      proceed();
      assert.equal((await client.answer()).text, `${filler}${prefix} end`);
    });
  }
  assert.equal(new Set(shown).size, 1, `bytes shown before the pause: ${shown.join(", ")}`);
}

async function longTarget(on: Stage, one: Case): Promise<void> {
  const capability = capabilityOf(one);
  const target = `/${capability}/v1/${"a".repeat(1024 * 1024)}`;
  const head = `GET ${target} HTTP/1.1\r\nHost: 127.0.0.1:${on.serving.port}\r\n\r\n`;
  const { answer } = await perform(on, one, Buffer.from(head), "GET");
  assertStatus(one, answer, String(answer.status));
  assert.deepEqual(on.upstream.seen, []);
}
