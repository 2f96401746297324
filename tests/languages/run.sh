#!/usr/bin/env bash
# The examples in docs/ are run against sandboxes, and the requests of the collections in openapi/ are sent to one: what is shown
# works. Languages that are not installed are left out and named; Python and curl must be there.
set -euo pipefail
cd "$(dirname "$0")/../.."

cargo build --quiet --locked --package prilavok
python3 tests/languages/examples.py target/debug/prilavok
