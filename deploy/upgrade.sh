#!/usr/bin/env bash
# From the version that runs to the one in this tree: a backup, the new image, migrated databases, new containers. The
# version before serves until all containers of the new one are healthy beside it, and the gateway serves all the while.
#
#   deploy/upgrade.sh [FOLDER]      where the backup is kept; default: backups/<moment>
#
# If the new version does not come up, nothing of it is left and the one before goes on. With the same FOLDER it can be
# tried again: the backup that is there, from before anything was migrated, is not made anew. The way back is the old tree
# and `deploy/restore.sh FOLDER`: databases are only ever migrated forwards.
set -euo pipefail
[ -z "${1:-}" ] || set -- "$(realpath -m "$1")" "${@:2}"
cd "$(dirname "$(readlink -f "$0")")/.."
. deploy/composed.sh
folder=${1:-backups/$(date -u +%Y%m%dT%H%M%SZ)}
jobs=(secrets migrate topics)

running() { "${command[@]}" ps --quiet "$@"; }
# Also those that were made and never started, or have ended.
containers() { "${command[@]}" ps --all --quiet "$@"; }
docker() { command "${DOCKER:-docker}" "$@"; }
gone() { [ $# = 0 ] || { docker stop "$@" && docker rm --force "$@"; } >/dev/null; }
# Of the containers of the services those that are not among these.
but_for() { containers "${services[@]}" | grep -vxF -f <(printf '%s\n' none "$@") || true; }

# Takes away all of the new version, after its last words.
give_way() {
    local new container
    mapfile -t new < <(but_for "${old[@]}")
    for container in $(containers "${jobs[@]}") "${new[@]}"; do
        docker logs --tail 3 "$container" >&2 || true
    done
    compose rm --force --stop "${jobs[@]}"
    gone "${new[@]}"
}

[ ! -e "$folder/complete" ] || whole "$folder"
say "building"
compose build
if [ -e "$folder/complete" ]; then
    say "the backup is there already, of $(date -u -r "$folder/complete" +%Y-%m-%dT%H:%M:%SZ)"
else
    deploy/backup.sh "$folder"
fi
compose up --detach --wait --no-recreate kafka

mapfile -t old < <(running "${services[@]}")
# What an attempt that was broken off has left, it must not be started now.
mapfile -t stale < <(but_for "${old[@]}")
gone "${stale[@]}"
for service in "${services[@]}"; do
    count=$(running "$service" | wc -l)
    copies+=(--scale "$service=$((count > 0 ? count : 1))")
    together+=(--scale "$service=$((count > 0 ? 2 * count : 1))")
done
say "migrating, while the version before serves; then the new version beside it"
# Who breaks it off ends compose, and what that has made is taken away as if it had failed.
trap : INT
# The jobs are made and run once more as the new version's, before anything looks at them: a job that compose finds to be
# of another version it makes anew, and with it all that depends on it, down to the databases and up to the gateway. And
# without --no-deps: a container that was started upon less than it depends on looks like another one.
compose rm --force --stop "${jobs[@]}"
if ! compose up --detach --no-recreate --wait "${together[@]}" "${services[@]}"; then
    give_way
    die "the new version did not come up, nothing of it is left, and the one before goes on. Mend what is said above and
 run this again: $0 $folder. Or go back: the old tree, then deploy/restore.sh $folder"
fi
trap - INT
say "the version before goes"
gone "${old[@]}"
compose up --detach --wait "${copies[@]}" || die "the new version did not come up whole: see compose ps; the backup is in $folder"
# What belongs to whom may have changed; open answers go on.
compose kill --signal HUP gateway
say "Concert runs in the new version; the one before is kept in $folder"
