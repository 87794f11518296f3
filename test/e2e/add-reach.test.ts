// How a service is reached is given with `janee add`: its own authority, or a way in the clear.
import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { makeCertificate } from "../support/certificates.ts";
import { canary, type Home, inHome } from "../support/janee.ts";
import { withUpstream } from "../support/upstream.ts";

const limit = { timeout: 90_000 };
const unattended = { env: { JANEE_UNATTENDED: "1" } };
const add = ["--key-stdin", "--auto-approve", "--allow", "GET /v1/*"];

async function called(home: Home, port: number): Promise<{ status: number; text: string }> {
  const { token } = await home.grant("api");
  const response = await fetch(`http://127.0.0.1:${port}/api/v1/x`, {
    headers: { Authorization: `Bearer ${token}` },
  });
  return { status: response.status, text: await response.text() };
}

test(
  "add --ca-file: a private authority is trusted for that service, and without it nothing is sent",
  limit,
  () =>
    inHome(async (home) => {
      const own = makeCertificate(home.beside, "own", ["DNS:localhost", "IP:127.0.0.1"]);
      await withUpstream(
        { tls: own, answer: (_, exchange) => exchange.send(200, {}, "ok") },
        async (upstream) => {
          const url = ["-u", `https://localhost:${upstream.port}`];
          await home.do(["add", "api", ...url, ...add], { stdin: canary });
          const serving = await home.serve();
          const refused = await called(home, serving.port);
          assert.match(refused.text, /upstream_tls/);
          assert.match(refused.text, /janee add SERVICE --ca-file PATH/);
          assert.equal(upstream.seen.length, 0);
          // From the folder in which it is typed, and with the key that is there already.
          const wants = await home.run(["add", "api", "--ca-file", "own.pem"], { cwd: home.beside });
          assert.equal(wants.status, 4, "whom an existing key is shown to is a person's to say");
          await home.do(["add", "api", "--ca-file", "own.pem"], { cwd: home.beside, ...unattended });
          assert.ok(home.readConfig().includes(`caFile: ${join(home.beside, "own.pem")}`));
          const allowed = await called(home, serving.port);
          assert.deepEqual(allowed, { status: 200, text: "ok" });
          assert.deepEqual(upstream.seen[0]?.values("authorization"), [`Bearer ${canary}`]);
        },
      );
    }),
);

test("add --allow-cleartext: without it a key does not go over http:// to another machine", limit, () =>
  inHome(async (home) => {
    const url = ["-u", "http://api.internal.example"];
    const refused = await home.run(["add", "api", ...url, ...add], { stdin: canary });
    assert.equal(refused.status, 5);
    assert.match(refused.stderr, /--allow-cleartext/);
    await home.do(["add", "api", ...url, ...add, "--allow-cleartext"], { stdin: canary });
    assert.match(home.readConfig(), /allowCleartext: true/);
    const findings = await home.json<{ findings: { message: string }[] }>(["doctor", "--port", "1"]);
    assert.ok(findings.findings.some(({ message }) => message === "1 credential opens"));
    const pointless = await home.run(["add", "api", "--ca-file", "own.pem"], { cwd: home.beside });
    assert.equal(pointless.status, 2);
  }),
);

test("config check: a certificate in the clear beside the key of another", limit, () =>
  inHome(async (home) => {
    const one = makeCertificate(home.beside, "one", ["DNS:one.example"]);
    const two = makeCertificate(home.beside, "two", ["DNS:two.example"]);
    const block = (name: string, pem: string): string =>
      `      ${name}: |\n${pem.trimEnd().replace(/^/gm, "        ")}\n`;
    const config = (key: string): string =>
      `services:\n  api:\n    baseUrl: https://api.example.com\n    auth:\n      type: mtls\n${block("certificate", one.cert)}${block("privateKey", key)}`;
    home.writeConfig(config(two.key));
    assert.match((await home.do(["config", "check"])).stdout, /service api: the private key is not the one/);
    home.writeConfig(config(one.key));
    assert.match((await home.do(["config", "check"])).stdout, /^ok: 1 services, 0 capabilities$/m);
  }),
);

test("add: a certificate and the key of another are refused, and doctor finds them", limit, () =>
  inHome(async (home) => {
    makeCertificate(home.beside, "one", ["DNS:one.example"]);
    makeCertificate(home.beside, "two", ["DNS:two.example"]);
    const pair = (key: string): string[] => [
      ...["add", "api", "-u", "https://api.example.com", "--mtls"],
      ...["--certificate-file", join(home.beside, "one.pem")],
      ...["--private-key-file", join(home.beside, `${key}-key.pem`)],
    ];
    const refused = await home.run(pair("two"));
    assert.equal(refused.status, 2);
    assert.match(refused.stderr, /private key is not the one of the client certificate\n {2}→ give the key/);
    await home.do(pair("one"));
    const well = await home.run(["doctor", "--json", "--port", "1"]);
    assert.equal(well.status, 0, well.stdout);
    // One half alone can be replaced, and what is left does not fit it any more.
    await home.do(["set", "api", "--private-key-file", join(home.beside, "two-key.pem")], unattended);
    const bad = await home.run(["doctor", "--json", "--port", "1"]);
    assert.equal(bad.status, 5);
    assert.match(bad.stdout, /the credential of api is of no use: the private key is not the one/);
  }),
);
