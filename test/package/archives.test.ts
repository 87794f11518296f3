// Archives as others read them, and the same bytes each time.
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { sha256 } from "../../scripts/package/made.ts";
import { project } from "../../scripts/package/project.ts";
import { file, gzip, readTar, tar } from "../../scripts/package/tar.ts";
import { targets } from "../../scripts/package/targets.ts";
import { unxz, xz } from "../../scripts/package/xz.ts";
import { readZip, zip } from "../../scripts/package/zip.ts";
import { packageAll, sumsFile, writeAll } from "../../scripts/package.ts";
import { inFolder, ingredients, lock, tool, windows } from "./stage.ts";

const limit = { timeout: 90_000 };
const time = 1_767_225_600;
const entries = [
  file("x/run", "#!/bin/sh\necho run\n", 0o755),
  file("x/text", "a text\n"),
  file("x/none", ""),
  file("x/long", Buffer.alloc(100_000, "janee ")),
];

test("tar reads the archive, with modes and the one time", limit, async () => {
  await inFolder((folder) => {
    const path = join(folder, "x.tar.gz");
    writeFileSync(path, gzip(tar(entries, time), 6));
    execFileSync("tar", ["-xzf", path, "-C", folder]);
    for (const { path: name, bytes } of entries) {
      assert.deepEqual(readFileSync(join(folder, name)), Buffer.from(bytes), name);
      assert.equal(statSync(join(folder, name)).mtimeMs, time * 1000, name);
    }
    if (!windows) assert.equal(statSync(join(folder, "x/run")).mode & 0o777, 0o755);
    assert.deepEqual(
      readTar(readFileSync(path)).map(({ path: name, mode }) => [name, mode]),
      entries.map(({ path: name, mode }) => [name, mode]),
    );
  });
});

test("a zip is read back whole, and by unzip where it is", limit, async () => {
  await inFolder((folder) => {
    const bytes = zip(entries, time, 6);
    assert.deepEqual(
      readZip(bytes).map(({ path, bytes: content, mode }) => [path, sha256(content), mode]),
      entries.map(({ path, bytes: content, mode }) => [path, sha256(content), mode]),
    );
    const path = join(folder, "x.zip");
    writeFileSync(path, bytes);
    if (tool("unzip") !== undefined) {
      execFileSync("unzip", ["-q", path, "-d", folder]);
      assert.equal(statSync(join(folder, "x/run")).mode & 0o777, 0o755);
      assert.deepEqual(readFileSync(join(folder, "x/long")), Buffer.from(entries[3]?.bytes ?? []));
    }
    const damaged = Buffer.from(bytes);
    damaged[40] = (damaged[40] ?? 0) ^ 1;
    assert.throws(() => readZip(damaged));
  });
});

test("a tar.xz is read back whole, by others too, and damage is seen", limit, async () => {
  await inFolder(async (folder) => {
    const whole = tar(entries, time);
    const packed = await xz(whole, 1);
    assert.deepEqual(await unxz(packed), whole);
    assert.equal(sha256(await xz(whole, 1)), sha256(packed));
    const path = join(folder, "x.tar.xz");
    writeFileSync(path, packed);
    if (tool("xz") !== undefined) {
      execFileSync("tar", ["-xJf", path, "-C", folder]);
      assert.deepEqual(readFileSync(join(folder, "x/long")), Buffer.from(entries[3]?.bytes ?? []));
    }
    const damaged = Buffer.from(packed);
    damaged[packed.length >> 1] = (damaged[packed.length >> 1] ?? 0) ^ 1;
    await assert.rejects(unxz(damaged));
    await assert.rejects(unxz(packed.subarray(0, packed.length - 12)));
  });
});

test("nothing of the hour, the place or the time zone is in a release", limit, async () => {
  const zone = process.env.TZ;
  const locked = lock();
  const first = await packageAll(ingredients(), locked);
  process.env.TZ = "Pacific/Kiritimati";
  const second = await packageAll(ingredients(), locked);
  if (zone === undefined) delete process.env.TZ;
  else process.env.TZ = zone;
  const digests = (all: typeof first): string[] => all.map(({ name, bytes }) => `${name} ${sha256(bytes)}`);
  assert.deepEqual(digests(second), digests(first));
  const later = await packageAll(ingredients({ time: time + 86_400 }), locked);
  const same = digests(later).filter((line) => digests(first).includes(line));
  // The time of the commit is in every package; only what names no digest and holds no file is as before.
  assert.ok(!same.some((line) => /\.(gz|xz|tgz|zip|mcpb|deb|rpm) /.test(line)), same.join("\n"));
});

test("SHASUMS256.txt is what sha256sum checks, and names every file", limit, async () => {
  await inFolder(async (folder) => {
    const artefacts = await packageAll(ingredients(), lock());
    writeAll(artefacts, folder);
    const text = readFileSync(join(folder, sumsFile), "utf8");
    const listed = text.trimEnd().split("\n");
    assert.deepEqual(
      listed.map((line) => line.slice(66)).sort(),
      artefacts
        .map(({ name }) => name)
        .filter((name) => name !== sumsFile)
        .sort(),
    );
    for (const line of listed) {
      assert.equal(line.slice(0, 64), sha256(readFileSync(join(folder, line.slice(66)))), line);
    }
    if (tool("sha256sum") === undefined) return;
    const check = (): number | null =>
      spawnSync("sha256sum", ["-c", "--strict", sumsFile], { cwd: folder }).status;
    assert.equal(check(), 0);
    writeFileSync(join(folder, "install.sh"), "echo other\n");
    assert.equal(check(), 1);
  });
});

test("each target has an archive with one folder, the executable and the licences", limit, async () => {
  const artefacts = await packageAll(ingredients(), lock());
  for (const { name, os } of targets) {
    const stem = `janee-${project.version}-${name}`;
    const bytes = (ending: string): Uint8Array => {
      const archive = artefacts.find((one) => one.name === `${stem}.${ending}`);
      assert.ok(archive, `${stem}.${ending}`);
      return archive.bytes;
    };
    const inside = os === "windows" ? readZip(bytes("zip")) : readTar(bytes("tar.gz"));
    if (os !== "windows") assert.deepEqual(readTar(await unxz(bytes("tar.xz"))), inside);
    assert.deepEqual(
      inside.map(({ path }) => path),
      [os === "windows" ? "janee.exe" : "janee", "LICENSE", "THIRD-PARTY-LICENSES.txt", "README.md"].map(
        (path) => `${stem}/${path}`,
      ),
    );
    assert.equal(inside[0]?.mode, 0o755);
    assert.match(Buffer.from(inside[2]?.bytes ?? []).toString(), /JavaScriptCore[\s\S]*hono/);
  }
});
