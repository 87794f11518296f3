// The two forms of a target that are for proxies: read by a proxy alone, and narrowly.
import assert from "node:assert/strict";
import { test } from "node:test";
import { defaultHeadLimits, Malformed, readRequestHead } from "../../src/wire/http1.ts";
import { bytes } from "./connection.ts";

function read(line: string, fields = "Host: h\r\n", forms: "origin" | "proxy" = "proxy"): string {
  const head = readRequestHead(bytes(`${line}\r\n${fields}\r\n`), defaultHeadLimits, forms);
  assert.ok(head);
  if (head instanceof Malformed) return head.code;
  return `${head.form} ${head.authority ?? "-"} ${head.target}`;
}

test("a proxy reads CONNECT host:port and http://host/path", () => {
  assert.equal(read("CONNECT api.example.com:443 HTTP/1.1"), "authority api.example.com:443 ");
  assert.equal(read("CONNECT [::1]:443 HTTP/1.1"), "authority [::1]:443 ");
  assert.equal(read("GET http://a.example/x?y HTTP/1.1"), "absolute a.example /x?y");
  assert.equal(read("GET http://a.example:80 HTTP/1.1"), "absolute a.example:80 /");
  assert.equal(read("GET HTTP://a.example?y HTTP/1.1"), "absolute a.example /?y");
  assert.equal(read("GET /x HTTP/1.1"), "origin - /x");
});

test("a server reads neither", () => {
  assert.equal(
    read("CONNECT api.example.com:443 HTTP/1.1", "Host: h\r\n", "origin"),
    "target_authority_form",
  );
  assert.equal(read("GET http://a.example/x HTTP/1.1", "Host: h\r\n", "origin"), "target_absolute_form");
});

test("what could be read in two ways is refused by a proxy too", () => {
  for (const target of [
    "",
    "host",
    "host:",
    "host:123456",
    "http://host:80",
    "user@host:80",
    "host:80/",
    "[::1:80",
    "a b:80",
  ]) {
    assert.match(read(`CONNECT ${target} HTTP/1.1`), /^(?:target_authority_form|bad_request_line)$/, target);
  }
  for (const target of [
    "http://user@host/x",
    "http://127.0.0.1@evil.example/x",
    "https://host/x",
    "ftp://host/x",
    "http:/host/x",
    "http:///x",
    "http://host#x",
    "http://ho\\st/x",
    "http:@host/x",
  ]) {
    assert.match(read(`GET ${target} HTTP/1.1`), /^(?:target_absolute_form|bad_request_line)$/, target);
  }
  assert.equal(read("OPTIONS * HTTP/1.1"), "target_asterisk");
});

test("CONNECT has no body, and only HTTP/1.0 may leave out Host", () => {
  assert.equal(read("CONNECT h:1 HTTP/1.1", "Host: h\r\nContent-Length: 5\r\n"), "bad_framing");
  assert.equal(read("CONNECT h:1 HTTP/1.1", "Host: h\r\nTransfer-Encoding: chunked\r\n"), "bad_framing");
  assert.equal(read("CONNECT h:1 HTTP/1.1", ""), "bad_host");
  assert.equal(read("CONNECT h:1 HTTP/1.0", ""), "authority h:1 ");
  assert.equal(read("GET http://h/x HTTP/1.0", ""), "bad_host");
});
