// Vault as a place where credentials lie: janee logs in as the config says, and a wrong login, namespace, path or
// certificate gives no credential.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { Failure } from "../../src/engine/failure.ts";
import { readConfig } from "../../src/engine/read-config.ts";
import { References } from "../../src/host/reference.ts";
import { makeCertificate } from "../support/certificates.ts";
import { canary } from "../support/janee.ts";
import { VaultServer } from "../support/vault-server.ts";

const limit = { timeout: 30_000 };
const root = mkdtempSync(join(tmpdir(), "janee-vault-"));
after(() => rmSync(root, { recursive: true, force: true }));

interface Setting {
  readonly vault: VaultServer;
  /** The lines of stores.vault beside its address. */
  readonly lines: string;
  readonly environment?: Readonly<Record<string, string>>;
  readonly network?: string;
  readonly patienceMs?: number;
}

function referencesOf({
  vault,
  lines,
  environment = {},
  network = "",
  patienceMs = 5_000,
}: Setting): References {
  const text = `stores:\n  vault:\n    address: ${vault.address}\n${lines}${network}`;
  const read = readConfig(text, "config.yaml");
  if (read instanceof Failure) assert.fail(`${read.message} in\n${text}`);
  return new References({
    environment,
    config: () => read.config,
    unseal: () => assert.fail("nothing is sealed here"),
    patienceMs,
  });
}

/** The credential, or what is said of the failure, which holds none. */
async function follow(references: References, reference: string): Promise<string> {
  const found = await references.follow(reference);
  if (!(found instanceof Failure)) return found.reveal();
  assert.equal(found.code, "reference_failed");
  assert.ok(!JSON.stringify(found).includes(canary), JSON.stringify(found));
  return found.message;
}

async function withVault(
  options: Parameters<typeof VaultServer.start>[0],
  work: (vault: VaultServer) => Promise<void>,
): Promise<void> {
  const vault = await VaultServer.start(options);
  vault.secrets.set("secret/apps/shop", { key: canary, port: 5432 });
  vault.secrets.set("secret/a b/ü%2F", { "the key": canary });
  try {
    await work(vault);
  } finally {
    await vault.stop();
  }
}

const byToken = "    auth: { type: token, token: env:VAULT_TOKEN }\n";

test("with a token: one field of one secret, and nothing where there is none", limit, () =>
  withVault({}, async (vault) => {
    const setting = { vault, lines: byToken, environment: { VAULT_TOKEN: vault.root } };
    const references = referencesOf(setting);
    assert.equal(await follow(references, "vault:secret/apps/shop#key"), canary);
    assert.equal(await follow(references, "vault:secret/a b/ü%2F#the key"), canary);
    assert.match(await follow(references, "vault:secret/apps/shop#port"), /no such field/);
    assert.match(await follow(references, "vault:secret/apps/shop#none"), /no such field/);
    assert.match(await follow(references, "vault:secret/apps/shop#toString"), /no such field/);
    assert.match(await follow(references, "vault:secret/apps/none#key"), /nothing at this mount/);
    const foreign = referencesOf({ ...setting, environment: { VAULT_TOKEN: "hvs.wrong" } });
    assert.match(await follow(foreign, "vault:secret/apps/shop#key"), /refused to show the secret/);
    assert.match(
      await follow(referencesOf({ ...setting, environment: {} }), "vault:secret/apps/shop#key"),
      /VAULT_TOKEN/,
    );
    const split = referencesOf({ ...setting, environment: { VAULT_TOKEN: `${vault.root}\u00e9` } });
    assert.match(await follow(split, "vault:secret/apps/shop#key"), /for a token is none/);
  }),
);

test(
  "by AppRole: one login for many, again when its token has ended, and none with a wrong secret",
  limit,
  () =>
    withVault({}, async (vault) => {
      const lines = `    auth: { type: approle, roleId: ${vault.roleId}, secretId: env:SECRET_ID }\n`;
      const references = referencesOf({ vault, lines, environment: { SECRET_ID: vault.secretId } });
      vault.secrets.set("secret/apps/other", { key: `${canary}-2` });
      const many = await Promise.all(
        Array.from({ length: 100 }, (_, at) =>
          follow(references, at % 2 === 0 ? "vault:secret/apps/shop#key" : "vault:secret/apps/other#key"),
        ),
      );
      assert.deepEqual([...new Set(many)].sort(), [canary, `${canary}-2`]);
      assert.equal(vault.logins, 1);
      assert.equal(vault.reads, 2);
      vault.revokeAll();
      const again = await Promise.all([
        follow(references, "vault:secret/apps/shop#key"),
        follow(references, "vault:secret/apps/other#key"),
      ]);
      assert.deepEqual(again, [canary, `${canary}-2`]);
      assert.equal(vault.logins, 2);

      const wrong = referencesOf({ vault, lines, environment: { SECRET_ID: "wrong" } });
      assert.match(
        await follow(wrong, "vault:secret/apps/shop#key"),
        /refused the login of stores.vault by approle/,
      );
      const alien = referencesOf({
        vault,
        lines: lines.replace(vault.roleId, "another-role"),
        environment: { SECRET_ID: vault.secretId },
      });
      assert.match(await follow(alien, "vault:secret/apps/shop#key"), /refused the login/);
    }),
);

