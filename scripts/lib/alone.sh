# API servers without a cluster: on an etcd of their own, in a folder that goes with them.

target=${CARGO_TARGET_DIR:-$ROOT/target}/$([ "$PROFILE" = dev ] && echo debug || echo "$PROFILE")

# start_etcd: makes `work`, the folder, and `flags`, the API server's; `pids` is what end_alone ends.
start_etcd() {
    work=$(mktemp -d)
    trap end_alone EXIT
    local etcd=$work/pki/etcd
    "$target/ctl" pki init --dir "$work/pki" --server https://127.0.0.1:16443 --address 127.0.0.1 >/dev/null
    pids=() flags=(--bind-address 127.0.0.1 --advertise-address 127.0.0.1
        --etcd-servers https://127.0.0.1:12379 --etcd-cafile "$etcd/ca.crt"
        --etcd-certfile "$etcd/client.crt" --etcd-keyfile "$etcd/client.key"
        --client-ca-file "$work/pki/ca.crt" --tls-cert-file "$work/pki/apiserver.crt"
        --tls-private-key-file "$work/pki/apiserver.key" --service-account-signing-key-file "$work/pki/sa.key")
    etcd --name one --data-dir "$work/etcd" --quota-backend-bytes 8589934592 \
        --listen-client-urls https://127.0.0.1:12379 --advertise-client-urls https://127.0.0.1:12379 \
        --listen-peer-urls http://127.0.0.1:12380 --initial-advertise-peer-urls http://127.0.0.1:12380 \
        --initial-cluster one=http://127.0.0.1:12380 --cert-file "$etcd/server.crt" --key-file "$etcd/server.key" \
        --client-cert-auth --trusted-ca-file "$etcd/ca.crt" >"$work/etcd.log" 2>&1 &
    pids+=($!)
}

end_alone() {
    kill "${pids[@]}" 2>/dev/null || true
    wait 2>/dev/null || true
    rm -rf "$work"
}

# start_apiserver PORT: one more; its kubeconfig is $work/PORT.conf.
start_apiserver() {
    sed "s/:16443/:$1/" "$work/pki/admin.conf" >"$work/$1.conf"
    "$target/apiserver" "${flags[@]}" --secure-port "$1" >"$work/$1.log" 2>&1 &
    pids+=($!)
    wait_for 60 "$target/ctl" --kubeconfig "$work/$1.conf" health >/dev/null 2>&1 || fail "it is not ready" "read the log" "$work/$1.log"
}
