#!/usr/bin/env bash
# Builds and starts Prilavok with demo data. On a fresh Debian 12 with Rust it installs what it needs first.
# Arguments go to `prilavok serve`, for example: ./run.sh --listen 0.0.0.0:8080
set -euo pipefail
cd "$(dirname "$0")"
. scripts/packages.sh

# Word splitting is wanted: one package a word.
# shellcheck disable=SC2046
install_packages $(missing_packages cc:build-essential)
exec cargo run --profile quick --locked --package prilavok -- serve --demo "$@"
