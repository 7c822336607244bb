#!/usr/bin/env bash
# Puts back what deploy/backup.sh has kept, and starts Concert from it.
#
#   deploy/restore.sh FOLDER                     everything
#   deploy/restore.sh FOLDER --databases-only    the databases, on the log that is there
#
# What is there now is kept first, in KEEP=backups/before-restore-<moment>, but for KEEP=no. A database that is older than
# the log does not start (docs/decisions/0009): it is said which, and how to go on.
set -euo pipefail
[ -z "${1:-}" ] || set -- "$(realpath -m "$1")" "${@:2}"
[ "${KEEP:-no}" = no ] || KEEP=$(realpath -m "$KEEP")
cd "$(dirname "$(readlink -f "$0")")/.."
. deploy/composed.sh
folder=${1:-}
[ -n "$folder" ] || die "usage: $0 FOLDER [--databases-only]"
case ${2:-} in
    '') parts=(log secrets "${services[@]}") ;;
    --databases-only) parts=("${services[@]}") ;;
    *) die "$2 is not known; usage: $0 FOLDER [--databases-only]" ;;
esac
whole "$folder"

back="Restore all of one backup"
kept=${KEEP:-$PWD/backups/before-restore-$(date -u +%Y%m%dT%H%M%SZ)}
if [ "$kept" != no ]; then
    STAY_DOWN=1 deploy/backup.sh "$kept"
    back+=", or what was here before: KEEP=no deploy/restore.sh $kept"
fi
compose stop gateway "${services[@]}"
[ "${parts[0]}" != log ] || compose stop kafka
compose up --detach --wait postgres
put_back() {
    case $1 in
        log)
            compose run --rm -T --no-deps --entrypoint sh kafka -c \
                'find /var/lib/kafka/data -mindepth 1 -delete && tar -C /var/lib/kafka/data -xf -' <"$folder/log.tar"
            ;;
        secrets) compose run --rm -T --no-deps secrets tar -C /run/concert -xf - <"$folder/secrets.tar" ;;
        *)
            compose exec -T postgres sh -c "dropdb --username=concert --if-exists --force $1 &&
                createdb --username=concert --template=template0 $1 &&
                pg_restore --username=concert --dbname=$1 --exit-on-error --single-transaction" <"$folder/$1.dump"
            ;;
    esac
}
say "${parts[*]}"
side_by_side put_back "${parts[@]}" || die "not all could be put back: see what is said above. $back"
# The server may have been filled under another password than the one that has been put back.
compose exec -T postgres sh -c 'psql --quiet --username=concert --dbname=postgres --set=ON_ERROR_STOP=1' <<-'SQL'
	\set password `cat /run/concert/postgres-password`
	ALTER ROLE concert PASSWORD :'password';
SQL

say "starting"
begun=$(date -u +%Y-%m-%dT%H:%M:%SZ)
told=$(mktemp)
trap 'rm -f "$told"' EXIT
# In a group of its own, for compose has processes of its own.
set -m
"${command[@]}" up --detach --wait </dev/null >"$told" 2>&1 &
starting=$!
set +m
older() {
    behind=$("${command[@]}" logs --no-log-prefix --since "$begun" "${services[@]}" 2>/dev/null |
        grep -m 1 'that its database does not know') || true
    [ -n "$behind" ]
}
refused() {
    compose stop "${services[@]}"
    say "$behind"
    die "$back"
}
while kill -0 "$starting" 2>/dev/null; do
    if older; then
        kill -- -"$starting" 2>/dev/null || true
        wait "$starting" 2>/dev/null || true
        refused
    fi
    sleep 0.5
done
# Compose gives up when a container ends, which may be before anybody has read why.
wait "$starting" || { older && refused; die "Concert did not come up: $(tail -n 5 "$told")"; }
say "Concert runs from $folder"
