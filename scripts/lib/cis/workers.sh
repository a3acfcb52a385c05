# Section 4: nodes.

workers() {
    local service folder name=node-1 address
    service=$SERVICES/kubelet-$name/run folder=$CLUSTER/$name address=$(node_address "$name"):10250
    check 4.1.1 "kubelet: who may write its service" guarded "$service"
    check 4.1.2 "kubelet: its service is root's" owned "$service"
    skip 4.1.3 "proxy's kubeconfig" "the proxy has a token of its service account, which its pod mounts"
    skip 4.1.4 "proxy's kubeconfig's owner" "see 4.1.3"
    check 4.1.5 "kubelet's kubeconfig is private" private "$PKI/node-$name.conf"
    check 4.1.6 "kubelet's kubeconfig is root's" owned "$PKI/node-$name.conf"
    check 4.1.7 "the clients' CA is written by root only" readable "$PKI/ca.crt"
    check 4.1.8 "the clients' CA is root's" owned "$PKI/ca.crt"
    check 4.1.9 "the kubelet's folder is closed to writers" not_writable "$folder"
    check 4.1.10 "the kubelet's folder is root's" owned "$folder"
    check 4.2.1 "kubelet: nobody is anonymous" [ "$(code "https://$address/pods")" = 401 ]
    check 4.2.2 "kubelet: the API server says who may" refused_by_kubelet "https://$address/pods"
    check 4.2.3 "kubelet: clients' certificates are checked" has "kubelet-$name" --client-ca-file
    check 4.2.4 "kubelet: no read-only port" not answers "$(node_address "$name")" 10255
    skip 4.2.5 "kubelet: idle streams end" "HTTP/2 pings find dead peers within 45 s"
    skip 4.2.6 "kubelet: iptables chains" "there are none: the proxy writes nftables"
    skip 4.2.7 "kubelet: its name is the machine's" "several nodes share this machine; NodeRestriction holds each to its name"
    skip 4.2.8 "kubelet: events a second" "events are aggregated; EventRateLimit is the server's bound"
    check 4.2.9 "kubelet: a certificate of the cluster's CA" all "has kubelet-$name" --tls-cert-file --tls-private-key-file
    skip 4.2.10 "kubelet: its certificate rotates" "always, where it joined by token"
    skip 4.2.11 "kubelet: its serving certificate rotates" "see 4.2.10"
    check 4.2.12 "kubelet: strong ciphers only" strong "$address"
    skip 4.2.13 "kubelet: processes of a pod" "no limit is set; the node evicts before it runs out of them (pid.available)"
    skip 4.2.14 "kubelet: seccomp by default" "as upstream, RuntimeDefault where a pod asks for it"
    check 4.3.1 "proxy: its metrics are the node's own" not answers "$(node_address "$name")" 10249
}

not_writable() { [ "$((0$(stat -c %a "$1") & 0022))" = 0 ]; }

# The API server may, an account without rights may not.
refused_by_kubelet() {
    [ "$(code "$1" --cert "$PKI/apiserver-kubelet-client.crt" --key "$PKI/apiserver-kubelet-client.key")" = 200 ] &&
        [ "$(code "$1" --header "Authorization: Bearer $(ctl create token default --audience https://kubernetes.default.svc.cluster.local)")" = 403 ]
}

answers() { timeout 2 bash -c "exec 3<>/dev/tcp/$1/$2"; }
