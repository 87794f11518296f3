// The text of the release, with the changes of its version and how to verify what was fetched.
import { type Artefact, text } from "./made.ts";
import { project } from "./project.ts";

/** The part of the changelog under the version's heading, or what is not released yet. */
export function changesOf(changelog: string, version: string): string {
  const parts = changelog.split(/^## /m);
  const found =
    parts.find((part) => part.startsWith(version)) ?? parts.find((part) => part.startsWith("Unreleased"));
  return (found ?? "").split("\n").slice(1).join("\n").trim();
}

export function notes(changelog: string, commit: string): Artefact {
  return text(
    "release-notes.md",
    `${changesOf(changelog, project.version)}

## Verify

\`SHASUMS256.txt\` names the digest of every file; \`install.sh\`, \`install.ps1\` and each package hold those they need.

\`\`\`sh
sha256sum --check --ignore-missing SHASUMS256.txt
gh attestation verify janee-${project.version}-linux-x64.tar.xz --repo ${project.owner}/${project.repository}
\`\`\`

Built from commit \`${commit}\` with Bun ${project.bun}. The same bytes come out of \`npm run release -- --dry-run\` on that commit.

The macOS executables have ad-hoc signatures, made with the build, and are not notarised: what a browser downloads is
quarantined; \`install.sh\`, Homebrew and npm do not quarantine. The Windows executables are not signed.
`,
  );
}
