#!/usr/bin/env bash
# Builds the server that is deployed, target/optimized/prilavok: built once to count what it does while train.sh calls it, and
# once more for what was counted. What is called often then lies together and is put together by how it is called.
#   scripts/release/build.sh
# Takes three times as long as cargo build --release. Wants curl, and of Rust the component llvm-tools: it is installed where
# rustup is there.
set -euo pipefail
cd "$(dirname "$0")/../.."

out=$PWD/target/optimized
host=$(rustc --print host-tuple)
tools=$(rustc --print sysroot)/lib/rustlib/$host/bin
if [ ! -x "$tools/llvm-profdata" ]; then
    rustup component add llvm-tools ||
        { echo "there is no $tools/llvm-profdata: install the component llvm-tools of this Rust" >&2; exit 1; }
fi

# build FLAG FOLDER: in a folder of its own, since another build's flags would have it all built anew.
build() {
    RUSTFLAGS="${RUSTFLAGS:-} $1" cargo build --release --locked --package prilavok --target-dir "$2" --target "$host"
}
rm -rf "$out/counts"
build "-Cprofile-generate=$out/counts" "$out/counting"
scripts/release/train.sh "$out/counting/$host/release/prilavok"
"$tools/llvm-profdata" merge --output "$out/profile" "$out/counts"
build "-Cprofile-use=$out/profile" "$out/using"
install -m 0755 "$out/using/$host/release/prilavok" "$out/prilavok"
echo "built $out/prilavok"
