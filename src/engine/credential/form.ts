// Parameters as queries and forms write them (application/x-www-form-urlencoded), for schemes that sign them.
import { wholeBody } from "../bodies.ts";
import type { Body, HeaderField } from "../ports.ts";
import type { Wrapped } from "./scheme.ts";

const formType = /^\s*application\/x-www-form-urlencoded/i;

export function isForm(fields: readonly HeaderField[]): boolean {
  return fields.some(({ key, value }) => key === "content-type" && formType.test(value));
}

/** The parameters of a form that was read whole. */
export function formText(fields: readonly HeaderField[], body: Body): string | undefined {
  return body.kind === "whole" && isForm(fields) ? body.bytes.toString("latin1") : undefined;
}

/** Bytes as characters of latin1, so that what is no UTF-8 is kept. */
export function decodedPairs(text: string | undefined): [name: string, value: string][] {
  return (text ?? "")
    .split("&")
    .filter((part) => part !== "")
    .map((part) => {
      const equals = part.indexOf("=");
      if (equals < 0) return [decoded(part), ""];
      return [decoded(part.slice(0, equals)), decoded(part.slice(equals + 1))];
    });
}

function decoded(text: string): string {
  return text
    .replaceAll("+", " ")
    .replace(/%([0-9A-Fa-f]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}

/** What an agent's own library has signed is in its form too, where janee's own stands in the query or a header. */
export function withoutFormFields(
  { fields, body }: Wrapped,
  names: readonly string[],
): { readonly fields: readonly HeaderField[]; readonly body: Body } | undefined {
  const text = formText(fields, body);
  if (text === undefined) return undefined;
  const owned = new Set(names.map((name) => name.toLowerCase()));
  const parts = text.split("&");
  const kept = parts.filter((part) => {
    const [name = ""] = part.split("=", 1);
    return !owned.has(decoded(name).trim().toLowerCase());
  });
  if (kept.length === parts.length) return undefined;
  return { fields, body: wholeBody(Buffer.from(kept.join("&"), "latin1")) };
}
