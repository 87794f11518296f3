// Who may speak with this listener at all: its own names and its own pages, exactly.
import assert from "node:assert/strict";
import { test } from "node:test";
import { ownAuthorities, refuseForeign } from "../../src/surface/foreign.ts";
import { defaultHeadLimits, Malformed, readRequestHead } from "../../src/wire/http1.ts";

const own = ownAuthorities(5263, ["127.0.0.1", "localhost", "::1", "Box.Lan"]);

function verdict(host: string, lines: readonly string[] = [], authorities = own): string {
  const text = ["GET / HTTP/1.1", `Host: ${host}`, ...lines, "", ""].join("\r\n");
  const head = readRequestHead(Buffer.from(text, "latin1"), defaultHeadLimits);
  if (head === undefined || head instanceof Malformed) return head?.code ?? "incomplete";
  return refuseForeign(head, authorities)?.code ?? "own";
}

test("its own names, exactly", () => {
  for (const host of [
    "127.0.0.1:5263",
    "localhost:5263",
    "LOCALHOST:5263",
    "[::1]:5263",
    "box.lan:5263",
    "BOX.LAN:5263",
  ]) {
    assert.equal(verdict(host), "own", host);
  }
});

test("every other name is foreign, however near", () => {
  for (const host of [
    "127.0.0.1",
    "localhost",
    "127.0.0.1:5264",
    "127.0.0.1:80",
    "127.0.0.1:05263",
    "127.0.0.2:5263",
    "127.1:5263",
    "2130706433:5263",
    "0x7f.0.0.1:5263",
    "0.0.0.0:5263",
    "[::]:5263",
    "[0:0:0:0:0:0:0:1]:5263",
    "[::ffff:127.0.0.1]:5263",
    "localhost.:5263",
    "127.0.0.1.nip.io:5263",
    "127.0.0.1.evil.example:5263",
    "localhost.evil.example:5263",
    "evil.example:5263",
    "evil-localhost:5263",
    "xlocalhost:5263",
    "localhosts:5263",
    "box.lan.evil:5263",
  ]) {
    assert.equal(verdict(host), "foreign_host", host);
  }
  for (const host of [
    "evil@localhost:5263",
    "localhost:5263@evil",
    "localhost:5263, evil",
    "",
    "localhost:5263/",
  ]) {
    assert.equal(verdict(host), "bad_host", host);
  }
});

test("on port 80 the name alone is its own as well, and elsewhere it is not", () => {
  const web = ownAuthorities(80, ["127.0.0.1", "::1"]);
  for (const host of ["127.0.0.1", "127.0.0.1:80", "[::1]", "[::1]:80"])
    assert.equal(verdict(host, [], web), "own", host);
  for (const host of ["127.0.0.1:5263", "[::1]:443"])
    assert.equal(verdict(host, [], web), "foreign_host", host);
  assert.deepEqual([...ownAuthorities(1, ["[::1]"])], ["[::1]:1"]);
});

test("a page of another origin is foreign, and one of its own is not", () => {
  for (const origin of [
    "http://127.0.0.1:5263",
    "http://localhost:5263",
    "https://LOCALHOST:5263",
    "http://[::1]:5263",
  ]) {
    assert.equal(verdict("localhost:5263", [`Origin: ${origin}`]), "own", origin);
  }
  for (const origin of [
    "null",
    "",
    "http://evil.example",
    "http://localhost",
    "http://localhost:5264",
    "http://localhost:5263.evil.example",
    "http://localhost:5263/",
    "http://localhost:5263/x",
    "http://evil@localhost:5263",
    "http://localhost:5263@evil.example",
    "http://127.0.0.1.nip.io:5263",
    "file://localhost:5263",
    "chrome-extension://localhost:5263",
    "localhost:5263",
    "http://localhost:5263 http://evil.example",
  ]) {
    assert.equal(verdict("localhost:5263", [`Origin: ${origin}`]), "foreign_origin", origin);
  }
});

test("a browser says where a request comes from: only its own pages and the address bar may", () => {
  for (const site of ["same-origin", "none"])
    assert.equal(verdict("localhost:5263", [`Sec-Fetch-Site: ${site}`]), "own", site);
  for (const site of ["cross-site", "same-site", "", "SAME-ORIGIN", "none, cross-site"]) {
    assert.equal(verdict("localhost:5263", [`Sec-Fetch-Site: ${site}`]), "foreign_origin", site);
  }
  const both = ["Sec-Fetch-Site: none", "Sec-Fetch-Site: cross-site"];
  assert.equal(verdict("localhost:5263", both), "foreign_origin");
  assert.equal(verdict("localhost:5263", ["Sec-Fetch-Mode: cors", "Referer: http://evil.example/"]), "own");
});

test("the host is looked at before the origin", () => {
  assert.equal(verdict("evil.example", ["Origin: http://evil.example"]), "foreign_host");
});
