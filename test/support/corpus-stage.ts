// What a case of the corpus needs around it: the policy it is judged by, the request it makes, the answer it gets, and
// the look whether the key shows.
import assert from "node:assert/strict";
import { constants, deflateRawSync, gzipSync } from "node:zlib";
import { type Case, noise, targetOn } from "./corpus.ts";
import { canary } from "./janee.ts";
import type { Exchange, Upstream } from "./upstream.ts";
import { pause } from "./wait.ts";

/** config.yaml for these cases: a service for each place of a credential, a capability for each list of rules. */
export function configFor(cases: readonly Case[], origin: string, silentPort: number): string {
  const own = origin;
  const list: { readonly name: string; readonly yaml: string }[] = [
    { name: "bearer", yaml: `{ baseUrl: "${own}", auth: { type: bearer, key: "${canary}" } }` },
    { name: "slashed", yaml: `{ baseUrl: "${own}", auth: { type: bearer, key: ab/cdSECRET/x1234567 } }` },
    {
      name: "own-header",
      yaml: `{ baseUrl: "${own}", auth: { type: headers, header: X-Api-Key, key: "${canary}" } }`,
    },
    {
      name: "stranger",
      yaml: `{ baseUrl: "https://localhost:${silentPort}", auth: { type: bearer, key: "${canary}" } }`,
    },
    {
      name: "nowhere",
      yaml: `{ baseUrl: "https://nowhere.invalid", auth: { type: bearer, key: "${canary}" } }`,
    },
  ];
  const lines = ["services:", ...list.map(({ name, yaml }) => `  ${name}: ${yaml}`), "capabilities:"];
  for (const [name, one] of capabilitiesOf(cases)) {
    const rules = (one.input.rules ?? ["allow: GET /v1/*", 'deny: "*"']).map(ruleOf);
    lines.push(`  ${name}: { service: ${serviceOf(one)}, autoApprove: true, rules: [${rules.join(", ")}] }`);
  }
  lines.push("  stripe: { service: bearer, autoApprove: true }");
  return `${lines.join("\n")}\n`;
}

export function capabilitiesOf(cases: readonly Case[]): (readonly [name: string, one: Case])[] {
  return [...new Map(cases.map((one) => [capabilityOf(one), one]))];
}

function ruleOf(text: string): string {
  const [effect = "", pattern = ""] = text.split(/: (.*)/);
  return `{ ${effect}: "${pattern.replaceAll('"', "")}" }`;
}

export function serviceOf(one: Case): string {
  if (one.input.title?.startsWith("JSON \\/ escape")) return "slashed";
  if (one.input.inject === "x-api-key") return "own-header";
  return "bearer";
}

const names = new Map<string, string>();
/** One capability for each list of rules and service; `gh` where a case names it in a raw target. */
export function capabilityOf(one: Case): string {
  if (one.group === "path-cross-service") return "gh";
  const key = JSON.stringify([serviceOf(one), one.input.rules ?? null]);
  const name = names.get(key) ?? `case-${names.size}`;
  names.set(key, name);
  return name;
}

/** The bytes of a case on the reverse proxy of this port. */
export function bytesOf(one: Case, listener: number, token: string): { bytes: Buffer; method: string } {
  const { input } = one;
  const capability = capabilityOf(one);
  const port = String(listener);
  const fill = (text: string): string => text.replaceAll("PORT", port).replaceAll("SESSION", token);
  if (input.raw !== undefined && !input.raw.startsWith("(upstream) ")) {
    const raw = fill(input.raw).replaceAll("/gh/", `/${capability}/`);
    return { bytes: Buffer.from(raw, "latin1"), method: raw.slice(0, raw.indexOf(" ")) };
  }
  const method = input.method ?? "GET";
  const asked = one.group === "web" ? input.target?.replace(/^\/gh/, "") : input.target;
  const target = input.raw_target ?? targetOn(capability, asked ?? "/v1/x");
  const own = new Map(
    Object.entries(input.headers ?? {}).map(([name, value]) => [name, fieldValue(value, fill)]),
  );
  const headers = new Map<string, string>();
  if (![...own.keys()].some((name) => name.toLowerCase() === "host"))
    headers.set("Host", `127.0.0.1:${port}`);
  const place = [...own.keys()].some((name) => name.trim().toLowerCase() === "authorization");
  if (place) headers.set("X-Api-Key", token);
  else if (input.token === "SESSION[:-1]") headers.set("Authorization", `Bearer ${token.slice(0, -1)}`);
  else if (input.token !== null) headers.set("Authorization", `Bearer ${token}`);
  for (const [name, value] of own) headers.set(name, value);
  const body = Buffer.from(input.body ?? "", "utf8");
  const isFramed = own.has("Content-Length") || own.has("Transfer-Encoding");
  if (body.length > 0 && !isFramed) headers.set("Content-Length", String(body.length));
  const lines = [...headers].map(([name, value]) => `${name}: ${value}\r\n`).join("");
  const head = Buffer.from(`${method} ${target} HTTP/1.1\r\n${lines}\r\n`, "utf8");
  return { bytes: Buffer.concat([head, body]), method };
}

