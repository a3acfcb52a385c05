# What the machine must have before anything is started; each fault names its fix.

check_machine() {
    [ "$(id -u)" = 0 ] || problem "this script is not run by root" "run it with sudo" || return
    check_other_cluster || return
    check_ports || return
    check_cgroups || return
    grep -qw overlay /proc/filesystems || modprobe overlay 2>/dev/null ||
        problem "the kernel has no overlayfs" "modprobe overlay" || return
    check_inotify || return
    check_clock || return
    check_subnet || return
}

# One machine carries one cluster: bridge and ports are fixed.
check_other_cluster() {
    local other root
    for other in /run/nakhoda/*/root; do
        [ -e "$other" ] || continue
        root=$(cat "$other")
        [ "$root" = "$ROOT" ] || problem "the cluster of $root runs on this machine" "$root/scripts/down" || return
    done
}

check_ports() {
    local port
    for port in 6443 2379 2380 10250 10257 10259; do
        if listening "$port"; then
            problem "port $port is taken on this host" "see who holds it, and end it: ss -ltnp 'sport = :$port'" || return
        fi
    done
}

# Reads the kernel's tables, since ss may not be installed yet; state 0A is LISTEN.
listening() {
    local hex
    hex=$(printf '%04X' "$1")
    awk -v port="$hex" '$4 == "0A" && substr($2, length($2) - 3) == port { found = 1 } END { exit !found }' \
        "${TABLES:-/proc}"/net/tcp "${TABLES:-/proc}"/net/tcp6
}

# cgroup v2 has its controllers in a file, v1 a folder for each.
check_cgroups() {
    local root=${CGROUPS:-/sys/fs/cgroup} controller
    [ -n "$(ls "$root" 2>/dev/null)" ] ||
        problem "no cgroups are mounted at $root" "mount -t cgroup2 none $root" || return
    for controller in cpu memory pids; do
        if [ -e "$root/cgroup.controllers" ]; then
            grep -qw "$controller" "$root/cgroup.controllers" ||
                problem "the kernel has no cgroup controller $controller" "boot with cgroup_enable=$controller" || return
        else
            [ -d "$root/$controller" ] ||
                problem "the cgroup controller $controller is not mounted" \
                    "mkdir -p $root/$controller && mount -t cgroup -o $controller none $root/$controller" || return
        fi
    done
}

check_inotify() {
    local folder=${INOTIFY:-/proc/sys/fs/inotify}
    at_least "$folder/max_user_instances" 128 || return
    at_least "$folder/max_user_watches" 8192 || return
}

# at_least FILE NUMBER: a setting of the kernel's.
at_least() {
    local name=${1##*/}
    [ "$(cat "$1")" -ge "$2" ] ||
        problem "fs.inotify.$name is only $(cat "$1")" "sysctl fs.inotify.$name=$((4 * $2))"
}

# A clock before this checkout was made would make certificates that nobody believes.
check_clock() {
    local made now=${NOW:-$(date +%s)}
    made=$(stat -c %Y "$ROOT/Cargo.toml")
    [ "$now" -ge "$made" ] ||
        problem "the clock says $(date -d "@$now" +%F), which is before this checkout was made" \
            "set it: timedatectl set-ntp true, or date -s 'YYYY-MM-DD hh:mm'"
}

# The nodes' network must not hide one that is there.
check_subnet() {
    local taken
    command -v ip >/dev/null || return 0
    taken=$(ip -4 -o addr show | awk -v net="$SUBNET." -v own="$BRIDGE" 'index($4, net) == 1 && $2 != own { print $2 }' | head -n 1)
    [ -z "$taken" ] || problem "$SUBNET.0/24 is the network of $taken" "give $taken another address"
}

check_nft() {
    nft list tables >/dev/null 2>&1 || problem "nftables does not work here" "modprobe nf_tables"
}
