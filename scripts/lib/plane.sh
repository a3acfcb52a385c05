# The control plane: certificates, etcd and the three daemons.

make_certificates() {
    "$BIN/ctl" pki init --dir "$PKI" --server "$SERVER" --address "$GATEWAY" --address 10.96.0.1
    ln -sfn pki/admin.conf "$CLUSTER/kubeconfig"
}

# What etcd's one member is told, and the tool that restores it.
MEMBER=(--name one --data-dir "$CLUSTER/etcd" --initial-advertise-peer-urls https://127.0.0.1:2380
    --initial-cluster one=https://127.0.0.1:2380)

start_etcd() {
    local pki=$PKI/etcd
    mkdir -p "$CLUSTER/etcd"
    chmod 700 "$CLUSTER/etcd"
    service etcd etcd "${MEMBER[@]}" \
        --listen-client-urls https://127.0.0.1:2379 --advertise-client-urls https://127.0.0.1:2379 \
        --listen-peer-urls https://127.0.0.1:2380 \
        --cert-file "$pki/server.crt" --key-file "$pki/server.key" --client-cert-auth --trusted-ca-file "$pki/ca.crt" \
        --peer-cert-file "$pki/peer.crt" --peer-key-file "$pki/peer.key" --peer-client-cert-auth --peer-trusted-ca-file "$pki/ca.crt"
    wait_for 20 etcd_answers || problem "etcd does not answer" "tail $LOGS/etcd.log"
}

etcd_answers() { ask_etcd endpoint health >/dev/null 2>&1; }

ask_etcd() {
    ETCDCTL_API=3 etcdctl --endpoints https://127.0.0.1:2379 --cacert "$PKI/etcd/ca.crt" --cert "$PKI/etcd/client.crt" \
        --key "$PKI/etcd/client.key" --command-timeout 2s "$@"
}

start_apiserver() {
    apiserver_flags
    service apiserver "$BIN/apiserver" "${flags[@]}"
    wait_for 20 apiserver_ready || problem "the API server is not ready" "tail $LOGS/apiserver.log"
}

# Sets flags.
apiserver_flags() {
    mkdir -p "$CLUSTER/apiserver"
    flags=(--bind-address 127.0.0.1 --bind-address "$GATEWAY" --secure-port 6443
        --advertise-address "$GATEWAY" --advertise-port 6443
        --etcd-servers https://127.0.0.1:2379 --etcd-cafile "$PKI/etcd/ca.crt"
        --etcd-certfile "$PKI/etcd/client.crt" --etcd-keyfile "$PKI/etcd/client.key"
        --encryption-provider-config "$PKI/encryption.yaml" --revision-file "$CLUSTER/apiserver/revision"
        --audit-policy-file "$ROOT/deploy/audit.yaml" --audit-log-path "$LOGS/audit.log"
        --audit-log-maxage 30 --audit-log-maxbackup 10 --audit-log-maxsize 100
        --client-ca-file "$PKI/ca.crt" --tls-cert-file "$PKI/apiserver.crt" --tls-private-key-file "$PKI/apiserver.key"
        --requestheader-client-ca-file "$PKI/front-proxy-ca.crt"
        --proxy-client-cert-file "$PKI/front-proxy-client.crt" --proxy-client-key-file "$PKI/front-proxy-client.key"
        --service-account-signing-key-file "$PKI/sa.key"
        --service-account-issuer https://kubernetes.default.svc.cluster.local
        --kubelet-client-certificate "$PKI/apiserver-kubelet-client.crt"
        --kubelet-client-key "$PKI/apiserver-kubelet-client.key" --kubelet-certificate-authority "$PKI/ca.crt"
        --service-cluster-ip-range "$SERVICE_CIDR" --service-node-port-range 30000-32767 --image-folder "$IMAGES")
}

apiserver_ready() { ctl health >/dev/null 2>&1; }

start_managers() {
    service pki-renewal "$BIN/ctl" pki renew --keep --dir "$PKI"
    service scheduler "$BIN/scheduler" --kubeconfig "$PKI/scheduler.conf"
    service controller-manager "$BIN/controller-manager" --kubeconfig "$PKI/controller-manager.conf" \
        --cluster-cidr "$POD_CIDR" --service-cluster-ip-range "$SERVICE_CIDR" \
        --root-ca-file "$PKI/ca.crt" --service-account-private-key-file "$PKI/sa.key" \
        --cluster-signing-cert-file "$PKI/ca.crt" --cluster-signing-key-file "$PKI/ca.key" \
        --cluster-dns "$DNS" --cluster-domain cluster.local --advertise-apiserver "$SERVER" \
        --addon-image-tag "$(cat "$IMAGES/tag")"
}
