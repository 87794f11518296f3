// Looking for a secret wherever it could have been left: in files, and in what Linux shows of processes.
import { lstatSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** How a secret may be written: as it is, in base64 at each alignment, in hexadecimal, in a URL, in JSON. */
export function shapesOf(secret: string): ReadonlyMap<string, string> {
  const hex = Buffer.from(secret).toString("hex");
  const shapes = new Map([
    ["plain", secret],
    ["hex", hex],
    ["upper hex", hex.toUpperCase()],
    ["every byte percent-encoded", hex.replace(/../g, "%$&")],
    ["percent-encoded where it must be", encodeURIComponent(secret)],
    ["JSON", JSON.stringify(secret).slice(1, -1)],
    ["reversed", [...secret].reverse().join("")],
  ]);
  for (const [name, coding] of [
    ["base64", "base64"],
    ["base64url", "base64url"],
  ] as const) {
    for (const before of [0, 1, 2]) {
      const coded = Buffer.from("x".repeat(before) + secret).toString(coding);
      // Without the characters at its edges that depend on what stands beside it.
      const from = [0, 2, 3][before] ?? 0;
      const to = Math.floor(((before + secret.length) * 8) / 6);
      shapes.set(`${name} after ${before}`, coded.slice(from, to));
    }
  }
  return shapes;
}

export type Places = Iterable<readonly [where: string, bytes: string]>;

/** `where: shape`, for each place that holds one of the secrets in one of its shapes. */
export function found(places: Places, secrets: readonly string[]): string[] {
  const all = secrets.flatMap((secret) => [...shapesOf(secret)]);
  const hits = new Set<string>();
  for (const [where, bytes] of places) {
    for (const [shape, text] of all) if (bytes.includes(text)) hits.add(`${where}: ${shape}`);
  }
  return [...hits];
}

export function* filesBelow(folder: string): Generator<readonly [where: string, bytes: string]> {
  for (const name of readdirSync(folder, { recursive: true, encoding: "utf8" })) {
    const path = join(folder, name);
    const bytes = lstatSync(path, { throwIfNoEntry: false })?.isFile() ? read(path) : undefined;
    if (bytes !== undefined) yield [name, bytes];
  }
}

/** A process and all that come from it, by their ids; the first one is the process itself. */
export function familyOf(pid: number): number[] {
  const parents = new Map<number, number>();
  for (const name of readdirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    const stat = read(`/proc/${name}/stat`);
    const parent = /^.*\) \S (\d+)/s.exec(stat ?? "")?.[1];
    if (parent !== undefined) parents.set(Number(name), Number(parent));
  }
  const family = [pid];
  for (const one of family) {
    for (const [child, parent] of parents) if (parent === one && !family.includes(child)) family.push(child);
  }
  return family;
}

/** What there is to see of processes: their arguments, and the environment of all but the first, which is janee. */
export function* processes(family: readonly number[]): Generator<readonly [where: string, bytes: string]> {
  for (const [index, pid] of family.entries()) {
    const kind = index === 0 ? "janee" : index === 1 ? "child" : "grandchild";
    yield [`arguments of ${kind}`, read(`/proc/${pid}/cmdline`) ?? ""];
    if (index > 0) yield [`environment of ${kind}`, read(`/proc/${pid}/environ`) ?? ""];
  }
}

/** undefined: it is gone meanwhile. */
function read(path: string): string | undefined {
  try {
    return readFileSync(path, "latin1");
  } catch {
    return undefined;
  }
}
