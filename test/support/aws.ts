// Judges of AWS signatures: two libraries that sign as AWS's own clients do.
import { createHash, createHmac } from "node:crypto";
import { SignatureV4 } from "@smithy/signature-v4";
import { AwsV4Signer } from "aws4fetch";

export interface Signable {
  readonly method: string;
  /** Whole, as it goes out. */
  readonly url: string;
  /** What is signed beside the host: lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
  readonly region: string;
  readonly service: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string | undefined;
  /** `20150830T123600Z` */
  readonly time: string;
}

/** `headers` hold x-amz-content-sha256. */
export async function byAws4fetch(one: Signable): Promise<string> {
  const { time, sessionToken, body, ...rest } = one;
  const signer = new AwsV4Signer({
    ...{ ...rest, body: new Uint8Array(body) },
    ...(sessionToken === undefined ? {} : { sessionToken }),
    datetime: time,
    allHeaders: true,
  });
  return (await signer.sign()).headers.get("authorization") ?? "";
}

class Sha256 {
  readonly #hash: { update(bytes: Uint8Array | string): unknown; digest(): Buffer };

  constructor(key?: string | ArrayBuffer | ArrayBufferView) {
    const bytes = typeof key === "string" ? key : key && Buffer.from(key as ArrayBuffer);
    this.#hash = bytes === undefined ? createHash("sha256") : createHmac("sha256", bytes);
  }

  update(bytes: Uint8Array | string): void {
    this.#hash.update(bytes);
  }

  async digest(): Promise<Uint8Array> {
    return new Uint8Array(this.#hash.digest());
  }

  reset(): void {
    throw new Error("not used twice");
  }
}

/** The signer of the AWS SDK for JavaScript. */
export async function bySmithy(one: Signable): Promise<string> {
  const url = new URL(one.url);
  const signer = new SignatureV4({
    credentials: {
      accessKeyId: one.accessKeyId,
      secretAccessKey: one.secretAccessKey,
      ...(one.sessionToken === undefined ? {} : { sessionToken: one.sessionToken }),
    },
    ...{ region: one.region, service: one.service, sha256: Sha256 as never },
    uriEscapePath: !one.service.startsWith("s3"),
  });
  const query: Record<string, string[]> = {};
  for (const [name, value] of url.searchParams) query[name] = [...(query[name] ?? []), value];
  const { time } = one;
  const date = `${time.slice(0, 4)}-${time.slice(4, 6)}-${time.slice(6, 11)}:${time.slice(11, 13)}:${time.slice(13)}`;
  const request = {
    ...{ method: one.method, protocol: url.protocol, hostname: url.hostname, path: url.pathname, query },
    headers: { ...one.headers, host: url.host },
    body: one.body,
  };
  const signed = await signer.sign(request, { signingDate: new Date(date) });
  return signed.headers.authorization ?? "";
}
