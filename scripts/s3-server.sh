#!/usr/bin/env bash
# Installs the store that speaks S3 which tests keep files in: s3s-fs, a server over a folder. Takes a minute or two, once.
set -euo pipefail
cd "$(dirname "$0")/.."

version=0.14.1
tool=target/s3-server
[ "$("$tool/bin/s3s-fs" --version 2>/dev/null)" = "s3s-fs $version" ] && exit
# Unoptimised: building it costs more than running it.
CARGO_TARGET_DIR=$tool/build cargo install s3s-fs --version "$version" --features binary --locked --debug --quiet \
    --root "$tool" --force
rm -rf "$tool/build"
