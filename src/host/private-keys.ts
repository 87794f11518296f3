// Private keys as people have them: PKCS#1 or PKCS#8, with any line ends, or on one line with `\\n` for each.
import { createPrivateKey, type KeyObject } from "node:crypto";
import { Failure } from "../engine/failure.ts";
import type { PrivateKeys } from "../engine/ports.ts";

const signing = { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" };

export const privateKeys: PrivateKeys = {
  async rsa(pem) {
    const text = pem.reveal().replaceAll("\\n", "\n").replaceAll("\r", "").trim();
    if (/ENCRYPTED/.test(text)) {
      return unusable("is encrypted", "take the passphrase off: openssl pkey -in KEY -out NEWKEY");
    }
    const key = readKey(text);
    if (!key) return unusable("is no private key in PEM", "expected -----BEGIN … PRIVATE KEY-----");
    if (key.asymmetricKeyType !== "rsa") {
      return unusable(`is of the kind ${key.asymmetricKeyType}`, "expected an RSA key");
    }
    const der = key.export({ type: "pkcs8", format: "der" });
    return crypto.subtle.importKey("pkcs8", new Uint8Array(der), signing, false, ["sign"]);
  },
};

function readKey(text: string): KeyObject | undefined {
  try {
    return createPrivateKey(text);
  } catch {
    return undefined;
  }
}

function unusable(what: string, next: string): Failure {
  return new Failure("credential_failed", `the private key ${what}`, { next });
}
