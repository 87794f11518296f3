// What the channels are given: each file is read as its own reader would, and its digests are those of the archives.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { test } from "node:test";
import { extras as extrasOf } from "../../scripts/package/extras.ts";
import { type Artefact, type Ingredients, sha256 } from "../../scripts/package/made.ts";
import { changesOf } from "../../scripts/package/notes.ts";
import { project, summary } from "../../scripts/package/project.ts";
import { readLock } from "../../scripts/package/sbom.ts";
import { readTar } from "../../scripts/package/tar.ts";
import { anyProcessor, targetNamed } from "../../scripts/package/targets.ts";
import { unxz } from "../../scripts/package/xz.ts";
import { readZip } from "../../scripts/package/zip.ts";
import { packageAll } from "../../scripts/package.ts";
import { root } from "../support/janee.ts";
import { inFolder, ingredients, lock, standIn, tool, windows } from "./stage.ts";

const limit = { timeout: 90_000 };
const locked = lock();
const { validate: lint } = createRequire(import.meta.url)("dockerfile-utils") as {
  validate: (text: string) => readonly { readonly message: string }[];
};
const { validateManifest } = createRequire(import.meta.url)("@anthropic-ai/mcpb/node") as {
  validateManifest: (path: string) => boolean;
};

class Release {
  readonly #made: readonly Artefact[];

  private constructor(made: readonly Artefact[]) {
    this.#made = made;
  }

  static async of(given: Ingredients = ingredients()): Promise<Release> {
    return new Release(await packageAll(given, locked));
  }

  bytes(name: string): Uint8Array {
    const found = this.#made.find((one) => one.name === name);
    assert.ok(found, `${name} is made`);
    return found.bytes;
  }

  text(name: string): string {
    return Buffer.from(this.bytes(name)).toString("utf8");
  }

  json<T>(name: string): T {
    return JSON.parse(this.text(name)) as T;
  }

  /** The archive that a URL of the release names. */
  digestOf(url: string): string {
    assert.ok(url.startsWith(`${project.downloads}/`), url);
    return sha256(this.bytes(url.slice(project.downloads.length + 1)));
  }
}

const plain = await Release.of();
const beside = await extrasOf(1_767_225_600);
const full = await Release.of(ingredients({ extras: beside }));

const urlOf = (os: "linux" | "darwin", arch: "x64" | "arm64"): string =>
  `${project.downloads}/janee-${project.version}-${anyProcessor(os, arch).name}.tar.xz`;

interface RubyCall {
  readonly name: string;
  /** Its first argument, where that is a string. */
  readonly said?: string;
  readonly inside: readonly RubyCall[];
}

function ruby(source: string): { errors: readonly string[]; calls: readonly RubyCall[] } {
  const program = join(root, "test", "package", "ruby.mjs");
  const out = execFileSync("node", ["--no-warnings", program], { input: source, encoding: "utf8" });
  return JSON.parse(out) as ReturnType<typeof ruby>;
}

test("Ruby's parser reads the formula, which has each system's archive with its digest", limit, () => {
  for (const release of [plain, full]) {
    const { errors, calls } = ruby(release.text("janee.rb"));
    assert.deepEqual(errors, []);
    const named = (all: readonly RubyCall[], name: string): RubyCall =>
      all.find((call) => call.name === name) ?? assert.fail(`${name} is called`);
    assert.deepEqual(
      ["desc", "homepage", "version", "license"].map((name) => named(calls, name).said),
      [summary, project.home, project.version, project.license],
    );
    for (const os of ["macos", "linux"] as const) {
      for (const processor of ["arm", "intel"] as const) {
        const { inside } = named(named(calls, `on_${os}`).inside, `on_${processor}`);
        const { said: url = "" } = named(inside, "url");
        assert.equal(url, urlOf(os === "macos" ? "darwin" : os, processor === "arm" ? "arm64" : "x64"));
        assert.equal(named(inside, "sha256").said, release.digestOf(url), url);
      }
    }
    assert.ok(
      named(named(calls, "test").inside, "assert_match").inside.some(({ name }) => name === "shell_output"),
    );
  }
  const formula = plain.text("janee.rb");
  assert.notDeepEqual(ruby(formula.replace(/^ {2}end$/m, "")).errors, [], "what is not closed is seen");
  assert.ok(!/completion|man1/.test(formula));
  for (const place of ["bash_completion", "zsh_completion", "fish_completion", "man1"])
    assert.match(full.text("janee.rb"), new RegExp(`^ {4}${place}\\.install `, "m"));
});

