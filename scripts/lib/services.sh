# Supervision by runit: a service is a folder with a `run` script; runsv restarts it a second after it
# ends.

# service NAME COMMAND…: writes and starts it.
service() {
    local name=$1 folder=$SERVICES/$1
    shift
    mkdir -p "$folder" "$LOGS"
    {
        echo '#!/bin/sh'
        echo "exec >>'$LOGS/$name.log' 2>&1"
        printf 'exec'
        printf " '%s'" "$@"
        echo
    } >"$folder/run"
    chmod 755 "$folder/run"
    is_supervised "$name" && return
    setsid runsv "$folder" </dev/null >>"$LOGS/$name.log" 2>&1 &
    wait_for 5 test -p "$folder/supervise/ok"
}

is_supervised() { sv status "$SERVICES/$1" 2>/dev/null | grep -q '^run\|^down'; }

is_running() { sv status "$SERVICES/$1" 2>/dev/null | grep -q '^run'; }

# stop_service NAME: ends the service and its supervisor.
stop_service() {
    local folder=$SERVICES/$1
    is_supervised "$1" || return 0
    sv -w 25 force-shutdown "$folder" >/dev/null 2>&1 || true
    wait_for 5 eval "! is_supervised '$1'" || true
}

stop_services() {
    local folder
    for folder in "$SERVICES"/kubelet-* "$SERVICES"/controller-manager "$SERVICES"/scheduler "$SERVICES"/apiserver "$SERVICES"/etcd; do
        [ -d "$folder" ] && stop_service "$(basename "$folder")"
    done
    return 0
}
