// What ends janee in order: its sessions, and the commands that hold a credential, end with it.
import { readFileSync } from "node:fs";

/** SIGHUP says that the terminal is gone, SIGQUIT that somebody typed Ctrl-\. */
const numbers = { SIGHUP: 1, SIGQUIT: 3 } as const;

/** Runs `stop` once at the first signal that ends a program; what `nohup` or a shell had ignored stays ignored. */
export function onStopSignal(stop: () => void): void {
  const signals: NodeJS.Signals[] = ["SIGINT", "SIGTERM"];
  if (process.platform !== "win32") {
    for (const name of ["SIGHUP", "SIGQUIT"] as const) if (!isIgnored(numbers[name])) signals.push(name);
  }
  for (const name of signals) process.once(name, stop);
}

function isIgnored(number: number): boolean {
  // Where the system does not tell: `nohup` leaves no terminal to talk to, and only a terminal hangs up.
  if (process.platform !== "linux") return !process.stdout.isTTY && !process.stderr.isTTY;
  try {
    const mask = /^SigIgn:\s*([0-9a-f]+)$/m.exec(readFileSync("/proc/self/status", "utf8"))?.[1] ?? "0";
    return ((BigInt(`0x${mask}`) >> BigInt(number - 1)) & 1n) === 1n;
  } catch {
    return false;
  }
}