test("a token that is good for one use, or for a second, is got anew and no call fails", limit, () =>
  withVault({ leaseSeconds: 1 }, async (vault) => {
    const lines = `    auth: { type: approle, roleId: ${vault.roleId}, secretId: env:SECRET_ID }\n`;
    const references = referencesOf({ vault, lines, environment: { SECRET_ID: vault.secretId } });
    for (let round = 0; round < 3; round++) {
      assert.equal(await follow(references, "vault:secret/apps/shop#key"), canary);
      await new Promise((done) => setTimeout(done, 1_050));
    }
    assert.ok(vault.logins >= 3);
    vault.leaseSeconds = 3600;
    vault.uses = 1;
    for (let round = 0; round < 3; round++) {
      assert.equal(await follow(references, "vault:secret/apps/shop#key"), canary);
    }
  }),
);

test(
  "by JWT, from a file that is read at each login; one that is unsigned, foreign or old is refused",
  limit,
  () =>
    withVault({}, async (vault) => {
      const file = join(root, "jwt");
      const lines = `    auth: { type: jwt, mount: work/loads, role: ci, jwt: "file:${file}" }\n`;
      const fresh = (): References => referencesOf({ vault, lines });
      writeFileSync(file, `${vault.jwt()}\n`);
      assert.equal(await follow(fresh(), "vault:secret/apps/shop#key"), canary);
      const [head, payload] = vault.jwt().split(".");
      const bad = [
        vault.jwt({ exp: 1 }),
        vault.jwt({ aud: "another" }),
        `${head}.${payload}.`,
        `${head}.${Buffer.from('{"aud":"vault","sub":"janee","exp":9999999999}').toString("base64url")}.${vault.jwt().split(".")[2]}`,
      ];
      for (const jwt of bad) {
        writeFileSync(file, jwt);
        assert.match(
          await follow(fresh(), "vault:secret/apps/shop#key"),
          /refused the login of stores.vault by jwt/,
        );
      }
      const role = referencesOf({ vault, lines: lines.replace("role: ci", "role: admin") });
      writeFileSync(file, vault.jwt());
      assert.match(await follow(role, "vault:secret/apps/shop#key"), /refused the login/);
      // A login that failed is tried again by the next.
      const same = fresh();
      writeFileSync(file, "");
      assert.match(await follow(same, "vault:secret/apps/shop#key"), /leads to nothing/);
      writeFileSync(file, vault.jwt());
      assert.equal(await follow(same, "vault:secret/apps/shop#key"), canary);
    }),
);

test("the namespace goes along, and without it there is nothing", limit, () =>
  withVault({ namespace: "team-a/apps" }, async (vault) => {
    const environment = { VAULT_TOKEN: vault.root };
    const there = referencesOf({ vault, lines: `    namespace: team-a/apps/\n${byToken}`, environment });
    assert.equal(await follow(there, "vault:secret/apps/shop#key"), canary);
    const elsewhere = referencesOf({ vault, lines: byToken, environment });
    assert.match(await follow(elsewhere, "vault:secret/apps/shop#key"), /nothing at this mount/);
  }),
);

test("TLS is verified; the store's own caFile makes the harmless twin", limit, async () => {
  const certificate = makeCertificate(root, "vault", ["IP:127.0.0.1"]);
  const alien = makeCertificate(root, "alien", ["IP:127.0.0.2"]);
  const named = makeCertificate(root, "named", ["DNS:vault.example"]);
  await withVault({ tls: certificate }, async (vault) => {
    const environment = {
      VAULT_TOKEN: vault.root,
      NODE_TLS_REJECT_UNAUTHORIZED: "0",
      VAULT_SKIP_VERIFY: "1",
      SSL_CERT_FILE: certificate.file,
    };
    const lines = (file: string): string => `    caFile: ${file}\n${byToken}`;
    assert.equal(
      await follow(
        referencesOf({ vault, lines: lines(certificate.file), environment }),
        "vault:secret/apps/shop#key",
      ),
      canary,
    );
    for (const other of [lines(alien.file), byToken]) {
      const references = referencesOf({ vault, lines: other, environment });
      assert.match(
        await follow(references, "vault:secret/apps/shop#key"),
        /certificate of 127.0.0.1:\d+ is not trusted/,
      );
    }
    assert.equal(vault.reads, 1);
  });
  await withVault({ tls: named }, async (vault) => {
    const setting = {
      vault,
      lines: `    caFile: ${named.file}\n${byToken}`,
      environment: { VAULT_TOKEN: vault.root },
    };
    assert.match(await follow(referencesOf(setting), "vault:secret/apps/shop#key"), /is not trusted/);
    assert.equal(vault.upstream.seen.length, 0);
  });
});

