// X.509 (RFC 5280), loaded only when a certificate is made: it costs a start-up some ten milliseconds.
import { isIP } from "node:net";
import { Failure } from "../../engine/failure.ts";
import { entropy } from "../clock.ts";

export interface AuthorityFile {
  /** PEM. */
  readonly cert: string;
  /** PKCS #8 in PEM. */
  readonly key: string;
  /** What it may speak for: no client takes a certificate of another host from it. */
  readonly hosts: readonly string[];
  /** Milliseconds since 1970. */
  readonly expiresAt: number;
}

const curve = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } as const;
const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
/** Clocks of clients may be behind. */
const backdatedMs = hourMs;
export const authorityLifeMs = 365 * dayMs;
export const leafLifeMs = dayMs;

async function library() {
  // tsyringe, which the library is built with, wants it before anything else.
  await import("reflect-metadata");
  const [x509, asn1, schema] = await Promise.all([
    import("@peculiar/x509"),
    import("@peculiar/asn1-x509"),
    import("@peculiar/asn1-schema"),
  ]);
  return { x509, asn1, schema };
}

type Library = Awaited<ReturnType<typeof library>>;

function serialNumber(): string {
  const bytes = entropy.bytes(16);
  bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x40;
  return Buffer.from(bytes).toString("hex");
}

/**
 * Names it may speak for. Addresses are left open where a service lives at one: BoringSSL refuses a certificate of an
 * address under any constraint on addresses, even one that permits it.
 */
function constraints({ asn1, schema }: Library, hosts: readonly string[]): ArrayBuffer {
  const subtrees = (names: readonly object[]) =>
    new asn1.GeneralSubtrees(
      names.map((name) => new asn1.GeneralSubtree({ base: new asn1.GeneralName(name) })),
    );
  const names = hosts.filter((host) => isIP(host) === 0);
  // Without any name at all, every name would be open.
  const permitted = names.length === 0 ? ["janee.invalid"] : names;
  const everyAddress = [{ iPAddress: "0.0.0.0/0" }, { iPAddress: "::/0" }];
  return schema.AsnConvert.serialize(
    new asn1.NameConstraints({
      permittedSubtrees: subtrees(permitted.map((dNSName) => ({ dNSName }))),
      ...(names.length === hosts.length ? { excludedSubtrees: subtrees(everyAddress) } : {}),
    }),
  );
}

/** With the key of `before`, where there is one: clients that trust it stay with it. */
export async function makeAuthority(
  hosts: readonly string[],
  now: number,
  before?: AuthorityFile,
): Promise<AuthorityFile> {
  const loaded = await library();
  const { x509 } = loaded;
  const keys = before
    ? await keysOf(before.key)
    : await crypto.subtle.generateKey(curve, true, ["sign", "verify"]);
  const id = Buffer.from(
    await crypto.subtle.digest("SHA-256", await crypto.subtle.exportKey("spki", keys.publicKey)),
  );
  const expiresAt = now + authorityLifeMs - backdatedMs;
  const cert = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: serialNumber(),
    name: `O=janee, CN=janee local authority ${id.toString("hex").slice(0, 8)}`,
    notBefore: new Date(now - backdatedMs),
    notAfter: new Date(expiresAt),
    signingAlgorithm: curve,
    keys,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
      new x509.Extension("2.5.29.30", true, constraints(loaded, hosts)),
    ],
  });
  return {
    cert: `${cert.toString("pem")}\n`,
    key: await privatePem(keys.privateKey),
    hosts: [...hosts],
    expiresAt,
  };
}

/** Makes certificates for single hosts, all with one key that never leaves this process. */
export class Issuer {
  readonly #library: Library;
  readonly #authority: AuthorityFile;
  readonly #signingKey: CryptoKey;
  readonly #issuer: { readonly name: string; readonly publicKey: CryptoKey };
  readonly #keys: CryptoKeyPair;
  readonly key: string;

  private constructor(
    loaded: Library,
    authority: AuthorityFile,
    signingKey: CryptoKey,
    issuer: { readonly name: string; readonly publicKey: CryptoKey },
    keys: CryptoKeyPair,
    key: string,
  ) {
    this.#library = loaded;
    this.#authority = authority;
    this.#signingKey = signingKey;
    this.#issuer = issuer;
    this.#keys = keys;
    this.key = key;
  }

  static async open(authority: AuthorityFile): Promise<Issuer | Failure> {
    try {
      const loaded = await library();
      const { privateKey, publicKey } = await keysOf(authority.key);
      const name = new loaded.x509.X509Certificate(authority.cert).subject;
      const keys = await crypto.subtle.generateKey(curve, true, ["sign", "verify"]);
      const key = await privatePem(keys.privateKey);
      return new Issuer(loaded, authority, privateKey, { name, publicKey }, keys, key);
    } catch {
      return new Failure("store_refused", "the local certificate authority cannot be read", {
        next: "make a new one: janee ca renew",
      });
    }
  }

  async leaf(host: string, now: number): Promise<string> {
    const { x509 } = this.#library;
    const type = isIP(host) === 0 ? "dns" : "ip";
    const leaf = await x509.X509CertificateGenerator.create({
      serialNumber: serialNumber(),
      // GnuTLS holds a common name to the constraints on names: there is none.
      subject: "O=janee",
      issuer: this.#issuer.name,
      notBefore: new Date(now - backdatedMs),
      notAfter: new Date(Math.min(now + leafLifeMs, this.#authority.expiresAt)),
      signingAlgorithm: curve,
      publicKey: this.#keys.publicKey,
      signingKey: this.#signingKey,
      extensions: [
        new x509.BasicConstraintsExtension(false, undefined, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
        new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
        new x509.SubjectAlternativeNameExtension([{ type, value: host }]),
        await x509.SubjectKeyIdentifierExtension.create(this.#keys.publicKey),
        await x509.AuthorityKeyIdentifierExtension.create(this.#issuer.publicKey),
      ],
    });
    return `${leaf.toString("pem")}\n`;
  }
}

async function keysOf(pem: string): Promise<CryptoKeyPair> {
  const bytes = Buffer.from(pem.replace(/-----[A-Z ]+-----|\s/g, ""), "base64");
  const privateKey = await crypto.subtle.importKey("pkcs8", bytes, curve, true, ["sign"]);
  const { kty, crv, x, y } = await crypto.subtle.exportKey("jwk", privateKey);
  const open = { kty, crv, x, y } as JsonWebKey;
  const publicKey = await crypto.subtle.importKey("jwk", open, curve, true, ["verify"]);
  return { privateKey, publicKey };
}

async function privatePem(key: CryptoKey): Promise<string> {
  const text = Buffer.from(await crypto.subtle.exportKey("pkcs8", key)).toString("base64");
  return `-----BEGIN PRIVATE KEY-----\n${text.replace(/.{1,64}/g, "$&\n")}-----END PRIVATE KEY-----\n`;
}
