# What the scripts about a composed Concert share. Sourced, never run.
read -ra command <<<"${COMPOSE:-docker compose}"
services=(teams targets meetings metrics)
self=$(basename "$0" .sh)

say() { printf '%s: %s\n' "$self" "$*" >&2; }
die() { say "$*"; exit 1; }

# The same for every service, side by side; fails when one of them does.
each_service() {
    local service running=()
    for service in "${services[@]}"; do
        "$1" "$service" &
        running+=($!)
    done
    for service in "${running[@]}"; do
        wait "$service" || return
    done
}

# Compose tells its progress on the error channel; it is of interest only when something fails.
compose() {
    local told
    told=$(mktemp)
    "${command[@]}" "$@" 2>"$told" || { tail -n 20 "$told" >&2; rm -f "$told"; return 1; }
    rm -f "$told"
}
