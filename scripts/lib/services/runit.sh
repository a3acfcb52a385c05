# runit: a service is a folder with a `run` script; its runsv starts it anew a second after it has ended.

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

is_supervised() { has_sv && sv status "$SERVICES/$1" 2>/dev/null | grep -q '^run\|^down'; }

is_running() { has_sv && sv status "$SERVICES/$1" 2>/dev/null | grep -q '^run'; }

service_pid() { cat "$SERVICES/$1/supervise/pid"; }

pause_service() { sv -w 25 down "$SERVICES/$1" >/dev/null; }

resume_service() { sv -w 25 up "$SERVICES/$1" >/dev/null; }

stop_service() {
    is_supervised "$1" || return 0
    sv -w 25 force-shutdown "$SERVICES/$1" >/dev/null 2>&1 || true
    wait_for 5 eval "! is_supervised '$1'" || true
}

has_sv() { command -v sv >/dev/null; }
