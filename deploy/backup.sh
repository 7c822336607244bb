#!/usr/bin/env bash
# A copy of all that a composed Concert holds: the four databases, the log, the secrets.
#
#   deploy/backup.sh [FOLDER]       default: backups/<moment>
#
# The log rests meanwhile, because the parts must fit together: a database that is older than the log may not start again,
# and a log that is older than a database lacks what that believes to have told. While nothing can be told, any database is
# as new as the log, whenever it is copied: what is written waits in it. So the services go on; only the views stand still.
# With STAY_DOWN=1 the services are stopped too, and stay so. The folder holds secrets: keep it as you keep those.
set -euo pipefail
[ -z "${1:-}" ] || set -- "$(realpath -m "$1")" "${@:2}"
cd "$(dirname "$(readlink -f "$0")")/.."
. deploy/composed.sh
folder=${1:-backups/$(date -u +%Y%m%dT%H%M%SZ)}

[ ! -e "$folder/complete" ] || die "$folder holds a backup already"
umask 077
mkdir -p "$folder"
if [ -n "${STAY_DOWN:-}" ]; then
    say "the services stop"
    # Before the log: what stops tells the log what it still has to tell, and would wait for it.
    compose stop gateway "${services[@]}"
    compose stop kafka
else
    # Whatever happens from here on: the log goes on.
    trap 'compose start kafka' EXIT
    say "the log rests, the services go on"
    compose stop kafka
fi
compose up --detach --wait --no-recreate postgres
save() {
    case $1 in
        log) compose run --rm -T --no-deps --entrypoint tar kafka -C /var/lib/kafka/data -cf - . >"$folder/log.tar" ;;
        secrets) compose run --rm -T --no-deps secrets tar -C /run/concert -cf - . >"$folder/secrets.tar" ;;
        *) compose exec -T postgres pg_dump --username=concert --format=custom "$1" >"$folder/$1.dump" ;;
    esac
}
say "the databases, the log and the secrets"
side_by_side save log secrets "${services[@]}"
(cd "$folder" && sha256sum ./*.dump ./*.tar >complete.new && mv complete.new complete)
say "kept in $folder"
