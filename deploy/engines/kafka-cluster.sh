#!/usr/bin/env bash
# Three real Apache Kafka brokers on loopback that are one cluster, each broker and controller. DIR/1, DIR/2 and DIR/3 are
# brokers of kafka.sh, which kills and starts them one by one.
set -euo pipefail
engine=kafka-cluster
here=$(dirname "$(readlink -f "$0")")
. "$here/lib.sh"
dir=${2:-$ENGINES/$engine}
export CONCERT_ENGINE_HEAP=${CONCERT_ENGINE_HEAP:-256m}

each() { local node; for node in 1 2 3; do "$here/kafka.sh" "$1" "$dir/$node"; done; }

prepare() {
    local node voters="" id
    make_directory "$dir"
    for node in 1 2 3; do voters+="${voters:+,}$node@127.0.0.1:$(free_port)"; done
    id=$(cluster_id)
    for node in 1 2 3; do "$here/kafka.sh" join "$dir/$node" "$node" "$(free_port)" "$voters" "$id"; done
    touch "$dir/ready"
}

address() {
    [ -e "$dir/ready" ] || die "nothing was started in $dir"
    each address | paste -sd ,
}

start() {
    local node waiting=()
    "$here/kafka.sh" fetch
    [ -e "$dir/ready" ] || { prepare; follow_owner "$dir"; }
    # At once: a controller waits for a second one before its broker is started.
    for node in 1 2 3; do "$here/kafka.sh" start "$dir/$node" >/dev/null & waiting+=($!); done
    for node in "${waiting[@]}"; do wait "$node" || die "a broker of $dir did not start"; done
    address
}

case ${1:-} in
    fetch) "$here/kafka.sh" fetch ;;
    start) start ;;
    address) address ;;
    stop) each stop ;;
    kill) each kill ;;
    remove) each kill; rm -rf "$dir" ;;
    *) die "usage: $0 fetch | start [DIR] | address [DIR] | stop [DIR] | kill [DIR] | remove [DIR]" ;;
esac