/** The bytes of a case as a client behind a forward proxy sends them to the service itself. */
export function bytesForHost(
  one: Case,
  listener: number,
  authority: string,
): { bytes: Buffer; method: string } {
  const { input } = one;
  const fill = (text: string): string => text.replaceAll("PORT", String(listener));
  if (input.raw !== undefined && !input.raw.startsWith("(upstream) ")) {
    const raw = fill(input.raw)
      .replaceAll("/gh/", "/")
      .replace(/^Host: .*$/m, `Host: ${authority}`);
    return { bytes: Buffer.from(raw, "latin1"), method: raw.slice(0, raw.indexOf(" ")) };
  }
  const { method = "GET", target = "/v1/x" } = input;
  const headers = new Map<string, string>([["Host", authority]]);
  for (const [name, value] of Object.entries(input.headers ?? {})) {
    // Its own host, which behind a proxy is the service.
    const own = name === "Host" && value === "127.0.0.1:PORT";
    headers.set(name, own ? authority : fieldValue(value, fill));
  }
  const body = Buffer.from(input.body ?? "", "utf8");
  if (body.length > 0) headers.set("Content-Length", String(body.length));
  const lines = [...headers].map(([name, value]) => `${name}: ${value}\r\n`).join("");
  const head = Buffer.from(`${method} ${input.raw_target ?? fill(target)} HTTP/1.1\r\n${lines}\r\n`, "utf8");
  return { bytes: Buffer.concat([head, body]), method };
}

export function fieldValue(
  value: string | { readonly $repeat: readonly [string, number] },
  fill: (text: string) => string,
): string {
  if (typeof value === "string") return fill(value);
  const [text, count] = value.$repeat;
  return text.repeat(count);
}

/** Sets the upstream's answer; gives the body that the agent would see if nothing were scrubbed. */
export function answerAs(upstream: Upstream, port: number, one: Case): Buffer | undefined {
  const raw = one.input.raw;
  if (raw?.startsWith("(upstream) HTTP/1.1")) {
    upstream.answer = (_, exchange) => exchange.write(raw.slice("(upstream) ".length));
    return undefined;
  }
  if (raw?.startsWith("(upstream) ")) {
    const [name = "", value = ""] = raw.slice("(upstream) ".length).split(/: (.*)/);
    upstream.answer = (_, exchange) => exchange.send(200, { [name]: value }, "ok");
    return Buffer.from("ok");
  }
  const response = one.input.upstream_response;
  if (!response) {
    upstream.answer = (_, exchange) => exchange.send(200, { "Content-Type": "text/plain" }, "ok");
    return Buffer.from("ok");
  }
  if (response.raw !== undefined) {
    const bytes = response.raw;
    upstream.answer = (_, exchange) => exchange.write(bytes);
    return undefined;
  }
  const { status = 200, headers = {}, body } = response;
  if (body === "echo of all request headers") {
    upstream.answer = (seen, exchange) => exchange.send(status, headers, seen.head);
    return undefined;
  }
  if (response.chunks === "bytewise") {
    upstream.answer = (_, exchange) => drip(exchange, [...canary], 5);
    return Buffer.from(canary);
  }
  const bytes = typeof body === "object" ? bodyFrom(body) : Buffer.from(body ?? "");
  const filled = Object.entries(headers).map(([name, value]) => [
    name,
    value.replaceAll("PORT", String(port)),
  ]);
  upstream.answer = (_, exchange) => exchange.send(status, Object.fromEntries(filled), bytes);
  return bytes;
}

export async function drip(exchange: Exchange, pieces: readonly string[], everyMs: number): Promise<void> {
  exchange.begin(200, { "Content-Type": "text/plain", "Transfer-Encoding": "chunked" });
  for (const piece of pieces) {
    exchange.chunk(piece);
    await pause(everyMs);
  }
  exchange.write("0\r\n\r\n");
}

function bodyFrom(body: Readonly<Record<string, unknown>>): Buffer {
  if (typeof body.hex === "string") return Buffer.from(body.hex, "hex");
  if (body.encode === "x-gzip") return gzipSync(String(body.text));
  if (typeof body.encode === "string") return Buffer.from(String(body.text));
  if (typeof body.random === "number")
    return Buffer.from(noise(body.random).toString("base64").slice(0, body.random));
  if (body.random_png) return Buffer.concat([Buffer.from("89504e470d0a1a0a", "hex"), noise(100_000)]);
  if (body.bomb_ratio) return bomb();
  throw new Error(`no way to make this body: ${JSON.stringify(body)}`);
}

/** Ten gibibytes of zeros in ten mebibytes: one block, again and again. */
function bomb(): Buffer {
  const block = deflateRawSync(Buffer.alloc(1024 * 1024), { finishFlush: constants.Z_FULL_FLUSH });
  const head = Buffer.from("1f8b0800000000000003", "hex");
  return Buffer.concat([head, ...Array.from({ length: 10_240 }, () => block)]);
}

/** The key as it stands and in each encoding that promises to be found. */
function forms(key: string): RegExp[] {
  const bytes = Buffer.from(key);
  const literal = (text: string): RegExp => new RegExp(text.replace(/[^A-Za-z0-9]/g, "\\$&"), "i");
  const core = [0, 1, 2].map((shift) => {
    const text = Buffer.concat([Buffer.alloc(shift), bytes]).toString("base64url");
    return literal(text.slice(shift === 0 ? 0 : 4, -4));
  });
  const hex = bytes.toString("hex").replace(/../g, "$&[ :]?");
  const percent = [...bytes].map((byte) => `%(?:25)?${byte.toString(16).padStart(2, "0")}`).join("");
  return [
    literal(key),
    literal(key.replaceAll("/", "\\/")),
    ...core,
    new RegExp(hex, "i"),
    new RegExp(percent, "i"),
  ];
}

export function assertWithoutKey(everything: Buffer, key: string): void {
  const plain = everything.toString("latin1");
  const joined = plain
    .replace(/=?\r?\n/g, "")
    .replaceAll("+", "-")
    .replaceAll("/", "_");
  for (const form of forms(key)) {
    assert.doesNotMatch(plain, form);
    assert.doesNotMatch(joined, form);
  }
}
