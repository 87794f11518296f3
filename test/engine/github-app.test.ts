// A GitHub App's requests, judged by Octokit: for the same input the JWT and what is sent must be the same.
import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { createServer } from "node:http";
import { test } from "node:test";
import { createAppAuth } from "@octokit/auth-app";
import { request } from "@octokit/request";
import { decodeJwt, decodeProtectedHeader } from "jose";
import { Endpoint, type EndpointRequest } from "../../src/engine/credential/endpoint.ts";
import { githubApp } from "../../src/engine/credential/github-app.ts";
import { signedJwt } from "../../src/engine/credential/jwt.ts";
import { Failure } from "../../src/engine/failure.ts";
import { Secret } from "../../src/engine/secret.ts";
import { privateKeys } from "../../src/host/private-keys.ts";
import { toolsWith } from "../support/tools.ts";
import { read } from "./config-sample.ts";

const pem = generateKeyPairSync("rsa", { modulusLength: 2048 })
  .privateKey.export({ type: "pkcs8", format: "pem" })
  .toString();

interface Sent {
  readonly method: string;
  readonly path: string;
  readonly jwt: string;
  readonly body: unknown;
}

/** What Octokit sends for an installation token. */
async function byOctokit(options: Readonly<Record<string, unknown>>, prefix: string): Promise<Sent> {
  const sent: Sent[] = [];
  const server = createServer((incoming, response) => {
    const chunks: Buffer[] = [];
    incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
    incoming.on("end", () => {
      const text = Buffer.concat(chunks).toString();
      sent.push({
        ...{ method: incoming.method ?? "", path: incoming.url ?? "" },
        jwt: (incoming.headers.authorization ?? "").replace(/^bearer /i, ""),
        body: JSON.parse(text || "{}"),
      });
      response
        .writeHead(201, { "content-type": "application/json" })
        .end(JSON.stringify({ token: "t", expires_at: "2040-01-01T00:00:00Z", permissions: {} }));
    });
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const address = server.address();
  const port = typeof address === "object" && address ? address.port : 0;
  try {
    const auth = createAppAuth({
      ...{ appId: "4242", privateKey: pem },
      request: request.defaults({ baseUrl: `http://127.0.0.1:${port}${prefix}` }),
    });
    await auth({ type: "installation", installationId: 77, ...options });
  } finally {
    server.closeAllConnections();
    await new Promise((done) => server.close(done));
  }
  const [first] = sent;
  assert.ok(first && sent.length === 1);
  return first;
}

/** What janee sends. `now`: milliseconds since 1970. */
async function byJanee(auth: string, prefix: string, now = Date.now()): Promise<Sent> {
  const asked: EndpointRequest[] = [];
  class Recorder extends Endpoint {
    override async ask(_service: unknown, one: EndpointRequest) {
      asked.push(one);
      const json = { token: "t", expires_at: new Date(now + 3_600_000).toISOString() };
      return { status: 201, json, text: "" };
    }
  }
  const tools = toolsWith({ now: () => now });
  const endpoint = new Recorder(
    ...([{}, {}, () => () => {}] as unknown as ConstructorParameters<typeof Endpoint>),
  );
  const service = read(
    `services:\n  s: {baseUrl: "https://ghe.example.com${prefix}", auth: {type: github-app, appId: 4242, installationId: 77, privateKey: env:PEM${auth}}}\n`,
  ).config.services.get("s");
  assert.ok(service);
  const made = await githubApp.make(service, new Map([["privateKey", new Secret(pem)]]), {
    ...tools,
    endpoint,
  });
  assert.ok(!(made instanceof Failure));
  const [one] = asked;
  assert.ok(one && asked.length === 1);
  const authorization = one.headers.find(([name]) => name === "Authorization")?.[1] ?? "";
  return {
    ...{ method: one.method, path: new URL(one.url).pathname, body: JSON.parse(one.body) },
    jwt: authorization.replace("Bearer ", ""),
  };
}

for (const [name, options, auth, prefix] of [
  ["of the whole installation", {}, "", ""],
  ["on a server of one's own", {}, "", "/api/v3"],
  ["of one repository", { repositoryNames: ["one"] }, ", repositories: [one]", ""],
  [
    "for reading two",
    { repositoryNames: ["one", "two"], permissions: { contents: "read", issues: "write" } },
    ", repositories: [one, two], permissions: {contents: read, issues: write}",
    "",
  ],
] as const) {
  test(`a token ${name} is asked for as Octokit asks`, async () => {
    const [theirs, ours] = [await byOctokit(options, prefix), await byJanee(auth, prefix)];
    assert.deepEqual({ ...ours, jwt: "" }, { ...theirs, jwt: "" });
    assert.deepEqual(decodeProtectedHeader(ours.jwt), decodeProtectedHeader(theirs.jwt));
    assert.deepEqual(Object.keys(decodeJwt(ours.jwt)), Object.keys(decodeJwt(theirs.jwt)));
    assert.equal(decodeJwt(ours.jwt).iss, decodeJwt(theirs.jwt).iss);
    // RS256 has one signature for one text: with their times ours is theirs, to the last byte.
    const { iat = 0, exp = 0, iss = "" } = decodeJwt(theirs.jwt);
    assert.equal(await signedJwt({ iat, exp, iss }, new Secret(pem), privateKeys), theirs.jwt);
  });
}

// SIGN-007
for (const skewSeconds of [-90, -60, 0, 59, 60]) {
  test(`the times of a JWT hold for a clock that is off by ${skewSeconds} s`, async () => {
    const theirs = 1_700_000_000;
    const ours = theirs + skewSeconds;
    const { jwt } = await byJanee("", "", ours * 1000 + 999);
    const { iat = 0, exp = 0 } = decodeJwt(jwt);
    assert.equal(iat, ours - 60);
    assert.ok(exp <= ours + 540);
    assert.ok(iat <= theirs, "not issued in the future");
    assert.ok(exp > theirs && exp <= theirs + 600, "neither over nor too far off");
  });
}
