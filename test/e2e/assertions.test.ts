// A Google service account and an application of Microsoft Entra ID, each against an issuer that checks what it is shown.
import assert from "node:assert/strict";
import { createPublicKey, generateKeyPairSync } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { decodeJwt, decodeProtectedHeader } from "jose";
import { type Answer, request } from "../support/client.ts";
import { Home, type Serving } from "../support/janee.ts";
import { Agent, verdict } from "../support/mcp.ts";
import { account, client, Issuer } from "../support/oauth.ts";
import { findIn } from "../support/secrets.ts";
import { pause } from "../support/wait.ts";

const limit = { timeout: 60_000 };

interface Scene {
  readonly issuer: Issuer;
  readonly home: Home;
  readonly pem: string;
}

async function withScene(run: (scene: Scene) => Promise<void>): Promise<void> {
  const issuer = await Issuer.start();
  const home = new Home();
  const pem = newKey();
  issuer.publicKey = createPublicKey(pem).export({ type: "spki", format: "pem" }).toString();
  try {
    await run({ issuer, home, pem });
    await home.do(["logs", "verify"]);
    const secrets = [
      ...issuer.secrets,
      pem.split("\n")[3] ?? "",
      ...issuer.asked.map((form) => form.assertion ?? ""),
    ];
    assert.deepEqual(findIn([home.path, home.state], secrets), []);
    for (const secret of secrets.filter((one) => one !== ""))
      assert.ok(!home.printed.includes(secret), "printed");
    assert.ok(!home.printed.includes("do-not-repeat"));
  } finally {
    await home.dispose();
    await issuer.stop();
  }
}

function newKey(): string {
  const pair = generateKeyPairSync("rsa", { modulusLength: 2048 });
  return pair.privateKey.export({ type: "pkcs8", format: "pem" }).toString();
}

/** As Google's console hands it out. */
function keyFile({ home, issuer, pem }: Scene, more: Readonly<Record<string, unknown>> = {}): string {
  const path = join(home.beside, "key.json");
  const key = {
    ...{ type: "service_account", project_id: "project", private_key_id: "kid-1", private_key: pem },
    ...{ client_email: account, client_id: "1", token_uri: `${issuer.origin}/oauth/token` },
    ...{ auth_uri: "https://accounts.example.com/auth", universe_domain: "example.com" },
  };
  writeFileSync(path, JSON.stringify({ ...key, ...more }, undefined, 2));
  return path;
}

const scope = "https://www.example.com/auth/things.write";

function addGoogle(scene: Scene, name: string, file: string, ...more: string[]) {
  return scene.home.run([
    ...["add", name, "--google-service-account", "--key-file", file, "--base-url", scene.issuer.origin],
    ...["--auto-approve", "--scope", scope, ...more],
  ]);
}

async function ask({ home }: Scene, serving: Serving, name: string, path = "/things"): Promise<Answer> {
  const { token } = await home.grant(name);
  return request(serving.port, { method: "POST", target: `/${name}${path}`, token, body: "{}" });
}

test("a service account: the file as it was downloaded is enough, and what it signs holds", limit, () =>
  withScene(async (scene) => {
    const { issuer, home } = scene;
    issuer.lifeSeconds = 2;
    const added = await addGoogle(scene, "things", keyFile(scene), "--subject", "person@example.com");
    assert.equal(added.status, 0, added.stderr);
    const serving = await home.serve();
    for (let round = 0; round < 4; round++) {
      const answer = await ask(scene, serving, "things");
      assert.equal(answer.status, 200, answer.text);
      assert.match(answer.text, /things\.write.*Bearer \[janee:redacted\]/);
      await pause(700);
    }
    const agent = await Agent.stdio(home, { era: "modern" });
    const told = await agent.execute("things", "/things");
    assert.equal(verdict(told), "200", told.text);
    await agent.close();
    assert.ok(issuer.issued.length >= 2);
    assert.deepEqual(issuer.refused, []);
    const { grant_type: grant, assertion = "" } = issuer.asked[0] ?? {};
    assert.equal(grant, "urn:ietf:params:oauth:grant-type:jwt-bearer");
    assert.deepEqual(decodeProtectedHeader(assertion), { alg: "RS256", typ: "JWT", kid: "kid-1" });
    const { iat = 0, exp = 0, ...claims } = decodeJwt(assertion);
    const aud = `${issuer.origin}/oauth/token`;
    assert.deepEqual(claims, { iss: account, sub: "person@example.com", aud, scope });
    assert.ok(exp - iat <= 3600 && iat <= Date.now() / 1000);
    const refused = await ask(scene, serving, "things", "/oauth/token");
    assert.equal(refused.error.code, "token_endpoint_forbidden");
  }),
);