test(
  "answers that are none: redirects, nonsense, floods, silence; a proxy of the environment is not used",
  limit,
  () =>
    withVault({}, async (vault) => {
      const environment = {
        ...{ VAULT_TOKEN: vault.root, HTTP_PROXY: "http://127.0.0.1:9", http_proxy: "http://127.0.0.1:9" },
        ...{ VAULT_ADDR: "http://127.0.0.1:9", VAULT_NAMESPACE: "elsewhere" },
      };
      const references = referencesOf({ vault, lines: byToken, environment, patienceMs: 700 });
      const ask = (): Promise<string> => follow(references, "vault:secret/apps/shop#key");
      assert.equal(await ask(), canary);
      const elsewhere = await VaultServer.start();
      const table: readonly (readonly [NonNullable<VaultServer["broken"]>, RegExp])[] = [
        [
          (one) => one.send(307, { Location: `${elsewhere.address}/v1/secret/data/apps/shop` }),
          /a redirect \(307\)/,
        ],
        [(one) => one.send(503, {}, '{"errors":["Vault is sealed"]}'), /sealed or not ready/],
        [(one) => one.send(200, {}, canary), /no such field/],
        [(one) => one.send(200, {}, JSON.stringify({ data: null })), /no such field/],
        [
          (one) => one.send(200, {}, JSON.stringify({ data: { data: { key: `${canary}\n${canary}` } } })),
          /control char/,
        ],
        [
          (one) => one.send(200, {}, JSON.stringify({ data: { data: { key: "k".repeat(70_000) } } })),
          /more than/,
        ],
        [(one) => one.send(200, {}, `{"data":"${"x".repeat(3_000_000)}"}`), /could not be asked/],
        [(one) => one.write(`${canary}\r\n\r\n`), /not HTTP/],
        [(one) => one.reset(), /could not be asked/],
        [() => {}, /did not answer in time/],
      ];
      for (const [broken, expected] of table) {
        vault.broken = broken;
        assert.match(await ask(), expected);
      }
      assert.equal(elsewhere.upstream.seen.length, 0);
      await elsewhere.stop();
      vault.broken = undefined;
      assert.equal(await ask(), canary);
    }),
);

test(
  "without stores.vault there is nothing to ask, and a bad block is refused with its place",
  limit,
  async () => {
    const none = new References({
      environment: {},
      config: () => ({
        network: { proxy: undefined, noProxy: [], caFile: undefined },
        stores: { vault: undefined },
      }),
      unseal: () => assert.fail("nothing is sealed here"),
    });
    assert.match(await follow(none, "vault:secret/apps/shop#key"), /no stores\.vault/);
    const block = (...lines: string[]): string =>
      `stores:\n  vault:\n${lines.map((line) => `    ${line}\n`).join("")}`;
    const token = "auth: { type: token, token: env:T }";
    const address = "address: https://vault.example";
    const good = [
      [address, token],
      [address, "namespace: a/b", "caFile: /x.pem", "auth: { type: jwt, role: r, jwt: file:/run/jwt }"],
      [address, "auth: { type: approle, mount: my/approle, roleId: r, secretId: hidden-canary }"],
      ["address: http://127.0.0.1:8200", token],
    ];
    for (const lines of good) assert.ok(!(readConfig(block(...lines), "c") instanceof Failure), lines.join());
    const bad: readonly (readonly [readonly string[], RegExp])[] = [
      [[token], /"address" is missing/],
      [[address], /"auth" is missing/],
      [["address: http://vault.example", token], /in the clear/],
      [["address: https://169.254.169.254", token], /link-local/],
      [["address: https://u:canary@vault.example", token], /no user or password/],
      [[address, "auth: { type: tokn, token: env:T }"], /unknown type: .*token/],
      [[address, "auth: { type: token }"], /"token" is missing/],
      [[address, "auth: { type: token, token: env:T, role: r }"], /"role" does not go with type: token/],
      [[address, "auth: { type: approle, secretId: env:T }"], /"roleId" is missing/],
      [
        [address, "auth: { type: jwt, role: r, jwt: 'vault:secret/canary#x' }"],
        /"vault" is not followed here/,
      ],
      [[address, "auth: { type: token, token: 'op://a/b/canary' }"], /"op" is not followed here/],
      [[address, "namespace: ../canary", token], /expected a namespace/],
      [[address, "auth: { type: jwt, mount: '../sys', role: r, jwt: env:T }"], /where the login is mounted/],
      [[address, "colour: red", token], /unknown key/],
    ];
    for (const [lines, expected] of bad) {
      const failure = readConfig(block(...lines), "config.yaml");
      assert.ok(failure instanceof Failure, lines.join());
      assert.match(failure.message, expected);
      assert.ok(failure.at && !failure.message.includes("canary"), failure.message);
    }
  },
);
