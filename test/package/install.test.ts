// install.sh from outside: an empty HOME, a PATH with only what it says it needs, and servers that are not always honest.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { installers } from "../../scripts/package/installers.ts";
import { Archives, type Artefact, sha256 } from "../../scripts/package/made.ts";
import { project } from "../../scripts/package/project.ts";
import { file, gzip, tar } from "../../scripts/package/tar.ts";
import { targetNamed, targets } from "../../scripts/package/targets.ts";
import { xz } from "../../scripts/package/xz.ts";
import { root } from "../support/janee.ts";
import { within } from "../support/wait.ts";
import { here, inFolder, ingredients, standIn, tool, windows } from "./stage.ts";

const limit = { timeout: 90_000 };
/** Of what packs and unpacks the real executable. */
const long = { timeout: 115_000 };
const needed = ["sh", "uname", "grep", "mktemp", "mkdir", "rm", "mv", "cut", "tar", "gzip"];
const checksum = process.platform === "darwin" ? "shasum" : "sha256sum";

const standInForXzcat = `#!/bin/sh
exec '${tool("node")}' '${join(root, "scripts", "package", "xz.mjs")}' back "$1" /dev/stdout
`;

interface Ran {
  readonly status: number | null;
  readonly out: string;
  readonly err: string;
}

type Answer = (path: string, response: ServerResponse) => void;

function serving(files: ReadonlyMap<string, Uint8Array>): Answer {
  return (path, response) => {
    const bytes = files.get(path.slice(1));
    if (bytes) response.end(bytes);
    else response.writeHead(404).end();
  };
}

class Machine {
  readonly home: string;
  readonly #path: string;
  readonly #script: string;

