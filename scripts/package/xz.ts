// .xz: a quarter smaller than gzip, and the same bytes on every machine, since the compressor is a locked dependency.
import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { root } from "./project.ts";
import type { Target } from "./targets.ts";

const program = join(root, "scripts", "package", "xz.mjs");
const run = promisify(execFile);

/** What an archive or a package that is compressed so may weigh. */
export const heaviestXz = 45e6;

/** The fastest preset that stays under the bound: Bun for Linux on x64 compresses worst. */
export function presetFor({ os, arch }: Target): number {
  return os === "linux" && arch === "x64" ? 4 : 1;
}

/** As many at once as there are processors. */
class Lanes {
  #free = availableParallelism();
  readonly #waiting: (() => void)[] = [];

  async in<T>(work: () => Promise<T>): Promise<T> {
    if (this.#free > 0) this.#free -= 1;
    else await new Promise<void>((go) => this.#waiting.push(go));
    try {
      return await work();
    } finally {
      const next = this.#waiting.shift();
      if (next) next();
      else this.#free += 1;
    }
  }
}

const lanes = new Lanes();

async function through(how: string, bytes: Uint8Array): Promise<Buffer> {
  return lanes.in(async () => {
    const folder = mkdtempSync(join(tmpdir(), "janee-xz-"));
    try {
      const [from, to] = [join(folder, "from"), join(folder, "to")];
      writeFileSync(from, bytes);
      await run("node", [program, how, from, to]);
      return readFileSync(to);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
}

export function xz(bytes: Uint8Array, preset: number): Promise<Buffer> {
  return through(String(preset), bytes);
}

/** Throws at anything that is not a whole .xz file. */
export function unxz(bytes: Uint8Array): Promise<Buffer> {
  return through("back", bytes);
}
