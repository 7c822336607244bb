#!/usr/bin/env bash
# The system's Prometheus and promtool, for the tests of the alert rules.
set -euo pipefail
engine=prometheus
. "$(dirname "$(readlink -f "$0")")/lib.sh"

fetch() {
    { have prometheus && have promtool; } && return
    fetch_alone
    # Started by the package it would run as a service of the system.
    RUNLEVEL=1 apt_install prometheus
}

case ${1:-} in
    fetch) fetch ;;
    path) fetch; command -v prometheus ;;
    *) die "usage: $0 fetch | path" ;;
esac
