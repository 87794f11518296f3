// The npm packages as npm packs and installs them, without a network: what janee ends with, the launcher ends with.
import assert from "node:assert/strict";
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { test } from "node:test";
import type { Artefact, Ingredients } from "../../scripts/package/made.ts";
import { npm } from "../../scripts/package/npm.ts";
import { project } from "../../scripts/package/project.ts";
import { readTar } from "../../scripts/package/tar.ts";
import { anyProcessor } from "../../scripts/package/targets.ts";
import { within } from "../support/wait.ts";
import { here, inFolder, ingredients, realBinary, tool, windows } from "./stage.ts";

const limit = { timeout: 120_000 };
const platform = `${process.platform}-${process.arch}`;
const launcherName = `npm/${project.npm.replace("@", "").replace("/", "-")}-${project.version}.tgz`;

function packages(given: Ingredients): { launcher: Artefact; own: Artefact; all: readonly Artefact[] } {
  const all = npm(given);
  const named = (name: string): Artefact => {
    const found = all.find((one) => one.name === name);
    assert.ok(found, `${name} among ${all.map((one) => one.name).join(", ")}`);
    return found;
  };
  const own = launcherName.replace(/-([^-]*)$/, `-${platform}-$1`);
  return { launcher: named(launcherName), own: named(own), all };
}

const environment = (home: string): Record<string, string> => ({
  ...(process.env as Record<string, string>),
  npm_config_cache: join(home, "cache"),
  npm_config_offline: "true",
  npm_config_audit: "false",
  npm_config_fund: "false",
  npm_config_update_notifier: "false",
});

/** Installed as made, or as npm itself packs what was made; returns the folder that has node_modules. */
function install(
  folder: string,
  given: Ingredients,
  which: readonly ("launcher" | "own")[],
  packedBy: "npm" | "us" = "npm",
): string {
  const { launcher, own } = packages(given);
  const files = which.map((name) => {
    const { name: path, bytes } = name === "launcher" ? launcher : own;
    const from = join(folder, name);
    mkdirSync(from, { recursive: true });
    writeFileSync(join(from, basename(path)), bytes);
    if (packedBy === "us") return join(from, basename(path));
    execFileSync("tar", ["-xzf", basename(path)], { cwd: from });
    const options = {
      cwd: join(from, "package"),
      env: environment(folder),
      encoding: "utf8",
      shell: windows,
    } as const;
    const packed = execFileSync("npm", ["pack", "--silent"], options).trim();
    assert.equal(packed, basename(path));
    return join(from, "package", packed);
  });
  const place = join(folder, "place");
  mkdirSync(place);
  writeFileSync(join(place, "package.json"), '{"private": true}\n');
  execFileSync("npm", ["install", "--offline", "--no-package-lock", ...files], {
    cwd: place,
    env: environment(folder),
    stdio: "pipe",
    shell: windows,
  });
  return place;
}

interface Ended {
  readonly status: number | null;
  readonly signal: string | null;
  readonly out: string;
  readonly err: string;
}

/** The ends of a process as its parent sees them; Deno says a signal where there was a status, so a shell looks. */
function start(
  command: readonly string[],
  env: Record<string, string>,
): { child: ChildProcess; ended: Promise<Ended> } {
  const [file = "", ...args] = command;
  const child = spawn(file, args, { env, stdio: ["pipe", "pipe", "pipe"] });
  const text = { out: "", err: "" };
  child.stdout?.on("data", (chunk: Buffer) => {
    text.out += chunk.toString();
  });
  child.stderr?.on("data", (chunk: Buffer) => {
    text.err += chunk.toString();
  });
  const ended = new Promise<Ended>((done) => {
    child.on("close", (status, signal) => done({ status, signal, ...text }));
  });
  return { child, ended: within(30_000, ended, command.join(" ")) };
}

async function ran(command: readonly string[], env: Record<string, string>, input = ""): Promise<Ended> {
  const { child, ended } = start(command, env);
  child.stdin?.on("error", () => {});
  child.stdin?.end(input);
  return ended;
}

const launcherIn = (place: string): string =>
  join(place, "node_modules", ...project.npm.split("/"), "janee.cjs");
const standInTarget = here.os === "linux" ? anyProcessor("linux", here.arch) : here;

/** The launcher is a script for Node, whatever runs this test. */
const node = tool("node") ?? "node";

test("the packages run no script, name each other exactly, and fit one system each", () => {
  const { all } = packages(ingredients());
  const manifests = all.map(({ name, bytes }) => {
    const found = readTar(bytes).find(({ path }) => path === "package/package.json");
    assert.ok(found, name);
    return JSON.parse(Buffer.from(found.bytes).toString()) as Record<string, unknown>;
  });
  const [launcher, ...platforms] = manifests;
  assert.equal(launcher?.mcpName, project.mcpName);
  assert.deepEqual(
    launcher?.optionalDependencies,
    Object.fromEntries(platforms.map(({ name }) => [name, project.version])),
  );
  assert.equal(platforms.length, 8);
  const systems = platforms.map(({ os, cpu, libc }) => JSON.stringify([os, cpu, libc]));
  assert.equal(new Set(systems).size, 8, systems.join(" "));
  for (const manifest of manifests) {
    assert.ok(!("scripts" in manifest) && !("dependencies" in manifest), String(manifest.name));
    assert.equal(manifest.version, project.version);
  }
});

