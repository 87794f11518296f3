// RPM packages: a lead, two headers of tagged values, and the files as a compressed cpio archive.
import { createHash } from "node:crypto";
import { type Artefact, type Ingredients, sha256 } from "./made.ts";
import { project, summary } from "./project.ts";
import { systemFiles } from "./system-files.ts";
import type { Entry } from "./tar.ts";
import { anyProcessor } from "./targets.ts";
import { xz } from "./xz.ts";

const types = { int16: 3, int32: 4, string: 6, binary: 7, strings: 8, translated: 9 } as const;
const widths: Readonly<Record<number, number>> = { 3: 2, 4: 4 };

type Value =
  | readonly [tag: number, type: "int16" | "int32", value: readonly number[]]
  | readonly [tag: number, type: "string", value: string]
  | readonly [tag: number, type: "translated", value: string]
  | readonly [tag: number, type: "strings", value: readonly string[]]
  | readonly [tag: number, type: "binary", value: Buffer];

function encoded(value: Value): { bytes: Buffer; count: number } {
  const [, type, content] = value;
  if (type === "binary") return { bytes: content, count: content.length };
  if (type === "string" || type === "translated") return { bytes: Buffer.from(`${content}\0`), count: 1 };
  if (type === "strings") {
    return { bytes: Buffer.from(content.map((one) => `${one}\0`).join("")), count: content.length };
  }
  const width = widths[types[type]] ?? 1;
  const bytes = Buffer.alloc(width * content.length);
  content.forEach((one, index) => {
    if (width === 2) bytes.writeUInt16BE(one, 2 * index);
    else bytes.writeUInt32BE(one >>> 0, 4 * index);
  });
  return { bytes, count: content.length };
}

/** A header whose first entry is a region over all of it, as rpm writes them. */
function header(region: number, values: readonly Value[]): Buffer {
  const sorted = [...values].sort(([one], [other]) => one - other);
  const index: Buffer[] = [];
  const store: Buffer[] = [];
  let length = 0;
  const entry = (tag: number, type: number, offset: number, count: number): Buffer => {
    const line = Buffer.alloc(16);
    [tag, type, offset, count].forEach((one, at) => {
      line.writeInt32BE(one, 4 * at);
    });
    return line;
  };
  for (const value of sorted) {
    const type = types[value[1]];
    const { bytes, count } = encoded(value);
    const gap = Buffer.alloc(-length & ((widths[type] ?? 1) - 1));
    index.push(entry(value[0], type, length + gap.length, count));
    store.push(gap, bytes);
    length += gap.length + bytes.length;
  }
  const entries = index.length + 1;
  store.push(entry(region, types.binary, -16 * entries, 16));
  const head = Buffer.from(`8eade801${"00".repeat(12)}`, "hex");
  head.writeUInt32BE(entries, 8);
  head.writeUInt32BE(length + 16, 12);
  return Buffer.concat([head, entry(region, types.binary, length, 16), ...index, ...store]);
}

function padded(bytes: Buffer, to: number): Buffer {
  return Buffer.concat([bytes, Buffer.alloc((to - (bytes.length % to)) % to)]);
}

function cpio(entries: readonly Entry[], time: number): Buffer {
  const member = (path: string, mode: number, inode: number, bytes: Uint8Array, mtime: number): Buffer => {
    const fields = [inode, mode, 0, 0, 1, mtime, bytes.length, 0, 0, 0, 0, path.length + 1, 0];
    const hex = fields.map((value) => value.toString(16).padStart(8, "0")).join("");
    const head = padded(Buffer.from(`070701${hex}${path}\0`, "latin1"), 4);
    return Buffer.concat([head, padded(Buffer.from(bytes), 4)]);
  };
  const files = entries.map(({ path, bytes, mode }, index) =>
    member(`./${path}`, 0o100000 | mode, index + 1, bytes, time),
  );
  return Buffer.concat([...files, member("TRAILER!!!", 0, 0, Buffer.alloc(0), 0)]);
}

const sense = { less: 2, equal: 8, rpmlib: 1 << 24 };
const needs = [
  ["rpmlib(CompressedFileNames)", "3.0.4-1"],
  ["rpmlib(FileDigests)", "4.6.0-1"],
  ["rpmlib(PayloadFilesHavePrefix)", "4.0-1"],
  ["rpmlib(PayloadIsXz)", "5.2-1"],
] as const;

