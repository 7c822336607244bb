# What the engine scripts share. Sourced, never run.
#
# Each script speaks the same verbs: fetch · start [DIR] · address [DIR] · stop [DIR] · kill [DIR] · remove [DIR].
# A DIR is one engine: its data, its log, its port. The port is drawn once and kept, so that a restarted engine is found
# where it was. `start` on a running engine prints its address and does nothing else.

# Fetched things outlive the tree; engines live where an unprivileged user can reach them too (root's home is closed).
CACHE=${CONCERT_CACHE:-${HOME:-/root}/.cache/concert}
ENGINES=/var/tmp/concert-engines-$(id -u)

say() { printf '%s: %s\n' "$engine" "$*" >&2; }
die() { say "$*"; exit 1; }
have() { command -v "$1" >/dev/null 2>&1; }

# Debian packages, for root alone: who is not root is told what to install.
apt_install() {
    have apt-get || die "$1 is not installed, and there is no apt-get to install it with"
    [ "$(id -u)" = 0 ] || die "$1 is not installed (as root: apt-get install $*)"
    say "installing $*"
    local apt=(apt-get -qq -o Dpkg::Options::=--force-confold -o Dpkg::Use-Pty=0 -o DPkg::Lock::Timeout=300)
    export DEBIAN_FRONTEND=noninteractive
    # The package list may be fresh enough already; it is renewed only when the first attempt finds nothing.
    { "${apt[@]}" install -y --no-install-recommends "$@" \
        || { "${apt[@]}" update && "${apt[@]}" install -y --no-install-recommends "$@"; } } >/dev/null 2>&1 \
        || die "$* could not be installed by apt-get"
}

# One fetch at a time, whatever starts side by side.
fetch_alone() {
    mkdir -p "$CACHE"
    exec 9>"$CACHE/$engine.lock"
    flock 9
}

# Makes the engine's directory, emptied of what an interrupted start may have left.
make_directory() {
    if [ "$1" = "$ENGINES/$engine" ]; then
        mkdir -p "$ENGINES"
        # A name that others can guess: it must be ours.
        [ -O "$ENGINES" ] || die "$ENGINES belongs to somebody else"
        chmod 711 "$ENGINES"
    fi
    mkdir -p "$1"
    find "$1" -mindepth 1 -delete
}

# Below the range from which the system gives ports to outgoing connections: while an engine is down nobody takes its port.
free_port() {
    local port
    while port=$((20000 + RANDOM % 10000)); do
        (: <"/dev/tcp/127.0.0.1/$port") 2>/dev/null || { echo "$port"; return; }
    done
}

# A name that no other Kafka cluster has; one that begins with a dash Kafka would take for an option.
cluster_id() { printf A; head -c 16 /dev/urandom | base64 | tr +/ -_ | tr -d = | cut -c2-; }

# The engine's process, if it lives; the command line is compared because numbers of processes are used again.
process_of() {
    local pid
    pid=$(head -n 1 "$1/pid" 2>/dev/null) && [ -n "$pid" ] || return 1
    tr '\0' ' ' 2>/dev/null <"/proc/$pid/cmdline" | grep -qF -- "$1" && echo "$pid"
} 2>/dev/null

# Dead processes that nobody has collected yet (state Z) are gone for us: what they held is free.
wait_gone() {
    local tenths=$1 pid
    shift
    for pid; do
        while grep -q '^State:[[:space:]]*[^ZX[:space:]]' "/proc/$pid/status" 2>/dev/null; do
            [ "$tenths" -gt 0 ] || return 1
            tenths=$((tenths - 1))
            sleep 0.1
        done
    done
}

# Waits for the children as well: PostgreSQL does not start again while one of the old ones holds its shared memory.
stop_engine() {
    local pid family
    pid=$(process_of "$2") || return 0
    family=("$pid" $(cat "/proc/$pid/task/$pid/children" 2>/dev/null))
    kill "-$1" "$pid"
    wait_gone 200 "${family[@]}" || { kill -KILL "${family[@]}" 2>/dev/null; wait_gone 50 "${family[@]}"; }
}

# Ends the engine after its owner, also an owner that was killed and could not tidy up.
follow_owner() {
    [ -n "${CONCERT_ENGINE_OWNER:-}" ] || return 0
    setsid bash -c 'tail --pid="$1" -f /dev/null; exec "$2" remove "$3"' _ "$CONCERT_ENGINE_OWNER" "$0" "$1" \
        </dev/null >/dev/null 2>&1 9>&- &
}

# The mirror that this machine's own sources name; no other address is ever used.
debian_mirror() {
    local codename
    codename=$(. /etc/os-release && echo "$VERSION_CODENAME")
    apt-get indextargets --format '$(SITE) $(RELEASE)' 'Created-By: Packages' \
        | awk -v release="$codename" '$2 == release { print $1; exit }'
}

# Sets `next`: options for apt-get that look at Debian's next release, beside the system's own lists, kept in $1.
debian_next() {
    mkdir -p "$1/lists/partial" "$1/archives/partial"
    echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $(debian_mirror) trixie main" >"$1/sources.list"
    next=(-o Dir::Etc::SourceList="$1/sources.list" -o Dir::Etc::SourceParts=/dev/null -o Dir::State::Lists="$1/lists"
        -o Dir::Cache="$1" -o APT::Sandbox::User=root)
    apt-get -qq "${next[@]}" update >/dev/null 2>&1 || die "Debian's next release could not be reached"
}
