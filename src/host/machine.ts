// What this machine alone gives: its id, and randomness.
import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import type { Entropy } from "../engine/ports.ts";

export const entropy: Entropy = { bytes: (count) => new Uint8Array(randomBytes(count)) };

/** undefined where there is none: a constant in its place would bind to nothing and look as if it did. */
export async function machineId(): Promise<string | undefined> {
  switch (process.platform) {
    case "linux":
      return linuxMachineId(["/etc/machine-id", "/var/lib/dbus/machine-id"].map(readIfThere));
    case "darwin":
      return uuidIn(
        await output("/usr/sbin/ioreg", ["-rd1", "-c", "IOPlatformExpertDevice"]),
        "IOPlatformUUID",
      );
    case "win32": {
      const root = process.env.SystemRoot ?? "C:\\Windows";
      const key = "HKLM\\SOFTWARE\\Microsoft\\Cryptography";
      const args = ["query", key, "/v", "MachineGuid", "/reg:64"];
      return uuidIn(await output(`${root}\\System32\\reg.exe`, args), "MachineGuid");
    }
    default:
      return undefined;
  }
}

/** machine-id(5): 32 lower-case hex digits; "uninitialized" or nothing before the first boot is over. */
export function linuxMachineId(texts: readonly (string | undefined)[]): string | undefined {
  return texts.map((text) => text?.trim() ?? "").find((id) => /^[0-9a-f]{32}$/.test(id) && !/^0+$/.test(id));
}

export function uuidIn(text: string, name: string): string | undefined {
  const uuid = new RegExp(`${name}\\W+(?:REG_SZ\\s+)?([0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12})`);
  const found = uuid.exec(text)?.[1]?.toLowerCase();
  return found === undefined || /^[0-]+$/.test(found) ? undefined : found;
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}

function output(file: string, args: readonly string[]): Promise<string> {
  return new Promise((resolve) => {
    execFile(file, [...args], { timeout: 5_000, windowsHide: true }, (error, stdout) =>
      resolve(error ? "" : String(stdout)),
    );
  });
}
