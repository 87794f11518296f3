import { Failure } from "../engine/failure.ts";

const units: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** `30s`, `30m`, `1h`, `7d` in milliseconds. */
export function durationMs(flag: string, text: string): number | Failure {
  const match = /^(\d{1,6})([smhd])$/.exec(text);
  const value = Number(match?.[1] ?? 0) * (units[match?.[2] ?? ""] ?? 0);
  if (value > 0) return value;
  return new Failure("usage", `${flag} wants a duration with its unit`, {
    next: `such as ${flag} 30s, 30m, 1h or 1d`,
  });
}
