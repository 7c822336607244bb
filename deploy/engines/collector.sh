#!/usr/bin/env bash
# The OpenTelemetry collector for the test of deploy/watch/collector.yml, compiled from its own Go modules: there is no
# package of it. It holds what that file names; of the ways in which Prometheus finds what to ask it knows DNS alone.
set -euo pipefail
engine=collector
here=$(dirname "$(readlink -f "$0")")
. "$here/lib.sh"
version=$(sed -n 's,.*collector/otelcol v,,p' "$here/collector/go.mod")
binary=$CACHE/otelcol-$version

fetch() {
    [ ! -x "$binary" ] || return 0
    have go || die "go is not installed; it compiles the collector"
    fetch_alone
    [ ! -x "$binary" ] || return 0
    say "compiling the collector $version"
    (cd "$here/collector" && go build -tags 'remove_all_sd enable_dns_sd' -trimpath -ldflags '-s -w' -o "$binary.new" .) \
        >"$CACHE/collector.log" 2>&1 || die "it could not be compiled: $(tail -n 1 "$CACHE/collector.log")"
    mv "$binary.new" "$binary"
}

case ${1:-} in
    fetch) fetch ;;
    path) fetch; echo "$binary" ;;
    *) die "usage: $0 fetch | path" ;;
esac
