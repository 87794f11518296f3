// What is wrong with what was typed is said of the flag it was typed behind, before anything is asked or opened.
import { parseBaseUrl } from "../engine/base-url.ts";
import { hourMs, parseDuration, problemInName } from "../engine/config-fields.ts";
import { Failure } from "../engine/failure.ts";
import type { Arguments } from "./command.ts";

const longestTtlMs = 24 * hourMs;

export function slipInAdd(args: Arguments): Failure | undefined {
  const [name = ""] = args.positionals;
  const capability = args.text("capability");
  const url = args.text("base-url");
  const address = url === undefined ? undefined : parseBaseUrl(url);
  return (
    slip("the name of the service", problemInName(name), plainName(name)) ??
    (capability === undefined
      ? undefined
      : slip("--capability", problemInName(capability), plainName(capability))) ??
    (address && "problem" in address
      ? slip("--base-url", address.problem, "such as --base-url https://api.example.com/v1")
      : undefined) ??
    slipInDuration(args, "ttl", longestTtlMs) ??
    slipInDuration(args, "timeout")
  );
}

function slip(what: string, problem: string | undefined, next: string | undefined): Failure | undefined {
  if (problem === undefined) return undefined;
  return new Failure("usage", `${what}: ${problem}`, next === undefined ? {} : { next });
}

/** What such a name would be like, where there is one. */
function plainName(name: string): string | undefined {
  const plain = name
    .toLowerCase()
    .replace(/[^a-z0-9_-]+/g, "-")
    .replace(/^[^a-z0-9]+|[^a-z0-9]+$/g, "");
  return name.length <= 64 && plain !== "mcp" && problemInName(plain) === undefined
    ? `such as ${plain}`
    : undefined;
}

function slipInDuration(args: Arguments, flag: string, most = Number.POSITIVE_INFINITY): Failure | undefined {
  const text = args.text(flag);
  if (text === undefined) return undefined;
  const duration = parseDuration(text);
  if (duration === undefined || duration <= 0) {
    return slip(`--${flag}`, "expected a duration with its unit (s, m, h or d)", `such as --${flag} 30m`);
  }
  return duration > most ? slip(`--${flag}`, "at most 24h", `such as --${flag} 8h`) : undefined;
}

/** A port as a person types it; undefined: not given. */
export function portFrom(args: Arguments, least: 0 | 1): number | undefined | Failure {
  const text = args.text("port");
  if (text === undefined) return undefined;
  const port = /^\d{1,5}$/.test(text) ? Number(text) : -1;
  if (port >= least && port <= 65_535) return port;
  return new Failure("usage", `--port wants a number from ${least} to 65535`);
}
