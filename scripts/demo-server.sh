# Sourced: a server with demo data, for as long as the script runs that sources this.
#   start_demo BINARY: $address is where it listens, $data its folder, which goes with it
#   stop_demo: ends it before the script ends

data=$(mktemp -d)
server=

stop_demo() {
    if [ -n "$server" ]; then
        kill "$server" 2>/dev/null || true
        wait "$server" 2>/dev/null || true
        server=
    fi
}
trap 'stop_demo; rm -rf "$data"' EXIT

start_demo() {
    "$1" serve --demo --no-limits --listen 127.0.0.1:0 --data "$data" >"$data/out" 2>"$data/log" &
    server=$!
    for _ in $(seq 100); do
        address=$(sed -n 's|.*\(http://127\.0\.0\.1:[0-9]*\).*|\1|p' "$data/out" "$data/log" 2>/dev/null | head -n 1)
        if [ -n "$address" ] && curl -fsS "$address/readyz" >/dev/null 2>&1; then break; fi
        sleep 0.1
    done
    [ -n "${address:-}" ] || { cat "$data/log"; echo "the server did not start"; exit 1; }
}
