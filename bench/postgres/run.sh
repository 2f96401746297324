#!/usr/bin/env bash
# getChat and sendMessageToChat over PostgreSQL at one, two and three nodes, beside pgbench doing the same select and the
# same insert on the same server. Everything shares this machine's processors; the ratio is what counts.
#   bench/postgres/run.sh [ROUNDS] [SECONDS]
# Wants PostgreSQL 15 or newer (server and pgbench), wrk, and a release build: cargo build --release -p prilavok, and of
# bench (just bench seeds the small store).
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$here/../..
rounds=${1:-5} seconds=${2:-4}
clients=32 senders=64
binary=$root/target/release/prilavok
seeded=$root/target/bench/small
work=$(mktemp -d)
programs=$(ls -d /usr/lib/postgresql/*/bin | sort -V | tail -1)
port=55${RANDOM:0:3}

# PostgreSQL refuses to run as root.
as=()
[ "$(id -u)" = 0 ] && as=(setpriv --reuid=postgres --regid=postgres --clear-groups) && chown postgres "$work"
stop() {
    [ -n "${nodes:-}" ] && kill $nodes 2>/dev/null
    "${as[@]}" "$programs/pg_ctl" -s -D "$work/db" -m immediate stop || true
    rm -rf "$work"
}
trap stop EXIT
"${as[@]}" "$programs/initdb" -D "$work/db" -U postgres -A trust >/dev/null
"${as[@]}" "$programs/pg_ctl" -s -w -D "$work/db" -l "$work/log" \
    -o "-p $port -k $work -c shared_buffers=512MB -c max_wal_size=4GB" start
url=postgres://postgres@127.0.0.1:$port/postgres
"$binary" migrate-store --from "sqlite:$seeded" --to "$url" --data "$work/data" >/dev/null

# Transactions a second of pgbench.
bar() { # SCRIPT CLIENTS
    pgbench -h 127.0.0.1 -p "$port" -U postgres -n -M prepared -c "$2" -j 1 -T "$seconds" -f "$here/$1" postgres |
        sed -n 's/^tps = \([0-9.]*\).*/\1/p'
}
# Answers a second of all nodes together.
answers() { # OPERATION CLIENTS
    local count=${#ports[@]} loads=() i
    for i in "${!ports[@]}"; do
        wrk -t1 -c$(($2 / count)) -d"${seconds}s" -s "$here/../wrk/requests.lua" "http://127.0.0.1:${ports[$i]}" -- \
            "$1" "$work/chats.txt" >"$work/load$i" &
        loads+=($!)
    done
    wait "${loads[@]}"
    cat "$work"/load* | sed -n 's/^Requests\/sec: *//p' | awk '{sum += $1} END {print sum}'
    if cat "$work"/load* | grep -q '"refused":[1-9]'; then echo "some were refused" >&2; fi
    rm "$work"/load*
}
serve() { # COUNT
    nodes= ports=()
    for i in $(seq "$1"); do
        local own=$((port + 100 + i))
        PRILAVOK_DATABASE=$url PRILAVOK_SEARCH__ENABLED=false PRILAVOK_POSTGRES__CONNECTIONS=$((32 / $1)) \
            "$binary" serve --no-limits --listen "127.0.0.1:$own" --data "$work/node$i" 2>>"$work/nodes.log" &
        nodes="$nodes $!" ports+=("$own")
        until curl -fs "http://127.0.0.1:$own/readyz" >/dev/null; do sleep 0.05; done
    done
    answers getChat $clients >/dev/null
}
median() { sort -n | awk '{v[NR] = $1} END {printf "%.2f (%.2f to %.2f)", v[int((NR + 1) / 2)], v[1], v[NR]}'; }

# Chats of the businesses that pgbench asks for, which are all there can be written into.
awk '$1 <= 100' "$seeded/chats.txt" >"$work/chats.txt"
# Milliseconds of processor that the nodes have used.
used() {
    local pid
    for pid in $nodes; do cat "/proc/$pid/stat"; done |
        awk -v tick="$(getconf CLK_TCK)" '{sum += $14 + $15} END {print sum * 1000 / tick}'
}
printf '| what | pgbench/s | Prilavok/s | ratio, median (spread) | processor for 1,000 |\n|---|---|---|---|---|\n'
for count in 1 2 3; do
    serve $count
    for what in getChat:get.sql:$clients sendMessageToChat:send.sql:$senders; do
        IFS=: read -r operation script callers <<<"$what"
        : >"$work/ratios"
        for _ in $(seq "$rounds"); do
            theirs=$(bar "$script" "$callers")
            before=$(used)
            ours=$(answers "$operation" "$callers")
            cost=$(awk "BEGIN {print ($(used) - $before) / ($ours * $seconds) * 1000}")
            awk "BEGIN {print $ours / $theirs}" >>"$work/ratios"
        done
        printf '| %s, %d node%s | %.0f | %.0f | %s | %.0f ms |\n' "$operation" $count \
            "$([ $count = 1 ] || echo s)" "$theirs" "$ours" "$(median <"$work/ratios")" "$cost"
    done
    kill $nodes; wait $nodes 2>/dev/null || true
done
nodes=
