#!/usr/bin/env bash
# Stops the server that start.sh started (in FERRETDB_DIR, default build/ferretdb).
set -euo pipefail

root=$(cd "$(dirname "$0")/../.." && pwd)
dir=${FERRETDB_DIR:-$root/build/ferretdb}

if [[ ! -f $dir/pid ]]; then
  exit 0
fi
pid=$(cat "$dir/pid")
rm -f "$dir/pid" "$dir/url"
if ! ps -p "$pid" -o args= | grep -qF -- "-dir $dir"; then
  exit 0
fi
kill "$pid"
for _ in $(seq 100); do
  if ! kill -0 "$pid" 2>/dev/null; then
    exit 0
  fi
  sleep 0.1
done
kill -9 "$pid"
