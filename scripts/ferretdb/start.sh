#!/usr/bin/env bash
# Starts the MongoDB-compatible test server on 127.0.0.1 and prints its URL, and nothing else, to stdout:
#
#   MONGODB_URL=$(scripts/ferretdb/start.sh) npx vitest run test/host/store
#   scripts/ferretdb/stop.sh
#
# start.sh [port]   a free port when none is given
#
# FERRETDB_DIR   where the data, the log and the pid file go; default build/ferretdb. Data of an earlier run is removed.
# FERRETDB_BIN   the built server; default: built once per version into the user's cache directory (needs Go 1.24).
set -euo pipefail

source_dir=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$source_dir/../.." && pwd)
dir=${FERRETDB_DIR:-$root/build/ferretdb}
port=${1:-0}

version=$(cat "$source_dir/go.mod" "$source_dir/go.sum" "$source_dir/main.go" | sha256sum | cut -c1-16)
bin=${FERRETDB_BIN:-${XDG_CACHE_HOME:-$HOME/.cache}/medcloudlet/ferretdb-$version}

if [[ -f $dir/pid && -f $dir/url ]] && ps -p "$(cat "$dir/pid")" -o args= | grep -qF -- "-dir $dir"; then
  cat "$dir/url"
  exit 0
fi

if [[ ! -x $bin ]]; then
  echo "Building the test server (about a minute, once)..." >&2
  mkdir -p "$(dirname "$bin")"
  (cd "$source_dir" && go build -trimpath -tags ferretdb_no_postgresql -o "$bin.$$" .) >&2
  mv "$bin.$$" "$bin"
fi

mkdir -p "$dir"
rm -rf "$dir/data" "$dir/url" "$dir/pid"
nohup "$bin" -listen "127.0.0.1:$port" -dir "$dir" >"$dir/log" 2>&1 </dev/null &
pid=$!
echo "$pid" >"$dir/pid"

for _ in $(seq 100); do
  if [[ -f $dir/url ]]; then
    cat "$dir/url"
    exit 0
  fi
  if ! kill -0 "$pid" 2>/dev/null; then
    break
  fi
  sleep 0.1
done
echo "The test server did not start; its log:" >&2
cat "$dir/log" >&2
kill "$pid" 2>/dev/null || true
rm -f "$dir/pid"
exit 1
