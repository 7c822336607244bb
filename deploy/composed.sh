# What the scripts about a composed Concert share. Sourced, never run.
read -ra command <<<"${COMPOSE:-docker compose}"
services=(teams targets meetings metrics)
self=$(basename "$0" .sh)

say() { printf '%s: %s\n' "$self" "$*" >&2; }
die() { say "$*"; exit 1; }

# Compose tells its progress on the error channel; it is of interest only when something fails.
compose() {
    local told
    told=$(mktemp)
    "${command[@]}" "$@" 2>"$told" || { tail -n 20 "$told" >&2; rm -f "$told"; return 1; }
    rm -f "$told"
}
