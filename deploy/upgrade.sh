#!/usr/bin/env bash
# From the version that runs to the one in this tree: a backup, the new image, migrated databases, new containers. The
# version before serves until a container of the new one is healthy beside it, service by service.
#
#   deploy/upgrade.sh [FOLDER]      where the backup is kept; default: backups/<moment>
#
# If the new version does not come up, the one before goes on; the way back is the old tree and `deploy/restore.sh FOLDER`:
# databases are only ever migrated forwards.
set -euo pipefail
[ -z "${1:-}" ] || set -- "$(realpath -m "$1")" "${@:2}"
cd "$(dirname "$(readlink -f "$0")")/.."
. deploy/composed.sh
folder=${1:-backups/$(date -u +%Y%m%dT%H%M%SZ)}
copies=()

# The new containers of a service come up beside the old ones, which go when those are healthy.
replace() {
    local old count
    mapfile -t old < <("${command[@]}" ps --quiet "$1")
    count=${#old[@]}
    [ "$count" -gt 0 ] || return 0
    copies+=(--scale "$1=$count")
    say "$1"
    compose up --detach --no-deps --no-recreate --wait --scale "$1=$((2 * count))" "$1" ||
        die "$1 did not come up in the new version; the one before goes on. To go back: the old tree, then deploy/restore.sh $folder"
    "${DOCKER:-docker}" stop "${old[@]}" >/dev/null
    "${DOCKER:-docker}" rm "${old[@]}" >/dev/null
}

say "building"
compose build
deploy/backup.sh "$folder"
compose up --detach --wait --no-recreate kafka
say "migrating, while the version before serves"
compose run --rm -T --no-deps migrate
compose run --rm -T --no-deps topics
for service in "${services[@]}"; do
    replace "$service"
done
compose up --detach --wait "${copies[@]}" || die "the new version did not come up whole: see compose ps; the backup is in $folder"
say "Concert runs in the new version; the one before is kept in $folder"
