// The packages of Debian and Red Hat: their parts read back here, and by dpkg and rpm where these are.
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { deb } from "../../scripts/package/deb.ts";
import type { Artefact, Ingredients } from "../../scripts/package/made.ts";
import { project } from "../../scripts/package/project.ts";
import { rpm } from "../../scripts/package/rpm.ts";
import { type Entry, gzip, readTar } from "../../scripts/package/tar.ts";
import { unxz } from "../../scripts/package/xz.ts";
import { here, inFolder, ingredients, standIn, tool } from "./stage.ts";

const limit = { timeout: 90_000 };
/** Of what packs and unpacks the real executable. */
const long = { timeout: 115_000 };
const isLinuxX64 = here.name === "linux-x64";

function text(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("utf8");
}

/** The members of an ar archive. */
function members(archive: Uint8Array): ReadonlyMap<string, Uint8Array> {
  const found = new Map<string, Uint8Array>();
  assert.equal(text(archive.subarray(0, 8)), "!<arch>\n");
  for (let at = 8; at < archive.length; ) {
    const head = text(archive.subarray(at, at + 60));
    assert.equal(head.slice(58), "`\n");
    const size = Number(head.slice(48, 58));
    found.set(head.slice(0, 16).trim(), archive.subarray(at + 60, at + 60 + size));
    at += 60 + size + (size % 2);
  }
  return found;
}

function inside(entries: readonly Entry[], path: string): Uint8Array {
  const found = entries.find((entry) => entry.path === path);
  assert.ok(found, `${path} among ${entries.map((entry) => entry.path).join(" ")}`);
  return found.bytes;
}

function first(made: readonly Artefact[]): Artefact {
  assert.ok(made[0]);
  return made[0];
}

const withExtras: Partial<Ingredients> = {
  extras: [
    { kind: "bash", path: "completions/janee.bash", text: "complete -W x janee\n" },
    { kind: "zsh", path: "completions/_janee", text: "#compdef janee\n" },
    { kind: "fish", path: "completions/janee.fish", text: "complete -c janee\n" },
    { kind: "powershell", path: "completions/janee.ps1", text: "Register-ArgumentCompleter\n" },
    { kind: "man", path: "man/janee.1", text: ".TH JANEE 1\n" },
  ],
};

test("a deb holds its version, what is said about it, and files whose digests it names", limit, async () => {
  const made = await deb(ingredients());
  for (const [index, arch] of ["amd64", "arm64"].entries()) {
    const { name, bytes } = made[index] ?? assert.fail();
    assert.equal(name, `janee_${project.version}_${arch}.deb`);
    const parts = members(bytes);
    assert.deepEqual([...parts.keys()], ["debian-binary", "control.tar.gz", "data.tar.xz"]);
    assert.equal(text(parts.get("debian-binary") ?? new Uint8Array()), "2.0\n");
    const about = readTar(parts.get("control.tar.gz") ?? new Uint8Array());
    const files = readTar(await unxz(parts.get("data.tar.xz") ?? new Uint8Array()));
    const control = text(inside(about, "./control"));
    for (const line of ["Package: janee", `Version: ${project.version}`, `Architecture: ${arch}`])
      assert.match(control, new RegExp(`^${line.replaceAll(".", "\\.")}$`, "m"));
    const sums = text(inside(about, "./md5sums")).trimEnd().split("\n");
    assert.equal(sums.length, files.filter(({ path }) => !path.endsWith("/")).length);
    for (const line of sums) {
      const digest = createHash("md5")
        .update(inside(files, `./${line.slice(34)}`))
        .digest("hex");
      assert.equal(line.slice(0, 32), digest, line);
    }
    // Nothing of a maintainer's runs as root when it is installed.
    assert.deepEqual(about.map(({ path }) => path).sort(), ["./", "./control", "./md5sums"]);
  }
});

test(
  "completions and the man page go to their places in the packages, when there are any",
  limit,
  async () => {
    const data = async (given: Ingredients): Promise<readonly Entry[]> =>
      readTar(await unxz(members(first(await deb(given)).bytes).get("data.tar.xz") ?? new Uint8Array()));
    const with_ = await data(ingredients(withExtras));
    assert.equal(
      text(inside(with_, "./usr/share/bash-completion/completions/janee")),
      "complete -W x janee\n",
    );
    assert.equal(text(inside(with_, "./usr/share/zsh/vendor-completions/_janee")), "#compdef janee\n");
    assert.equal(
      text(inside(with_, "./usr/share/fish/vendor_completions.d/janee.fish")),
      "complete -c janee\n",
    );
    assert.deepEqual(
      Buffer.from(inside(with_, "./usr/share/man/man1/janee.1.gz")),
      gzip(Buffer.from(".TH JANEE 1\n"), 9),
    );
    assert.ok(!(await data(ingredients())).some(({ path }) => /completion|man1/.test(path)));
  },
);

