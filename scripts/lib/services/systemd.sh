# systemd: a service is a unit under /run, so that neither a reboot nor scripts/down leaves any of it.

UNITS=${UNITS:-/run/systemd/system}

service() {
    local unit
    unit=$(unit_name "$1")
    mkdir -p "$SERVICES/$1" "$LOGS"
    unit "$@" >"$UNITS/$unit"
    systemctl daemon-reload
    systemctl start "$unit"
}

unit_name() { echo "nakhoda-$HASH-$1.service"; }

# unit NAME COMMAND…: the unit's text. Only the main process is ended with it: a kubelet's containerd, and with
# it the pods, outlive the kubelet.
unit() {
    local name=$1
    shift
    cat <<-UNIT
	[Unit]
	Description=Nakhoda $name ($ROOT)
	StartLimitIntervalSec=0

	[Service]
	ExecStart=$(quoted "$@")
	Restart=always
	RestartSec=0.5
	KillMode=process
	TimeoutStopSec=25
	LimitNOFILE=1048576
	TasksMax=infinity
	Delegate=yes
	StandardOutput=append:$LOGS/$name.log
	StandardError=append:$LOGS/$name.log
	UNIT
}

# A command line as systemd reads it: quoted, without specifiers and variables.
quoted() {
    local word line=""
    set -- "$(command -v "$1")" "${@:2}"
    for word in "$@"; do
        word=${word//\\/\\\\}
        word=${word//\"/\\\"}
        word=${word//%/%%}
        line+="${line:+ }\"${word//\$/\$\$}\""
    done
    echo "$line"
}

is_running() { systemctl is-active --quiet "$(unit_name "$1")"; }

service_pid() { systemctl show --property MainPID --value "$(unit_name "$1")"; }

pause_service() { systemctl stop "$(unit_name "$1")"; }

resume_service() { systemctl start "$(unit_name "$1")"; }

stop_service() {
    local unit
    unit=$(unit_name "$1")
    systemctl stop "$unit" 2>/dev/null || true
    rm -f "$UNITS/$unit"
    systemctl daemon-reload
    systemctl reset-failed "$unit" 2>/dev/null || true
}
