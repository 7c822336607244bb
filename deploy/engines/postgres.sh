#!/usr/bin/env bash
# A private PostgreSQL on loopback: its own data, port and password; nothing of the system's own clusters is touched.
set -euo pipefail
engine=postgres
. "$(dirname "$(readlink -f "$0")")/lib.sh"
dir=${2:-$ENGINES/$engine}

# Debian keeps the server out of the PATH, a folder per version; the newest one wins.
binaries() {
    local found
    found=$(ls -d /usr/lib/postgresql/*/bin/initdb 2>/dev/null | sort -V | tail -n 1) || true
    [ -n "$found" ] || found=$(command -v initdb) || return 1
    dirname "$found"
}

fetch() {
    binaries >/dev/null && return
    fetch_alone
    # The package would otherwise make and start a cluster of its own.
    if [ "$(id -u)" = 0 ] && [ ! -e /etc/postgresql-common/createcluster.conf ]; then
        mkdir -p /etc/postgresql-common
        echo 'create_main_cluster = false' >/etc/postgresql-common/createcluster.conf
    fi
    apt_install postgresql
    binaries >/dev/null || die "the package postgresql brought no initdb"
}

# PostgreSQL refuses to run as root: then it runs as the user that its package made.
unprivileged() {
    if [ "$(id -u)" = 0 ]; then
        setpriv --reuid=postgres --regid=postgres --clear-groups -- "$@"
    else
        "$@"
    fi
}

prepare() {
    make_directory "$dir"
    [ "$(id -u)" != 0 ] || chown postgres:postgres "$dir"
    unprivileged bash -c 'umask 077; head -c 18 /dev/urandom | base64 | tr +/ -_ >"$1"' _ "$dir/password"
    unprivileged "$bin/initdb" --pgdata="$dir/data" --username=concert --auth=scram-sha-256 --pwfile="$dir/password" \
        --encoding=UTF8 --locale=C.UTF-8 --no-sync >"$dir/initdb.log" 2>&1 || die "initdb failed: $(tail -n 3 "$dir/initdb.log")"
    # Durability as in production (fsync stays on); the rest is small, for a machine that does other things too.
    unprivileged tee -a "$dir/data/postgresql.conf" >/dev/null <<-CONF
		listen_addresses = '127.0.0.1'
		port = $(free_port)
		unix_socket_directories = ''
		external_pid_file = '$dir/pid'
		max_connections = 400
		shared_buffers = 64MB
		max_wal_size = 256MB
		log_line_prefix = '%m [%p] %d '
	CONF
    touch "$dir/ready"
}

address() {
    local port
    [ -e "$dir/ready" ] || die "nothing was started in $dir"
    port=$(sed -n 's/^port = //p' "$dir/data/postgresql.conf")
    echo "postgresql://concert:$(cat "$dir/password")@127.0.0.1:$port/postgres"
}

start() {
    fetch
    bin=$(binaries)
    [ -e "$dir/ready" ] || { prepare; follow_owner "$dir"; }
    if ! process_of "$dir" >/dev/null; then
        # Left by a kill. PostgreSQL takes a dead process that nobody has collected yet for a living one; `kill` has
        # waited for all of them.
        rm -f "$dir/data/postmaster.pid"
        # -w returns once connections are answered, crash recovery included.
        unprivileged "$bin/pg_ctl" start --pgdata="$dir/data" --log="$dir/log" --wait --timeout=60 --silent \
            </dev/null >/dev/null 2>&1 9>&- || die "did not start: $(tail -n 5 "$dir/log" 2>&1)"
    fi
    address
}

# A database per service; the address has {service} where the name of the database is.
services() {
    local url service
    url=$(start)
    bin=$(binaries)
    for service in teams targets meetings metrics; do
        "$bin/psql" "$url" -Atc "SELECT 1 FROM pg_database WHERE datname = '$service'" | grep -q 1 \
            || "$bin/psql" "$url" -qc "CREATE DATABASE $service"
    done
    echo "${url%/*}/{service}"
}

case ${1:-} in
    fetch) fetch ;;
    start) start ;;
    services) services ;;
    address) address ;;
    # INT is PostgreSQL's fast stop: sessions are cut, the data is checkpointed.
    stop) stop_engine INT "$dir" ;;
    kill) stop_engine KILL "$dir" ;;
    remove) stop_engine KILL "$dir"; rm -rf "$dir" ;;
    *) die "usage: $0 fetch | start [DIR] | services [DIR] | address [DIR] | stop [DIR] | kill [DIR] | remove [DIR]" ;;
esac
