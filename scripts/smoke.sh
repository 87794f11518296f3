#!/bin/sh
# The executable of a release does its work on the system it is for: sh scripts/smoke.sh FOLDER TARGET
set -eu
folder="$1"
target="$2"

work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT

fail() {
  printf 'smoke: %s\n' "$1" >&2
  exit 1
}

case "$target" in
windows-*)
  archive="$(ls "$folder"/janee-*-"$target".zip)"
  # The tar of Windows reads zip too; that of Git for Windows does not.
  if command -v unzip >/dev/null 2>&1; then unzip -q "$archive" -d "$work"; else tar -xf "$archive" -C "$work"; fi
  ;;
*)
  archive="$(ls "$folder"/janee-*-"$target".tar.gz)"
  tar -xzf "$archive" -C "$work"
  ;;
esac

name="$(basename "$archive")"
sums="$folder/SHASUMS256.txt"
if command -v sha256sum >/dev/null 2>&1; then found="$(sha256sum "$archive")"; else found="$(shasum -a 256 "$archive")"; fi
grep -qF "${found%% *}  $name" "$sums" || fail "$name is not as SHASUMS256.txt says"

case "$target" in
windows-*) ;;
*)
  mkdir "$work/xz"
  tar -xJf "${archive%.gz}.xz" -C "$work/xz"
  (cd "$work/xz" && cmp janee-*/janee ../janee-*-"$target"/janee) || fail 'the tar.xz holds another executable'
  ;;
esac

set -- "$work"/janee-*-"$target"/janee*
janee="$1"
version="${name#janee-}"
version="${version%-"$target".*}"

said="$("$janee" --version)"
case "$said" in
"janee $version ("*) ;;
*) fail "expected janee $version, it says: $said" ;;
esac
printf '%s\n' "$said"

export JANEE_HOME="$work/home" XDG_STATE_HOME="$work/state" LOCALAPPDATA="$work/state" HOME="$work"
"$janee" init
printf 'sk_smoke_not_a_real_key_0123456789' |
  "$janee" add shop --base-url https://api.shop.example --auth-type bearer --key-stdin --allow 'GET /v1/*'
"$janee" why shop GET /v1/items || fail 'an allowed request was refused'
if "$janee" why shop DELETE /v1/items; then fail 'a request that no rule allows was allowed'; fi
if grep -q sk_smoke "$JANEE_HOME/config.yaml"; then fail 'the credential lies in the config in the clear'; fi
"$janee" licenses | grep -q JavaScriptCore || fail 'the licences are not in the executable'
printf '%s works\n' "$name"
