#!/usr/bin/env bash
# Puts back what deploy/backup.sh has kept, and starts Concert from it.
#
#   deploy/restore.sh FOLDER                     everything
#   deploy/restore.sh FOLDER --databases-only    the databases, on the log that is there
#
# What is there now is kept first, in backups/before-restore-<moment>, unless KEEP=no. A database that is older than the
# log does not start (docs/decisions/0009): it is said which, and how to go on.
set -euo pipefail
[ -z "${1:-}" ] || set -- "$(realpath -m "$1")" "${@:2}"
cd "$(dirname "$(readlink -f "$0")")/.."
. deploy/composed.sh
folder=${1:-}
[ -n "$folder" ] || die "usage: $0 FOLDER [--databases-only]"
[ -e "$folder/complete" ] || die "$folder holds no complete backup"
(cd "$folder" && sha256sum --quiet --check complete) || die "$folder is damaged; nothing has been changed"

kept=backups/before-restore-$(date -u +%Y%m%dT%H%M%SZ)
if [ "${KEEP:-}" != no ]; then
    STAY_DOWN=1 deploy/backup.sh "$kept"
fi
compose stop gateway "${services[@]}"
if [ "${2:-}" != --databases-only ]; then
    say "the secrets and the log"
    compose run --rm -T --no-deps secrets tar -C /run/concert -xf - <"$folder/secrets.tar"
    compose stop kafka
    compose run --rm -T --no-deps --entrypoint sh kafka -c \
        'find /var/lib/kafka/data -mindepth 1 -delete && tar -C /var/lib/kafka/data -xf -' <"$folder/log.tar"
fi
compose up --detach --wait postgres
put_back() {
    compose exec -T postgres sh -c "dropdb --username=concert --if-exists --force $1 &&
        createdb --username=concert --template=template0 $1 &&
        pg_restore --username=concert --dbname=$1 --exit-on-error --single-transaction" <"$folder/$1.dump"
}
say "the databases"
each_service put_back
# The server may have been filled under another password than the one that has been put back.
compose exec -T postgres sh -c 'psql --quiet --username=concert --dbname=postgres --set=ON_ERROR_STOP=1' <<-'SQL'
	\set password `cat /run/concert/postgres-password`
	ALTER ROLE concert PASSWORD :'password';
SQL

say "starting"
begun=$(date -u +%Y-%m-%dT%H:%M:%SZ)
compose up --detach "${services[@]}"
for _ in $(seq 120); do
    if behind=$("${command[@]}" logs --no-log-prefix --since "$begun" "${services[@]}" 2>/dev/null \
        | grep -m 1 'that its database does not know'); then
        compose stop "${services[@]}"
        say "$behind"
        die "Restore all of one backup, or what was here before: $0 $kept"
    fi
    healthy=$("${command[@]}" ps --format '{{.Service}} {{.Health}}' "${services[@]}" | grep -c ' healthy$' || true)
    [ "$healthy" -lt "${#services[@]}" ] || break
    sleep 1
done
compose up --detach --wait
say "Concert runs from $folder"
