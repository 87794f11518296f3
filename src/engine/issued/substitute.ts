// A request in which each placeholder has given way to what it stands for. It comes after the rules have judged, and
// before anything is signed.
import { type Admission, refuseOverride, withoutParameters } from "../admit.ts";
import { wholeBody } from "../bodies.ts";
import type { PlaceholderPlace } from "../config.ts";
import { schemeOf } from "../credential/index.ts";
import { isMade } from "../credential/scheme.ts";
import { Failure } from "../failure.ts";
import { mayHoldPlaceholder } from "../placeholder.ts";
import type { Body, HeaderField } from "../ports.ts";
import { contentTypes, saysForm } from "../read-first.ts";
import type { Secret } from "../secret.ts";
import { readTarget, type Target, targetText } from "../target.ts";
import { holdsPlaceholder, mayHold as mayHoldIssued, placeholderPattern } from "./issued.ts";

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
  const authorization = sent.fields.find(
    ({ key, value }) => key === "authorization" && holdsPlaceholder(value),
  );
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
  const changed = { target: { path, query }, fields, body };
  const refused = swap.failure ?? refuseOwn(authorization) ?? refuseChange(admission, sent, changed);
  return refused ?? { ...changed, authorization: own };
}

class Swap {
  readonly #places: readonly PlaceholderPlace[];
  readonly #resolve: Resolve;
  readonly #stand: Stand | undefined;
  #count = 0;
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
      this.#count += 1;
      if (this.#count > mostOfRequest) this.failure ??= tooMany();
      if (this.failure) return placeholder;
      const secret = resolve(placeholder);
      const isPlace = this.#places.includes(place);
      const fits = secret && fitsInto(place, secret.reveal());
      if (fits && isPlace) return encode(secret.reveal());
      this.failure ??= !secret ? unknown() : isPlace ? unfit(place) : misplaced(place, this.#places);
      return placeholder;
    };
  }
}

/** A few bytes stand for many: what an agent sends must not grow without bound. */
const mostOfRequest = 100;
const headerValue = /^[\t\x20-\x7e]+$/;

/** What a service says could end the header and begin another, or be half of a character. */
function fitsInto(place: PlaceholderPlace, value: string): boolean {
  return place === "header" ? headerValue.test(value) : !/\p{Surrogate}/u.test(value);
}

function tooMany(): Failure {
  return new Failure("placeholder_misplaced", `a request takes up to ${mostOfRequest} placeholders`);
}

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

const ownAuthorization = /^(?:[!#$%&'*+.^_`|~0-9A-Za-z-]+ +)?jnc_[0-9a-f]{48}$/;

/** Beside the placeholder an agent could say who it is by a credential of its own, which is janee's to say. */
function refuseOwn(authorization: HeaderField | undefined): Failure | undefined {
  if (!authorization || ownAuthorization.test(authorization.value)) return undefined;
  return new Failure(
    "placeholder_misplaced",
    "beside a placeholder there is something else in the Authorization of this request",
    { next: "send a scheme and the placeholder alone, such as Bearer jnc_…" },
  );
}

/** The rules have judged the request with placeholders in it: what takes their place must change nothing about that. */
function refuseChange(
  admission: Admission,
  sent: Sent,
  changed: Pick<Substituted, "target" | "fields" | "body">,
): Failure | undefined {
  const { capability, method, service } = admission;
  const { target, fields, body } = changed;
  // Whether a body is a form that can name another method was decided by the type as it came.
  const replaced = (type: string): boolean => mayHoldIssued(type) || mayHoldPlaceholder(type);
  if (contentTypes(admission.fields).some(replaced)) return unfit("header");
  const form = saysForm(sent.fields) && body.kind === "whole" ? body.bytes.toString("latin1") : undefined;
  const overridden = refuseOverride(capability.rules, method, target, form);
  if (overridden) return overridden;
  const scheme = schemeOf(service.auth.type);
  if (withoutParameters(target, scheme.queryNames(service.auth)) !== target) return unfit("query");
  const unsignable = isMade(scheme) ? scheme.refuse?.(service, target, fields) : undefined;
  return unsignable ?? refusePath(admission, target);
}

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