if (!windows) {
  test(
    "installed by npm from its tarballs, the launcher passes on arguments, input, output and status",
    limit,
    async () => {
      await inFolder(async (folder) => {
        const place = install(folder, ingredients(), ["launcher", "own"]);
        const env = environment(folder);
        const janee = join(place, "node_modules", ".bin", "janee");
        assert.match((await ran([janee, "--version"], env)).out, new RegExp(`^janee ${project.version} `));
        for (const status of [0, 1, 2, 4, 7, 125, 255]) {
          const ended = await ran([node, launcherIn(place), "end", `${status}`], env);
          assert.deepEqual([ended.status, ended.signal], [status, null], ended.err);
        }
        const words = ["a b", "", "*", "--flag=x", "'\"", "ü"];
        assert.equal((await ran([node, launcherIn(place), "say", ...words], env)).out, `${words.join("|")}|`);
        assert.equal((await ran([node, launcherIn(place), "echo"], env, "from stdin\n")).out, "from stdin\n");
      });
    },
  );

  test(
    "the launcher ends by the signal that ended janee, and passes on the one that it gets",
    limit,
    async () => {
      await inFolder(async (folder) => {
        const place = install(folder, ingredients(), ["launcher", "own"]);
        const env = environment(folder);
        // A shell says 128 and the number of the signal, on every runtime that runs this test.
        const byShell = (...args: string[]): readonly string[] => [
          "sh",
          "-c",
          '"$@"; echo "status $?"',
          "sh",
          node,
          launcherIn(place),
          ...args,
        ];
        const numbers = {
          TERM: 143,
          KILL: 137,
          HUP: 129,
          INT: 130,
          USR1: process.platform === "darwin" ? 158 : 138,
        };
        for (const [signal, status] of Object.entries(numbers)) {
          const ended = await ran(byShell("die", signal), env);
          assert.match(ended.out, new RegExp(`status ${status}\\b`), `${signal}: ${ended.out}${ended.err}`);
        }
        for (const signal of ["TERM", "HUP", "INT", "USR2"] as const) {
          const { child, ended } = start([node, launcherIn(place), "catch", signal], env);
          await within(
            20_000,
            new Promise<void>((done) => {
              child.stdout?.on("data", (chunk: Buffer) => chunk.includes("ready") && done());
            }),
            "the stand-in",
          );
          process.kill(child.pid ?? 0, `SIG${signal}`);
          const { status, out, err } = await ended;
          assert.equal(out, "ready\ncaught\n", `${signal}: ${err}`);
          assert.equal(status, 7, signal);
        }
      });
    },
  );

  test("through the launcher the real executable does as it does alone", limit, async () => {
    await inFolder(async (folder) => {
      const binaries = new Map(ingredients().binaries).set(standInTarget.name, realBinary());
      const place = install(folder, ingredients({ binaries }), ["launcher", "own"], "us");
      const home = join(folder, "home");
      mkdirSync(home, { mode: 0o700 });
      const env = {
        ...environment(folder),
        ...{ HOME: home, JANEE_HOME: join(home, "j"), XDG_STATE_HOME: join(home, "s") },
      };
      const alone = join(
        place,
        "node_modules",
        ...project.npm.replace(/[^/]+$/, `janee-${platform}`).split("/"),
        "janee",
      );
      for (const args of [
        ["--version"],
        ["nonsense"],
        ["init"],
        ["list", "--json"],
        ["why", "x", "GET", "/"],
      ]) {
        const through = await ran([node, launcherIn(place), ...args], env);
        const direct = await ran([alone, ...args], env);
        assert.deepEqual([through.status, through.signal], [direct.status, direct.signal], args.join(" "));
        if (args[0] !== "init") assert.deepEqual([through.out, through.err], [direct.out, direct.err]);
      }
      const ends: Ended[] = [];
      for (const command of [[node, launcherIn(place)], [alone]]) {
        const { child, ended } = start([...command, "serve", "--json", "--port", "0"], env);
        await within(
          20_000,
          new Promise<void>((done) => {
            child.stdout?.on("data", (chunk: Buffer) => chunk.includes("}") && done());
          }),
          "janee serve",
        );
        process.kill(child.pid ?? 0, "SIGTERM");
        ends.push(await ended);
      }
      assert.deepEqual([ends[0]?.status, ends[0]?.signal], [ends[1]?.status, ends[1]?.signal]);
    });
  });

  test("without its platform's package the launcher says what to do", limit, async () => {
    await inFolder(async (folder) => {
      const place = install(folder, ingredients(), ["launcher"]);
      const { status, out, err } = await ran([node, launcherIn(place), "--version"], environment(folder));
      assert.equal(status, 1);
      assert.equal(out, "");
      assert.match(err, /janee-[a-z0-9-]+ is not installed\n {2}→ .*--include=optional/);
      assert.ok(!existsSync(join(place, "node_modules", ".bin", "janee.exe")));
      assert.deepEqual(
        readdirSync(join(place, "node_modules")).filter((name) => name.startsWith("@")),
        [project.npm.split("/")[0]],
      );
      assert.match(readFileSync(launcherIn(place), "utf8"), /^#!\/usr\/bin\/env node\n/);
    });
  });
}
