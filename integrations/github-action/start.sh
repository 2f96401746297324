#!/usr/bin/env bash
# Starts the sandbox in the background, waits until it is ready, and hands its address and keys to the steps that follow.
set -euo pipefail

folder=$(mktemp -d "$RUNNER_TEMP/prilavok.XXXXXX")

binary=${BINARY:-}
if [ -z "$binary" ]; then
    cargo install --locked --root "$folder" --path "$GITHUB_ACTION_PATH/../../crates/prilavok"
    binary=$folder/bin/prilavok
fi

# Word splitting is wanted: one option a word.
# shellcheck disable=SC2086
nohup "$binary" sandbox --port 0 --json ${OPTIONS:-} </dev/null >"$folder/out" 2>"$folder/log" &
pid=$!

fail() {
    cat "$folder/log"
    echo "::error::$1"
    exit 1
}

# The line is printed when the sandbox is ready.
for _ in $(seq 600); do
    if [ "$(wc -l <"$folder/out")" -ge 1 ]; then break; fi
    kill -0 "$pid" 2>/dev/null || fail "the sandbox did not start"
    sleep 0.1
done
line=$(head -n 1 "$folder/out")
[ -n "$line" ] || fail "the sandbox was not ready within a minute"

# The first value of that name: scenarios, which have keys too, come last.
value() {
    [[ $line =~ \"$1\":\"?([^\",}]+) ]] || return 1
    echo "${BASH_REMATCH[1]}"
}

url=$(value url) || fail "this is not what a sandbox tells: $line"
curl -fsS --retry 20 --retry-delay 1 --retry-connrefused --max-time 10 "$url/readyz" >/dev/null || fail "$url does not answer"

for name in apiKey readOnlyApiKey otherApiKey operatorToken; do
    echo "::add-mask::$(value "$name")"
done
{
    echo "url=$url"
    echo "business-id=$(value businessId)"
    echo "api-key=$(value apiKey)"
    echo "read-only-api-key=$(value readOnlyApiKey)"
    echo "other-api-key=$(value otherApiKey)"
    echo "operator-token=$(value operatorToken)"
    echo "pid=$pid"
} >>"$GITHUB_OUTPUT"
echo "The sandbox is ready at $url"
