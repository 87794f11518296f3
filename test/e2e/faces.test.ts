// One corpus, every face: what MCP on stdio, MCP over HTTP, the reverse and the forward proxy say to the same request is
// the same.
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { makeCertificate } from "../support/certificates.ts";
import { type Answer, withClient } from "../support/client.ts";
import {
  type Case,
  notOverMcp,
  onlyOverMcp,
  overFaces,
  readCorpus,
  refusedByTheWire,
} from "../support/corpus.ts";
import {
  answerAs,
  assertWithoutKey,
  bytesForHost,
  bytesOf,
  capabilitiesOf,
  capabilityOf,
  configFor,
  drip,
  fieldValue,
  serviceOf,
} from "../support/corpus-stage.ts";
import { canary, Home, root, type Serving } from "../support/janee.ts";
import { Agent, type Told, verdict } from "../support/mcp.ts";
import { unattended } from "../support/mcp-stage.ts";
import { basic, withTunnel } from "../support/through.ts";
import { startUpstream, type Upstream } from "../support/upstream.ts";

const limit = { timeout: 30_000 };
const corpus = readCorpus();

/** Cases that are the same request are put once, under all of their names. */
const cases = new Map<string, Case[]>();
for (const one of corpus.filter(overFaces)) {
  const { title: _, note_target: __, ...input } = one.input as Case["input"] & { note_target?: string };
  const key = JSON.stringify(input);
  cases.set(key, [...(cases.get(key) ?? []), one]);
}
const every = [...cases.values()].flat();

class Faces {
  readonly home = new Home();
  upstream!: Upstream;
  serving!: Serving;
  token = "";
  ca = "";
  stdio!: Agent;
  http!: Agent;

  static async open(): Promise<Faces> {
    const on = new Faces();
    try {
      const certificate = makeCertificate(on.home.beside, "upstream", ["DNS:localhost"]);
      on.upstream = await startUpstream({ tls: certificate });
      await on.home.do(["init"]);
      const config = configFor(every, `https://localhost:${on.upstream.port}`, on.upstream.port);
      on.home.writeConfig(`${config}network: { caFile: "${certificate.file}" }\n`);
      await on.home.do(["ca", "renew"]);
      on.ca = (await on.home.do(["ca", "print"])).stdout;
      on.token = (await on.home.json<{ token: string }>(["agent", "add", "faces"], unattended)).token;
      on.serving = await on.home.serve();
      on.stdio = await Agent.stdio(on.home, { era: "legacy", elicitation: "none" });
      on.http = await Agent.http(on.serving.port, on.token, { era: "modern", elicitation: "none" });
      return on;
    } catch (error) {
      await on.close();
      throw error;
    }
  }

  async close(): Promise<void> {
    await this.stdio?.close();
    await this.http?.close();
    await this.home.dispose();
    await this.upstream?.stop();
  }
}

let opened: Promise<Faces> | undefined;
function faces(): Promise<Faces> {
  opened ??= Faces.open();
  return opened;
}
after(async () => (await opened?.catch(() => undefined))?.close());

/** What can be compared of an answer, whichever face gave it. */
interface Said {
  /** The status of the service's answer, or janee's code. */
  readonly verdict: string;
  readonly upstream: readonly string[];
  readonly sent: readonly string[];
  readonly body: string;
  readonly headers: readonly string[];
}

/** Made anew on each connection, or chosen by the face for a body that says nothing of its type. */
const unlike = new Set([
  "host",
  "connection",
  "content-length",
  "content-type",
  "transfer-encoding",
  "date",
  "keep-alive",
]);

function comparable(fields: readonly (readonly [string, string])[]): string[] {
  return fields
    .map(([name, value]) => `${name.toLowerCase()}: ${value}`)
    .filter((line) => !unlike.has(line.slice(0, line.indexOf(":"))))
    .sort();
}

function seenBy(on: Faces): Pick<Said, "upstream" | "sent"> {
  const { seen } = on.upstream;
  return { upstream: seen.map(({ line }) => line), sent: seen.flatMap(({ fields }) => comparable(fields)) };
}

