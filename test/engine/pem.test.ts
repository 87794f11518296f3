// A private key is redacted in whatever shape of PEM a program prints it.
import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { test } from "node:test";
import { pemBodies } from "../../src/engine/credential/pem.ts";
import { compileScrubber } from "../../src/engine/scrub.ts";

const pair = generateKeyPairSync("rsa", { modulusLength: 2048 });
const pem = pair.privateKey.export({ type: "pkcs8", format: "pem" }).toString();
const other = generateKeyPairSync("rsa", { modulusLength: 2048 })
  .privateKey.export({ type: "pkcs8", format: "pem" })
  .toString();

function body(text: string): string {
  return text.split("\n").slice(1, -2).join("\n");
}

test("a key in PEM is found with other line ends, on one line, indented, and without its first and last line", () => {
  const joined = body(pem).replaceAll("\n", "");
  const shapes = {
    asItIs: pem,
    trimmed: pem.trim(),
    crlf: pem.replaceAll("\n", "\r\n"),
    json: JSON.stringify({ k: pem }),
    backslashes: pem.trim().replaceAll("\n", "\\n"),
    body: body(pem),
    joined,
    wider: (joined.match(/.{1,76}/g) ?? []).join("\n"),
    indented: body(pem).replaceAll("\n", "\n    "),
  };
  for (const stored of [pem, pem.trim(), pem.trim().replaceAll("\n", "\\n")]) {
    const scrubber = compileScrubber([stored, ...pemBodies(stored)]);
    for (const [shape, text] of Object.entries(shapes)) {
      const { bytes, redactions } = scrubber.whole(Buffer.from(`before\n${text}\nafter`));
      assert.ok(redactions > 0, shape);
      assert.ok(!bytes.toString().includes(joined.slice(0, 64)), shape);
    }
    assert.equal(scrubber.whole(Buffer.from(other)).redactions, 0, "another's key is not this one");
  }
});

test("only the base64 is the key: neither the words around it nor the headers of an encrypted one", () => {
  const begin = "-----BEGIN RSA PRIVATE KEY-----";
  const end = "-----END RSA PRIVATE KEY-----";
  const line = "QUJD".repeat(16);
  const encrypted = `${begin}\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,00\n\n${line}\n${line}\n${end}\n`;
  assert.deepEqual(pemBodies(encrypted), [line + line]);
  assert.deepEqual(pemBodies(`${begin}\n${line}\n${end}\n${begin}\n${line}${line}\n${end}`), [
    line,
    line + line,
  ]);
  assert.deepEqual(pemBodies("sk-no-pem-at-all"), []);
  assert.deepEqual(pemBodies(`${begin}\nAA==\n${end}`), []);
});
