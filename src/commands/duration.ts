import { Failure } from "../engine/failure.ts";

const units: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** `30s`, `30m`, `1h`, `7d` in milliseconds. */
export function durationMs(flag: string, text: string): number | Failure {
  const match = /^(\d{1,6})([smhd])$/.exec(text);
  const value = Number(match?.[1] ?? 0) * (units[match?.[2] ?? ""] ?? 0);
  if (value > 0) return value;
  return new Failure("usage", `${flag} wants a duration such as 30s, 30m, 1h or 1d`);
}

/** A length of time for people, rounded: `45s`, `30m`, `1h`, `3h 20m`. */
export function timeLeft(milliseconds: number): string {
  const seconds = Math.max(0, Math.round(milliseconds / 1000));
  if (seconds < 100) return `${seconds}s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) return `${minutes}m`;
  return minutes % 60 === 0 ? `${minutes / 60}h` : `${Math.floor(minutes / 60)}h ${minutes % 60}m`;
}
