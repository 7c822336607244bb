#!/usr/bin/env bash
# A real Apache Kafka broker on loopback, one node in KRaft mode, from Apache's own artefacts and the Java that is here.
# kafka-cluster.sh makes three of them one cluster; `join` prepares each.
set -euo pipefail
engine=kafka
here=$(dirname "$(readlink -f "$0")")
. "$here/lib.sh"
dir=${2:-$ENGINES/$engine}
pom=$here/kafka/pom.xml
version=$(sed -n '/<artifactId>kafka_/ { n; s/[^0-9.]//g; p }' "$pom")
home=$CACHE/kafka-$version
# The second compiler is for servers that run for days: here it would take more of the processor than it gives back.
jvm=(java -Xms128m "-Xmx${CONCERT_ENGINE_HEAP:-512m}" -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -XX:-UsePerfData -Djava.awt.headless=true
    -Dlog4j2.configurationFile="$here/kafka/log4j2.properties" -cp "$home/libs/*")

fetch() {
    have java || die "java is not installed (version 17 or later)"
    java=$(java -version 2>&1 | sed -n '1s/[^"]*"\([0-9]*\).*/\1/p')
    [ "${java:-0}" -ge 17 ] || die "java is version ${java:-unknown}; Kafka $version needs 17 or later"
    [ ! -e "$home/ready" ] || return 0
    fetch_alone
    [ ! -e "$home/ready" ] || return 0
    have mvn || die "mvn is not installed; it fetches Kafka's artefacts"
    say "fetching Kafka $version"
    rm -rf "$home"
    mkdir -p "$home"
    mvn -q -B -f "$pom" dependency:copy-dependencies -DoutputDirectory="$home/libs" -DincludeScope=runtime \
        >"$home/mvn.log" 2>&1 || die "its artefacts could not be fetched: $(grep -m 1 ERROR "$home/mvn.log")"
    touch "$home/ready"
}

# One node of a cluster: its number, its port, all voters, and the cluster's id. What the cluster keeps for itself has as
# many copies as there are voters, up to three.
join() {
    local node=$1 broker=$2 voters=$3 id=$4 controller copies
    make_directory "$dir"
    controller=$(sed "s/.*$node@127.0.0.1:\([0-9]*\).*/\1/" <<<"$voters")
    copies=$(tr ',' '\n' <<<"$voters" | wc -l)
    # No topic appears by itself. A broker that was killed is let in again only when its old session has ended: 4 s
    # instead of 9. A broker with nothing to do writes nothing into its own log: every half second took a tenth of a core.
    cat >"$dir/server.properties" <<-PROPERTIES
		process.roles=broker,controller
		node.id=$node
		controller.quorum.voters=$voters
		listeners=PLAINTEXT://127.0.0.1:$broker,CONTROLLER://127.0.0.1:$controller
		advertised.listeners=PLAINTEXT://127.0.0.1:$broker
		controller.listener.names=CONTROLLER
		log.dirs=$dir/data
		auto.create.topics.enable=false
		num.partitions=4
		offsets.topic.num.partitions=4
		offsets.topic.replication.factor=$copies
		transaction.state.log.num.partitions=4
		transaction.state.log.replication.factor=$copies
		transaction.state.log.min.isr=$(((copies + 1) / 2))
		share.coordinator.state.topic.num.partitions=4
		share.coordinator.state.topic.replication.factor=$copies
		group.initial.rebalance.delay.ms=0
		broker.heartbeat.interval.ms=500
		broker.session.timeout.ms=4000
		metadata.max.idle.interval.ms=10000
	PROPERTIES
    "${jvm[@]}" kafka.tools.StorageTool format -t "$id" -c "$dir/server.properties" >"$dir/log" 2>&1 9>&- \
        || die "its storage could not be formatted: $(tail -n 3 "$dir/log")"
    touch "$dir/ready"
}

prepare() { join 1 "$(free_port)" "1@127.0.0.1:$(free_port)" "$(cluster_id)"; }

address() {
    [ -e "$dir/ready" ] || die "nothing was started in $dir"
    sed -n 's,^advertised.listeners=PLAINTEXT://,,p' "$dir/server.properties"
}

start() {
    fetch
    [ -e "$dir/ready" ] || { prepare; follow_owner "$dir"; }
    if ! process_of "$dir" >/dev/null; then
        # A session of its own: Ctrl-C at the terminal that started it is not meant for the broker.
        setsid "${jvm[@]}" kafka.Kafka "$dir/server.properties" </dev/null >"$dir/log" 2>&1 9>&- &
        echo $! >"$dir/pid"
        local tenths=600
        until grep -q 'Kafka Server started' "$dir/log"; do
            process_of "$dir" >/dev/null && [ $((tenths -= 1)) -gt 0 ] \
                || die "did not start: $(grep -m 3 -E 'ERROR|FATAL|Exception' "$dir/log" || tail -n 3 "$dir/log")"
            sleep 0.1
        done
    fi
    address
}

case ${1:-} in
    fetch) fetch ;;
    start) start ;;
    join) shift 2; join "$@" ;;
    address) address ;;
    stop) stop_engine TERM "$dir" ;;
    kill) stop_engine KILL "$dir" ;;
    remove) stop_engine KILL "$dir"; rm -rf "$dir" ;;
    *) die "usage: $0 fetch | start [DIR] | address [DIR] | stop [DIR] | kill [DIR] | remove [DIR] | join DIR NODE PORT VOTERS ID" ;;
esac
