#!/usr/bin/env bash
# Notifications of a real server are checked with the public verifier of Standard Webhooks for Python.
set -euo pipefail
cd "$(dirname "$0")/../.."

tools=target/signature-tools
if [ ! -x "$tools/bin/python" ] || ! "$tools/bin/python" -c 'import standardwebhooks' 2>/dev/null; then
    python3 -m venv "$tools"
    "$tools/bin/pip" install --quiet --disable-pip-version-check 'standardwebhooks>=1,<2'
fi
cargo build --quiet --locked --package prilavok
"$tools/bin/python" tests/signatures/verify.py target/debug/prilavok
