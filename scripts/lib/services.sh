# Supervision: what a daemon's death costs is about a second. systemd does it where it is PID 1, else runit.
#
#   service NAME COMMAND…    writes the service and starts it, if it does not run
#   is_running NAME          whether its process runs
#   service_pid NAME         that process
#   pause_service NAME       ends it until resume_service NAME
#   stop_services            ends all of them and their supervisors, in an order in which nobody complains

# supervisor [PID-1-NAME]
supervisor() {
    local first=${1:-$(cat /proc/1/comm)}
    [ "$first" = systemd ] && [ -d /run/systemd/system ] && echo systemd || echo runit
}

. "$ROOT/scripts/lib/services/$(supervisor).sh"

stop_services() {
    local folder
    for folder in "$SERVICES"/kubelet-* "$SERVICES"/pki-renewal "$SERVICES"/controller-manager "$SERVICES"/scheduler "$SERVICES"/apiserver "$SERVICES"/etcd; do
        [ -d "$folder" ] && stop_service "$(basename "$folder")"
    done
    return 0
}