if (tool("ruby") !== undefined) {
  test("Ruby runs the formula and installs from the archive that it names", limit, async () => {
    await inFolder(async (folder) => {
      const stem = `janee-${project.version}-${anyProcessor("linux", "x64").name}`;
      writeFileSync(join(folder, "archive.tar"), await unxz(full.bytes(`${stem}.tar.xz`)));
      execFileSync("tar", ["-xf", "archive.tar"], { cwd: folder });
      writeFileSync(join(folder, "janee.rb"), full.text("janee.rb"));
      // As little of Homebrew as the formula uses: it stands on Linux x64.
      const brew = `
        require "json"
        $seen = []
        class Place
          def initialize(name) = @name = name
          def install(what)
            what = what.keys if what.is_a?(Hash)
            all = Array(what)
            raise "nothing for #{@name}" if all.empty?
            all.each { |one| raise "#{one} is not in the archive" unless File.exist?(one) }
            $seen << [@name, all.length]
          end
        end
        class Formula
          %w[desc homepage version license url sha256].each { |n| define_singleton_method(n) { |v| $seen << [n, v] } }
          def self.on_linux = yield
          def self.on_intel = yield
          def self.on_macos = nil
          def self.on_arm = nil
          def self.test = nil
          %i[bin bash_completion zsh_completion fish_completion pwsh_completion man1].each { |n| define_method(n) { Place.new(n) } }
        end
        load ARGV[0]
        Dir.chdir(ARGV[1]) { Janee.new.install }
        puts JSON.generate($seen)
      `;
      const out = execFileSync("ruby", ["-e", brew, join(folder, "janee.rb"), join(folder, stem)], {
        encoding: "utf8",
      });
      const seen = JSON.parse(out) as [string, string | number][];
      assert.deepEqual(
        seen.slice(0, 6).map(([name]) => name),
        ["desc", "homepage", "version", "license", "url", "sha256"],
      );
      assert.equal(seen[5]?.[1], full.digestOf(String(seen[4]?.[1])));
      assert.deepEqual(
        seen.slice(6).map(([name]) => name),
        [...["bin", "bash_completion", "zsh_completion", "fish_completion", "pwsh_completion", "man1"]],
      );
    });
  });
}

test("the Scoop manifest has each archive with its digest, and finds the next version by itself", () => {
  interface Source {
    readonly url: string;
    readonly hash: string;
    readonly extract_dir: string;
  }
  const manifest = plain.json<{
    version: string;
    bin: string;
    architecture: Record<string, Source>;
    checkver: { github: string };
    autoupdate: { architecture: Record<string, Source>; hash: { url: string } };
  }>("janee.json");
  assert.deepEqual(Object.keys(manifest.architecture), ["64bit", "arm64"]);
  for (const [arch, { url, hash, extract_dir }] of Object.entries(manifest.architecture)) {
    assert.equal(hash, plain.digestOf(url));
    const inside = readZip(plain.bytes(url.slice(project.downloads.length + 1)));
    assert.ok(inside.some(({ path }) => path === `${extract_dir}/${manifest.bin}`));
    const next = manifest.autoupdate.architecture[arch];
    assert.equal(next?.url.replaceAll("$version", manifest.version), url);
    assert.equal(next?.extract_dir.replaceAll("$version", manifest.version), extract_dir);
    assert.ok(!JSON.stringify(next).includes(manifest.version));
  }
  assert.equal(manifest.checkver.github, project.home);
  assert.equal(manifest.autoupdate.hash.url, "$baseurl/SHASUMS256.txt");
});

