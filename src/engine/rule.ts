// `allow`, `deny` or `ask`, then `*` or `METHOD PATH`. Top to bottom, the first match wins;
// with rules and no match: denied.
import { Failure } from "./failure.ts";
import { caseForms, decodeLoosely, readTarget, spellings } from "./target.ts";

export type Effect = "allow" | "deny" | "ask";
export const effects: readonly Effect[] = ["allow", "deny", "ask"];

export interface Rule {
  readonly effect: Effect;
  /** `*` or a method in upper case. */
  readonly method: string;
  /** As written: `*`, or a path in which `*` is any run of characters and `{name}` one segment. */
  readonly path: string;
  /** The whole rule as the config shows it: `allow: GET /v1/*`. */
  readonly text: string;
  readonly matches: (path: string) => boolean;
  /** The first segments that a path, or one of its spellings, must have; undefined: any. */
  readonly firsts: readonly string[] | undefined;
}

export interface Decision {
  readonly effect: Effect;
  /** Absent when no rule matched, or when there are no rules at all. */
  readonly rule?: Rule;
}

export const sendableMethods: readonly string[] = [
  ...["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"],
  ...["PROPFIND", "PROPPATCH", "MKCOL", "COPY", "MOVE", "LOCK", "UNLOCK", "SEARCH", "REPORT", "QUERY"],
];
const sendable = new Set(sendableMethods);
const neverSent = new Set(["TRACE", "CONNECT"]);

export function isSendable(method: string): boolean {
  return sendable.has(method);
}

export function parseRule(effect: Effect, written: string): Rule | Failure {
  const text = `${effect}: ${written}`;
  if (written === "*") {
    return { effect, method: "*", path: "*", text: `${effect}: "*"`, matches: () => true, firsts: undefined };
  }
  const [method, path, ...more] = written.split(" ");
  if (!method || !path || more.length > 0) {
    return invalid(effect, 'expected "*", or one method, one space and one path, such as "GET /v1/*"');
  }
  const upper = method.toUpperCase();
  if (neverSent.has(upper)) return invalid(effect, `${upper} is never sent, so no rule can name it`);
  if (upper !== "*" && !sendable.has(upper)) {
    return invalid(effect, `expected "*" or a method such as ${sendableMethods.slice(0, 7).join(", ")}`);
  }
  const problem = path === "*" ? undefined : problemInPath(path);
  if (problem) return invalid(effect, problem);
  const matches = effect === "allow" ? matcher(path, strictSegment) : anySpellingMatcher(path);
  const firsts = firstSegments(effect === "allow" ? [path] : [path, ...foldedForms(path)]);
  return { effect, method: upper, path, text, matches, firsts };
}

/** Not the rule itself: whatever stands in its place by mistake may be a credential. */
function invalid(effect: Effect, expected: string): Failure {
  return new Failure("config_invalid_rule", `this "${effect}" rule does not parse: ${expected}`);
}

