// What stands for a key in an agent's hands: it looks like one of the vendor's, opens nothing, and belongs to one owner
// and one service. Any janee of the same home can tell whose it is, and any janee that it is one.
import type { PlaceholderPlace, Service } from "./config.ts";
import { schemeOf } from "./credential/index.ts";
import { Failure } from "./failure.ts";
import type { Digest, HeaderField } from "./ports.ts";
import { Recent } from "./recent.ts";
import { fillExample } from "./services/shape.ts";

const mark = "janee";
const mostKnown = 1024;
const randomLength = 23;
const checkLength = 4;
const bodyLength = mark.length + randomLength + checkLength;
const base62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const bodyPattern = /^janee[0-9A-Za-z]{27}$/;

/** What stands around the part that makes a placeholder known as one; gaps as in the directory's examples. */
export interface Shape {
  readonly before: string;
  readonly behind: string;
}

/** `length`: of that part. */
export type ShapeOf = (service: Service, length: number) => Shape;

const plainShape: ShapeOf = () => ({ before: "", behind: "" });

export class Placeholders {
  readonly #digest: Digest;
  readonly #key: () => Uint8Array;
  readonly #shapeOf: ShapeOf;
  readonly #made = new Recent<string>(mostKnown);

  /** `shapeOf`: where placeholders are handed out. To know one again, no vendor's shape is needed. */
  constructor(digest: Digest, key: () => Uint8Array, shapeOf: ShapeOf = plainShape) {
    this.#digest = digest;
    this.#key = key;
    this.#shapeOf = shapeOf;
  }

  /** The same for the same owner and service, each time and in each process of the home. */
  of(owner: string, service: Service): string {
    const place = `${owner} ${service.name} ${service.base?.text ?? ""}`;
    const known = this.#made.get(place) ?? this.#make(owner, service);
    this.#made.set(place, known);
    return known;
  }

  #make(owner: string, service: Service): string {
    const text = `${owner} ${service.name}`;
    const { before, behind } = this.#shapeOf(service, bodyLength);
    const body = `${mark}${letters(this.#digest.hmac(this.#key(), text), randomLength)}`;
    const rest = this.#picker(`${text} rest`);
    return `${fillExample(before, rest)}${body}${this.#check(body)}${fillExample(behind, rest)}`;
  }

  #picker(text: string): (below: number) => number {
    const bytes = Buffer.from(this.#digest.hmac(this.#key(), text), "base64url");
    let at = 0;
    return (below) => (bytes[at++ % bytes.length] ?? 0) % below;
  }

  #check(text: string): string {
    return letters(this.#digest.sha256(`placeholder ${text}`), checkLength);
  }

  /** The middle part of each placeholder in a text, whoever it was made for. */
  in(text: string): string[] {
    const found: string[] = [];
    for (let at = text.indexOf(mark); at >= 0; at = text.indexOf(mark, at + 1)) {
      const body = text.slice(at, at + bodyLength);
      if (bodyPattern.test(body) && this.#check(body.slice(0, -checkLength)) === body.slice(-checkLength)) {
        found.push(body);
      }
    }
    return found;
  }
}

/** As base62, from the bytes of a digest; the bias of a byte over 62 letters is of no use to anyone here. */
function letters(digest: string, count: number): string {
  const bytes = Buffer.from(digest, "base64url");
  let text = "";
  for (let at = 0; at < count; at += 1) text += base62[(bytes[at % bytes.length] ?? 0) % base62.length];
  return text;
}

/** A quick look that spares all others: what cannot hold a placeholder. */
export function mayHoldPlaceholder(text: string): boolean {
  return text.includes(mark);
}

/** What a check of a request needs to know of it. */
export interface Carrying {
  readonly owner: string;
  readonly service: Service;
  readonly services: Iterable<Service>;
  readonly target: string;
  readonly fields: readonly HeaderField[];
}

/** A placeholder where it does not belong. */
export interface Strayed {
  readonly failure: Failure;
  /** It is not this service's own: someone tries to use it where it was not given. */
  readonly isAlarm: boolean;
}

/** Values as a server would read them: a Basic credential is base64. */
function readings(value: string): string[] {
  const [, encoded] = /^basic +([A-Za-z0-9+/_-]+=*)\s*$/i.exec(value) ?? [];
  return encoded === undefined ? [value] : [value, Buffer.from(encoded, "base64").toString("latin1")];
}

/**
 * Whether every placeholder of a request is of this owner and this service, and stands where it will be replaced or
 * taken off. The others never go out.
 */
export function checkPlaceholders(placeholders: Placeholders, carrying: Carrying): Strayed | undefined {
  const { fields, target, service } = carrying;
  const end = target.indexOf("?");
  const path = end < 0 ? target : target.slice(0, end);
  const query = end < 0 ? "" : target.slice(end + 1);
  const scheme = schemeOf(service.auth.type);
  const ownHeaders = new Set(["authorization", "x-api-key", ...scheme.headerNames(service.auth)]);
  for (const { key, value } of fields) {
    if (!value.includes(mark) && !/^basic /i.test(value)) continue;
    for (const reading of readings(value)) {
      for (const body of placeholders.in(reading)) {
        const allowed = ownHeaders.has(key) || declared(service, "header");
        const problem = judge(placeholders, carrying, body, allowed, `the header "${key}"`);
        if (problem) return problem;
      }
    }
  }
  for (const body of placeholders.in(path)) {
    const problem = judge(placeholders, carrying, body, declared(service, "path"), "the path");
    if (problem) return problem;
  }
  return checkQuery(placeholders, carrying, query, scheme.queryNames(service.auth));
}

function checkQuery(
  placeholders: Placeholders,
  carrying: Carrying,
  query: string,
  own: readonly string[],
): Strayed | undefined {
  if (!query.includes(mark)) return undefined;
  const inQuery = declared(carrying.service, "query");
  for (const part of query.split(/[&;]/)) {
    const [name = ""] = part.split("=", 1);
    for (const body of placeholders.in(part)) {
      const problem = judge(placeholders, carrying, body, inQuery || own.includes(name), "the query");
      if (problem) return problem;
    }
  }
  return undefined;
}

function judge(
  placeholders: Placeholders,
  { owner, service, services }: Carrying,
  body: string,
  allowed: boolean,
  where: string,
): Strayed | undefined {
  if (placeholders.of(owner, service).includes(body)) {
    if (allowed) return undefined;
    const message = `the placeholder of "${service.name}" stands in ${where}`;
    const next =
      "send it where the API key belongs; a person can declare further places with placeholders: [header, query, path, body]";
    return { failure: new Failure("placeholder_misplaced", message, { next }), isAlarm: false };
  }
  for (const other of services) {
    if (!placeholders.of(owner, other).includes(body)) continue;
    const message = `the placeholder of "${other.name}" was sent to "${service.name}"`;
    const next = `send it to "${other.name}" alone`;
    return { failure: new Failure("placeholder_misplaced", message, { next }), isAlarm: true };
  }
  const message = `a placeholder that is not of this session stands in ${where}`;
  const next = "use the one of this session, from the environment";
  return { failure: new Failure("placeholder_unknown", message, { next }), isAlarm: true };
}

function declared({ placeholders }: Service, place: PlaceholderPlace): boolean {
  return placeholders.includes(place);
}
