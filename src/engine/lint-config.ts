// What is allowed in a config and still worth a second look. Each finding is certain, never a guess.
import type { Capability, Config } from "./config.ts";
import type { Finding } from "./config-place.ts";
import { lintExec } from "./exec/lint.ts";
import type { Position } from "./failure.ts";
import type { Rule } from "./rule.ts";
import { decodeLoosely } from "./target.ts";

/** `places` gives each rule's position, as `readConfig` found it. */
export function lintConfig(
  config: Config,
  places: ReadonlyMap<string, readonly Position[]> = new Map(),
  argsPlaces: ReadonlyMap<string, ReadonlyMap<string, readonly Position[]>> = new Map(),
): readonly Finding[] {
  const capabilities = [...config.capabilities.values()].flatMap((capability) => [
    ...lintCapability(capability),
    ...lintRules(capability, places.get(capability.name) ?? []),
    ...lintExec(capability, argsPlaces.get(capability.name)),
  ]);
  return [...lintStores(config), ...capabilities];
}

function lintStores({ services, stores }: Config): Finding[] {
  if (stores.vault) return [];
  const lost = [...services.values()].filter(({ auth }) =>
    [...auth.secret.values()].some((stored) => stored.kind === "reference" && /^vault:/.test(stored.text)),
  );
  return lost.map(({ name }) => ({
    message: `service ${name}: its credential lies in Vault, and there is no stores.vault that says where that is`,
  }));
}

function lintCapability({ name, mode, rules }: Capability): Finding[] {
  const found: Finding[] = [];
  if (mode === "http" && rules.unrestricted) {
    found.push({
      message: `capability ${name}: unrestricted, it has no rules and the whole service is open`,
    });
  }
  return found;
}

/** More than anyone writes by hand; the comparison of all pairs grows with the square. */
const mostRules = 1000;

function lintRules(capability: Capability, places: readonly Position[]): Finding[] {
  const rules = (capability.rules.rules ?? []).slice(0, mostRules);
  return rules.flatMap((rule, index) => {
    const at = places[index];
    const earlier = rules.slice(0, index);
    const messages = [shadow(rule, earlier), spanning(rule), opaque(rule)];
    return messages.flatMap((message) => {
      if (message === undefined) return [];
      const full = `capability ${capability.name}: "${rule.text}" ${message}`;
      return [at ? { message: full, at } : { message: full }];
    });
  });
}

function shadow(rule: Rule, earlier: readonly Rule[]): string | undefined {
  const whole = earlier.find((other) => coversMethod(other, rule) && coversEverySpelling(other, rule));
  if (whole) return `can never match: "${whole.text}" above it decides first`;
  const written = earlier.find((other) => coversMethod(other, rule) && coversPath(other.path, rule.path));
  if (!written) return undefined;
  return `never decides the path as written: "${written.text}" above it does; put the narrower rule first`;
}

function coversMethod(wide: Rule, narrow: Rule): boolean {
  if (wide.method === "*" || wide.method === narrow.method) return true;
  return wide.method === "GET" && narrow.method === "HEAD";
}

/** An `allow` matches the exact path alone; `deny` and `ask` match its other spellings as well. */
function coversEverySpelling(wide: Rule, narrow: Rule): boolean {
  if (!coversPath(wide.path, narrow.path)) return false;
  if (narrow.effect === "allow" || coversPath(wide.path, "*")) return true;
  return wide.effect !== "allow" && coversPath(folded(wide.path), folded(narrow.path));
}

function folded(path: string): string {
  return decodeLoosely(path).toLowerCase();
}

const mostCells = 1_000_000;

/** Every path that `narrow` matches is one that `wide` matches; false where that is not certain. */
export function coversPath(wide: string, narrow: string): boolean {
  const outer = wide === "*" ? ["/", "*"] : tokens(wide);
  const inner = narrow === "*" ? ["/", "*"] : tokens(narrow);
  if (outer.length * inner.length > mostCells) return false;
  // row[at]: the rest of `outer` covers the rest of `inner` from `at` on.
  let below = Array.from({ length: inner.length + 2 }, (_, at) => at === inner.length);
  for (const token of outer.toReversed()) {
    const row: boolean[] = Array.from({ length: inner.length + 2 }, () => false);
    for (let at = inner.length; at >= 0; at--) {
      const other = inner[at];
      if (token === "*") row[at] = below[at] === true || (other !== undefined && row[at + 1] === true);
      else if (token === "{}") row[at] = below[segmentEnd(inner, at) ?? inner.length + 1] === true;
      else row[at] = token === other && below[at + 1] === true;
    }
    below = row;
  }
  return below[0] === true;
}

/** Characters, `*` for a star, `{}` for a segment of any name. */
function tokens(path: string): readonly string[] {
  return [...path.replace(/\{[A-Za-z_][A-Za-z0-9_]*\}/g, "\0")].map((one) => (one === "\0" ? "{}" : one));
}

/** Where the segment that begins at `at` ends, if a `{name}` matches whatever it stands for. */
function segmentEnd(inner: readonly string[], at: number): number | undefined {
  if (inner[at] === "{}") return at + 1;
  let end = at;
  while (end < inner.length && !["/", ";", "*", "{}"].includes(inner[end] ?? "")) end++;
  const ended = end === inner.length || inner[end] === "/";
  return end === at || !ended || /%2f/i.test(inner.slice(at, end).join("")) ? undefined : end;
}

function spanning(rule: Rule): string | undefined {
  if (rule.effect === "deny" || !/\*.*\//.test(rule.path)) return undefined;
  let count = 0;
  const segments = rule.path.split("/");
  const named = segments.map((segment, index) => {
    if (segment !== "*" || index === segments.length - 1) return segment;
    count++;
    return count === 1 ? "{name}" : `{name${count}}`;
  });
  const suggestion = count === 0 ? "/…/{name}/…" : named.join("/");
  return `has a "*" in mid-path, which matches "/" too: for one segment write ${suggestion}`;
}

const envelope = /\/(?:graphql|\$batch|batch|_bulk|_msearch)(?:\/|\*|$)/i;

function opaque(rule: Rule): string | undefined {
  if (rule.effect !== "allow" || !envelope.test(rule.path)) return undefined;
  if (rule.method !== "POST" && rule.method !== "*") return undefined;
  return "opens an endpoint that carries many operations in its body, which HTTP rules cannot see into";
}
