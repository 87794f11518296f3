// What is signed of a request and where the signature goes, as a config or a preset says it.
import type { HashName } from "../ports.ts";

type Pairs = readonly (readonly [name: string, text: string])[];

export interface Template {
  /** Pieces in braces and other text; `\n` is a line feed. */
  readonly sign: string;
  readonly algorithm: HashName;
  readonly encoding: string;
  readonly secretEncoding: string;
  readonly timestamp: string;
  /** Milliseconds for which the service takes the signature. */
  readonly recvWindow: string | undefined;
  readonly headers: Pairs;
  /** In the query. One with `{signature}` in it is not signed, and stands behind all others. */
  readonly params: Pairs;
}

/** Of the request, of the credential, and what janee makes for each request. */
const ofRequest = ["method", "host", "path", "query", "target", "body", "bodyHash"];
const made = ["timestamp", "nonce", "recvWindow", "key", "passphrase"];
export const signPieces: readonly string[] = [...made, ...ofRequest];
const sentPieces: readonly string[] = [...made, "signature"];

export const algorithms: readonly HashName[] = ["sha256", "sha512", "sha1", "md5"];
export const encodings: readonly string[] = ["hex", "base64"];
export const secretEncodings: readonly string[] = ["text", "base64", "hex"];
export const timestamps: readonly string[] = ["ms", "s", "iso"];

const piece = /\{([A-Za-z]+)\}/g;

export function piecesOf(text: string): string[] {
  return [...text.matchAll(piece)].map(([, name]) => name ?? "");
}

export function everyPiece({ sign, headers, params }: Template): Set<string> {
  return new Set([sign, ...[...headers, ...params].map(([, text]) => text)].flatMap(piecesOf));
}

export function filled(text: string, values: ReadonlyMap<string, string>): string {
  return text.replace(piece, (_, name: string) => values.get(name) ?? "");
}

/** The template's own words, in which `\n` is a line feed, between the names of its pieces. */
export function partsOf(sign: string): readonly ({ readonly text: string } | { readonly piece: string })[] {
  return sign
    .split(/(\{[A-Za-z]+\})/)
    .filter((part) => part !== "")
    .map((part) =>
      /^\{[A-Za-z]+\}$/.test(part) ? { piece: part.slice(1, -1) } : { text: part.replaceAll("\\n", "\n") },
    );
}

export function problemInPieces(text: string, known: readonly string[]): string | undefined {
  const strange =
    piecesOf(text).some((name) => !known.includes(name)) || /[{}]/.test(text.replace(piece, ""));
  return strange ? `expected pieces of ${known.map((name) => `{${name}}`).join(" ")}` : undefined;
}

const notForSignatures =
  /^(?:host|content-.*|transfer-encoding|connection|keep-alive|te|trailer|upgrade|expect|accept-encoding|proxy-.*|http2-.*)$/i;

export function problemInHeader(pair: string): string | undefined {
  const [name = ""] = pair.split("=", 1);
  if (!/^[!#$%&'*+.^_`|~0-9A-Za-z-]+=/.test(pair)) return "expected Name=text for each header";
  if (notForSignatures.test(name)) return "a signature cannot go into this header";
  return problemInSent(pair);
}

export function problemInParam(pair: string): string | undefined {
  return /^[A-Za-z0-9._~-]+=/.test(pair) ? problemInSent(pair) : "expected name=text for each parameter";
}

function problemInSent(pair: string): string | undefined {
  if (/[^\x20-\x7e]/.test(pair)) return "a character that no header can hold";
  return problemInPieces(pair.slice(pair.indexOf("=") + 1), sentPieces);
}

/** `Name=text,Other=text` as the config's maps are kept. */
export function pairsOf(text: string | undefined): Pairs {
  return (text ?? "")
    .split(",")
    .filter((pair) => pair !== "")
    .map((pair) => {
      const equals = pair.indexOf("=");
      return [pair.slice(0, equals), pair.slice(equals + 1)] as const;
    });
}
