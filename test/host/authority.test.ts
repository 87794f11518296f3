// The local authority: whom its certificates convince, and whom not, asked of real clients.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { X509Certificate } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { Failure } from "../../src/engine/failure.ts";
import { createVault, Vault, withNextKey, withoutOldKeys } from "../../src/engine/vault.ts";
import {
  ensureAuthority,
  hasBareKey,
  type KeptAuthority,
  type KeySeal,
  openAuthority,
  readAuthority,
  renewAuthority,
} from "../../src/host/authority/authority.ts";
import { type AuthorityFile, Issuer, makeAuthority } from "../../src/host/authority/certificates.ts";
import { entropy } from "../../src/host/clock.ts";
import { asyncRun } from "../support/async-run.ts";

const limit = { timeout: 60_000 };
const folder = mkdtempSync(join(tmpdir(), "janee-authority-"));
after(() => rmSync(folder, { recursive: true, force: true }));
const dayMs = 24 * 3_600_000;

async function leafOf(authority: AuthorityFile, host: string): Promise<{ cert: string; key: string }> {
  const issuer = await Issuer.open(authority);
  assert.ok(!(issuer instanceof Failure));
  return { cert: issuer.leaf(host, Date.now()), key: issuer.key };
}

async function withServer<T>(
  leaf: { cert: string; key: string },
  work: (port: number) => Promise<T>,
): Promise<T> {
  const server = createServer(leaf, (_, response) => void response.end("ok"));
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  try {
    return await work((server.address() as AddressInfo).port);
  } finally {
    server.closeAllConnections();
    await new Promise<void>((done) => server.close(() => done()));
  }
}

const python =
  "import sys, urllib.request; print(urllib.request.urlopen(sys.argv[1]).read().decode(), end='')";
const node =
  "fetch(process.argv[1]).then((r) => r.text()).then((t) => process.stdout.write(t), () => process.exit(1))";

/** Each with its own library: OpenSSL, GnuTLS (wget and git of Debian), Python's ssl, Node. */
function clients(
  ca: string,
): readonly (readonly [program: string, args: readonly string[], env: Record<string, string>])[] {
  return [
    ["curl", ["-sS", "--cacert", ca], {}],
    ["wget", ["-qO-", `--ca-certificate=${ca}`], {}],
    ["python3", ["-c", python], { SSL_CERT_FILE: ca }],
    ["node", ["-e", node], { NODE_EXTRA_CA_CERTS: ca }],
  ];
}

test("clients believe it for the hosts it is limited to, and for no other", limit, async () => {
  const right = await makeAuthority(["localhost", "api.github.com"], Date.now());
  const narrow = await makeAuthority(["api.github.com"], Date.now());
  let asked = 0;
  for (const [authority, expected] of [
    [right, "ok"],
    [narrow, ""],
  ] as const) {
    const ca = join(folder, `${expected}-ca.pem`);
    writeFileSync(ca, authority.cert);
    await withServer(await leafOf(authority, "localhost"), async (port) => {
      for (const [program, args, env] of clients(ca)) {
        if (spawnSync(program, ["--version"], { stdio: "ignore" }).status !== 0) continue;
        const url = `https://localhost:${port}/`;
        const ran = await asyncRun(program, [...args, url], {
          ...env,
          PATH: process.env.PATH ?? "",
          NO_PROXY: "*",
        });
        assert.deepEqual(
          [ran.stdout, ran.status === 0],
          [expected, expected !== ""],
          `${program}: ${ran.stderr}`,
        );
        asked += 1;
      }
    });
  }
  assert.ok(asked >= 4);
});

test("it signs no further authority and lasts a year; a host's certificate lasts a day", limit, async () => {
  const authority = await makeAuthority(["api.github.com"], Date.now());
  const own = new X509Certificate(authority.cert);
  assert.equal(own.ca, true);
  assert.ok(Date.parse(own.validTo) - Date.now() <= 365 * dayMs);
  const leaf = new X509Certificate((await leafOf(authority, "api.github.com")).cert);
  assert.equal(leaf.ca, false);
  assert.equal(leaf.subjectAltName, "DNS:api.github.com");
  assert.match(leaf.serialNumber, /^[4-7][0-9A-F]{31}$/);
  assert.ok(Date.parse(leaf.validTo) - Date.now() <= dayMs);
  assert.equal(leaf.checkIssued(own), true);
  assert.equal(leaf.verify(own.publicKey), true);
});

