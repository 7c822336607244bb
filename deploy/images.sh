#!/usr/bin/env bash
# Stand-ins for the public images that Concert is built and run on, for a machine that reaches no container registry.
#
# Each carries the public name and behaves like the public image as far as docker-compose.yml asks: Debian from the
# mirror that the machine's own sources name, Python, PostgreSQL, nginx and Java from Debian, Kafka from Apache's own
# artefacts. An image that is there already, public or stand-in, is left alone. Needs root and a docker engine.
set -euo pipefail
engine=images
here=$(dirname "$(readlink -f "$0")")
. "$here/engines/lib.sh"
DOCKER=${DOCKER:-docker}
build=("$DOCKER" build --quiet --label org.concert.stand-in=true)

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

there() { "$DOCKER" image inspect "$1" >/dev/null 2>&1; }

debian() { # RELEASE
    there "debian:$1-slim" && return
    have debootstrap || apt_install debootstrap
    say "debian:$1-slim"
    debootstrap --variant=minbase --include=ca-certificates "$1" "$work/$1" "$(debian_mirror)" >"$work/log" 2>&1 \
        || die "debootstrap failed: $(tail -n 3 "$work/log")"
    # The folders of the manual stay: packages put links there.
    find "$work/$1"/usr/share/{doc,man,locale} "$work/$1"/var/{cache/apt/archives,lib/apt/lists} -type f -delete
    tar -C "$work/$1" -c . | "$DOCKER" import - "debian:$1-slim" >/dev/null
    rm -rf "${work:?}/$1"
}

stand_in() { # IMAGE FOLDER RELEASE
    there "$1" && return
    debian "$3"
    say "$1"
    cp -r "$here/images/$2" "$work/$2"
    [ "$2" != kafka ] || kafka_artefacts "$work/kafka"
    tar -C "$work/$2" -c . | "${build[@]}" --tag "$1" - >"$work/log" 2>&1 || die "$1 could not be built: $(tail -n 5 "$work/log")"
}

kafka_artefacts() {
    "$here/engines/kafka.sh" fetch
    cp -r "$CACHE"/kafka-*/libs "$here/engines/kafka/log4j2.properties" "$1"
}

stand_in python:3.11-slim python bookworm
stand_in postgres:17 postgres trixie
stand_in apache/kafka:4.3.1 kafka trixie
stand_in nginx:1.26 nginx trixie
# Only to watch it: deploy/images.sh watch. There is no stand-in for Grafana.
[ "${1:-}" != watch ] || stand_in prom/prometheus:v3.5.0 prometheus trixie