test("a service account's wrong twins: another key, another account, no key at all", limit, () =>
  withScene(async (scene) => {
    const { issuer, home } = scene;
    assert.equal((await addGoogle(scene, "right", keyFile(scene))).status, 0);
    assert.equal((await addGoogle(scene, "key", keyFile(scene, { private_key: newKey() }))).status, 0);
    assert.equal(
      (await addGoogle(scene, "account", keyFile(scene, { client_email: "x@example.com" }))).status,
      0,
    );
    for (const [more, said] of [
      [{ type: "authorized_user" }, /is no key of a service account/],
      [{ private_key: undefined }, /has no private_key or no client_email/],
      [{ client_email: "nobody" }, /expected an address/],
      [{ token_uri: "ftp://x" }, /expected a whole URL/],
    ] as const) {
      const ran = await addGoogle(scene, "bad", keyFile(scene, more));
      assert.equal(ran.status, 2, ran.stderr);
      assert.match(ran.stderr, said);
    }
    const serving = await home.serve();
    for (const name of ["key", "account"]) {
      const answer = await ask(scene, serving, name);
      assert.equal(answer.error.code, "credential_failed", answer.text);
      assert.match(answer.error.message ?? "", /invalid_grant/);
    }
    assert.equal((await ask(scene, serving, "right")).status, 200);
    assert.equal(issuer.issued.length, 1);
    // The key is replaced by the next file, and used at once.
    const pem = newKey();
    issuer.publicKey = createPublicKey(pem).export({ type: "spki", format: "pem" }).toString();
    await home.do(["set", "right", "--key-file", keyFile({ ...scene, pem })]);
    assert.equal((await ask(scene, serving, "right")).status, 200);
    assert.equal(issuer.issued.length, 2);
  }),
);

test("Azure: the secret goes to the tenant's own endpoint, for the resource of the base URL", limit, () =>
  withScene(async (scene) => {
    const { issuer, home } = scene;
    issuer.clientAuth = "post";
    const addTo = (tenant: string, name: string, secret: string, ...more: string[]) =>
      home.do(
        [
          ...["add", name, "--azure", "--tenant", tenant, "--client-id", client.id],
          ...["--client-secret-env", "S", "--authority", issuer.origin, "--base-url", issuer.origin],
          ...["--auto-approve", ...more],
        ],
        { env: { S: secret } },
      );
    const add = (name: string, secret: string, ...more: string[]) => addTo("tenant-1", name, secret, ...more);
    await add("graph", client.secret);
    await add("secret", "another-FAKE");
    await add("resource", client.secret, "--resource", "https://vault.example.net");
    await addTo("tenant-1x", "tenant", client.secret);
    const serving = await home.serve();
    const { token } = await home.grant("graph");
    const answer = await request(serving.port, { target: "/graph/v1.0/users", token });
    assert.equal(answer.status, 200, answer.text);
    assert.equal(issuer.asked[0]?.scope, `${issuer.origin}/.default`);
    for (const [name, said] of [
      ["secret", /invalid_client/],
      ["resource", /invalid_scope/],
      ["tenant", /no token for "tenant"/],
    ] as const) {
      const refused = await ask(scene, serving, name);
      assert.equal(refused.error.code, "credential_failed", refused.text);
      assert.match(refused.error.message ?? "", said);
    }
    const own = await ask(scene, serving, "graph", "/tenant-1/oauth2/v2.0/token");
    assert.equal(own.error.code, "token_endpoint_forbidden");
  }),
);
