// Where `janee serve` of a home listens at this moment, so that other commands can name its address.
import { join } from "node:path";
import type { Failure } from "../engine/failure.ts";
import { readPrivate, removeFile, writeAtomic } from "./files.ts";

interface Serving {
  readonly url: string;
  readonly pid: number;
}

function servingPath(home: string): string {
  return join(home, "serve.json");
}

export function announceServing(home: string, url: string): Failure | undefined {
  return writeAtomic(servingPath(home), `${JSON.stringify({ url, pid: process.pid })}\n`);
}

/** Takes back only what this process announced: another one may have come since. */
export function retractServing(home: string): void {
  if (readServing(home)?.pid === process.pid) removeFile(servingPath(home));
}

/** The URL of the one that runs; undefined when none does. */
export function servingUrl(home: string): string | undefined {
  const serving = readServing(home);
  return serving && lives(serving.pid) ? serving.url : undefined;
}

function readServing(home: string): Serving | undefined {
  const bytes = readPrivate(servingPath(home), 4096);
  if (!(bytes instanceof Uint8Array)) return undefined;
  try {
    const { url, pid } = JSON.parse(bytes.toString("utf8")) as Partial<Record<keyof Serving, unknown>>;
    return typeof url === "string" && Number.isInteger(pid) ? { url, pid: Number(pid) } : undefined;
  } catch {
    return undefined;
  }
}

function lives(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
