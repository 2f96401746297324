#!/usr/bin/env bash
# The examples in docs/ are run against sandboxes: what a page shows works. Languages that are not installed are left out and
# named; Python and curl must be there.
set -euo pipefail
cd "$(dirname "$0")/../.."

cargo build --quiet --locked --package prilavok
python3 tests/languages/examples.py target/debug/prilavok