test("an rpm begins as one, and the digests in its signature are those of its parts", limit, async () => {
  for (const { name, bytes } of await rpm(ingredients())) {
    const all = Buffer.from(bytes);
    assert.equal(all.readUInt32BE(0), 0xedabeedb, name);
    const headerLength = (at: number): number => {
      assert.equal(all.readUInt32BE(at), 0x8eade801, `${name}: a header at ${at}`);
      return 16 + 16 * all.readUInt32BE(at + 8) + all.readUInt32BE(at + 12);
    };
    const main = Math.ceil((96 + headerLength(96)) / 8) * 8;
    const length = headerLength(main);
    const signature = all.subarray(96, main);
    const digest = (kind: string, from: number, to?: number): Buffer =>
      createHash(kind).update(all.subarray(from, to)).digest();
    assert.ok(signature.includes(digest("sha256", main, main + length).toString("hex")));
    assert.ok(signature.includes(digest("md5", main)));
    const payload = digest("sha256", main + length).toString("hex");
    assert.ok(all.subarray(main, main + length).includes(payload));
  }
});

/** What a header of an rpm says under each number: strings, numbers or bytes. */
function tags(header: Buffer): ReadonlyMap<number, readonly (string | number)[]> {
  const count = header.readUInt32BE(8);
  const store = header.subarray(16 + 16 * count);
  const read = { 3: (at: number) => store.readUInt16BE(at), 4: (at: number) => store.readUInt32BE(at) };
  const found = new Map<number, readonly (string | number)[]>();
  for (let at = 16; at < 16 + 16 * count; at += 16) {
    const [tag = 0, type = 0, offset = 0, length = 0] = [0, 4, 8, 12].map((skip) =>
      header.readInt32BE(at + skip),
    );
    if (type === 3 || type === 4)
      found.set(
        tag,
        Array.from({ length }, (_, index) => read[type](offset + index * (type === 3 ? 2 : 4))),
      );
    if (type === 6 || type === 8 || type === 9)
      found.set(tag, store.subarray(offset).toString("utf8").split("\0", length));
  }
  return found;
}

/** The files of a cpio archive in its new ASCII form. */
function readCpio(archive: Buffer): readonly Entry[] {
  const entries: Entry[] = [];
  const next = (at: number): number => (at + 3) & ~3;
  for (let at = 0; ; ) {
    const head = archive.toString("latin1", at, at + 110);
    assert.equal(head.slice(0, 6), "070701");
    const field = (index: number): number => Number.parseInt(head.slice(6 + 8 * index, 14 + 8 * index), 16);
    const path = archive.toString("utf8", at + 110, at + 110 + field(11) - 1);
    if (path === "TRAILER!!!") return entries;
    const begin = next(at + 110 + field(11));
    entries.push({ path, mode: field(1) & 0o777, bytes: archive.subarray(begin, begin + field(6)) });
    at = next(begin + field(6));
  }
}

test(
  "an rpm names its version, processor and compression, and its files are those it lists",
  limit,
  async () => {
    for (const [index, arch] of ["x86_64", "aarch64"].entries()) {
      const { bytes } = (await rpm(ingredients(withExtras)))[index] ?? assert.fail();
      const all = Buffer.from(bytes);
      const end = (at: number): number => at + 16 + 16 * all.readUInt32BE(at + 8) + all.readUInt32BE(at + 12);
      const main = (end(96) + 7) & ~7;
      const said = tags(all.subarray(main, end(main)));
      const strings = (tag: number): readonly string[] => (said.get(tag) ?? []).map(String);
      assert.deepEqual(
        [1000, 1001, 1014, 1022, 1124, 1125].map((tag) => strings(tag)[0]),
        ["janee", project.version, project.license, arch, "cpio", "xz"],
      );
      assert.ok(strings(1049).includes("rpmlib(PayloadIsXz)"));
      const folders = strings(1118);
      const listed = strings(1117).map((name, at) => ({
        path: `.${folders[Number(said.get(1116)?.[at])]}${name}`,
        mode: Number(said.get(1030)?.[at]) & 0o777,
        size: Number(said.get(1028)?.[at]),
        digest: strings(1035)[at],
      }));
      const inside = readCpio(await unxz(all.subarray(end(main)))).map(({ path, mode, bytes: content }) => ({
        ...{ path, mode, size: content.length },
        digest: createHash("sha256").update(content).digest("hex"),
      }));
      assert.deepEqual(inside, listed);
      assert.equal(inside.find(({ path }) => path === "./usr/bin/janee")?.mode, 0o755);
      assert.ok(inside.some(({ path }) => path === "./usr/share/man/man1/janee.1.gz"));
      // Nothing of a maintainer's runs as root when it is installed.
      for (const script of [1023, 1024, 1025, 1026]) assert.ok(!said.has(script));
    }
  },
);

