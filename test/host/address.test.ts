// Where a credential may travel is decided on the address that is connected to.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Service } from "../../src/engine/config.ts";
import { Failure } from "../../src/engine/failure.ts";
import { isLinkLocal, isLoopback, isPublic, refuseAddress, resolve } from "../../src/host/address.ts";
import { read } from "../engine/config-sample.ts";

/** `http` to another machine is refused by the config itself: such a service is made by hand. */
function service(scheme: "http" | "https", host: string, flags: Partial<Service> = {}): Service {
  const found = read(
    "services:\n  s: {baseUrl: https://api.example.com, auth: {type: bearer, key: env:KEY}}\n",
  );
  const made = found.config.services.get("s");
  if (!made?.base) assert.fail("no service");
  return { ...made, base: { ...made.base, scheme, host }, ...flags };
}

const linkLocal = [
  "169.254.169.254",
  "169.254.0.1",
  "169.254.255.255",
  "fe80::1",
  "FE80::1",
  "fe80::1%eth0",
  "fe80::1%1",
  "febf::1",
  "fea0::1",
  "::ffff:169.254.169.254",
  "::FFFF:169.254.169.254",
  "::ffff:a9fe:a9fe",
  "::ffff:a9fe:a9fe%lo",
  "64:ff9b::169.254.169.254",
  "64:ff9b::a9fe:a9fe",
  "::169.254.169.254",
  "::a9fe:a9fe",
  "::ffff:0:a9fe:a9fe",
  "0:0:0:0:0:ffff:a9fe:a9fe",
  "fd00:ec2::254",
  "fd00:0ec2:0:0:0:0:0:254",
  "100.100.100.200",
  "::ffff:100.100.100.200",
  "168.63.129.16",
  "::ffff:168.63.129.16",
];
const notLinkLocal = [
  "169.253.169.254",
  "169.255.0.1",
  "16.9.254.1",
  "fec0::1",
  "fe00::1",
  "fe7f::1",
  "::ffff:169.253.1.1",
  "fd00:ec2::253",
  "100.100.100.201",
  "168.63.129.17",
  "127.0.0.1",
  "10.0.0.1",
  "2001:db8::fe80",
  "2001:db8::1",
  "::1",
];
const loopback = ["127.0.0.1", "127.1.2.3", "127.255.255.255", "::1", "::ffff:127.0.0.1", "::ffff:7f00:1"];
const notLoopback = [
  "128.0.0.1",
  "126.255.255.255",
  "0.0.0.0",
  "::",
  "10.0.0.1",
  "::2",
  "192.168.1.1",
  "::ffff:10.0.0.1",
];

test("link-local and metadata addresses, in each way to write them, and their neighbours", () => {
  for (const address of linkLocal) assert.ok(isLinkLocal(address), address);
  for (const address of notLinkLocal) assert.ok(!isLinkLocal(address), address);
});

test("this machine, in each way to write it, and its neighbours", () => {
  for (const address of loopback) assert.ok(isLoopback(address), address);
  for (const address of notLoopback) assert.ok(!isLoopback(address), address);
});

test("no credential goes to a link-local address, whatever the scheme, unless the service says so", () => {
  for (const address of linkLocal) {
    for (const scheme of ["http", "https"] as const) {
      const refused = refuseAddress(service(scheme, "x.example", { allowCleartext: true }), address);
      assert.equal(refused?.code, "upstream_forbidden_address", `${scheme} ${address}`);
      const allowed = service(scheme, "x.example", { allowCleartext: true, allowLinkLocal: true });
      assert.equal(refuseAddress(allowed, address), undefined, `${scheme} ${address}`);
    }
  }
  for (const address of notLinkLocal)
    assert.equal(refuseAddress(service("https", "x.example"), address), undefined);
});

test("no credential goes in the clear to another machine unless the service says so", () => {
  for (const address of notLoopback) {
    assert.equal(
      refuseAddress(service("http", "x.example"), address)?.code,
      "upstream_forbidden_address",
      address,
    );
    assert.equal(refuseAddress(service("https", "x.example"), address), undefined, address);
    assert.equal(
      refuseAddress(service("http", "x.example", { allowCleartext: true }), address),
      undefined,
      address,
    );
  }
  for (const address of loopback) {
    assert.equal(refuseAddress(service("http", "localhost"), address), undefined, address);
  }
  // allowCleartext does not allow metadata, and allowLinkLocal does not allow cleartext.
  const one = refuseAddress(service("http", "x", { allowLinkLocal: true }), "169.254.169.254");
  assert.equal(one?.code, "upstream_forbidden_address");
});

test("a literal is judged without a resolver, a name by what it resolves to", async () => {
  assert.deepEqual(await resolve(service("https", "192.0.2.1")), ["192.0.2.1"]);
  assert.deepEqual(await resolve(service("http", "::1")), ["::1"]);
  for (const host of ["169.254.169.254", "fe80::1", "::ffff:a9fe:a9fe"]) {
    const refused = await resolve(service("https", host));
    assert.ok(refused instanceof Failure && refused.code === "upstream_forbidden_address", host);
  }
  const local = await resolve(service("http", "localhost"));
  assert.ok(!(local instanceof Failure) && local.length > 0 && local.every(isLoopback));
  const nowhere = await resolve(service("https", "does-not-exist.invalid"));
  assert.ok(nowhere instanceof Failure && nowhere.code === "upstream_unreachable");
});

test("a base URL in decimal, octal, hex or short form is the address it stands for", () => {
  for (const host of [
    "2852039166",
    "0xa9fea9fe",
    "0251.0376.0251.0376",
    "169.254.43518",
    "0xa9.0xfe.0xa9.0xfe",
  ]) {
    const url = new URL(`https://${host}/`);
    assert.equal(url.hostname, "169.254.169.254");
    assert.ok(isLinkLocal(url.hostname), host);
  }
  assert.ok(isLoopback(new URL("http://2130706433/").hostname));
  assert.ok(isLoopback(new URL("http://127.1/").hostname));
});

test("a tunnel's address is public, or it is none", () => {
  for (const address of [
    "8.8.8.8",
    "1.1.1.1",
    "172.15.0.1",
    "172.32.0.1",
    "100.63.0.1",
    "2606:4700::1111",
    "::ffff:8.8.8.8",
  ]) {
    assert.equal(isPublic(address), true, address);
  }
  for (const address of [
    ...[
      "0.0.0.0",
      "10.0.0.1",
      "127.0.0.1",
      "169.254.169.254",
      "172.16.0.1",
      "192.168.1.1",
      "100.64.0.1",
      "100.100.100.200",
      "168.63.129.16",
    ],
    ...[
      "192.0.0.1",
      "198.18.0.1",
      "224.0.0.1",
      "255.255.255.255",
      "::",
      "::1",
      "fe80::1",
      "fe80::1%eth0",
      "fc00::1",
      "fd00::1",
    ],
    ...[
      "ff02::1",
      "::ffff:127.0.0.1",
      "::ffff:10.0.0.1",
      "64:ff9b::a00:1",
      "2001::1",
      "2001:db8::1",
      "2002:7f00:1::1",
      "localhost",
      "",
    ],
  ]) {
    assert.equal(isPublic(address), false, address);
  }
});