test("server.json points at the npm package and at each bundle with its digest", () => {
  const server = plain.json<{
    name: string;
    description: string;
    version: string;
    packages: { registryType: string; identifier: string; version: string; fileSha256?: string }[];
  }>("server.json");
  assert.match(server.name, /^[a-zA-Z0-9.-]+\/[a-zA-Z0-9._-]+$/);
  assert.ok(server.description.length <= 100);
  const [npm, ...bundles] = server.packages;
  const launcher = readTar(
    plain.bytes(`npm/${project.npm.replace("@", "").replace("/", "-")}-${project.version}.tgz`),
  );
  const manifest = JSON.parse(
    Buffer.from(launcher.find(({ path }) => path === "package/package.json")?.bytes ?? []).toString(),
  ) as { name: string; version: string; mcpName: string };
  assert.deepEqual(
    [npm?.identifier, npm?.version, server.name],
    [manifest.name, manifest.version, manifest.mcpName],
  );
  assert.equal(bundles.length, 6);
  for (const { registryType, identifier, fileSha256 } of bundles) {
    assert.equal(registryType, "mcpb");
    assert.match(identifier, /\.mcpb$/);
    assert.equal(fileSha256, plain.digestOf(identifier));
  }
});

test(
  "each bundle's manifest is valid, says one platform, and starts a file that is in it",
  limit,
  async () => {
    await inFolder((folder) => {
      const platforms = { darwin: "darwin", linux: "linux", windows: "win32" };
      for (const [os, platform] of Object.entries(platforms)) {
        for (const arch of ["x64", "arm64"]) {
          const entries = readZip(plain.bytes(`janee-${project.version}-${os}-${arch}.mcpb`));
          const text = Buffer.from(
            entries.find(({ path }) => path === "manifest.json")?.bytes ?? [],
          ).toString();
          const path = join(folder, "manifest.json");
          writeFileSync(path, text);
          assert.equal(validateManifest(path), true, text);
          const { server, compatibility } = JSON.parse(text) as {
            server: { entry_point: string; mcp_config: { command: string; args: string[] } };
            compatibility: { platforms: string[] };
          };
          assert.deepEqual(compatibility.platforms, [platform]);
          assert.equal(server.mcp_config.command, `\${__dirname}/${server.entry_point}`);
          assert.deepEqual(server.mcp_config.args, ["mcp"]);
          assert.equal(entries.find((entry) => entry.path === server.entry_point)?.mode, 0o755);
        }
      }
      writeFileSync(join(folder, "bad.json"), '{"manifest_version": "0.3", "name": "janee"}');
      assert.equal(validateManifest(join(folder, "bad.json")), false);
    });
  },
);

if (!windows && tool("bash") !== undefined && process.platform === "linux") {
  test(
    "bash reads the PKGBUILD, and its package() installs from the archive that it names",
    limit,
    async () => {
      await inFolder(async (folder) => {
        writeFileSync(join(folder, "PKGBUILD"), full.text("aur/PKGBUILD"));
        const show = `source ./PKGBUILD; printf "%s\\n" "$pkgver" "\${source_x86_64[0]}" "\${sha256sums_x86_64[0]}"`;
        const said = execFileSync(
          "bash",
          ["-euc", `${show} "\${source_aarch64[0]}" "\${sha256sums_aarch64[0]}"`],
          {
            cwd: folder,
            encoding: "utf8",
          },
        );
        const [version, x64 = "", x64Digest = "", arm64 = "", arm64Digest = ""] = said.split("\n");
        assert.equal(version, project.version);
        assert.deepEqual([x64Digest, arm64Digest], [full.digestOf(x64), full.digestOf(arm64)]);
        const srcinfo = full.text("aur/.SRCINFO");
        for (const value of [x64, arm64, x64Digest, arm64Digest])
          assert.ok(srcinfo.includes(` = ${value}\n`), value);
        for (const place of ["src", "pkg"]) mkdirSync(join(folder, place));
        const archive = full.bytes(x64.slice(project.downloads.length + 1));
        writeFileSync(join(folder, "archive"), await unxz(archive));
        execFileSync("tar", ["-xf", "../archive"], { cwd: join(folder, "src") });
        const env = {
          ...process.env,
          CARCH: "x86_64",
          srcdir: join(folder, "src"),
          pkgdir: join(folder, "pkg"),
        };
        execFileSync("bash", ["-euc", "source ./PKGBUILD; package"], { cwd: folder, env });
        const installed = readFileSync(join(folder, "pkg/usr/bin/janee"));
        assert.deepEqual(installed, standIn(project.version, "linux-x64-baseline"));
        const page = readFileSync(join(folder, "pkg/usr/share/man/man1/janee-add.1"), "utf8");
        assert.equal(page, beside.find(({ path }) => path === "man/janee-add.1")?.text);
        assert.match(
          readFileSync(join(folder, "pkg/usr/share/zsh/site-functions/_janee"), "utf8"),
          /^#compdef/,
        );
      });
    },
  );
}