const outer = { provider: "file", outer: new Uint8Array(32).fill(7), machineId: undefined } as const;

function sealOf({ vault }: { readonly vault: Vault }): KeySeal {
  return {
    seal: (key, cert) => vault.sealBeside("authority", key, cert),
    open: (kept, cert) => vault.openBeside("authority", kept, cert),
  };
}

function made(kept: KeptAuthority | Failure): KeptAuthority {
  assert.ok(!(kept instanceof Failure), String(kept));
  return kept;
}

function keyOf(kept: KeptAuthority, by: KeySeal): string {
  const opened = openAuthority(kept, by);
  assert.ok(!(opened instanceof Failure), String(opened));
  return opened.key;
}

test(
  "it is made once, and made again under its key where its hosts change or its end is near",
  limit,
  async () => {
    const home = mkdtempSync(join(folder, "home-"));
    const now = Date.now();
    const by = sealOf(createVault(outer, entropy));
    assert.equal(readAuthority(home), undefined);
    const first = made(await ensureAuthority(home, ["a.example"], now, by));
    assert.deepEqual(await ensureAuthority(home, ["a.example"], now, by), first);
    const wider = made(await ensureAuthority(home, ["b.example", "a.example"], now, by));
    assert.deepEqual([keyOf(wider, by), wider.hosts], [keyOf(first, by), ["a.example", "b.example"]]);
    assert.deepEqual(await ensureAuthority(home, ["a.example", "b.example"], now, by), wider);
    const narrower = made(await ensureAuthority(home, ["b.example"], now, by));
    assert.deepEqual([keyOf(narrower, by), narrower.hosts], [keyOf(first, by), ["b.example"]]);
    const late = made(await ensureAuthority(home, ["b.example"], now + 350 * dayMs, by));
    assert.ok(late.expiresAt > narrower.expiresAt);
    const renewed = made(await renewAuthority(home, ["a.example"], now, by));
    assert.notEqual(keyOf(renewed, by), keyOf(first, by));
    assert.equal(statSync(join(home, "ca")).mode & 0o777, 0o700);
    assert.equal(statSync(join(home, "ca/authority.json")).mode & 0o777, 0o600);
    writeFileSync(join(home, "ca/authority.json"), "{}");
    assert.ok((await ensureAuthority(home, ["a.example"], now, by)) instanceof Failure);
  },
);

test("its key is sealed with the vault, beside its certificate, and outlives a rotation", limit, async () => {
  const home = mkdtempSync(join(folder, "home-"));
  const file = join(home, "ca/authority.json");
  const created = createVault(outer, entropy);
  const by = sealOf(created);
  const kept = made(await ensureAuthority(home, ["a.example"], Date.now(), by));
  const key = keyOf(kept, by);
  const text = readFileSync(file, "utf8");
  assert.ok(!text.includes("PRIVATE KEY") && !text.includes(key.split("\n")[1] ?? key));
  const rotated = new Vault(withoutOldKeys(withNextKey(created.vault.bare(), entropy)), entropy);
  assert.equal(keyOf(kept, sealOf({ vault: rotated })), key);
  const other = await makeAuthority(["a.example"], Date.now());
  for (const strange of [
    openAuthority(kept, sealOf(createVault(outer, entropy))),
    openAuthority({ ...kept, cert: other.cert }, by),
    openAuthority({ ...kept, keptKey: `${kept.keptKey.slice(0, -2)}AA` }, by),
    openAuthority({ ...kept, keptKey: "" }, by),
  ]) {
    assert.equal(strange instanceof Failure && strange.code, "store_refused");
  }
});

test(
  "the bare key of an older janee is read, and sealed at the next use under the same certificate",
  limit,
  async () => {
    const home = mkdtempSync(join(folder, "home-"));
    const by = sealOf(createVault(outer, entropy));
    const older = await makeAuthority(["a.example"], Date.now());
    mkdirSync(join(home, "ca"), { mode: 0o700 });
    const file = join(home, "ca/authority.json");
    writeFileSync(file, JSON.stringify(older), { mode: 0o600 });
    const read = readAuthority(home);
    assert.ok(read && !(read instanceof Failure) && hasBareKey(read));
    const sealed = made(await ensureAuthority(home, ["a.example"], Date.now(), by));
    assert.deepEqual([sealed.cert, keyOf(sealed, by)], [older.cert, older.key]);
    assert.ok(!readFileSync(file, "utf8").includes("PRIVATE KEY"));
  },
);
