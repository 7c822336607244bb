#!/usr/bin/env bash
# A Docker engine with compose, for a machine that has none and may not reach Docker's own packages: the engine from
# Debian, the compose plugin from Debian's next release (this one's is too old). Needs root.
#
#   eval "$(deploy/engine.sh start)"     start it and point this shell at it
#   deploy/engine.sh stop                stop it; images and volumes stay
#   deploy/engine.sh remove              stop it and drop everything it holds
#
# Where a working engine is found already, `start` prints nothing and leaves it alone.
set -euo pipefail
engine=docker
here=$(dirname "$(readlink -f "$0")")
. "$here/engines/lib.sh"
dir=$ENGINES/$engine
compose=$CACHE/docker/cli-plugins/docker-compose

works_already() { docker info && docker compose version; } >/dev/null 2>&1

fetch() {
    [ "$(id -u)" = 0 ] || die "only root can start a docker engine"
    fetch_alone
    # Started by the package it would run as a service of the system; this one is ours to start and stop.
    [ -x /usr/sbin/dockerd ] || RUNLEVEL=1 apt_install docker.io iptables
    [ -x "$compose" ] || fetch_compose
}

fetch_compose() {
    local work
    say "fetching the compose plugin"
    work=$(mktemp -d)
    debian_next "$work"
    (cd "$work" && apt-get -qq "${next[@]}" download docker-compose && dpkg-deb -x docker-compose_*.deb unpacked) \
        >/dev/null 2>&1 || die "the compose plugin could not be fetched"
    install -D "$work/unpacked/usr/libexec/docker/cli-plugins/docker-compose" "$compose"
    rm -rf "$work"
}

start() {
    works_already && return
    fetch
    if ! process_of "$dir" >/dev/null; then
        rm -f "$dir/pid"
        mkdir -p "$dir"
        setsid /usr/sbin/dockerd --data-root "$dir/data" --exec-root "$dir/run" --pidfile "$dir/pid" \
            --host "unix://$dir/socket" </dev/null >"$dir/log" 2>&1 9>&- &
        local daemon=$! tenths=300
        until DOCKER_HOST="unix://$dir/socket" /usr/bin/docker info >/dev/null 2>&1; do
            kill -0 "$daemon" 2>/dev/null && [ $((tenths -= 1)) -gt 0 ] || die "did not start: $(tail -n 3 "$dir/log")"
            sleep 0.1
        done
    fi
    # Debian's own client by its path: another one on the PATH may not be able to build.
    echo "export DOCKER_HOST=unix://$dir/socket DOCKER_CONFIG=$CACHE/docker DOCKER_BUILDKIT=1"
    echo "export DOCKER=/usr/bin/docker COMPOSE='/usr/bin/docker compose'"
}

case ${1:-} in
    fetch) fetch ;;
    start) start ;;
    stop) stop_engine TERM "$dir" ;;
    remove) stop_engine TERM "$dir"; rm -rf "$dir" ;;
    *) die "usage: $0 fetch | start | stop | remove" ;;
esac