test("the Nix file has each system's archive with its digest, and its brackets are closed", () => {
  const text = full.text("janee.nix");
  const code = text.replaceAll(/"[^"]*"/g, "");
  const pairs = [...text.matchAll(/url = "([^"]+)";\s+hash = "sha256-([^"]+)";/g)];
  assert.equal(pairs.length, 4);
  for (const [, url = "", digest = ""] of pairs)
    assert.equal(Buffer.from(digest, "base64").toString("hex"), full.digestOf(url));
  for (const [open, close] of ["{}", "()", "[]"])
    assert.equal(code.split(open ?? "").length, code.split(close ?? "").length, `${open}${close}`);
  assert.equal(text.split("''").length % 2, 1, "strings are closed");
});

test("the container file takes its base by digest, runs without rights, and copies what the archives hold", () => {
  const lines = plain.text("Containerfile").replaceAll("\\\n", " ").split("\n");
  const instructions = lines.filter((line) => /^[A-Z]+ /.test(line)).map((line) => line.trim().split(/\s+/));
  const all = (word: string): string[][] => instructions.filter(([first]) => first === word);
  const stages = all("FROM").map(([, image = "", , name]) => ({ image, name }));
  const earlier = new Set<string>();
  for (const { image, name } of stages) {
    const known =
      image === "scratch" || image === `janee-\${TARGETARCH}` || /@sha256:[0-9a-f]{64}$/.test(image);
    assert.ok(known || earlier.has(image), image);
    if (name !== undefined) earlier.add(name);
  }
  assert.match(stages.at(-1)?.image ?? "", /^gcr\.io\/distroless\/cc-debian1\d:nonroot@sha256:/);
  for (const arch of ["amd64", "arm64"]) assert.ok(earlier.has(`janee-${arch}`));
  const added = all("ADD").map(([, archive = ""]) => archive);
  assert.deepEqual(
    added,
    ["x64", "arm64"].map(
      (arch) => `janee-${project.version}-${anyProcessor("linux", arch as "x64").name}.tar.gz`,
    ),
  );
  for (const archive of added) {
    const folder = archive.replace(".tar.gz", "");
    assert.ok(
      all("COPY").some((words) => words.includes(`/${folder}/`)),
      folder,
    );
    assert.ok(readTar(plain.bytes(archive)).some(({ path }) => path === `${folder}/janee`));
  }
  assert.deepEqual(all("USER").at(-1), ["USER", "65532:65532"]);
  assert.equal(all("RUN").length, 0, "a distroless base has no shell");
  assert.deepEqual(all("ENTRYPOINT"), [["ENTRYPOINT", '["/usr/bin/janee"]']]);
  assert.ok(!instructions.some((words) => /latest|(_TOKEN|_KEY|PASSWORD)=/.test(words.join(" "))));
});

test("a linter of container files finds nothing in it, and sees what is wrong in another", () => {
  const containerfile = plain.text("Containerfile");
  assert.deepEqual(lint(containerfile), []);
  for (const [from, to] of [
    [/^USER /m, "USR "],
    [/--from=chosen/, "--form=chosen"],
    [/^ENTRYPOINT .*/m, "ENTRYPOINT"],
  ] as const)
    assert.ok(lint(containerfile.replace(from, to)).length > 0, to);
});

