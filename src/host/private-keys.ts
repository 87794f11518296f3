// Private keys as people have them: PKCS#1 or PKCS#8, with any line ends, or on one line with `\\n` for each.
import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";
import { Failure } from "../engine/failure.ts";
import type { PrivateKeys } from "../engine/ports.ts";
import { Secret } from "../engine/secret.ts";

const signing = { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" };

const certificatePattern = /-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g;

export const privateKeys: PrivateKeys = {
  async rsa(pem) {
    const key = readKey(pem, undefined);
    if (key instanceof Failure) return key;
    if (key.asymmetricKeyType !== "rsa") {
      return unusable(`is of the kind ${key.asymmetricKeyType}`, "expected an RSA key");
    }
    const der = key.export({ type: "pkcs8", format: "der" });
    return crypto.subtle.importKey("pkcs8", new Uint8Array(der), signing, false, ["sign"]);
  },

  async identity(certificate, pem, passphrase) {
    const key = readKey(pem, passphrase);
    if (key instanceof Failure) return key;
    const chain = plainText(certificate);
    const first = readCertificate(chain);
    if (!first) {
      return new Failure("credential_failed", "the client certificate is no certificate in PEM", {
        next: "expected -----BEGIN CERTIFICATE-----",
      });
    }
    if (!first.checkPrivateKey(key)) {
      return new Failure("credential_failed", "the private key is not the one of the client certificate", {
        next: "give the key that the certificate was made for, or the certificate of this key",
      });
    }
    const text = key.export({ type: "pkcs8", format: "pem" }).toString();
    return { certificate: chain, key: new Secret(text) };
  },
};

function plainText(pem: Secret): string {
  return pem.reveal().replaceAll("\\n", "\n").replaceAll("\r", "").trim();
}

function readKey(pem: Secret, passphrase: Secret | undefined): KeyObject | Failure {
  const text = plainText(pem);
  const encrypted = /ENCRYPTED/.test(text);
  if (encrypted && !passphrase) {
    return unusable("is encrypted", "take the passphrase off: openssl pkey -in KEY -out NEWKEY");
  }
  try {
    return createPrivateKey(passphrase ? { key: text, passphrase: passphrase.reveal() } : text);
  } catch {
    if (encrypted) return unusable("does not open with its passphrase", "give the passphrase again");
    return unusable("is no private key in PEM", "expected -----BEGIN … PRIVATE KEY-----");
  }
}

/** The first of a chain in which every one is whole. */
function readCertificate(text: string): X509Certificate | undefined {
  try {
    const [first = text, ...chain] = text.match(certificatePattern) ?? [];
    for (const one of chain) new X509Certificate(one);
    return new X509Certificate(first);
  } catch {
    return undefined;
  }
}

function unusable(what: string, next: string): Failure {
  return new Failure("credential_failed", `the private key ${what}`, { next });
}
