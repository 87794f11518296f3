// The executable: nothing of it runs before its digest is the one that the workflow names.
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { lstatSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { bareEnvironment, bytesOf, input, lines, Problem } from "./runner.mjs";

const longestMs = 5 * 60_000;
const largest = 256 * 1024 * 1024;
const windows = process.platform === "win32";

export function sha256(bytes) {
  return createHash("sha256").update(bytes).digest("hex");
}

export async function install(folder) {
  const program = join(folder, windows ? "janee.exe" : "janee");
  const path = input("path");
  const version = input("version");
  if (path !== "") {
    const bytes = bytesOf("path", path, largest);
    verify(bytes, path);
    writeFileSync(program, bytes, { mode: 0o700 });
  } else {
    await download(folder, version, program);
  }
  const told = execFileSync(program, ["--version"], { encoding: "utf8", env: bareEnvironment() }).trim();
  if (version !== "" && !told.startsWith(`janee ${version} `)) {
    throw new Problem(`version: expected ${version}, but the executable says: ${told}`);
  }
  return program;
}

async function download(folder, version, program) {
  if (!/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(version)) throw new Problem("version: expected one such as 0.1.0");
  const name = `janee-${version}-${target()}`;
  const archive = `${name}${windows ? ".zip" : ".tar.gz"}`;
  const bytes = await fetched(`${base(version)}/${archive}`);
  verify(bytes, archive);
  writeFileSync(join(folder, archive), bytes, { mode: 0o600 });
  const inside = `${name}/${windows ? "janee.exe" : "janee"}`;
  // The one of Windows reads zip; the one of Git for Windows, which may be found first, does not.
  const tar = windows ? join(process.env.SystemRoot ?? "C:\\Windows", "System32", "tar.exe") : "tar";
  execFileSync(tar, ["-xf", archive, inside], { cwd: folder, env: bareEnvironment() });
  const unpacked = join(folder, ...inside.split("/"));
  if (!lstatSync(unpacked).isFile()) throw new Problem(`${archive}: ${inside} is no file`);
  renameSync(unpacked, program);
}

function target() {
  const system = { linux: "linux", darwin: "darwin", win32: "windows" }[process.platform];
  if (!system || !["x64", "arm64"].includes(process.arch)) {
    throw new Problem(`there is no release for ${process.platform} on ${process.arch}: see the input path`);
  }
  const musl = system === "linux" && !process.report.getReport().header.glibcVersionRuntime;
  return `${system}-${process.arch}${musl ? "-musl" : ""}`;
}

export function base(version) {
  const given = input("base-url").replace(/\/+$/, "");
  if (/^https:\/\/|^http:\/\/127\.0\.0\.1:/.test(given)) return given;
  if (given !== "") throw new Problem("base-url: expected https://…");
  const { repository } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"));
  return `${repository.url.replace(/^git\+|\.git$/g, "")}/releases/download/v${version}`;
}

async function fetched(url) {
  const response = await fetch(url, { signal: AbortSignal.timeout(longestMs) }).catch((error) => {
    throw new Problem(`${url} cannot be fetched: ${error.cause?.code ?? error.message}`);
  });
  if (!response.ok) throw new Problem(`${url} cannot be fetched: status ${response.status}`);
  const pieces = [];
  let length = 0;
  for await (const piece of response.body) {
    length += piece.length;
    if (length > largest) throw new Problem(`${url} is larger than ${largest} bytes`);
    pieces.push(piece);
  }
  return Buffer.concat(pieces);
}

function verify(bytes, name) {
  const wanted = digestFor(name);
  const found = sha256(bytes);
  if (found !== wanted) throw new Problem(`sha256: ${name} has ${found}, and not ${wanted}: it was not run`);
}

/** One digest, or the lines of SHASUMS256.txt for a job that runs on several systems. */
function digestFor(name) {
  const given = lines(input("sha256"));
  const line = given.length === 1 ? given[0] : given.find((one) => one.split(/\s+/)[1] === name);
  const digest = line?.split(/\s+/)[0].toLowerCase() ?? "";
  if (/^[0-9a-f]{64}$/.test(digest)) return digest;
  throw new Problem(`sha256: expected the digest of ${name}, 64 hexadecimal digits`);
}
