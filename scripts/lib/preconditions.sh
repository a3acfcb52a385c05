# What the machine must have before anything is started; each fault names its fix.

check_machine() {
    [ "$(id -u)" = 0 ] || problem "this script is not run by root" "run it with sudo" || return
    check_ports || return
    [ -d /sys/fs/cgroup ] && [ -n "$(ls /sys/fs/cgroup)" ] ||
        problem "no cgroups are mounted at /sys/fs/cgroup" "mount -t cgroup2 none /sys/fs/cgroup" || return
    grep -qw overlay /proc/filesystems || modprobe overlay 2>/dev/null ||
        problem "the kernel has no overlayfs" "modprobe overlay" || return
    check_inotify || return
    [ "$(date +%Y)" -ge 2025 ] ||
        problem "the clock says $(date): certificates would not be valid" "set the clock: date -s" || return
}

check_ports() {
    local port
    for port in 6443 2379 2380 10250 10257 10259; do
        if listening "$port"; then
            problem "port $port is taken on this host" "see who holds it: ss -ltnp 'sport = :$port'" || return
        fi
    done
}

# Reads the kernel's tables, since ss may not be installed yet; state 0A is LISTEN.
listening() {
    local hex
    hex=$(printf '%04X' "$1")
    awk -v port="$hex" '$4 == "0A" && substr($2, length($2) - 3) == port { found = 1 } END { exit !found }' \
        /proc/net/tcp /proc/net/tcp6
}

check_inotify() {
    local instances
    instances=$(cat /proc/sys/fs/inotify/max_user_instances)
    [ "$instances" -ge 128 ] ||
        problem "only $instances inotify instances are allowed" "sysctl fs.inotify.max_user_instances=512"
}

check_nft() {
    nft list tables >/dev/null 2>&1 || problem "nftables does not work here" "modprobe nf_tables"
}
