#!/usr/bin/env bash
# Starts a server with demo data and sends it requests generated from upstream.yaml, and from the
# Operator API's own document: every answer must be one that the description allows, and none a 5xx.
# EXAMPLES bounds how many for each operation.
set -euo pipefail
cd "$(dirname "$0")/../.."
. scripts/demo-server.sh

examples=${EXAMPLES:-40}
seed=${SEED:-20261124}
tools=target/conformance-tools
if [ ! -x "$tools/bin/st" ]; then
    python3 -m venv "$tools"
    "$tools/bin/pip" install --quiet --disable-pip-version-check 'schemathesis==4.32.5'
fi

cargo build --quiet --locked --package prilavok
bin=target/debug/prilavok
start_demo "$bin"
key=$("$bin" keys create --business 1 --name conformance --scope all-methods --data "$data")

token=$("$bin" operator-token create --data "$data")

# send DOCUMENT HEADER EXAMPLES
send() {
    echo "conformance: $1, $3 examples for each operation against $address (seed $seed)"
    "$tools/bin/st" run "$1" --url "$address" --header "$2" \
        --phases examples,coverage,fuzzing --max-examples "$3" --seed "$seed" --continue-on-failure \
        --checks not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance,unsupported_method,ignored_auth \
        --request-timeout 10 --suppress-health-check all --warnings off --no-color
}

send tests/conformance/upstream.yaml "Api-Key: $key" "$examples"
# Three times as many operations, whose parameters are alike.
send openapi/operator.json "Authorization: Bearer $token" "$((examples / 4 + 1))"

"$bin" check --data "$data"
