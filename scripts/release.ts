// Builds every file of a release into dist/release and verifies each. With --dry-run from any commit; without it only
// from a clean tree at the tag of its version, in the repository that package.json names. It publishes nothing.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { compileAll, compileHost, partsOfBinary } from "./compile.ts";
import { readCommit } from "./package/commit.ts";
import { extras } from "./package/extras.ts";
import { sha256 } from "./package/made.ts";
import { project, root } from "./package/project.ts";
import { verify } from "./package/verify.ts";
import { presetFor } from "./package/xz.ts";
import { packageAll, sums, writeAll } from "./package.ts";

const flags = process.argv.slice(2);
const unknown = flags.filter((flag) => flag !== "--dry-run");
if (unknown.length > 0) {
  console.error(`unknown argument ${unknown[0]}\nusage: npm run release -- [--dry-run]`);
  process.exit(2);
}

const commit = readCommit();
const obstacles = [
  project.hasPlace ? "" : "package.json names no repository yet: put its owner in the place of OWNER",
  commit.changed ? "the tree has changes that are not committed" : "",
  commit.tags.includes(project.tag) ? "" : `the commit has no tag ${project.tag}`,
  [undefined, `${project.owner}/${project.repository}`].includes(process.env.GITHUB_REPOSITORY)
    ? ""
    : `package.json names another repository than ${process.env.GITHUB_REPOSITORY}`,
].filter((obstacle) => obstacle !== "");
if (!flags.includes("--dry-run") && obstacles.length > 0) {
  for (const obstacle of obstacles) console.error(`this cannot be released: ${obstacle}`);
  process.exit(1);
}

const parts = await partsOfBinary();
await compileHost(parts);
const paths = await compileAll(parts);
const binaries = new Map([...paths].map(([name, path]) => [name, readFileSync(path)]));
const lock = Bun.spawnSync([process.execPath, join(root, "bun.lockb")], { cwd: root });
if (!lock.success) throw new Error(`bun.lockb could not be read: ${lock.stderr}`);

console.error(`packing ${project.name} ${project.version} (${commit.name}); this takes some minutes`);
const artefacts = await packageAll(
  {
    ...{ binaries, parts, extras: await extras(commit.time) },
    license: readFileSync(join(root, "LICENSE"), "utf8"),
    readme: readFileSync(join(root, "README.md"), "utf8"),
    ...{ commit: commit.name, time: commit.time, level: 6, preset: presetFor },
  },
  lock.stdout.toString(),
);
const folder = join(root, "dist", "release");
writeAll(artefacts, folder);

const { claims, faults } = await verify(folder, binaries);
for (const { name, bytes } of artefacts)
  console.log(`${(bytes.length / 1e6).toFixed(1).padStart(8)} MB  ${name}`);
for (const claim of claims) console.log(`ok    ${claim}`);
for (const fault of faults) console.log(`FAIL  ${fault}`);
for (const obstacle of obstacles) console.log(`note  not to be published: ${obstacle}`);
console.log(
  `${artefacts.length} files in dist/release, all of them together: sha256 ${sha256(Buffer.from(sums(artefacts)))}`,
);
process.exit(faults.length === 0 ? 0 : 1);
