// A request in which each placeholder has given way to what it stands for. It comes after the rules have judged, and
// before anything is signed.
import type { Admission } from "../admit.ts";
import { wholeBody } from "../bodies.ts";
import type { PlaceholderPlace } from "../config.ts";
import { Failure } from "../failure.ts";
import { mayHoldPlaceholder } from "../placeholder.ts";
import type { Body, HeaderField } from "../ports.ts";
import type { Secret } from "../secret.ts";
import { readTarget, type Target, targetText } from "../target.ts";
import { mayHold as mayHoldIssued, placeholderPattern } from "./issued.ts";

/** What the agent sent: its fields as they came, some of which never go out, and its body. */
export interface Sent {
  readonly fields: readonly HeaderField[];
  readonly body: Body;
  /** What stands for the service's own credential, beside those that it issued. */
  readonly own?: () => Stand | undefined;
}

export interface Stand {
  readonly placeholder: string;
  readonly secret: Secret;
}

export interface Substituted {
  readonly target: Target;
  readonly fields: readonly HeaderField[];
  readonly body: Body;
  /** An Authorization of the agent's own that stands instead of the service's credential. */
  readonly authorization: HeaderField | undefined;
}

export type Resolve = (placeholder: string) => Secret | undefined;

/** undefined: there is no placeholder in it, which is nearly always so. */
export function substitute(
  admission: Admission,
  sent: Sent,
  resolve: Resolve,
): Substituted | Failure | undefined {
  const { service, target } = admission;
  let stand: Stand | undefined;
  const mayHold = (text: string): boolean => {
    if (mayHoldIssued(text)) return true;
    if (!sent.own || !mayHoldPlaceholder(text)) return false;
    stand ??= sent.own();
    return stand !== undefined && text.includes(stand.placeholder);
  };
  const authorization = sent.fields.find(({ key, value }) => key === "authorization" && mayHoldIssued(value));
  const inFields = authorization !== undefined || admission.fields.some(({ value }) => mayHold(value));
  const inTarget = mayHold(target.path) || (target.query !== undefined && mayHold(target.query));
  const bytes =
    service.placeholders.includes("body") && sent.body.kind === "whole" ? sent.body.bytes : undefined;
  const text = bytes?.toString("latin1");
  const inBody = text !== undefined && mayHold(text);
  if (!inFields && !inTarget && !inBody) return undefined;

  stand ??= sent.own?.();
  const swap = new Swap(service.placeholders, resolve, stand);
  const path = swap.text("path", target.path, encodeURIComponent);
  const query = target.query === undefined ? undefined : swap.text("query", target.query, encodeURIComponent);
  const fieldOf = (field: HeaderField): HeaderField => ({
    ...field,
    value: swap.text("header", field.value, same),
  });
  const fields = admission.fields.map(fieldOf);
  const own = authorization && fieldOf(authorization);
  const encode = encoderFor(admission.fields);
  const body = inBody
    ? wholeBody(
        Buffer.from(
          swap.text("body", text, (value) => latin1Of(encode(value))),
          "latin1",
        ),
      )
    : sent.body;
  const refused = swap.failure ?? refusePath(admission, { path, query });
  return refused ?? { target: { path, query }, fields, body, authorization: own };
}

class Swap {
  readonly #places: readonly PlaceholderPlace[];
  readonly #resolve: Resolve;
  readonly #stand: Stand | undefined;
  failure: Failure | undefined;

  constructor(places: readonly PlaceholderPlace[], resolve: Resolve, stand: Stand | undefined) {
    this.#places = places;
    this.#resolve = resolve;
    this.#stand = stand;
  }

  text(place: PlaceholderPlace, text: string, encode: (value: string) => string): string {
    const stand = this.#stand;
    const issued = mayHoldIssued(text)
      ? text.replace(placeholderPattern, this.#replacement(place, this.#resolve, encode))
      : text;
    if (!stand || !issued.includes(stand.placeholder)) return issued;
    return issued.replaceAll(
      stand.placeholder,
      this.#replacement(place, () => stand.secret, encode),
    );
  }

  #replacement(
    place: PlaceholderPlace,
    resolve: Resolve,
    encode: (value: string) => string,
  ): (placeholder: string) => string {
    return (placeholder) => {
      const secret = resolve(placeholder);
      const isPlace = this.#places.includes(place);
      // What a service says could end the header and begin another.
      const fits = secret && (place !== "header" || headerValue.test(secret.reveal()));
      if (fits && isPlace) return encode(secret.reveal());
      this.failure ??= !secret ? unknown() : isPlace ? unfit(place) : misplaced(place, this.#places);
      return placeholder;
    };
  }
}

const headerValue = /^[\t\x20-\x7e]+$/;

function unfit(place: PlaceholderPlace): Failure {
  return new Failure(
    "placeholder_misplaced",
    `what this placeholder stands for cannot be part of a ${place}`,
  );
}

function unknown(): Failure {
  return new Failure("placeholder_unknown", "a placeholder stands for nothing here", {
    next: "it is good only in the session that got it, at the service that issued it, while that session lives",
  });
}

function misplaced(place: PlaceholderPlace, places: readonly PlaceholderPlace[]): Failure {
  return new Failure(
    "placeholder_misplaced",
    `this service takes no placeholder in the ${place} of a request`,
    {
      next: `send it in the ${places.join(" or the ")}, or ask the person to allow "placeholders: [${place}]"`,
    },
  );
}

/** The rules have judged the path with the placeholder in it: what takes its place must change nothing about that. */
function refusePath(admission: Admission, target: Target): Failure | undefined {
  const { capability, method, decision, service } = admission;
  if (target.path === admission.target.path) return undefined;
  const read = readTarget(targetText(target), { allowEmptySegments: service.allowEmptySegments });
  const isSame = !(read instanceof Failure) && read.path === target.path;
  const again = isSame && capability.rules.decide(method, target.path);
  if (again && again.effect === decision.effect && again.rule?.text === decision.rule?.text) return undefined;
  return unfit("path");
}

function encoderFor(fields: readonly HeaderField[]): (value: string) => string {
  const type = fields.find(({ key }) => key === "content-type")?.value.toLowerCase() ?? "";
  if (/[/+]json\b/.test(type)) return (value) => JSON.stringify(value).slice(1, -1);
  return type.startsWith("application/x-www-form-urlencoded") ? encodeURIComponent : same;
}

function same(value: string): string {
  return value;
}

function latin1Of(text: string): string {
  return Buffer.from(text, "utf8").toString("latin1");
}
