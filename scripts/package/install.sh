#!/bin/sh
# Installs janee @VERSION@ for one user: no root, no change to any profile.
#
#   JANEE_INSTALL_DIR    where the executable goes (default: ~/.local/bin)
#   JANEE_INSTALL_BASE   where the archives are taken from, such as a mirror
#
# The digests of the archives are in this script: whatever the server sends, nothing else is installed.
set -eu
umask 022

version='@VERSION@'
base="${JANEE_INSTALL_BASE:-@DOWNLOADS@}"

digest_of() {
  case "$1" in
@DIGESTS@
  *) return 1 ;;
  esac
}

fail() {
  printf 'install: %s\n' "$1" >&2
  exit 1
}

has() {
  command -v "$1" >/dev/null 2>&1
}

target_here() {
  case "$(uname -s)" in
  Linux) os=linux ;;
  Darwin) os=darwin ;;
  *) fail "there is no build for $(uname -s) here; on Windows use install.ps1" ;;
  esac
  case "$(uname -m)" in
  x86_64 | amd64) arch=x64 ;;
  aarch64 | arm64) arch=arm64 ;;
  *) fail "there is no build for $(uname -m)" ;;
  esac
  # A shell under Rosetta says x86_64 on a Mac that runs arm64.
  if [ "$os-$arch" = darwin-x64 ] && [ "$(sysctl -n sysctl.proc_translated 2>/dev/null)" = 1 ]; then
    arch=arm64
  fi
  variant=
  if [ "$os" = linux ]; then
    if [ -e "/lib/ld-musl-$(uname -m).so.1" ]; then
      variant=-musl
    elif [ "$arch" = x64 ] && ! grep -q ' avx2 ' /proc/cpuinfo 2>/dev/null; then
      variant=-baseline
    fi
  fi
  printf '%s' "$os-$arch$variant"
}

download() {
  if has curl; then
    curl --fail --silent --show-error --location --output "$2" "$1"
  elif has wget; then
    wget --quiet --output-document="$2" "$1"
  else
    fail 'expected curl or wget'
  fi
}

sha256() {
  if has sha256sum; then
    sha256sum "$1" | cut -d ' ' -f 1
  elif has shasum; then
    shasum -a 256 "$1" | cut -d ' ' -f 1
  else
    fail 'expected sha256sum or shasum: without a checksum nothing is installed'
  fi
}

# A quarter less to fetch, where something unpacks it: tar itself on a Mac, xzcat elsewhere.
ending_here() {
  if has xzcat || [ "$(uname -s)" = Darwin ]; then printf .tar.xz; else printf .tar.gz; fi
}

unpack() {
  case "$1" in
  *.gz) tar -xzf "$1" -C "$2" ;;
  *) if has xzcat; then xzcat "$1" | tar -xf - -C "$2"; else tar -xJf "$1" -C "$2"; fi ;;
  esac
}

main() {
  [ -n "${JANEE_INSTALL_DIR:-}" ] || [ -n "${HOME:-}" ] || fail 'expected HOME or JANEE_INSTALL_DIR'
  directory="${JANEE_INSTALL_DIR:-$HOME/.local/bin}"
  target="$(target_here)"
  ending="$(ending_here)"
  expected="$(digest_of "$target$ending")" || fail "there is no build for $target"
  archive="janee-$version-$target$ending"

  mkdir -p "$directory"
  # Beside its place, so that it can be moved there in one step.
  work="$(mktemp -d "$directory/.janee-install.XXXXXX")"
  trap 'rm -rf "$work"' EXIT
  trap 'exit 1' HUP INT TERM

  download "$base/$archive" "$work/$archive" || fail "$base/$archive could not be fetched"
  found="$(sha256 "$work/$archive")"
  [ "$found" = "$expected" ] ||
    fail "$archive is not the file of this release: expected sha256 $expected, found ${found:-none}"

  unpack "$work/$archive" "$work" || fail "$archive could not be unpacked"
  said="$("$work/janee-$version-$target/janee" --version)" || fail "janee for $target does not run here"
  case "$said" in
  "janee $version ("*) ;;
  *) fail "expected janee $version, the executable says: $said" ;;
  esac
  mv -f "$work/janee-$version-$target/janee" "$directory/janee"

  printf '%s is in %s\n' "$said" "$directory/janee"
  case ":${PATH:-}:" in
  *":$directory:"*) ;;
  *) printf "To find it by its name, add this to your profile:\n  PATH=\"%s:\$PATH\"\n" "$directory" ;;
  esac
}

# On the last line, so that half a script does nothing.
main
