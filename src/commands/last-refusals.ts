// Which services last answered 401, as the end of the trail has it: nothing is written for this while requests run.
import { closeSync, constants, fstatSync, openSync, readSync } from "node:fs";
import { lastSetAt } from "../engine/age.ts";
import type { Service } from "../engine/config.ts";
import { trailPath } from "./audit-files.ts";
import { parseEntry } from "./log-line.ts";

const mostRead = 1024 * 1024;

/** By service, in milliseconds since 1970. A service that has answered with anything else since is not in it. */
export function lastRefusals(home: string): ReadonlyMap<string, number> {
  const refused = new Map<string, number>();
  for (const line of endOf(trailPath(home)).split("\n")) {
    if (!line.includes('"event":"response"')) continue;
    const { service, status, timestamp } = parseEntry(line) ?? {};
    if (typeof service !== "string" || typeof status !== "number") continue;
    if (status === 401) refused.set(service, Date.parse(String(timestamp)));
    else refused.delete(service);
  }
  return refused;
}

/** When the service refused the credential that it still has; undefined: it did not, or has got another since. */
export function refusedAt(service: Service, refusals: ReadonlyMap<string, number>): string | undefined {
  const time = refusals.get(service.name);
  if (time === undefined || Number.isNaN(time)) return undefined;
  const setAt = lastSetAt(service);
  if (setAt !== undefined && setAt >= time) return undefined;
  return new Date(time).toISOString();
}

function endOf(path: string): string {
  let descriptor: number;
  try {
    const { O_RDONLY, O_NOFOLLOW = 0, O_NONBLOCK = 0 } = constants;
    descriptor = openSync(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  } catch {
    return "";
  }
  try {
    const { size } = fstatSync(descriptor);
    const bytes = Buffer.alloc(Math.min(size, mostRead));
    const count = readSync(descriptor, bytes, 0, bytes.length, size - bytes.length);
    return bytes.subarray(0, count).toString("utf8");
  } catch {
    return "";
  } finally {
    closeSync(descriptor);
  }
}
