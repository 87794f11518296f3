// The small grammars of the config: names, durations, limits.
import type { NetworkSettings, RateLimit } from "./config.ts";
import type { Place } from "./config-place.ts";

const unitMs: ReadonlyMap<string, number> = new Map([
  ["s", 1000],
  ["m", 60_000],
  ["h", 3_600_000],
  ["d", 86_400_000],
]);

export const hourMs = 3_600_000;

const namePattern = /^[a-z0-9][a-z0-9_-]{0,63}$/;

/** What is wrong with the name of a service or a capability; undefined when it is fine. */
export function problemInName(name: string): string | undefined {
  if (name === "mcp" || name.startsWith("_")) {
    return '"mcp" and names that begin with "_" are reserved: choose another name';
  }
  if (namePattern.test(name)) return undefined;
  return 'expected a name of lower-case letters, digits, "-" and "_", at most 64 characters, such as "stripe-readonly"';
}

/** `30s`, `30m`, `1h`, `1d` in milliseconds; undefined for anything else. */
export function parseDuration(text: string): number | undefined {
  const match = /^([0-9]{1,9})([smhd])$/.exec(text);
  const unit = unitMs.get(match?.[2] ?? "");
  return unit === undefined ? undefined : Number(match?.[1]) * unit;
}

/** In the largest unit that divides it. */
export function durationText(ms: number): string {
  for (const [unit, length] of [
    ["d", 86_400_000],
    ["h", 3_600_000],
    ["m", 60_000],
  ] as const) {
    if (ms % length === 0) return `${ms / length}${unit}`;
  }
  return `${ms / 1000}s`;
}

/** `100/h`; undefined for anything else. */
export function parseLimit(text: string): RateLimit | undefined {
  const match = /^([0-9]{1,9})\/([smhd])$/.exec(text);
  const windowMs = unitMs.get(match?.[2] ?? "");
  const count = Number(match?.[1]);
  return windowMs === undefined || count < 1 ? undefined : { count, windowMs, text };
}

export interface DurationBounds {
  readonly most?: number;
  /** `most` in words: "24h". */
  readonly mostText?: string;
}

export function durationOf(place: Place, example: string, bounds: DurationBounds = {}): number | undefined {
  const what = `a duration with its unit (s, m, h or d), such as ${example}`;
  const text = place.string(what);
  if (text === undefined) return undefined;
  const length = parseDuration(text);
  if (length === undefined) return place.refuse(`expected ${what}`);
  if (length === 0) return place.refuse("a duration of 0 allows nothing: expected at least 1s");
  if (bounds.most !== undefined && length > bounds.most) {
    return place.refuse(`this is too long: at most ${bounds.mostText ?? ""}`);
  }
  return length;
}

export function limitOf(place: Place): RateLimit | undefined {
  const what = "requests per s, m, h or d, such as 100/h";
  const text = place.string(what);
  return text === undefined ? undefined : (parseLimit(text) ?? place.refuse(`expected ${what}`));
}

export function fileOf(place: Place | undefined): string | undefined {
  const path = place?.string("the path of a file");
  return path === "" ? place?.refuse("expected the path of a file, found nothing") : path;
}

/** `http://host:port`, with `user:password@` where the proxy wants it. */
export function proxyOf(place: Place): NetworkSettings["proxy"] {
  const what = "the proxy as http://host:port or http://user:password@host:port";
  const text = place.string(what);
  if (text === undefined) return undefined;
  const match = /^http:\/\/(?:([^@/\s]*)@)?([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\]):([0-9]{1,5})\/?$/.exec(text);
  const host = match?.[2];
  const port = Number(match?.[3]);
  if (!host || port < 1 || port > 65535) return place.refuse(`expected ${what}`);
  const bare = host.replace(/^\[|\]$/g, "").toLowerCase();
  const user = match[1];
  if (user === undefined) return { host: bare, port };
  const pair = decoded(user);
  if (!pair?.includes(":")) return place.refuse(`expected ${what}; percent-encode what is not plain`);
  return { host: bare, port, authorization: `Basic ${Buffer.from(pair, "utf8").toString("base64")}` };
}

function decoded(text: string): string | undefined {
  try {
    const plain = decodeURIComponent(text);
    return /[\x00-\x1f\x7f]/.test(plain) ? undefined : plain;
  } catch {
    return undefined;
  }
}

export function noProxyOf(place: Place): readonly string[] | undefined {
  return place.items("a list of host names, such as [.corp, build.example.com]")?.flatMap((item) => {
    const host = item.string("a host name");
    if (host === undefined) return [];
    if (/^\.?[A-Za-z0-9_][A-Za-z0-9._:-]*$/.test(host) || host === "::1") return [host.toLowerCase()];
    item.refuse('expected a host name, or a suffix that begins with a dot, such as ".corp"');
    return [];
  });
}
