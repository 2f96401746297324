#!/usr/bin/env bash
# Fuzzes every target for SECONDS each (600 unless said otherwise), or the TARGETS named. New inputs go to
# fuzz/target/found, those that break a property to fuzz/artifacts.
# Usage: fuzz/run.sh [SECONDS [TARGET …]]
set -euo pipefail
cd "$(dirname "$0")"

seconds=${1:-600}
targets=("${@:2}")
if [ ${#targets[@]} -eq 0 ]; then
    mapfile -t targets < <(cargo fuzz list)
fi
# Servers in memory: the disk would be what is waited for.
if [ -w /dev/shm ]; then TMPDIR=$(mktemp -d -p /dev/shm); else TMPDIR=$(mktemp -d); fi
export TMPDIR
trap 'rm -rf "$TMPDIR"' EXIT

broken=()
for target in "${targets[@]}"; do
    mkdir -p "target/found/$target"
    # No sanitizer: the server has no unsafe code, and without one the stable compiler will do.
    cargo fuzz run --sanitizer none "$target" "target/found/$target" "corpus/$target" -- \
        -max_total_time="$seconds" -max_len=8192 -timeout=30 -print_final_stats=1 || broken+=("$target")
done
if [ ${#broken[@]} -gt 0 ]; then
    echo "broken: ${broken[*]}" >&2
    exit 1
fi