function fresh(on: Faces, answering: Answering): void {
  on.upstream.seen.length = 0;
  answering(on);
}

/** Through a tunnel whose TLS janee ends. The user of the proxy's URL says which of the many capabilities is meant. */
async function overForward(on: Faces, one: Case, answering: Answering): Promise<Said> {
  fresh(on, answering);
  const authority = `localhost:${on.upstream.port}`;
  const authorization = basic(capabilityOf(one), on.token);
  return withTunnel({ port: on.serving.port, authority, authorization, ca: on.ca }, async ({ client }) => {
    const { bytes, method } = bytesForHost(one, on.serving.port, authority);
    const answer = await client.write(bytes).answer(method);
    assertWithoutKey(client.everything, keyOf(one));
    return saidOf(on, answer);
  });
}

function saidOf(on: Faces, answer: Answer): Said {
  const { code } = answer.error;
  const refused = code !== undefined && answer.status >= 400;
  return {
    verdict: refused ? code : String(answer.status),
    ...seenBy(on),
    body: refused ? "" : answer.body.toString("hex"),
    headers: refused ? [] : comparable(answer.fields),
  };
}

async function overProxy(on: Faces, one: Case, answering: Answering): Promise<Said> {
  fresh(on, answering);
  const { bytes, method } = bytesOf(one, on.serving.port, on.token);
  return withClient(on.serving.port, async (client) => {
    const answer = await client.write(bytes).answer(method);
    assertWithoutKey(client.everything, keyOf(one));
    return saidOf(on, answer);
  });
}

function inputOf(on: Faces, one: Case): Record<string, unknown> {
  const fill = (text: string): string =>
    text.replaceAll("PORT", String(on.serving.port)).replaceAll("SESSION", on.token);
  const { method = "GET", target = "/v1/x", headers = {}, body } = one.input;
  const filled = Object.entries(headers).map(([name, value]) => [name, fieldValue(value, fill)]);
  return {
    capability: capabilityOf(one),
    method,
    path: fill(target),
    ...(filled.length === 0 ? {} : { headers: Object.fromEntries(filled) }),
    ...(body === undefined ? {} : { body }),
  };
}

function bodyOf({ content }: Told): Buffer {
  const encoding = content.encoding === "base64" ? "base64" : "utf8";
  return Buffer.from(String(content.body ?? ""), encoding);
}

async function overMcp(on: Faces, agent: Agent, one: Case, answering: Answering): Promise<Said> {
  fresh(on, answering);
  const told = await agent.call("execute", inputOf(on, one));
  assertWithoutKey(Buffer.concat([Buffer.from(told.text), bodyOf(told)]), keyOf(one));
  const fields = Object.entries((told.content.headers ?? {}) as Record<string, string | string[]>).flatMap(
    ([name, values]) => [values].flat().map((value): [string, string] => [name, value]),
  );
  return {
    verdict: verdict(told),
    ...seenBy(on),
    body: told.isError ? "" : bodyOf(told).toString("hex"),
    headers: told.isError ? [] : comparable(fields),
  };
}

function keyOf(one: Case): string {
  return one.input.key && serviceOf(one) === "slashed" ? "ab/cdSECRET/x1234567" : canary;
}

/** What the corpus itself wants. */
function assertExpected(one: Case, said: Said): void {
  const { outcome, upstream_saw, upstream_headers_absent, upstream_requests_max } = one.expect;
  const outcomes = [outcome].flat();
  const passed = /^[1-3]\d\d$/.test(said.verdict);
  if (outcomes.every((each) => each === "error" || each === "denied")) assert.ok(!passed, said.verdict);
  if (!outcomes.includes("error") && !outcomes.includes("denied")) assert.ok(passed, said.verdict);
  if (upstream_saw === null) assert.deepEqual(said.upstream, []);
  if (typeof upstream_saw === "string") assert.deepEqual(said.upstream, [upstream_saw]);
  if (upstream_requests_max !== undefined) assert.ok(said.upstream.length <= upstream_requests_max);
  for (const absent of upstream_headers_absent ?? []) {
    const [name = "", part = ""] = absent.split(":");
    assert.ok(!said.sent.some((line) => line.startsWith(`${name}:`) && line.includes(part)), absent);
  }
}