function problemInPath(path: string): string | undefined {
  if (!path.startsWith("/")) return 'a path begins with "/"';
  if (/[?#]/.test(path)) return "the query is not matched, so a rule cannot hold ? or #";
  if (/[[\]]/.test(path)) return 'there are no character classes: use "*" or "{name}"';
  const example = path.replace(/(^|\/)\{[A-Za-z_][A-Za-z0-9_]*\}(?=\/|$)/g, "$1x");
  if (/[{}]/.test(example)) return "{name} stands for one whole segment, such as /repos/{owner}/{repo}";
  const target = readTarget(example, { allowEmptySegments: true });
  if (target instanceof Failure) return `no request could match this path (${target.message})`;
  if (target.path === example) return undefined;
  return "no request could match this path: write plain characters as they are, others as escapes in upper case";
}

/** The first segment of each pattern, where it is literal and whole in all of them. */
function firstSegments(patterns: readonly string[]): readonly string[] | undefined {
  const firsts = patterns.map((pattern) => {
    const first = firstSegment(pattern);
    return !pattern.startsWith("/") || /[*{]/.test(first) ? undefined : first;
  });
  return firsts.every((first) => first !== undefined) ? firsts : undefined;
}

function firstSegment(path: string): string {
  const end = path.indexOf("/", 1);
  return end < 0 ? path.slice(1) : path.slice(1, end);
}

const anySegment = /\{[A-Za-z_][A-Za-z0-9_]*\}/;

/** What `{name}` stands for under `allow`: what no server can take for more than one segment. */
const strictSegment = "(?:(?!%2[Ff])[^/;])+";
/** Under `deny` and `ask`: also what a server may take for one, such as `group%2Fproject`. */
const looseSegment = "[^/]+";

function matcher(path: string, segment: string): (text: string) => boolean {
  if (path === "*") return () => true;
  if (anySegment.test(path)) return segmentMatcher(path, segment);
  if (!path.includes("*")) return (text) => text === path;
  return globMatcher(path.split("*"));
}

/** Greedy search for each literal in turn: linear, whatever the number of stars. */
export function globMatcher(literals: readonly string[]): (text: string) => boolean {
  const first = literals[0] ?? "";
  const last = literals.at(-1) ?? "";
  const inner = literals.slice(1, -1).filter((literal) => literal !== "");
  return (text) => {
    if (text.length < first.length + last.length || !text.startsWith(first)) return false;
    const limit = text.length - last.length;
    let from = first.length;
    for (const literal of inner) {
      const found = text.indexOf(literal, from);
      if (found < 0 || found + literal.length > limit) return false;
      from = found + literal.length;
    }
    return from <= limit && text.endsWith(last);
  };
}

/** `{name}` is exactly one segment; the stars between are searched as in a glob. */
function segmentMatcher(path: string, segment: string): (text: string) => boolean {
  const pieces = path.split("*").map((piece) => segmentPattern(piece, segment));
  const first = new RegExp(`^${pieces[0] ?? ""}${pieces.length === 1 ? "$" : ""}`);
  if (pieces.length === 1) return (text) => first.test(text);
  const inner = pieces.slice(1, -1).map((piece) => new RegExp(piece, "g"));
  const last = new RegExp(`${pieces.at(-1) ?? ""}$`, "g");
  return (text) => {
    const start = first.exec(text);
    if (!start) return false;
    let from = start[0].length;
    for (const pattern of inner) {
      pattern.lastIndex = from;
      if (!pattern.exec(text)) return false;
      from = pattern.lastIndex;
    }
    last.lastIndex = from;
    return last.test(text);
  };
}

function segmentPattern(piece: string, segment: string): string {
  const literals = piece.split(new RegExp(anySegment, "g"));
  return literals.map((text) => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")).join(segment);
}

/** The pattern as the spellings of a path are compared with it. */
function foldedForms(path: string): readonly string[] {
  const decoded = decodeLoosely(path);
  return [...new Set([decoded, decoded.toLowerCase().normalize("NFKC")].flatMap(caseForms))];
}

function anySpellingMatcher(path: string): (text: string) => boolean {
  const exact = matcher(path, looseSegment);
  const spelled = foldedForms(path).map((form) => matcher(form, looseSegment));
  return (text) => exact(text) || spellingsOf(text).some((one) => spelled.some((matches) => matches(one)));
}

let lastPath = "";
let lastSpellings: readonly string[] = [];

/** One path is judged by many rules in a row. */
function spellingsOf(path: string): readonly string[] {
  if (path === lastPath) return lastSpellings;
  lastSpellings = spellings(path);
  lastPath = path;
  return lastSpellings;
}

interface Placed {
  readonly place: number;
  readonly rule: Rule;
}

/** The rules of one method by the first segment of the path, so that a request meets only those that it may match. */
class Shelf {
  readonly #anywhere: Placed[] = [];
  readonly #byFirst = new Map<string, Placed[]>();
  readonly #spelt: boolean;

  constructor(rules: readonly Rule[]) {
    this.#spelt = rules.some(({ effect, firsts }) => effect !== "allow" && firsts !== undefined);
    for (const [place, rule] of rules.entries()) {
      if (!rule.firsts) this.#anywhere.push({ place, rule });
      else for (const first of new Set(rule.firsts)) this.#at(first).push({ place, rule });
    }
  }

  #at(first: string): Placed[] {
    const placed = this.#byFirst.get(first) ?? [];
    this.#byFirst.set(first, placed);
    return placed;
  }

  /** In the order of the config. */
  candidates(path: string): readonly Placed[] {
    const own = this.#byFirst.get(firstSegment(path));
    if (!this.#spelt) return own ? inOrder(this.#anywhere.concat(own)) : this.#anywhere;
    const firsts = new Set([firstSegment(path)]);
    for (const form of spellingsOf(path)) firsts.add(firstSegment(form));
    const found = [...this.#anywhere];
    for (const first of firsts) found.push(...(this.#byFirst.get(first) ?? []));
    return inOrder(found);
  }
}

function inOrder(found: Placed[]): Placed[] {
  return found.length < 2 ? found : found.sort((one, other) => one.place - other.place);
}

/** Rules of one capability, ready to decide: sorted by method once, so that a request meets only its own. */
export class RuleList {
  readonly rules: readonly Rule[] | undefined;
  readonly #byMethod = new Map<string, Shelf>();

  /** `undefined`: the whole service is open to the capability; an empty list: nothing is. */
  constructor(rules: readonly Rule[] | undefined) {
    this.rules = rules;
    for (const method of sendableMethods) {
      this.#byMethod.set(method, new Shelf((rules ?? []).filter((rule) => covers(rule, method))));
    }
  }

  get unrestricted(): boolean {
    return this.rules === undefined;
  }

  decide(method: string, path: string): Decision {
    if (!sendable.has(method)) return { effect: "deny" };
    if (this.rules === undefined) return { effect: "allow" };
    for (const { rule } of this.#byMethod.get(method)?.candidates(path) ?? []) {
      if (rule.matches(path)) return { effect: rule.effect, rule };
    }
    return { effect: "deny" };
  }
}

/** `GET` covers `HEAD`, which returns less of the same (RFC 9110 section 9.3.2). */
function covers(rule: Rule, method: string): boolean {
  return rule.method === "*" || rule.method === method || (rule.method === "GET" && method === "HEAD");
}
