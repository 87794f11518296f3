// What a signature costs: the sign() of each scheme on a request with a body of 1 KB, and nothing around it.
import { schemeOf } from "../src/engine/credential/index.ts";
import type { Unsigned } from "../src/engine/credential/scheme.ts";
import { type CredentialTools, isMade } from "../src/engine/credential/scheme.ts";
import { Failure } from "../src/engine/failure.ts";
import { readConfig } from "../src/engine/read-config.ts";
import { Secret } from "../src/engine/secret.ts";
import { entropy } from "../src/host/clock.ts";
import { digest } from "../src/host/digest.ts";
import { median, quantile } from "./figures.ts";

const rounds = 200;
const perRound = 100;

const schemes: Readonly<Record<string, { readonly auth: string; readonly secrets: readonly string[] }>> = {
  "aws-sigv4": {
    auth: "accessKeyId: AKIAIOSFODNN7EXAMPLE, secretAccessKey: env:A, sessionToken: env:B",
    secrets: ["secretAccessKey", "sessionToken"],
  },
  hmac: { auth: "preset: bybit, apiKey: env:A, secret: env:B", secrets: ["apiKey", "secret"] },
  oauth1a: {
    auth: "consumerKey: env:A, consumerSecret: env:B, token: env:C, tokenSecret: env:D",
    secrets: ["consumerKey", "consumerSecret", "token", "tokenSecret"],
  },
  digest: { auth: "username: u, password: env:A", secrets: ["password"] },
};

/** Microseconds of one sign(), round by round. */
async function timesOf(type: string): Promise<number[]> {
  const { auth, secrets } = schemes[type] ?? { auth: "", secrets: [] };
  const text = `services:\n  s: {baseUrl: "https://dynamodb.eu-west-1.amazonaws.com", auth: {type: ${type}, ${auth}}}\n`;
  const read = readConfig(text, "bench.yaml");
  const scheme = schemeOf(type);
  const service = read instanceof Failure ? undefined : read.config.services.get("s");
  if (!service?.base || !isMade(scheme)) throw new Error(`no ${type} to measure`);
  const opened = new Map(secrets.map((name) => [name, new Secret("0123456789abcdef".repeat(3))]));
  const tools = { digest, entropy } as unknown as CredentialTools;
  const credential = await scheme.make(service, opened, tools);
  if (credential instanceof Failure) throw new Error(credential.message);
  const request: Unsigned = {
    ...{ method: "POST", base: service.base, now: Date.now() },
    target: { path: "/v1/items/42", query: "limit=10&after=abc%20def&order=desc" },
    fields: [
      { name: "Content-Type", key: "content-type", value: "application/json" },
      { name: "X-Amz-Target", key: "x-amz-target", value: "DynamoDB_20120810.GetItem" },
      { name: "User-Agent", key: "user-agent", value: "bench" },
    ],
    body: { kind: "whole", bytes: Buffer.alloc(1024, '{"a":1}') },
  };
  const challenge = 'Digest realm="r", qop="auth", nonce="n", algorithm=SHA-256';
  credential.challenged?.([{ name: "WWW-Authenticate", key: "www-authenticate", value: challenge }], request);
  const times: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const startedAt = performance.now();
    for (let count = 0; count < perRound; count++) {
      // Each call has its own time, as it has when it is sent.
      if (credential.sign({ ...request, now: request.now + round * perRound + count }) instanceof Failure) {
        throw new Error(`${type} did not sign`);
      }
    }
    times.push(((performance.now() - startedAt) * 1000) / perRound);
  }
  return times.slice(rounds / 4);
}

if (import.meta.main) {
  const figures: Record<string, readonly [median: number, worst: number]> = {};
  for (const type of Object.keys(schemes)) {
    const times = await timesOf(type);
    figures[type] = [median(times), quantile(times, 1)];
  }
  process.stdout.write(JSON.stringify(figures));
}
