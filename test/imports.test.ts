// Which room may know which: one direction of imports carries the design (design.md, "Rooms").
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve, sep } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const limit = { timeout: 30_000 };
const source = fileURLToPath(new URL("../src", import.meta.url));

interface Room {
  readonly rooms: readonly string[];
  /** Packages from outside; `node:` stands for all of the runtime's own. */
  readonly packages: readonly RegExp[];
}

const allowed: Readonly<Record<string, Room>> = {
  main: { rooms: ["commands"], packages: [/^node:/] },
  commands: {
    rooms: ["commands", "surface", "engine", "host", "wire"],
    // The formats of clients' files (src/commands/clients).
    packages: [/^node:/, /^jsonc-parser$/, /^smol-toml$/, /^yaml$/],
  },
  surface: {
    rooms: ["surface", "engine", "wire"],
    packages: [
      /^hono($|\/)/,
      /^valibot$/,
      /^@valibot\/to-json-schema$/,
      /^@modelcontextprotocol\/server($|\/)/,
    ],
  },
  engine: { rooms: ["engine"], packages: [/^valibot$/, /^yaml$/, /^jose$/, /^@noble\/(ciphers|hashes)\//] },
  wire: { rooms: ["wire"], packages: [] },
  host: {
    rooms: ["host", "engine", "wire"],
    // X.509, for the local authority alone.
    packages: [
      /^node:/,
      /^@noble\/(ciphers|hashes)\//,
      /^bun:ffi$/,
      /^reflect-metadata$/,
      /^@peculiar\/(x509|asn1-x509|asn1-schema)$/,
    ],
  },
};

interface Import {
  readonly file: string;
  readonly from: string;
  readonly specifier: string;
  /** The room it leads to; undefined for a package. */
  readonly to: string | undefined;
  readonly onlyTypes: boolean;
  /** Loaded when it is needed: no statement, and another import of the file may name its types. */
  readonly onDemand: boolean;
}

function roomOf(path: string): string {
  const inside = relative(source, path).split(sep);
  return inside.length === 1 ? "main" : (inside[0] ?? "");
}

/** Comments and strings of other kinds do not begin a line with `import` or `export … from`. */
const statement =
  /^\s*(?:import|export)\s+(type\s)?(?:[^"';]*?\sfrom\s+)?"([^"]+)"|\bimport\(\s*"([^"]+)"\s*\)|\brequire\(\s*"([^"]+)"/gm;

function importsOf(file: string): Import[] {
  const found: Import[] = [];
  for (const match of readFileSync(file, "utf8").matchAll(statement)) {
    const specifier = match[2] ?? match[3] ?? match[4] ?? "";
    const to = specifier.startsWith(".") ? roomOf(resolve(dirname(file), specifier)) : undefined;
    found.push({
      file: relative(source, file),
      from: roomOf(file),
      specifier,
      to,
      onlyTypes: match[1] !== undefined,
      onDemand: match[3] !== undefined,
    });
  }
  return found;
}

const files = readdirSync(source, { recursive: true, encoding: "utf8" }).filter((name) =>
  name.endsWith(".ts"),
);
const imports = files.flatMap((name) => importsOf(join(source, name)));
const text = ({ file, specifier }: Import): string => `${file} imports ${specifier}`;

test("every file lies in a room that is known, and its imports are read", limit, () => {
  const rooms = [...new Set(files.map((name) => roomOf(join(source, name))))].sort();
  assert.deepEqual(rooms, Object.keys(allowed).sort());
  assert.ok(
    imports.length > files.length,
    `only ${imports.length} imports were found in ${files.length} files`,
  );
  const count = files.reduce((sum, name) => {
    const lines = readFileSync(join(source, name), "utf8").split("\n");
    return sum + lines.filter((line) => /^(import|export) .* from "|^\} from "|^import "/.test(line)).length;
  }, 0);
  const still = imports.filter(({ onDemand }) => !onDemand);
  assert.equal(still.length, count, "an import was not understood");
});

// The engine that reads a file or the clock is an engine that cannot be tested for what it decides.
test("no import runs against the direction of the rooms", limit, () => {
  const wrong = imports.filter(({ from, to }) => to !== undefined && !allowed[from]?.rooms.includes(to));
  assert.deepEqual(wrong.map(text), []);
});

test("no room takes a package that it should not know", limit, () => {
  const wrong = imports.filter(
    ({ from, to, specifier }) =>
      to === undefined && !allowed[from]?.packages.some((one) => one.test(specifier)),
  );
  assert.deepEqual(wrong.map(text), []);
});

test("imports name whole files, and none leaves src", limit, () => {
  const relativeOnes = imports.filter(({ specifier }) => specifier.startsWith("."));
  assert.deepEqual(relativeOnes.filter(({ specifier }) => !specifier.endsWith(".ts")).map(text), []);
  const outside = relativeOnes.filter(({ file, specifier }) => {
    return relative(source, resolve(dirname(join(source, file)), specifier)).startsWith("..");
  });
  assert.deepEqual(outside.map(text), []);
});

test("the rooms form no cycle", limit, () => {
  const arrows = new Map<string, Set<string>>();
  for (const { from, to } of imports) {
    if (to === undefined || to === from) continue;
    arrows.set(from, (arrows.get(from) ?? new Set()).add(to));
  }
  const reaches = (from: string, seen: Set<string>): Set<string> => {
    for (const next of arrows.get(from) ?? []) if (!seen.has(next)) reaches(next, seen.add(next));
    return seen;
  };
  const cycles = [...arrows.keys()].filter((room) => reaches(room, new Set()).has(room));
  assert.deepEqual(cycles, []);
});

test("the host meets the engine's ports by their types, and the surface meets no host", limit, () => {
  assert.deepEqual(imports.filter(({ from, to }) => from === "surface" && to === "host").map(text), []);
  assert.deepEqual(imports.filter(({ from, to }) => from === "engine" && to === "wire").map(text), []);
});
