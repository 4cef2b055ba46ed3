#!/usr/bin/env bash
# Provides the overgrant binary: a released archive whose checksum stands in action/checksums.txt,
# or a build of the action's own checkout where the reference is no release.
# Reads OVERGRANT_ACTION_PATH, OVERGRANT_VERSION, OVERGRANT_ACTION_REF, OVERGRANT_REPOSITORY;
# writes `bin` to GITHUB_OUTPUT.
set -euo pipefail

fail() {
  echo "::error title=overgrant::$1"
  exit 2
}

version=${OVERGRANT_VERSION:-}
if [ -z "$version" ]; then
  case "${OVERGRANT_ACTION_REF:-}" in
    v[0-9]*.[0-9]*.[0-9]*) version=$OVERGRANT_ACTION_REF ;;
  esac
elif ! [[ $version =~ ^v[0-9]+\.[0-9]+\.[0-9]+$ ]]; then
  fail "version must look like v1.2.3"
fi

case "$(uname -s)-$(uname -m)" in
  Linux-x86_64) target=x86_64-unknown-linux-musl ;;
  Linux-aarch64 | Linux-arm64) target=aarch64-unknown-linux-musl ;;
  Darwin-x86_64) target=x86_64-apple-darwin ;;
  Darwin-arm64) target=aarch64-apple-darwin ;;
  MINGW*-x86_64 | MSYS*-x86_64) target=x86_64-pc-windows-msvc ;;
  *) target='' ;;
esac

sums=$OVERGRANT_ACTION_PATH/action/checksums.txt
archive=overgrant-$version-$target.tar.gz
expected=$(awk -v name="$archive" '$2 == name { print $1 }' "$sums")

if [ -n "$version" ] && [ -n "$target" ] && [ -n "$expected" ]; then
  dir=${RUNNER_TEMP:-/tmp}/overgrant-$version
  mkdir -p "$dir"
  base=${OVERGRANT_DOWNLOAD_BASE:-https://github.com/${OVERGRANT_REPOSITORY}/releases/download}
  curl --fail --silent --show-error --location --retry 3 --output "$dir/$archive" "$base/$version/$archive" ||
    fail "cannot download $archive"
  if command -v sha256sum >/dev/null; then
    actual=$(sha256sum "$dir/$archive" | cut -d' ' -f1)
  else
    actual=$(shasum -a 256 "$dir/$archive" | cut -d' ' -f1)
  fi
  [ "$actual" = "$expected" ] || fail "$archive has checksum $actual, not $expected"
  tar -xzf "$dir/$archive" -C "$dir"
  bin=$dir/overgrant
  [ -e "$bin" ] || bin=$dir/overgrant.exe
elif [ -n "${OVERGRANT_VERSION:-}" ]; then
  fail "no checksum is known for $archive; use a version that this action knows"
else
  command -v cargo >/dev/null ||
    fail "this reference of the action is no release, and there is no cargo to build it; use a release tag"
  echo "Building overgrant from the action's own checkout."
  target_dir=${CARGO_TARGET_DIR:-${RUNNER_TEMP:-/tmp}/overgrant-target}
  # In the action's folder, so that its rust-toolchain.toml is the one that counts.
  (cd "$OVERGRANT_ACTION_PATH" && CARGO_TARGET_DIR=$target_dir cargo build --release --locked --quiet --bin overgrant)
  bin=$target_dir/release/overgrant
  [ -e "$bin" ] || bin=$target_dir/release/overgrant.exe
fi

[ -e "$bin" ] || fail "the archive holds no overgrant binary"
"$bin" --version
echo "bin=$bin" >>"$GITHUB_OUTPUT"
