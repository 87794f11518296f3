// What MCP clients install from: a bundle a platform, and the entry for the registry that points at them.
import { type Artefact, executable, type Ingredients, sha256, text } from "./made.ts";
import { licencesText } from "./parts.ts";
import { project, summary } from "./project.ts";
import { file } from "./tar.ts";
import { anyProcessor, executableName, type Target } from "./targets.ts";
import { zip } from "./zip.ts";

const systems = [
  ["darwin", "arm64"],
  ["darwin", "x64"],
  ["linux", "arm64"],
  ["linux", "x64"],
  ["windows", "arm64"],
  ["windows", "x64"],
] as const;

function bundle(given: Ingredients, target: Target): Artefact {
  const entryPoint = `server/${executableName(target)}`;
  const manifest = {
    manifest_version: "0.3",
    name: project.name,
    display_name: project.name,
    version: project.version,
    description: summary,
    long_description: `${project.description}. Services and policies are set up with \`janee add\` on the command line.`,
    author: { name: project.maintainer.name, url: project.home },
    repository: { type: "git", url: `${project.home}.git` },
    homepage: project.home,
    license: project.license,
    keywords: ["credentials", "policy", "audit", "api-keys"],
    server: {
      type: "binary",
      entry_point: entryPoint,
      mcp_config: { command: `\${__dirname}/${entryPoint}`, args: ["mcp"], env: {} },
    },
    tools_generated: true,
    compatibility: { platforms: [target.os === "windows" ? "win32" : target.os] },
  };
  const entries = [
    file("manifest.json", `${JSON.stringify(manifest, undefined, 2)}\n`),
    executable(given, target, entryPoint),
    file("LICENSE", given.license),
    file("THIRD-PARTY-LICENSES.txt", licencesText(given.parts)),
  ];
  const name = `janee-${project.version}-${target.os}-${target.arch}.mcpb`;
  return { name, bytes: zip(entries, given.time, given.level) };
}

export function mcpBundles(given: Ingredients): readonly Artefact[] {
  return systems.map(([os, arch]) => bundle(given, anyProcessor(os, arch)));
}

export function mcpServer(bundles: readonly Artefact[]): Artefact {
  const transport = { type: "stdio" };
  const server = {
    $schema: "https://static.modelcontextprotocol.io/schemas/2025-12-11/server.schema.json",
    name: project.mcpName,
    title: project.name,
    description: summary,
    repository: { url: project.home, source: "github" },
    version: project.version,
    packages: [
      {
        ...{ registryType: "npm", identifier: project.npm, version: project.version, transport },
        packageArguments: [{ type: "positional", value: "mcp" }],
      },
      ...bundles.map(({ name, bytes }) => ({
        registryType: "mcpb",
        identifier: `${project.downloads}/${name}`,
        version: project.version,
        fileSha256: sha256(bytes),
        transport,
      })),
    ],
  };
  return text("server.json", `${JSON.stringify(server, undefined, 2)}\n`);
}
