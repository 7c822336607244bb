#!/usr/bin/env bash
# From the version that runs to the one in this tree: a backup, the new image, migrated databases, new containers. The
# version before serves until all containers of the new one are healthy beside it, and the gateway serves all the while.
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

containers() { "${command[@]}" ps --quiet "$@"; }
gone() { [ $# = 0 ] || { "${DOCKER:-docker}" stop "$@" && "${DOCKER:-docker}" rm "$@"; } >/dev/null; }

say "building"
compose build
deploy/backup.sh "$folder"
compose up --detach --wait --no-recreate kafka

mapfile -t old < <(containers "${services[@]}")
for service in "${services[@]}"; do
    count=$(containers "$service" | wc -l)
    twice+=(--scale "$service=$((2 * count))")
    copies+=(--scale "$service=$count")
done
say "migrating, while the version before serves; then the new version beside it"
# The jobs are made and run once more as the new version's, before anything looks at them: a job that compose finds to be
# of another version it makes anew, and with it all that depends on it, down to the databases and up to the gateway. And
# without --no-deps: a container that was started upon less than it depends on looks like another one.
compose rm --force secrets migrate topics
if ! compose up --detach --no-recreate --wait "${twice[@]}" "${services[@]}"; then
    mapfile -t new < <(containers "${services[@]}" | grep -vxF "$(printf '%s\n' "${old[@]}")")
    gone "${new[@]}"
    die "the new version did not come up; the one before goes on. To go back: the old tree, then deploy/restore.sh $folder"
fi
say "the version before goes"
gone "${old[@]}"
compose up --detach --wait "${copies[@]}" || die "the new version did not come up whole: see compose ps; the backup is in $folder"
# What belongs to whom may have changed; open answers go on.
compose kill --signal HUP gateway
say "Concert runs in the new version; the one before is kept in $folder"
