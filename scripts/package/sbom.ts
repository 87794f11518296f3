// The bill of materials in CycloneDX 1.6: what is in the binary, with the digests of the lock file.
import { createHash } from "node:crypto";
import type { Part } from "./parts.ts";
import { project } from "./project.ts";

interface Locked {
  readonly integrity: string;
  readonly dependencies: readonly string[];
}

/** Reads the lock as Bun prints it, in the form of Yarn's. */
export function readLock(text: string): ReadonlyMap<string, Locked> {
  const locked = new Map<string, Locked>();
  for (const block of text.split(/\n(?=\S)/)) {
    const name = /^"?((?:@[^@/\s]+\/)?[^@\s"]+)@/.exec(block)?.[1];
    const version = /^ {2}version "([^"]+)"/m.exec(block)?.[1];
    const integrity = /^ {2}integrity (\S+)/m.exec(block)?.[1];
    if (name === undefined || version === undefined || integrity === undefined) continue;
    const list = /^ {2}dependencies:\n((?: {4}.*\n?)+)/m.exec(block)?.[1] ?? "";
    const dependencies = [...list.matchAll(/^ {4}"?([^"\s]+)"? /gm)].map(([, one = ""]) => one);
    locked.set(`${name}@${version}`, { integrity, dependencies });
  }
  return locked;
}

function purl(name: string, version: string): string {
  return `pkg:npm/${name.replace("@", "%40")}@${version}`;
}

function hashes(integrity: string): readonly object[] {
  const [, algorithm = "", digest = ""] = /^(sha\d+)-(.+)$/.exec(integrity) ?? [];
  const alg = { sha512: "SHA-512", sha256: "SHA-256", sha1: "SHA-1" }[algorithm];
  if (alg === undefined) throw new Error(`the lock has a digest of an unknown kind: ${integrity}`);
  return [{ alg, content: Buffer.from(digest, "base64").toString("hex") }];
}

function licenses(expression: string): readonly object[] {
  return / (AND|OR) /.test(expression) ? [{ expression }] : [{ license: { id: expression } }];
}

export function sbom(parts: readonly Part[], lock: string, commit: string, time: number): string {
  const locked = readLock(lock);
  const own = `pkg:github/${project.owner}/${project.repository}@${project.tag}`;
  const bun = { ref: `pkg:github/oven-sh/bun@bun-v${project.bun}`, version: project.bun };
  const packages = parts.filter(({ name }) => name !== project.name && name !== "bun");
  const refs = new Map(packages.map(({ name, version }) => [name, purl(name, version)]));
  const found = (name: string, version: string): Locked => {
    const one = locked.get(`${name}@${version}`);
    if (!one) throw new Error(`${name} ${version} is in the binary and not in the lock`);
    return one;
  };
  const components = [
    {
      ...{ type: "platform", "bom-ref": bun.ref, name: "bun", version: bun.version, purl: bun.ref },
      licenses: licenses(parts.find(({ name }) => name === "bun")?.license ?? "MIT"),
    },
    ...packages.map(({ name, version, license }) => ({
      ...{ type: "library", "bom-ref": purl(name, version), name, version, purl: purl(name, version) },
      licenses: licenses(license),
      hashes: hashes(found(name, version).integrity),
    })),
  ];
  const edges = packages.map(({ name, version }) => ({
    ref: purl(name, version),
    dependsOn: found(name, version).dependencies.flatMap((one) => refs.get(one) ?? []),
  }));
  const direct = project.dependencies.flatMap((name) => refs.get(name) ?? []);
  const document = {
    bomFormat: "CycloneDX",
    specVersion: "1.6",
    version: 1,
    metadata: {
      timestamp: new Date(time * 1000).toISOString(),
      component: {
        ...{ type: "application", "bom-ref": own, name: project.name, version: project.version, purl: own },
        description: project.description,
        licenses: licenses(project.license),
        properties: [{ name: "janee:commit", value: commit }],
      },
    },
    components,
    dependencies: [{ ref: own, dependsOn: [bun.ref, ...direct] }, { ref: bun.ref, dependsOn: [] }, ...edges],
  };
  const digest = createHash("sha256").update(JSON.stringify(document)).digest("hex");
  const uuid = [8, 12, 16, 20, 32].map((end, index, ends) => digest.slice(ends[index - 1] ?? 0, end));
  const [first, second, third = "", fourth = "", last] = uuid;
  // A UUID of version 8: made from the content, so that the same commit gives the same one.
  const serial = [first, second, `8${third.slice(1)}`, `8${fourth.slice(1)}`, last].join("-");
  const { bomFormat, specVersion, ...rest } = document;
  return `${JSON.stringify({ bomFormat, specVersion, serialNumber: `urn:uuid:${serial}`, ...rest }, undefined, 2)}\n`;
}
