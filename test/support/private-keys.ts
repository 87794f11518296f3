// One private key in the forms in which people have it, and keys that cannot sign what is asked.
import { createPrivateKey, generateKeyPairSync } from "node:crypto";

type Form = readonly [name: string, pem: string, problem?: RegExp];

export function privateKeyForms(pkcs1: string): readonly Form[] {
  const key = createPrivateKey(pkcs1);
  const pkcs8 = key.export({ type: "pkcs8", format: "pem" }).toString();
  const sealed = { cipher: "aes-256-cbc", passphrase: "none" } as const;
  const ec = generateKeyPairSync("ec", { namedCurve: "prime256v1" }).privateKey;
  return [
    ["pkcs1", pkcs1],
    ["pkcs8", pkcs8],
    ["crlf", pkcs8.replaceAll("\n", "\r\n")],
    ["escaped", pkcs1.trim().replaceAll("\n", "\\n")],
    [
      "encrypted",
      key.export({ type: "pkcs8", format: "pem", ...sealed }).toString(),
      /is encrypted.*take the passphrase off/s,
    ],
    ["encrypted-old", key.export({ type: "pkcs1", format: "pem", ...sealed }).toString(), /is encrypted/],
    [
      "elliptic",
      ec.export({ type: "pkcs8", format: "pem" }).toString(),
      /is of the kind ec.*expected an RSA key/s,
    ],
    [
      "cut",
      `${pkcs1.split("\n").slice(0, 5).join("\n")}\n-----END RSA PRIVATE KEY-----\n`,
      /no private key in PEM/,
    ],
  ];
}