test("the bill of materials has the packages of the binary with the lock's digests, and Bun", () => {
  interface Component {
    readonly "bom-ref": string;
    readonly name: string;
    readonly version: string;
    readonly purl: string;
    readonly hashes?: readonly { readonly content: string }[];
  }
  const bom = plain.json<{
    bomFormat: string;
    specVersion: string;
    serialNumber: string;
    metadata: { timestamp: string; component: Component };
    components: readonly Component[];
    dependencies: readonly { ref: string; dependsOn: readonly string[] }[];
  }>(`janee-${project.version}.cdx.json`);
  assert.deepEqual([bom.bomFormat, bom.specVersion], ["CycloneDX", "1.6"]);
  assert.match(bom.serialNumber, /^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}$/);
  assert.equal(bom.metadata.timestamp, "2026-01-01T00:00:00.000Z");
  const names = bom.components.map(({ name }) => name);
  assert.deepEqual([...names].sort(), ["bun", ...project.dependencies].sort());
  const digests = readLock(locked);
  for (const { name, version, purl, hashes } of bom.components.filter((one) => one.name !== "bun")) {
    assert.equal(purl, `pkg:npm/${name.replace("@", "%40")}@${version}`);
    const integrity = digests.get(`${name}@${version}`)?.integrity ?? "";
    assert.equal(hashes?.[0]?.content, Buffer.from(integrity.slice(7), "base64").toString("hex"), name);
  }
  const refs = new Set([bom.metadata.component["bom-ref"], ...bom.components.map((one) => one["bom-ref"])]);
  for (const { ref, dependsOn } of bom.dependencies)
    for (const one of [ref, ...dependsOn]) assert.ok(refs.has(one), one);
});

test("nothing in a channel's file is left to be filled in", () => {
  for (const name of [
    "janee.rb",
    "janee.json",
    "janee.nix",
    "install.sh",
    "install.ps1",
    "Containerfile",
    "server.json",
  ]) {
    assert.ok(!/@[A-Z]+@|undefined|\[object/.test(full.text(name)), name);
    assert.ok(full.text(name).includes(project.version), name);
  }
  assert.ok(summary.length < 80 && !/^(A|An|The|janee) /i.test(summary) && !summary.endsWith("."));
});

test("the notes of a release have the changes of its version", () => {
  const log = "# Changelog\n\n## Unreleased\n\n- next\n\n## 1.2.0\n\n- this\n\n## 1.1.0\n\n- old\n";
  assert.equal(changesOf(log, "1.2.0"), "- this");
  assert.equal(changesOf(log, "1.3.0"), "- next");
  assert.ok(plain.text("release-notes.md").includes(`--repo ${project.owner}/${project.repository}`));
  assert.ok(readFileSync(join(root, "CHANGELOG.md"), "utf8").includes("## Unreleased"));
});

test("beside the executable are the completions and manual pages of this version, dated by the commit", () => {
  const kinds = beside.map(({ kind }) => kind);
  assert.deepEqual(kinds.slice(0, 5), ["bash", "zsh", "fish", "powershell", "man"]);
  const page = beside.find(({ path }) => path === "man/janee.1")?.text ?? "";
  assert.match(page, new RegExp(`^\\.TH JANEE 1 "2026-01-01" "janee ${project.version}"`));
  assert.ok(beside.some(({ path }) => path === "man/janee-add.1"));
  const stem = `janee-${project.version}-linux-arm64`;
  const inside = readTar(full.bytes(`${stem}.tar.gz`)).map(({ path }) => path);
  for (const { path } of beside) assert.ok(inside.includes(`${stem}/${path}`), path);
});

test("channels that cannot see the processor take the build that runs on each", () => {
  assert.equal(anyProcessor("linux", "x64"), targetNamed("linux-x64-baseline"));
  assert.equal(anyProcessor("linux", "arm64"), targetNamed("linux-arm64"));
  assert.equal(anyProcessor("windows", "x64"), targetNamed("windows-x64"));
});
