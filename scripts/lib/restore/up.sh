# The cluster of scripts/up: one member of etcd, one API server.
for part in services plane; do . "scripts/lib/$part.sh"; done

check_cluster() { [ -d "$SERVICES/etcd" ] || fail "no cluster of scripts/up is here" "scripts/up"; }

snapshot_is_whole() { ETCDCTL_API=3 etcdctl snapshot status "$file" >/dev/null 2>&1; }

stop_apiservers() { pause_service apiserver; }

highest() {
    ask_etcd endpoint status --write-out json | sed -n 's/.*"revision":\([0-9]*\).*/\1/p'
}

stop_etcd() { pause_service etcd; }

restore() {
    rm -rf --one-file-system "$CLUSTER/etcd.before"
    mv "$CLUSTER/etcd" "$CLUSTER/etcd.before"
    ETCDCTL_API=3 etcdctl snapshot restore "$file" "${MEMBER[@]}"
}

restart_etcd() {
    resume_service etcd
    wait_for 20 etcd_answers || problem "etcd does not answer" "tail $LOGS/etcd.log"
}

raise() {
    apiserver_flags
    "$BIN/apiserver" "${flags[@]}" --raise-revision-above "$above"
}

start_apiservers() { resume_service apiserver; }

apiservers_ready() { apiserver_ready; }