async function rpmOf(given: Ingredients, arch: "x86_64" | "aarch64"): Promise<Artefact> {
  const { time } = given;
  const target = anyProcessor("linux", arch === "x86_64" ? "x64" : "arm64");
  const preset = given.preset(target);
  const files = systemFiles(given, target, {
    licence: "usr/share/licenses/janee/LICENSE",
    licences: "usr/share/licenses/janee/THIRD-PARTY-LICENSES.txt",
    zsh: "usr/share/zsh/site-functions",
  });
  const archive = cpio(files, time);
  const payload = await xz(archive, preset);
  const folders = [...new Set(files.map(({ path }) => `/${path.slice(0, path.lastIndexOf("/") + 1)}`))];
  const each = <T>(make: (entry: Entry, index: number) => T): readonly T[] => files.map(make);
  const size = files.reduce((sum, { bytes }) => sum + bytes.length, 0);
  const self = `${project.version}-1`;
  const main = header(63, [
    [100, "strings", ["C"]],
    [1000, "string", "janee"],
    [1001, "string", project.version],
    [1002, "string", "1"],
    [1004, "translated", summary],
    [1005, "translated", project.description],
    [1006, "int32", [time]],
    [1007, "string", "localhost"],
    [1009, "int32", [size]],
    [1014, "string", project.license],
    [1015, "string", `${project.maintainer.name} <${project.maintainer.email}>`],
    [1016, "translated", "Unspecified"],
    [1020, "string", project.home],
    [1021, "string", "linux"],
    [1022, "string", arch],
    [1028, "int32", each(({ bytes }) => bytes.length)],
    [1030, "int16", each(({ mode }) => 0o100000 | mode)],
    [1033, "int16", each(() => 0)],
    [1034, "int32", each(() => time)],
    [1035, "strings", each(({ bytes }) => sha256(bytes))],
    [1036, "strings", each(() => "")],
    [1037, "int32", each(() => 0)],
    [1039, "strings", each(() => "root")],
    [1040, "strings", each(() => "root")],
    [1044, "string", `janee-${self}.src.rpm`],
    [1045, "int32", each(() => -1)],
    [1047, "strings", ["janee", `janee(${arch === "x86_64" ? "x86-64" : "aarch-64"})`]],
    [1048, "int32", needs.map(() => sense.rpmlib | sense.less | sense.equal)],
    [1049, "strings", needs.map(([name]) => name)],
    [1050, "strings", needs.map(([, least]) => least)],
    [1064, "string", "4.18.0"],
    [1095, "int32", each(() => 1)],
    [1096, "int32", each((_, index) => index + 1)],
    [1097, "strings", each(() => "")],
    [1112, "int32", [sense.equal, sense.equal]],
    [1113, "strings", [self, self]],
    [1116, "int32", each(({ path }) => folders.indexOf(`/${path.slice(0, path.lastIndexOf("/") + 1)}`))],
    [1117, "strings", each(({ path }) => path.slice(path.lastIndexOf("/") + 1))],
    [1118, "strings", folders],
    [1124, "string", "cpio"],
    [1125, "string", "xz"],
    [1126, "string", `${preset}`],
    [5011, "int32", [8]],
    [5062, "string", "utf-8"],
    [5092, "strings", [sha256(payload)]],
    [5093, "int32", [8]],
  ]);
  const hash = (kind: string, ...pieces: Buffer[]): Buffer =>
    pieces.reduce((sum, piece) => sum.update(piece), createHash(kind)).digest();
  const signature = header(62, [
    [269, "string", hash("sha1", main).toString("hex")],
    [273, "string", hash("sha256", main).toString("hex")],
    [1000, "int32", [main.length + payload.length]],
    [1004, "binary", hash("md5", main, payload)],
    [1007, "int32", [archive.length]],
  ]);
  const lead = Buffer.alloc(96);
  lead.write("edabeedb0300", 0, "hex");
  lead.writeUInt16BE(arch === "x86_64" ? 1 : 19, 8);
  lead.write(`janee-${self}`, 10, "latin1");
  lead.writeUInt16BE(1, 76);
  lead.writeUInt16BE(5, 78);
  const bytes = Buffer.concat([lead, padded(signature, 8), main, payload]);
  return { name: `janee-${self}.${arch}.rpm`, bytes };
}

export function rpm(given: Ingredients): Promise<readonly Artefact[]> {
  return Promise.all([rpmOf(given, "x86_64"), rpmOf(given, "aarch64")]);
}
