/** name as it came; key = name in lower case; value = one char a byte (latin1), outer SP/HTAB trimmed */
export interface Field {
  readonly name: string;
  readonly key: string;
  readonly value: string;
}

/** How the end of a body is known. `close` occurs in responses only. */
export type Framing =
  | { readonly kind: "none" }
  | { readonly kind: "length"; readonly length: number }
  | { readonly kind: "chunked" }
  | { readonly kind: "close" };

export type MalformedCode =
  | "bad_request_line"
  | "bad_method"
  | "bad_version"
  | "target_absolute_form"
  | "target_asterisk"
  | "target_authority_form"
  | "target_non_ascii"
  | "bad_header_name"
  | "bad_header_value"
  | "duplicate_header"
  | "bad_host"
  | "bad_framing"
  | "bad_expect"
  | "headers_too_large"
  | "bad_chunk"
  | "bad_trailer"
  | "bad_body"
  | "bad_status_line";

/** A value, never thrown. The message never quotes what came: that may hold a secret. */
export class Malformed {
  readonly code: MalformedCode;
  readonly message: string;
  constructor(code: MalformedCode, message: string) {
    this.code = code;
    this.message = message;
  }
}

export interface HeadLimits {
  readonly bytes: number;
  readonly fields: number;
}

export const defaultHeadLimits: HeadLimits = { bytes: 32 * 1024, fields: 100 };

export const noBody: Framing = { kind: "none" };
export const chunkedBody: Framing = { kind: "chunked" };
export const untilClose: Framing = { kind: "close" };

export function field(name: string, value: string): Field {
  return { name, key: name.toLowerCase(), value };
}

export function contentLength(bytes: number): Field {
  return { name: "Content-Length", key: "content-length", value: String(bytes) };
}
