#!/usr/bin/env bash
# Tests what is made for other people's tests, against the real binary.
set -euo pipefail
cd "$(dirname "$0")/.."

tools=target/integration-tools
if [ ! -x "$tools/bin/pytest" ] || ! "$tools/bin/python" -c 'import hatchling, yaml' 2>/dev/null; then
    python3 -m venv "$tools"
    "$tools/bin/pip" install --quiet --disable-pip-version-check 'pytest>=8,<10' 'hatchling>=1.27,<2' 'PyYAML>=6,<7'
fi
cargo build --quiet --locked --package prilavok
export PRILAVOK_BIN=$PWD/target/debug/prilavok
export PYTHONDONTWRITEBYTECODE=1
# Installed as its users install it, so that it is found by its entry point.
"$tools/bin/pip" install --quiet --disable-pip-version-check --no-build-isolation --no-deps --force-reinstall \
    integrations/pytest-prilavok
"$tools/bin/pytest" -q integrations/pytest-prilavok
"$tools/bin/pytest" -q -p no:cacheprovider integrations/github-action
