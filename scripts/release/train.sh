#!/usr/bin/env bash
# Starts a server with demo data and calls it as connectors and a marketplace do, many times: a build that counts
# what it does learns from that. Any answer but the expected one fails it.
#   scripts/release/train.sh BINARY [ROUNDS]
set -euo pipefail
. "$(dirname "$0")/../demo-server.sh"

binary=$1
rounds=${2:-100}
start_demo "$binary"
key=$("$binary" keys create --business 1 --name training --scope all-methods --data "$data")
token=$("$binary" operator-token create --data "$data")
printf 'a file' >"$data/file.txt"

# call STATUS PATH [LINE...]: one call as curl's configuration, with more lines of it; tells the status expected and the one
# that came.
call() {
    [ -z "${begun:-}" ] || echo next
    begun=1
    printf '%s\n' silent 'output = /dev/null' "url = \"$address$2\"" \
        "write-out = \"$1 %{http_code} %{method} %{url}\\n\"" "${@:3}"
}
as_seller="header = \"Api-Key: $key\""
as_operator="header = \"Authorization: Bearer $token\""
json='header = "Content-Type: application/json"'
says() { echo "data = \"{\\\"message\\\":\\\"$1\\\"}\""; }
v2=/v2/businesses/1
operator=/operator/v1/businesses/1

# What is asked most, most.
{
    for chat in $(seq 40); do
        for _ in 1 2 3 4; do call 200 "$v2/chat?chatId=$chat" "$as_seller"; done
        call 200 "$v2/chats/history?chatId=$chat&limit=50" "$as_seller" "$json" 'data = "{}"'
        call 200 "$v2/chats/history?chatId=$chat" "$as_seller" "$json" 'data = "{\"messageIdFrom\":1}"'
    done
    for _ in $(seq 10); do
        call 200 "$v2/chats?limit=20" "$as_seller" "$json" 'data = "{}"'
    done
    call 200 "$v2/chats?limit=20" "$as_seller" "$json" 'data = "{\"statuses\":[\"WAITING_FOR_PARTNER\"]}"'
    call 200 "$v2/chats?limit=20" "$as_seller" "$json" 'data = "{\"types\":[\"CHAT\"]}"'
    call 200 "$operator/chats" "$as_operator"
    call 200 "$operator/chats/1/messages" "$as_operator"
    call 200 /v2/campaigns "$as_seller"
    call 200 /v2/auth/token "$as_seller" 'request = POST'
    call 401 "$v2/chat?chatId=1" 'header = "Api-Key: ACMA:none"'
    call 403 /v2/businesses/2/chat?chatId=1 "$as_seller"
    call 404 "$v2/chat?chatId=999999" "$as_seller"
    call 400 "$v2/chat?chatId=none" "$as_seller"
} >"$data/read"
begun=
{
    for chat in 1 2 3 4 6 7; do
        for _ in $(seq 8); do
            call 200 "$v2/chats/message?chatId=$chat" "$as_seller" "$json" "$(says 'Здравствуйте! Заказ приедет завтра.')"
        done
        call 201 "$operator/chats/$chat/messages" "$as_operator" "$json" \
            'data = "{\"sender\":\"CUSTOMER\",\"message\":\"Спасибо, жду.\"}"'
    done
    call 200 "$v2/chats/file/send?chatId=1" "$as_seller" "form = \"file=@$data/file.txt\""
} >"$data/write"

# Many side by side, and one after another: both are met with.
for _ in $(seq "$rounds"); do
    for calls in read write; do
        curl --config "$data/$calls" --parallel --parallel-max 32 --no-progress-meter
        curl --config "$data/$calls"
    done
done >"$data/answers"
if awk '$1 != $2' "$data/answers" | sort | uniq -c | grep .; then
    echo "answered otherwise than expected: the status expected, the one that came, the call" >&2
    exit 1
fi
stop_demo
"$binary" check --data "$data" >/dev/null
echo "trained with $(wc -l <"$data/answers") calls"