if (tool("dpkg-deb") !== undefined && tool("dpkg") !== undefined && isLinuxX64) {
  test(
    "dpkg reads the deb, installs it under a root of its own, and finds every file intact",
    long,
    async () => {
      await inFolder(async (folder) => {
        const { name, bytes } = first(
          await deb(ingredients({ ...withExtras, real: ["linux-x64-baseline"] })),
        );
        const path = join(folder, name);
        writeFileSync(path, bytes);
        assert.match(execFileSync("dpkg-deb", ["--info", path], { encoding: "utf8" }), /Package: janee/);
        const listed = execFileSync("dpkg-deb", ["--contents", path], { encoding: "utf8" });
        assert.match(listed, /-rwxr-xr-x root\/root .* \.\/usr\/bin\/janee/);
        const target = join(folder, "root");
        for (const place of ["var/lib/dpkg/info", "var/lib/dpkg/updates"])
          mkdirSync(join(target, place), { recursive: true });
        for (const place of ["status", "available"]) writeFileSync(join(target, "var/lib/dpkg", place), "");
        const options = [
          `--root=${target}`,
          "--force-not-root",
          "--force-depends",
          "--force-script-chrootless",
          "--force-unsafe-io",
        ];
        const log = ["--log=/dev/null"];
        const dpkg = (...args: string[]): string =>
          execFileSync("dpkg", [...options, ...log, ...args], { encoding: "utf8", stdio: "pipe" });
        // Only root may give files to root.
        if (process.getuid?.() === 0) {
          dpkg("-i", path);
          assert.equal(dpkg("-V", "janee"), "");
        } else execFileSync("dpkg-deb", ["--extract", path, target]);
        const said = execFileSync(join(target, "usr/bin/janee"), ["--version"], { encoding: "utf8" });
        assert.match(said, new RegExp(`^janee ${project.version} \\(`));
        assert.ok(existsSync(join(target, "usr/share/man/man1/janee.1.gz")));
      });
    },
  );
}

if (tool("rpm") !== undefined) {
  test("rpm reads the package, and refuses one that was changed", limit, async () => {
    await inFolder(async (folder) => {
      const { name, bytes } = first(await rpm(ingredients(withExtras)));
      const path = join(folder, name);
      writeFileSync(path, bytes);
      const query = (...args: string[]): string =>
        execFileSync("rpm", ["-qp", ...args, path], { encoding: "utf8" });
      assert.match(query("--qf", "%{NAME} %{VERSION} %{ARCH} %{LICENSE}"), /^janee \S+ x86_64 MIT$/);
      assert.match(query("-lv"), /-rwxr-xr-x .*root .* \/usr\/bin\/janee\n/);
      const check = (): number | null => spawnSync("rpm", ["-K", "--nosignature", path]).status;
      assert.equal(check(), 0);
      const damaged = Buffer.from(bytes);
      const last = damaged.length - 20;
      damaged[last] = (damaged[last] ?? 0) ^ 1;
      writeFileSync(path, damaged);
      assert.notEqual(check(), 0);
    });
  });
}

if (tool("rpm2cpio") !== undefined && tool("cpio") !== undefined) {
  test("cpio unpacks what is in the rpm", limit, async () => {
    await inFolder(async (folder) => {
      const { name, bytes } = first(await rpm(ingredients()));
      writeFileSync(join(folder, name), bytes);
      execFileSync("sh", ["-c", `rpm2cpio ${name} | cpio -idm --quiet`], { cwd: folder });
      assert.deepEqual(
        readFileSync(join(folder, "usr/bin/janee")),
        standIn(project.version, "linux-x64-baseline"),
      );
    });
  });
}
