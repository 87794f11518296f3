// Reads a release back from its folder, as those who download it will, and says what does not hold.
import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { stalePages } from "./mach-o.ts";
import { sha256 } from "./made.ts";
import { project } from "./project.ts";
import { readTar } from "./tar.ts";
import { executableName, type Target, targets } from "./targets.ts";
import { heaviestXz, unxz } from "./xz.ts";
import { readZip } from "./zip.ts";

/** What a gzip, zip, tgz or mcpb may weigh: nearly all of it is Bun, which deflate does not make smaller. */
const heaviestDeflated = 62e6;
const isXz = (name: string): boolean => /\.(tar\.xz|deb|rpm)$/.test(name);

export interface Verified {
  readonly claims: readonly string[];
  readonly faults: readonly string[];
}

function filesIn(folder: string): readonly string[] {
  const names = readdirSync(folder, { recursive: true, encoding: "utf8" });
  return names
    .filter((name) => statSync(join(folder, name)).isFile())
    .map((name) => name.replaceAll("\\", "/"));
}

class Judge {
  readonly claims: string[] = [];
  readonly faults: string[] = [];

  hold(claim: string, faults: readonly string[]): void {
    if (faults.length === 0) this.claims.push(claim);
    for (const fault of faults) this.faults.push(`${claim}: ${fault}`);
  }

  /** A tool that not every machine has. */
  tool(claim: string, command: string, calls: readonly (readonly string[])[]): void {
    if (spawnSync(command, ["--version"]).error) {
      this.claims.push(`not looked at, since ${command} is not here: ${claim}`);
      return;
    }
    const faults = calls.flatMap((args) => {
      const ran = spawnSync(command, args, { encoding: "utf8" });
      return ran.status === 0 ? [] : [`${command} ${args.join(" ")}: ${ran.stderr}${ran.stdout}`];
    });
    this.hold(`${claim}, says ${command}`, faults);
  }
}

function sumsFaults(folder: string, names: readonly string[]): readonly string[] {
  const lines = readFileSync(join(folder, "SHASUMS256.txt"), "utf8").trimEnd().split("\n");
  const listed = new Map(lines.map((line) => [line.slice(66), line.slice(0, 64)]));
  const wrong = names
    .filter((name) => name !== "SHASUMS256.txt")
    .filter((name) => listed.get(name) !== sha256(readFileSync(join(folder, name))))
    .map((name) => `${name} differs or is not listed`);
  const missing = [...listed.keys()].filter((name) => !names.includes(name));
  return [...wrong, ...missing.map((name) => `${name} is listed and missing`)];
}

const readers = {
  ".zip": readZip,
  ".tar.gz": readTar,
  ".tar.xz": async (bytes: Uint8Array) => readTar(await unxz(bytes)),
};

async function archiveFaults(folder: string, target: Target, binary: Uint8Array): Promise<readonly string[]> {
  const stem = `janee-${project.version}-${target.name}`;
  const endings = target.os === "windows" ? ([".zip"] as const) : ([".tar.xz", ".tar.gz"] as const);
  const faults: string[] = [];
  for (const ending of endings) {
    const entries = await readers[ending](readFileSync(join(folder, `${stem}${ending}`)));
    const inside = entries.find((entry) => entry.path === `${stem}/${executableName(target)}`);
    if (!inside || sha256(inside.bytes) !== sha256(binary))
      faults.push(`${stem}${ending} holds another executable`);
    else if (inside.mode !== 0o755)
      faults.push(`${stem}${ending}: the executable has mode ${inside.mode.toString(8)}`);
  }
  return faults;
}

/** Every digest in a file of a channel must be that of a file of this release. */
const channels = [
  "janee.rb",
  "janee.json",
  "install.sh",
  "install.ps1",
  "server.json",
  "aur/PKGBUILD",
  "aur/.SRCINFO",
];

export async function verify(folder: string, binaries: ReadonlyMap<string, Uint8Array>): Promise<Verified> {
  const judge = new Judge();
  const names = filesIn(folder);
  judge.hold("SHASUMS256.txt names every file and its digest", sumsFaults(folder, names));
  judge.hold(
    "each archive holds the executable of its target",
    (
      await Promise.all(
        targets.map((target) => archiveFaults(folder, target, binaries.get(target.name) ?? new Uint8Array())),
      )
    ).flat(),
  );
  const known = new Set(names.map((name) => sha256(readFileSync(join(folder, name)))));
  judge.hold(
    "channels name digests of files of this release, and nothing else",
    channels.flatMap((name) => {
      const digests = readFileSync(join(folder, name), "utf8").match(/\b[0-9a-f]{64}\b/g) ?? [];
      if (digests.length === 0) return [`${name} names none`];
      return digests.filter((digest) => !known.has(digest)).map((digest) => `${name} names ${digest}`);
    }),
  );
  judge.hold(
    `no tar.xz, deb or rpm is over ${heaviestXz / 1e6} MB, and no other file over ${heaviestDeflated / 1e6} MB`,
    names
      .map((name) => ({ name, size: statSync(join(folder, name)).size }))
      .filter(({ name, size }) => size > (isXz(name) ? heaviestXz : heaviestDeflated))
      .map(({ name, size }) => `${name} has ${(size / 1e6).toFixed(1)} MB`),
  );
  judge.hold(
    "every page of the macOS executables is as their signature says",
    ["darwin-x64", "darwin-arm64"].flatMap((name) => {
      const stale = stalePages(Buffer.from(binaries.get(name) ?? new Uint8Array()));
      return stale === 0 ? [] : [`${name}: ${stale} pages are stale`];
    }),
  );
  const ending = (...ends: string[]): string[] =>
    names.filter((name) => ends.some((end) => name.endsWith(end))).map((name) => join(folder, name));
  judge.tool(
    "each tar.gz and tgz is whole",
    "tar",
    ending(".tar.gz", ".tgz").map((path) => ["-tzf", path]),
  );
  judge.tool(
    "each tar.xz is whole",
    "xz",
    ending(".tar.xz").map((path) => ["--test", path]),
  );
  judge.tool(
    "each zip and mcpb is whole",
    "unzip",
    ending(".zip", ".mcpb").map((path) => ["-tqq", path]),
  );
  judge.tool(
    "each deb is one",
    "dpkg-deb",
    ending(".deb").map((path) => ["--contents", path]),
  );
  judge.tool(
    "each rpm is one, with its digests",
    "rpm",
    ending(".rpm").map((path) => ["-K", "--nosignature", path]),
  );
  judge.tool("the formula is Ruby", "ruby", [["-c", join(folder, "janee.rb")]]);
  judge.tool("install.sh is a shell script", "sh", [["-n", join(folder, "install.sh")]]);
  return judge;
}
