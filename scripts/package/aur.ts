// The files of the Arch User Repository: PKGBUILD, and the .SRCINFO that says the same.
import { type Extra, linesFor } from "./extras.ts";
import { type Archives, type Artefact, text } from "./made.ts";
import { project, summary } from "./project.ts";
import { anyProcessor } from "./targets.ts";

const to = (place: string) => (path: string) => `install -Dm644 ${path} "$pkgdir/${place}"`;

const installs = {
  bash: to("usr/share/bash-completion/completions/janee"),
  zsh: to("usr/share/zsh/site-functions/_janee"),
  fish: to("usr/share/fish/vendor_completions.d/janee.fish"),
  powershell: undefined,
};

export function aur(archives: Archives, extras: readonly Extra[]): readonly Artefact[] {
  const sources = { x86_64: "x64", aarch64: "arm64" } as const;
  const each = Object.entries(sources).map(([arch, name]) => ({
    arch,
    archive: archives.of(anyProcessor("linux", name)),
  }));
  const pages = 'install -Dm644 -t "$pkgdir/usr/share/man/man1" man/*.1';
  const installed = linesFor(extras, installs, pages).map((line) => `  ${line}`);
  const pkgbuild = `# Maintainer: ${project.maintainer.name} <${project.maintainer.email}>
pkgname=janee-bin
pkgver=${project.version}
pkgrel=1
pkgdesc='${summary}'
arch=('x86_64' 'aarch64')
url='${project.home}'
license=('${project.license}')
depends=('glibc')
provides=('janee')
conflicts=('janee')
# Stripped, it would lose the program that follows the runtime.
options=('!strip' '!debug')
${each.map(({ arch, archive }) => `source_${arch}=('${archive.url}')\nsha256sums_${arch}=('${archive.sha256}')`).join("\n")}

package() {
  case "$CARCH" in
${each.map(({ arch, archive }) => `    ${arch}) cd "$srcdir/${archive.folder}" ;;`).join("\n")}
  esac
  install -Dm755 janee "$pkgdir/usr/bin/janee"
  install -Dm644 LICENSE "$pkgdir/usr/share/licenses/$pkgname/LICENSE"
  install -Dm644 THIRD-PARTY-LICENSES.txt "$pkgdir/usr/share/licenses/$pkgname/THIRD-PARTY-LICENSES.txt"
${installed.map((line) => `${line}\n`).join("")}}
`;
  const srcinfo = [
    "pkgbase = janee-bin",
    ...[
      ...[`pkgdesc = ${summary}`, `pkgver = ${project.version}`, "pkgrel = 1", `url = ${project.home}`],
      ...["arch = x86_64", "arch = aarch64", `license = ${project.license}`, "depends = glibc"],
      ...["provides = janee", "conflicts = janee", "options = !strip", "options = !debug"],
      ...each.flatMap(({ arch, archive }) => [
        `source_${arch} = ${archive.url}`,
        `sha256sums_${arch} = ${archive.sha256}`,
      ]),
    ].map((line) => `\t${line}`),
    "",
    "pkgname = janee-bin",
    "",
  ];
  return [text("aur/PKGBUILD", pkgbuild), text("aur/.SRCINFO", srcinfo.join("\n"))];
}
