#!/usr/bin/env bash
# The system's Chromium, for the tests of the page.
set -euo pipefail
engine=chromium
. "$(dirname "$(readlink -f "$0")")/lib.sh"

path() { command -v chromium || command -v chromium-browser || command -v google-chrome; }

fetch() {
    path >/dev/null && return
    fetch_alone
    apt_install chromium
}

case ${1:-} in
    fetch) fetch ;;
    path) fetch; path ;;
    *) die "usage: $0 fetch | path" ;;
esac