type Answering = (on: Faces) => void;

/** The ways in which the upstream answers a case: one, but where the case itself says more. */
function answersOf(one: Case): readonly Answering[] {
  const response = one.input.upstream_response;
  if (response?.connect) {
    const reset: Answering = (on) => {
      on.upstream.answer = (_, exchange) => exchange.reset();
    };
    return [reset];
  }
  if (!response?.chunks?.startsWith("for i")) {
    return [(on) => void answerAs(on.upstream, on.serving.port, one)];
  }
  return Array.from(
    { length: canary.length - 1 },
    (_, at): Answering =>
      (on) => {
        const pieces = [canary.slice(0, at + 1), canary.slice(at + 1)];
        on.upstream.answer = (_, exchange) => drip(exchange, pieces, 1);
      },
  );
}

// A face that is laxer than the others is the one that will be used.
for (const same of cases.values()) {
  const [one] = same;
  if (!one) continue;
  const ids = same.map(({ id }) => id).join(" ");
  test(`${ids} ${one.input.title ?? one.input.target ?? ""}`.trim(), limit, async () => {
    const on = await faces();
    // How often a request is repeated on a broken connection depends on what the pool still holds.
    const alike = ({ upstream, sent, ...rest }: Said): Said =>
      one.input.upstream_response?.connect
        ? { ...rest, upstream: [...new Set(upstream)], sent: [...new Set(sent)] }
        : { ...rest, upstream, sent };
    for (const answering of answersOf(one)) {
      const stdio = alike(await overMcp(on, on.stdio, one, answering));
      assert.deepEqual(alike(await overMcp(on, on.http, one, answering)), stdio);
      for (const each of same) assertExpected(each, stdio);
      if (onlyOverMcp[one.id] !== undefined) continue;
      for (const overHttp of [overProxy, overForward]) {
        const said = alike(await overHttp(on, one, answering));
        if (refusedByTheWire[one.id] === undefined) assert.deepEqual(said, stdio, overHttp.name);
        else assert.deepEqual([/^[1-3]\d\d$/.test(said.verdict), said.upstream], [false, []]);
      }
    }
  });
}

test(
  "every case that a tool call can express is put to every face, or is named with the reason why not",
  limit,
  () => {
    const ids = new Set(corpus.flatMap(({ id, group }) => [id, group]));
    for (const table of [notOverMcp, onlyOverMcp, refusedByTheWire]) {
      assert.deepEqual(
        Object.keys(table).filter((name) => !ids.has(name)),
        [],
        "names that do not exist",
      );
    }
    assert.deepEqual([...new Set(every.map(({ group }) => group))].sort(), [
      "headers",
      "leak",
      "path",
      "path-accept",
      "path-origin",
      "redirect",
      "rules",
    ]);
    const missed = Object.keys(onlyOverMcp).filter((id) => !every.some((one) => one.id === id));
    assert.deepEqual(missed, []);
    assert.ok(every.length > 150, `only ${every.length} cases`);
    assert.ok(capabilitiesOf(every).length < 100, "an agent has at most 100 sessions");
  },
);

/** Cases about MCP and approvals that have tests of their own: each is named there. */
test(
  "each case of the groups mcp, approval, and of /mcp in web and session is named by a test",
  limit,
  () => {
    const folder = join(root, "test/e2e");
    const texts = readdirSync(folder).map((name) => readFileSync(join(folder, name), "utf8"));
    const told = corpus.filter(({ id, group, surface }) => {
      if (notOverMcp[id] !== undefined) return false;
      return (
        group === "mcp" ||
        group === "approval" ||
        (surface === "mcp.execute" && ["web", "session"].includes(group))
      );
    });
    const web = new Set(
      told.filter(({ group, input }) => group === "web" && input.target === "/mcp").map(({ id }) => id),
    );
    const unnamed = told.filter(({ id }) => !web.has(id) && !texts.some((text) => text.includes(id)));
    assert.deepEqual(
      unnamed.map(({ id }) => id),
      [],
    );
  },
);
