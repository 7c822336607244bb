#!/usr/bin/env bash
# A copy of all that a composed Concert holds: the four databases, the log, the secrets.
#
#   deploy/backup.sh [FOLDER]       default: backups/<moment>
#
# The services rest meanwhile (the gateway answers 503, and what is sent again with its Idempotency-Key is taken once),
# because the parts must fit together: a database that is older than the log may not start again, and a log that is older
# than a database lacks what that believes to have told. The folder holds secrets: keep it as you keep those.
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")/.."
. deploy/composed.sh
folder=${1:-backups/$(date -u +%Y%m%dT%H%M%SZ)}

[ ! -e "$folder/complete" ] || die "$folder holds a backup already"
umask 077
mkdir -p "$folder"
say "the services rest"
compose stop gateway "${services[@]}" kafka
compose up --detach --wait postgres
for service in "${services[@]}"; do
    say "database $service"
    compose exec -T postgres pg_dump --username=concert --format=custom "$service" >"$folder/$service.dump"
done
say "the log and the secrets"
compose run --rm -T --no-deps --entrypoint tar kafka -C /var/lib/kafka/data -cf - . >"$folder/log.tar"
compose run --rm -T --no-deps secrets tar -C /run/concert -cf - . >"$folder/secrets.tar"
(cd "$folder" && sha256sum ./*.dump ./*.tar >complete.new && mv complete.new complete)
say "the services go on"
[ -n "${STAY_DOWN:-}" ] || compose up --detach --wait
say "kept in $folder"
