#!/usr/bin/env bash
# Runs every test. On a fresh Debian 12 with Rust it installs what it needs first.
set -euo pipefail
cd "$(dirname "$0")"
. scripts/packages.sh

venv=()
python3 -c 'import ensurepip' 2>/dev/null || venv=(python3-venv)
# Tests start clusters of their own (tests/postgres). Debian's package would make and start one for the whole machine.
postgres=()
if ! ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1; then
    postgres=(postgresql)
    write_as_root /etc/postgresql-common/createcluster.d/no-main-cluster.conf 'create_main_cluster = false'
fi
# Word splitting is wanted: one package a word.
# shellcheck disable=SC2046
install_packages $(missing_packages cc:build-essential python3:python3 curl:curl chromium:chromium chromedriver:chromium-driver \
    nginx:nginx haproxy:haproxy openssl:openssl promtool:prometheus systemd-analyze:systemd) "${venv[@]}" "${postgres[@]}"
scripts/s3-server.sh
cargo test --workspace --locked
# The APIs over HTTP once more, on PostgreSQL.
TEST_STORE=postgres cargo test -p prilavok --locked --test contract --test operator --test buyer
# What a release is built for is answered as expected.
scripts/release/train.sh target/debug/prilavok 1
tests/upgrade.sh
tests/conformance/run.sh
tests/signatures/run.sh
tests/languages/run.sh
integrations/test.sh
deploy/test.sh
