// The Homebrew formula. On Linux it takes the build for any processor: a formula is not asked which one there is.
import { type Extra, linesFor } from "./extras.ts";
import type { Archives, Artefact } from "./made.ts";
import { text } from "./made.ts";
import { project, summary } from "./project.ts";
import { anyProcessor } from "./targets.ts";

function source(archives: Archives, os: "darwin" | "linux", arch: "x64" | "arm64"): string {
  const { url, sha256 } = archives.of(anyProcessor(os, arch));
  return `    ${arch === "arm64" ? "on_arm" : "on_intel"} do
      url "${url}"
      sha256 "${sha256}"
    end`;
}

const installs = {
  bash: (path: string) => `bash_completion.install "${path}" => "janee"`,
  zsh: (path: string) => `zsh_completion.install "${path}"`,
  fish: (path: string) => `fish_completion.install "${path}"`,
  powershell: (path: string) => `pwsh_completion.install "${path}" => "_janee.ps1"`,
};

export function homebrew(archives: Archives, extras: readonly Extra[]): Artefact {
  const install = ['bin.install "janee"', ...linesFor(extras, installs, 'man1.install Dir["man/*.1"]')];
  return text(
    "janee.rb",
    `class Janee < Formula
  desc "${summary}"
  homepage "${project.home}"
  version "${project.version}"
  license "${project.license}"

  on_macos do
${source(archives, "darwin", "arm64")}
${source(archives, "darwin", "x64")}
  end

  on_linux do
${source(archives, "linux", "arm64")}
${source(archives, "linux", "x64")}
  end

  def install
${install.map((line) => `    ${line}`).join("\n")}
  end

  test do
    assert_match "janee #{version} (", shell_output("#{bin}/janee --version")
    ENV["JANEE_HOME"] = testpath/"home"
    ENV["XDG_STATE_HOME"] = testpath/"state"
    system bin/"janee", "init"
    assert_path_exists testpath/"home/config.yaml"
  end
end
`,
  );
}
