#!/usr/bin/env bash
# What the public image does with an empty volume: a cluster, its first user and database, the scripts of initdb.d.
set -euo pipefail

# VARIABLE, or the contents of the file that VARIABLE_FILE names.
setting() {
    local file=$1_FILE
    if [ -n "${!file:-}" ]; then cat "${!file}"; else printf %s "${!1:-${2:-}}"; fi
}

if [ "$1" = postgres ] && [ ! -s "$PGDATA/PG_VERSION" ]; then
    password=$(setting POSTGRES_PASSWORD)
    [ -n "$password" ] || { echo 'POSTGRES_PASSWORD or POSTGRES_PASSWORD_FILE must be given' >&2; exit 1; }
    POSTGRES_USER=$(setting POSTGRES_USER postgres)
    POSTGRES_DB=$(setting POSTGRES_DB "$POSTGRES_USER")
    export POSTGRES_USER POSTGRES_DB PGUSER=$POSTGRES_USER PGHOST=/var/run/postgresql
    initdb --username="$POSTGRES_USER" --pwfile=<(echo "$password") --auth-local=trust --auth-host=scram-sha-256
    echo 'host all all all scram-sha-256' >>"$PGDATA/pg_hba.conf"
    echo "listen_addresses = '*'" >>"$PGDATA/postgresql.conf"
    # Nobody from outside may see the database half made.
    pg_ctl start --wait -o "-c listen_addresses=''"
    [ "$POSTGRES_DB" = postgres ] || createdb "$POSTGRES_DB"
    for script in /docker-entrypoint-initdb.d/*; do
        case $script in
            *.sh) if [ -x "$script" ]; then "$script"; else . "$script"; fi ;;
            *.sql) psql -v ON_ERROR_STOP=1 --dbname "$POSTGRES_DB" -f "$script" ;;
        esac
    done
    pg_ctl stop --wait --mode=fast
    unset PGUSER PGHOST
fi
exec "$@"
