// X.509 (RFC 5280), loaded only when a certificate is made: it costs a start-up some ten milliseconds.
import { createPrivateKey, type KeyObject, sign } from "node:crypto";
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

function serialNumber(): Uint8Array {
  const bytes = entropy.bytes(16);
  bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x40;
  return bytes;
}

/** These bytes alone: what lies behind a Buffer is shared with others. */
function alone(bytes: Uint8Array): ArrayBuffer {
  return new Uint8Array(bytes).buffer;
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
    serialNumber: Buffer.from(serialNumber()).toString("hex"),
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
  readonly #signingKey: KeyObject;
  readonly #pattern: Pattern;
  readonly key: string;

  private constructor(
    loaded: Library,
    authority: AuthorityFile,
    signingKey: KeyObject,
    pattern: Pattern,
    key: string,
  ) {
    this.#library = loaded;
    this.#authority = authority;
    this.#signingKey = signingKey;
    this.#pattern = pattern;
    this.key = key;
  }

  static async open(authority: AuthorityFile): Promise<Issuer | Failure> {
    try {
      const loaded = await library();
      const issuer = await keysOf(authority.key);
      const keys = await crypto.subtle.generateKey(curve, true, ["sign", "verify"]);
      const key = await privatePem(keys.privateKey);
      const name = new loaded.x509.X509Certificate(authority.cert).subject;
      const pattern = await patternOf(loaded, { name, keys: issuer }, keys.publicKey);
      return new Issuer(loaded, authority, createPrivateKey(authority.key), pattern, key);
    } catch {
      return new Failure("store_refused", "the local certificate authority cannot be read", {
        next: "make a new one: janee ca renew",
      });
    }
  }

  leaf(host: string, now: number): string {
    const { asn1, schema } = this.#library;
    const { serialize } = schema.AsnConvert;
    const { tbsCertificate: pattern, signatureAlgorithm } = this.#pattern;
    const name = isIP(host) === 0 ? { dNSName: host } : { iPAddress: host };
    const names = new asn1.SubjectAlternativeName([new asn1.GeneralName(name)]);
    const own = new asn1.Extension({
      extnID: asn1.id_ce_subjectAltName,
      extnValue: new schema.OctetString(serialize(names)),
    });
    const tbsCertificate = new asn1.TBSCertificate({
      ...pattern,
      serialNumber: alone(serialNumber()),
      validity: new asn1.Validity({
        notBefore: new Date(now - backdatedMs),
        notAfter: new Date(Math.min(now + leafLifeMs, this.#authority.expiresAt)),
      }),
      extensions: new asn1.Extensions([...(pattern.extensions ?? []), own]),
    });
    const signature = sign("sha256", Buffer.from(serialize(tbsCertificate)), this.#signingKey);
    const leaf = new asn1.Certificate({
      ...{ tbsCertificate, signatureAlgorithm },
      signatureValue: alone(signature),
    });
    return pemOf("CERTIFICATE", Buffer.from(serialize(leaf)));
  }
}

type Pattern = InstanceType<Library["asn1"]["Certificate"]>;

/** All that the certificates of hosts have in common: to make it takes ten times as long as to fill it in. */
async function patternOf(
  { x509, asn1, schema }: Library,
  issuer: { readonly name: string; readonly keys: CryptoKeyPair },
  publicKey: CryptoKey,
): Promise<Pattern> {
  const pattern = await x509.X509CertificateGenerator.create({
    // GnuTLS holds a common name to the constraints on names: there is none.
    subject: "O=janee",
    issuer: issuer.name,
    signingAlgorithm: curve,
    publicKey,
    signingKey: issuer.keys.privateKey,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
      await x509.SubjectKeyIdentifierExtension.create(publicKey),
      await x509.AuthorityKeyIdentifierExtension.create(issuer.keys.publicKey),
    ],
  });
  return schema.AsnConvert.parse(pattern.rawData, asn1.Certificate);
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
  return pemOf("PRIVATE KEY", Buffer.from(await crypto.subtle.exportKey("pkcs8", key)));
}

function pemOf(label: string, bytes: Buffer): string {
  const text = bytes.toString("base64").replace(/.{1,64}/g, "$&\n");
  return `-----BEGIN ${label}-----\n${text}-----END ${label}-----\n`;
}