  constructor(folder: string, script: string, tools: readonly string[]) {
    this.home = join(folder, "home");
    this.#path = join(folder, "path");
    this.#script = join(folder, "install.sh");
    for (const place of [this.home, this.#path]) mkdirSync(place);
    for (const name of tools) {
      const found = tool(name);
      if (name === "xzcat" && found === undefined) {
        writeFileSync(join(this.#path, name), standInForXzcat, { mode: 0o755 });
        continue;
      }
      assert.ok(found, `${name} is needed for this test`);
      symlinkSync(found, join(this.#path, name));
    }
    writeFileSync(this.#script, script);
  }

  get installed(): string {
    return join(this.home, ".local", "bin", "janee");
  }

  /** Every file and folder under HOME. */
  get left(): readonly string[] {
    return readdirSync(this.home, { recursive: true, encoding: "utf8" }).sort();
  }

  async run(answer: Answer): Promise<Ran> {
    const server = createServer((request, response) => answer(request.url ?? "", response));
    await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
    const { port } = server.address() as AddressInfo;
    const child = spawn(join(this.#path, "sh"), [this.#script], {
      cwd: this.home,
      env: { HOME: this.home, PATH: this.#path, JANEE_INSTALL_BASE: `http://127.0.0.1:${port}` },
      stdio: ["ignore", "pipe", "pipe"],
    });
    const text = { out: "", err: "" };
    child.stdout.on("data", (chunk: Buffer) => {
      text.out += chunk.toString();
    });
    child.stderr.on("data", (chunk: Buffer) => {
      text.err += chunk.toString();
    });
    try {
      const ended = new Promise<number | null>((done) => child.on("close", done));
      return { status: await within(60_000, ended, "install.sh"), ...text };
    } finally {
      child.kill("SIGKILL");
      server.closeAllConnections();
      server.close();
    }
  }
}

interface Release {
  readonly script: string;
  readonly files: Map<string, Uint8Array>;
  /** The archives for this machine: where something unpacks xz, and where nothing does. */
  readonly archive: string;
  readonly archiveGz: string;
}

const cpu = existsSync("/proc/cpuinfo") ? readFileSync("/proc/cpuinfo", "latin1") : " avx2 ";
const isOld = here.name === "linux-x64" && !cpu.includes(" avx2 ");
/** The build that the script chooses here. */
const target = targetNamed(isOld ? "linux-x64-baseline" : here.name);

async function release(given = ingredients()): Promise<Release> {
  const archives = await Archives.from(given);
  const [script] = installers(archives) as [Artefact];
  const files = new Map(archives.all.map(({ name, bytes }) => [name, bytes]));
  return {
    script: Buffer.from(script.bytes).toString(),
    files,
    archive: archives.of(target).name,
    archiveGz: archives.of(target, ".tar.gz").name,
  };
}

const all = [...needed, checksum, "curl"];
const withXz = [...all, "xzcat"];

/** The archive that is fetched with these tools; the tar of macOS needs no other program for xz. */
function taken(made: Release, tools: readonly string[]): string {
  return tools.includes("xzcat") || process.platform === "darwin" ? made.archive : made.archiveGz;
}

async function onMachine<T>(
  script: string,
  tools: readonly string[],
  work: (machine: Machine) => Promise<T>,
): Promise<T> {
  return inFolder((folder) => work(new Machine(folder, script, tools)));
}

/** Refused, with these words, and HOME as empty as it was but for the folder of the executable. */
async function refused(
  made: Release,
  answer: Answer,
  words: RegExp,
  tools: readonly string[] = all,
): Promise<void> {
  await onMachine(made.script, tools, async (machine) => {
    const ran = await machine.run(answer);
    assert.equal(ran.status, 1, ran.out + ran.err);
    assert.match(ran.err, words);
    assert.deepEqual(machine.left, [".local", ".local/bin"]);
  });
}

function changed(bytes: Uint8Array): Uint8Array {
  const copy = Buffer.from(bytes);
  copy[copy.length >> 1] = (copy[copy.length >> 1] ?? 0) ^ 1;
  return copy;
}

if (!windows) {
  test("install.sh puts the real executable in place, and touches nothing else", long, async () => {
    const made = await release(ingredients({ real: [target.name] }));
    for (const tools of [all, withXz]) {
      await onMachine(made.script, tools, async (machine) => {
        const name = taken(made, tools);
        const ran = await machine.run(serving(new Map([[name, made.files.get(name) ?? new Uint8Array()]])));
        assert.equal(ran.status, 0, ran.err);
        assert.match(ran.out, new RegExp(`^janee ${project.version.replaceAll(".", "\\.")} \\(.*\\) is in `));
        assert.match(ran.out, /add this to your profile/);
        assert.deepEqual(machine.left, [".local", ".local/bin", ".local/bin/janee"]);
      });
    }
  });

  for (const fetcher of ["curl", "wget"].filter((name) => tool(name) !== undefined)) {
    test(`install.sh needs ${fetcher} and a few tools that every system has`, limit, async () => {
      const made = await release();
      await onMachine(made.script, [...needed, checksum, fetcher], async (machine) => {
        const ran = await machine.run(serving(made.files));
        assert.equal(ran.status, 0, ran.err);
        assert.equal(readFileSync(machine.installed, "utf8"), standIn(project.version, here.name).toString());
        const again = await machine.run(serving(made.files));
        assert.equal(again.status, 0, again.err);
      });
    });
  }

  test("install.sh refuses an archive that was changed", limit, async () => {
    const made = await release();
    for (const tools of [all, withXz]) {
      const name = taken(made, tools);
      const bytes = changed(made.files.get(name) ?? new Uint8Array());
      await refused(made, serving(new Map([[name, bytes]])), /expected sha256 [0-9a-f]{64}, found/, tools);
    }
  });

  // Whoever can change the archive on the server can change the list of checksums beside it.
  test("install.sh refuses another archive whose checksum the server vouches for", limit, async () => {
    const made = await release();
    const folder = made.archiveGz.replace(".tar.gz", "");
    const evil = tar([file(`${folder}/janee`, standIn(project.version, "evil"), 0o755)], 0);
    for (const tools of [all, withXz]) {
      const name = taken(made, tools);
      const bytes = name.endsWith(".xz") ? await xz(evil, 1) : gzip(evil, 1);
      const files = new Map<string, Uint8Array>([
        [name, bytes],
        ["SHASUMS256.txt", Buffer.from(`${sha256(bytes)}  ${name}\n`)],
      ]);
      await refused(made, serving(files), /is not the file of this release/, tools);
    }
  });

  test(
    "install.sh leaves nothing of a download that was cut off, with and without a length",
    limit,
    async () => {
      const made = await release();
      const bytes = made.files.get(taken(made, all)) ?? new Uint8Array();
      const half = bytes.subarray(0, bytes.length >> 1);
      await refused(
        made,
        (_, response) => {
          response.writeHead(200, { "Content-Length": `${bytes.length}` });
          response.write(half, () => response.destroy());
        },
        /could not be fetched/,
      );
      await refused(made, (_, response) => void response.end(half), /is not the file of this release/);
    },
  );

  test("install.sh refuses what it cannot fetch or cannot check", limit, async () => {
    const made = await release();
    await refused(made, serving(new Map()), /could not be fetched/);
    const without = (name: string): readonly string[] => all.filter((one) => one !== name);
    await refused(made, serving(made.files), /expected sha256sum or shasum/, without(checksum));
    await refused(made, serving(made.files), /expected curl or wget/, without("curl"));
  });

  test(
    "install.sh refuses an executable of another version, and the one that is there stays",
    limit,
    async () => {
      const other = await release(
        ingredients({ binaries: new Map(targets.map(({ name }) => [name, standIn("9.9.9", name)])) }),
      );
      await onMachine(other.script, all, async (machine) => {
        mkdirSync(join(machine.home, ".local/bin"), { recursive: true });
        writeFileSync(machine.installed, "the old one");
        chmodSync(machine.installed, 0o755);
        const ran = await machine.run(serving(other.files));
        assert.equal(ran.status, 1);
        assert.match(ran.err, /the executable says: janee 9\.9\.9/);
        assert.equal(readFileSync(machine.installed, "utf8"), "the old one");
        assert.deepEqual(machine.left, [".local", ".local/bin", ".local/bin/janee"]);
      });
    },
  );

  test("a part of install.sh does nothing", limit, async () => {
    const made = await release();
    const lines = made.script.trimEnd().split("\n");
    assert.equal(lines.at(-1), "main");
    for (const kept of [10, Math.floor(lines.length / 2), lines.length - 3, lines.length - 1]) {
      await onMachine(lines.slice(0, kept).join("\n"), all, async (machine) => {
        let asked = 0;
        await machine.run((_, response) => {
          asked += 1;
          response.end();
        });
        assert.equal(asked, 0, `${kept} lines`);
        assert.deepEqual(machine.left, [], `${kept} lines`);
      });
    }
  });
}

test("install.ps1 checks before it unpacks, works beside the place, and changes no PATH", limit, async () => {
  const made = installers(await Archives.from(ingredients())).find(({ name }) => name === "install.ps1");
  const text = Buffer.from(made?.bytes ?? []).toString();
  const archives = await Archives.from(ingredients());
  for (const { target, sha256: digest } of archives.all) {
    assert.equal(text.includes(`'${target.name}' = '${digest}'`), target.os === "windows", target.name);
  }
  const place = (words: string): number => {
    const at = text.indexOf(words);
    assert.ok(at > 0, `install.ps1 has ${words}`);
    return at;
  };
  const order = [
    "Invoke-WebRequest",
    "Get-FileHash",
    'throw "install: $archive is not',
    "Expand-Archive",
    "--version",
    "Move-Item",
  ];
  assert.deepEqual(
    order.map(place),
    order.map(place).sort((one, other) => one - other),
  );
  assert.equal(text.trimEnd().split("\n").at(-1), "Install-Janee");
  assert.ok(!/SetEnvironmentVariable|setx|\$PROFILE|RunAs|Invoke-Expression|iex/i.test(text));
  assert.ok(!/@[A-Z]+@/.test(text));
});
