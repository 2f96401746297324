#!/usr/bin/env bash
# Tests an upgrade: nodes of this version beside those of the version before the last change of the schema, which is built
# from the repository's history. Needs what test.sh installs.
set -euo pipefail
cd "$(dirname "$0")/.."

migrations=crates/store/src/postgres/migrations
changed=$(git log -1 --diff-filter=A --format=%H -- "$migrations" 2>/dev/null || true)
if ! before=$(git rev-parse --verify --quiet "$changed^{commit}^"); then
    echo "the history of the schema is not here (git fetch --unshallow): no upgrade is tested" >&2
    exit
fi
older=target/upgrade/$before
if [ ! -x "$older/prilavok" ]; then
    rm -rf target/upgrade
    mkdir -p "$older/source"
    git archive "$before" | tar -x -C "$older/source"
    # Built where this version is, for the sake of all the crates that both have. A version of its own keeps its crates and
    # this version's apart there: their paths do not.
    sed -i '/^\[workspace.package\]/,/^version/ s/^version = .*/version = "0.0.0"/' "$older/source/Cargo.toml"
    sed -i '/^name = "prilavok/ { n; s/^version = .*/version = "0.0.0"/ }' "$older/source/Cargo.lock"
    CARGO_TARGET_DIR=$PWD/target cargo build --locked --package prilavok --manifest-path "$older/source/Cargo.toml"
    cp target/debug/prilavok "$older/prilavok"
    rm -rf "$older/source"
fi
BEFORE_UPGRADE=$PWD/$older/prilavok cargo test --locked --package prilavok --test nodes -- --ignored upgrade
