# The control plane of docker-compose.yml: three members, each with a volume, and two API servers.
. scripts/lib/compose.sh

MEMBERS=(etcd-1 etcd-2 etcd-3)
APISERVERS=(apiserver-1 apiserver-2)
# A folder of its own in the volumes, by the time: what was there before stays.
RESTORED=restored-$(date +%Y%m%d-%H%M%S)

check_cluster() {
    [ -e "$SETTINGS" ] || fail "no control plane of docker-compose.yml is here" "scripts/images compose"
    # Nobody but root and the container may read it: other users of this machine cannot enter the folder.
    copy=$(mktemp -d)
    trap 'rm -rf "$copy"' EXIT
    install -m 644 "$file" "$copy/snapshot"
    tool=etcdutl
    etcd_tool etcd-1 version >/dev/null 2>&1 || tool=etcdctl
}

# etcd_tool MEMBER ARGUMENT…: etcd's own tool beside a member's data. From 3.6 on it is etcdutl.
etcd_tool() {
    local member=$1
    shift
    compose run --rm -T --no-deps -v "$copy/snapshot:/snapshot:ro" --entrypoint "$tool" "$member" "$@"
}

snapshot_is_whole() { etcd_tool etcd-1 snapshot status /snapshot >/dev/null 2>&1; }

stop_apiservers() { compose stop --timeout 2 "${APISERVERS[@]}" >/dev/null 2>&1; }

highest() {
    local urls
    urls=$(printf ',https://%s:2379' "${MEMBERS[@]}")
    compose run --rm -T --no-deps --entrypoint etcdctl etcd-1 --endpoints "${urls:1}" --cacert /pki/etcd/ca.crt \
        --cert /pki/etcd/client.crt --key /pki/etcd/client.key --command-timeout 5s endpoint status --write-out json 2>/dev/null |
        grep -o '"revision":[0-9]*' | cut -d: -f2 | sort -n | tail -n 1
}

stop_etcd() { compose stop --timeout 5 "${MEMBERS[@]}" >/dev/null 2>&1; }

restore() {
    local member peers
    peers=$(for member in "${MEMBERS[@]}"; do printf ',%s=https://%s:2380' "$member" "$member"; done)
    for member in "${MEMBERS[@]}"; do
        etcd_tool "$member" snapshot restore /snapshot --data-dir "/data/$RESTORED" --name "$member" \
            --initial-cluster-token "$RESTORED" --initial-advertise-peer-urls "https://$member:2380" \
            --initial-cluster "${peers:1}"
    done
    set_setting NAKHODA_ETCD_DATA "$RESTORED"
}

restart_etcd() {
    compose up -d --no-deps "${MEMBERS[@]}"
    wait_for 60 etcd_answers || problem "etcd does not answer" "docker-compose logs ${MEMBERS[*]}"
}

etcd_answers() { [ -n "$(highest)" ]; }

raise() { compose run --rm -T --no-deps apiserver-1 --raise-revision-above="$above"; }

start_apiservers() { compose up -d --no-deps "${APISERVERS[@]}" >/dev/null 2>&1; }

apiservers_ready() {
    local server
    for server in "${APISERVERS[@]}"; do
        compose exec -T "$server" /apiserver health --ca-file /pki/ca.crt >/dev/null 2>&1 || return 1
    done
}
