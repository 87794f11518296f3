// Signals as a test can send them: one that its own parent had ignored is ignored by all that it starts.
import { existsSync, readFileSync } from "node:fs";

const numbers = { SIGHUP: 1, SIGQUIT: 3 } as const;
type Name = keyof typeof numbers;

/** Those of `names` that reach a program started from here. */
export function heard(...names: readonly Name[]): readonly Name[] {
  if (!existsSync("/proc/self/status")) return process.stdout.isTTY ? names : [];
  const mask = /^SigIgn:\s*([0-9a-f]+)$/m.exec(readFileSync("/proc/self/status", "utf8"))?.[1] ?? "0";
  return names.filter((name) => ((BigInt(`0x${mask}`) >> BigInt(numbers[name] - 1)) & 1n) === 0n);
}
