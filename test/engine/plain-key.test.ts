import assert from "node:assert/strict";
import { test } from "node:test";
import { readServer } from "../../src/engine/client-server.ts";
import { schemeTypes } from "../../src/engine/credential/index.ts";
import { plainKeys } from "../../src/engine/plain-key.ts";

/** Made up, and put together here so that no scanner takes them for real ones. */
const fill = (start: string, length: number): string => start + "Zq7".repeat(length).slice(0, length);
const noAws = schemeTypes.includes("aws-sigv4")
  ? "janee add aws --base-url https://…"
  : "janee does not have aws-sigv4 yet: give it to the program in some other way";
const keys: readonly (readonly [key: string, service: string])[] = [
  [fill("gh" + "p_", 36), "janee add github"],
  [fill("github" + "_pat_", 60), "janee add github"],
  [fill("gl" + "pat-", 20), "janee add gitlab"],
  [fill("sk-" + "ant-api03-", 40), "janee add anthropic"],
  [fill("sk-" + "or-v1-", 40), "janee add openrouter"],
  [fill("sk-" + "proj-", 40), "janee add openai"],
  [fill("sk-", 40), "janee add openai"],
  [fill("sk_" + "live_", 24), "janee add stripe"],
  [fill("xo" + "xb-", 40), "janee add slack"],
  [fill("lin" + "_api_", 32), "janee add linear"],
  [fill("AK" + "IA", 0) + "Q".repeat(16), noAws],
  [fill("np" + "m_", 36), "janee add npm --base-url https://…"],
  [fill("h" + "f_", 34), "janee add huggingface"],
  [fill("AI" + "za", 35), "janee add gemini"],
];

const found = (entry: object) => plainKeys(readServer("x", entry));
const secret = "zq-0123456789-secret";

test("the shapes of known keys are found under any name, and each names its service", () => {
  for (const [key, remedy] of keys) {
    assert.deepEqual(
      found({ env: { ANYTHING: key } }).map((one) => one.place),
      ["ANYTHING"],
      remedy,
    );
    assert.equal(found({ command: "x", args: [key] })[0]?.remedy, remedy);
    assert.equal(JSON.stringify(found({ env: { A: key } })).includes(key.slice(4)), false);
  }
});

test("names that tell: a literal is found, and the variable names the service", () => {
  const cases: readonly (readonly [name: string, remedy: string])[] = [
    ["STRIPE_SECRET_KEY", "janee add stripe"],
    ["GITHUB_PERSONAL_ACCESS_TOKEN", "janee add github"],
    ["ACME_API_KEY", "janee add acme --base-url https://…"],
    ["DEEPSEEK_API_KEY", "janee add deepseek"],
    ["CF_API_TOKEN", "janee add cloudflare"],
    ["JIRA_API_TOKEN", "janee add jira --base-url https://…"],
    ["AWS_SECRET_ACCESS_KEY", noAws],
    ["MY_CORP_TOKEN", "janee add my-corp --base-url https://…"],
    ["API_KEY", "janee add NAME --base-url https://…"],
    ["DB_PASSWORD", "janee add db --base-url https://…"],
    ["CLIENT_SECRET", "janee add client --base-url https://…"],
  ];
  for (const [name, remedy] of cases) {
    assert.deepEqual(found({ env: { [name]: secret } }), [{ place: name, remedy }]);
  }
  // The variable knows better than a shape that several vendors use.
  assert.equal(found({ env: { ACME_API_KEY: fill("sk-", 32) } })[0]?.remedy, cases[2]?.[1]);
});

test("references, placeholders and plain settings are no keys", () => {
  for (const value of [
    ...[`\${GITHUB_TOKEN}`, "$GITHUB_TOKEN", `\${env:GITHUB_TOKEN}`, `\${input:token}`, "{env:GITHUB_TOKEN}"],
    ...["%GITHUB_TOKEN%", `Bearer \${X}`, "<your token>", "YOUR_API_KEY", "your-token-here", "op://v/i/f"],
    ...["xxxxxxxxxxxx", "", "short", "12345678901", "/run/secrets/token", "~/keys/token", "{file:~/k/token}"],
  ]) {
    assert.deepEqual(found({ env: { GITHUB_TOKEN: value } }), [], value);
  }
  assert.deepEqual(
    found({ env: { LOG_LEVEL: "debug-everything", NODE_ENV: "production", KEYBOARD: "qwertzuiop" } }),
    [],
  );
  assert.deepEqual(
    found({ command: "npx", args: ["-y", "@scope/some-package@1.2.3", "--token-limit", "100000000"] }),
    [],
  );
  assert.deepEqual(found({ url: "https://api.example.com/mcp?project=abcdefghijkl" }), []);
});

test("a default within a reference is a literal", () => {
  const key = keys[0]?.[0] ?? "";
  assert.equal(found({ env: { GITHUB_TOKEN: `\${GITHUB_TOKEN:-${key}}` } }).length, 1);
});

test("headers, arguments and addresses, in every client's own fields", () => {
  const places = (entry: object) => found(entry).map(({ place }) => place);
  assert.deepEqual(places({ headers: { Authorization: `Bearer ${secret}`, Accept: "application/json" } }), [
    "header Authorization",
  ]);
  assert.deepEqual(places({ http_headers: { "X-Api-Key": secret } }), ["header X-Api-Key"]);
  assert.deepEqual(places({ bearer_token: secret }), ["header bearer_token"]);
  assert.deepEqual(places({ requestInit: { headers: { authorization: secret } } }), ["header authorization"]);
  assert.deepEqual(places({ environment: { A_TOKEN: secret } }), ["A_TOKEN"]);
  assert.deepEqual(places({ envs: { A_TOKEN: secret } }), ["A_TOKEN"]);
  assert.deepEqual(places({ settings: { github_personal_access_token: secret } }), [
    "github_personal_access_token",
  ]);
  assert.deepEqual(places({ command: { path: "x", args: [], env: { A_TOKEN: secret } } }), ["A_TOKEN"]);
  assert.deepEqual(places({ args: ["--api-key", secret] }), ["argument --api-key"]);
  assert.deepEqual(places({ args: [`--token=${secret}`] }), ["argument --token"]);
  assert.deepEqual(places({ args: ["run", "-e", `API_TOKEN=${secret}`] }), ["argument API_TOKEN"]);
  assert.deepEqual(places({ args: ["--header", `Authorization: Bearer ${secret}`] }), [
    "header Authorization",
  ]);
  assert.deepEqual(places({ args: ["--header", `Authorization: Bearer \${TOKEN}`] }), []);
  assert.deepEqual(places({ command: ["npx", "--token", secret] }), ["argument --token"]);
  assert.deepEqual(places({ url: `https://x.example/mcp?api_key=${secret}` }), ["URL, parameter api_key"]);
  assert.deepEqual(places({ url: `https://x.example/${keys[0]?.[0]}/mcp` }), ["URL"]);
});

test("a key in the place of a name is not shown either", () => {
  const key = keys[0]?.[0] ?? "";
  assert.equal(
    JSON.stringify(found({ env: { [key]: key }, args: [`--${key}=${key}`] })).includes(key),
    false,
  );
});

test("what does not fit is left out", () => {
  for (const entry of [
    null,
    1,
    "x",
    [],
    { env: 1, args: {}, headers: [], command: 1 },
    { env: { A_TOKEN: 5 } },
  ]) {
    assert.deepEqual(plainKeys(readServer("x", entry)), []);
  }
});
