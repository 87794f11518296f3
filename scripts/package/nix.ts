// The Nix file: nix-build -E 'with import <nixpkgs> {}; callPackage ./janee.nix {}'
import { type Extra, linesFor } from "./extras.ts";
import { type Archives, type Artefact, text } from "./made.ts";
import { project, summary } from "./project.ts";
import { anyProcessor } from "./targets.ts";

const systems = [
  ["aarch64-darwin", "darwin", "arm64"],
  ["aarch64-linux", "linux", "arm64"],
  ["x86_64-darwin", "darwin", "x64"],
  ["x86_64-linux", "linux", "x64"],
] as const;

const installs = {
  bash: (path: string) => `installShellCompletion --bash --name janee ${path}`,
  zsh: (path: string) => `installShellCompletion --zsh ${path}`,
  fish: (path: string) => `installShellCompletion --fish ${path}`,
  powershell: undefined,
};

export function nix(archives: Archives, extras: readonly Extra[]): Artefact {
  const sources = systems.map(([system, os, arch]) => {
    const { url, sha256 } = archives.of(anyProcessor(os, arch));
    const hash = `sha256-${Buffer.from(sha256, "hex").toString("base64")}`;
    return `    ${system} = {\n      url = "${url}";\n      hash = "${hash}";\n    };`;
  });
  const lines = [
    "install -Dm755 janee $out/bin/janee",
    ...linesFor(extras, installs, "installManPage man/*.1"),
  ];
  return text(
    "janee.nix",
    `{
  lib,
  stdenv,
  fetchurl,
  patchelf,
  installShellFiles,
}:

let
  sources = {
${sources.join("\n")}
  };
in
stdenv.mkDerivation {
  pname = "janee";
  version = "${project.version}";

  src = fetchurl (
    sources.\${stdenv.hostPlatform.system} or (throw "janee has no build for \${stdenv.hostPlatform.system}")
  );

  nativeBuildInputs = [ installShellFiles ] ++ lib.optional stdenv.hostPlatform.isElf patchelf;

  # Stripped, or given an rpath beside another interpreter, it does not start any more.
  dontStrip = true;
  dontPatchELF = true;
  dontConfigure = true;
  dontBuild = true;

  installPhase = ''
    runHook preInstall
${lines.map((line) => `    ${line}`).join("\n")}
  ''
  + lib.optionalString stdenv.hostPlatform.isElf ''
    patchelf --set-interpreter "$(cat $NIX_CC/nix-support/dynamic-linker)" $out/bin/janee
  ''
  + ''
    runHook postInstall
  '';

  doInstallCheck = true;
  installCheckPhase = ''
    $out/bin/janee --version | grep -F "janee ${project.version} ("
  '';

  meta = {
    description = "${summary}";
    homepage = "${project.home}";
    license = lib.licenses.mit;
    mainProgram = "janee";
    platforms = builtins.attrNames sources;
    sourceProvenance = [ lib.sourceTypes.binaryNativeCode ];
  };
}
`,
  );
}
