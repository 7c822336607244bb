# What the scripts about a composed Concert share. Sourced, never run.
read -ra command <<<"${COMPOSE:-docker compose}"
services=(teams targets meetings metrics)
self=$(basename "$0" .sh)

say() { printf '%s: %s\n' "$self" "$*" >&2; }
die() { say "$*"; exit 1; }

# The same for each of several, side by side; fails when one of them does, after all have ended.
side_by_side() { # COMMAND EACH...
    local each failed=0 begun=()
    for each in "${@:2}"; do
        "$1" "$each" &
        begun+=($!)
    done
    for each in "${begun[@]}"; do
        wait "$each" || failed=1
    done
    return "$failed"
}

# Refuses a folder without a whole backup.
whole() { # FOLDER
    [ -e "$1/complete" ] || die "$1 holds no complete backup; nothing has been changed"
    (cd "$1" && sha256sum --quiet --check complete) || die "$1 is damaged; nothing has been changed"
}

# Compose tells its progress on the error channel; it is of interest only when something fails.
compose() {
    local told
    told=$(mktemp)
    "${command[@]}" "$@" 2>"$told" || { tail -n 20 "$told" >&2; rm -f "$told"; return 1; }
    rm -f "$told"
}
