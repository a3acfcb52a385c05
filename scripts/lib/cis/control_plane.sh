# Section 1: files and flags of the control plane.

control_plane() {
    files
    apiserver
    managers
}

files() {
    local name item=1
    for name in apiserver controller-manager scheduler etcd; do
        check "1.1.$item" "$name: who may write its service" guarded "$SERVICES/$name/run"
        check "1.1.$((item + 1))" "$name: its service is root's" owned "$SERVICES/$name/run"
        item=$((item + 2))
    done
    skip 1.1.9 "CNI configuration" "made by the kubelet in a folder of its own: 4.1.9"
    skip 1.1.10 "CNI configuration's owner" "see 4.1.10"
    check 1.1.11 "etcd's data folder is closed" closed "$CLUSTER/etcd"
    skip 1.1.12 "etcd's data belongs to etcd" "etcd runs as root here; in docker-compose it has a user of its own"
    check 1.1.13 "admin.conf is private" all private "$PKI/admin.conf" "$CLUSTER/kubeconfig"
    check 1.1.14 "admin.conf is root's" owned "$PKI/admin.conf"
    check 1.1.15 "scheduler.conf is private" private "$PKI/scheduler.conf"
    check 1.1.16 "scheduler.conf is root's" owned "$PKI/scheduler.conf"
    check 1.1.17 "controller-manager.conf is private" private "$PKI/controller-manager.conf"
    check 1.1.18 "controller-manager.conf is root's" owned "$PKI/controller-manager.conf"
    check 1.1.19 "the PKI folder is root's" all owned "$PKI" "$PKI"/* "$PKI"/etcd/*
    check 1.1.20 "certificates are written by root only" all readable "$PKI"/*.crt "$PKI"/etcd/*.crt
    check 1.1.21 "keys are private" all private "$PKI"/*.key "$PKI"/etcd/*.key
}

# A script that runs is executable; nobody else writes it.
guarded() { [ -f "$1" ] && [ "$((0$(stat -c %a "$1") & 0022))" = 0 ]; }

apiserver() {
    check 1.2.1 "the anonymous reach health and version, nothing else" anonymous_reach_little
    check 1.2.2 "no file of tokens" lacks apiserver --token-auth-file
    skip 1.2.3 "DenyServiceExternalIPs" "off by default as upstream; --enable-admission-plugins DenyServiceExternalIPs"
    check 1.2.4 "a certificate is shown to kubelets" all "has apiserver" --kubelet-client-certificate --kubelet-client-key
    check 1.2.5 "kubelets' certificates are checked" has apiserver --kubelet-certificate-authority
    check 1.2.6 "nobody is always allowed" [ "$(may nobody secrets system:authenticated)" = false ]
    check 1.2.7 "the Node authorizer decides of nodes" node_reads_nothing_foreign
    check 1.2.8 "RBAC decides: masters, not others" [ "$(may kubernetes-admin secrets system:masters)" = true ]
    skip 1.2.9 "EventRateLimit" "off by default as upstream; --enable-admission-plugins EventRateLimit with a configuration"
    check 1.2.10 "AlwaysAdmit does not run" lacks apiserver --enable-admission-plugins=AlwaysAdmit
    skip 1.2.11 "AlwaysPullImages" "off by default as upstream; --enable-admission-plugins AlwaysPullImages"
    local item=12 plugin
    for plugin in ServiceAccount NamespaceLifecycle NodeRestriction; do
        check "1.2.$item" "$plugin runs" not disabled "$plugin"
        item=$((item + 1))
    done
    check 1.2.15 "no profiling" not serves_profiles "$SERVER"
    check 1.2.16 "requests are told" has apiserver --audit-log-path
    check 1.2.17 "logs are kept for 30 days" has apiserver --audit-log-maxage 30
    check 1.2.18 "10 old logs are kept" has apiserver --audit-log-maxbackup 10
    check 1.2.19 "a log has 100 MB" has apiserver --audit-log-maxsize 100
    skip 1.2.20 "request timeout" "60 s, upstream's default; there is no flag to change it"
    skip 1.2.21 "accounts of tokens are looked up" "always; there is no flag that turns it off"
    check 1.2.22 "tokens are checked by the cluster's own key" has apiserver --service-account-signing-key-file
    check 1.2.23 "a certificate is shown to etcd" all "has apiserver" --etcd-certfile --etcd-keyfile
    check 1.2.24 "the port speaks TLS only" all "has apiserver" --tls-cert-file --tls-private-key-file
    check 1.2.25 "clients' certificates are checked" has apiserver --client-ca-file
    check 1.2.26 "etcd's certificate is checked" has apiserver --etcd-cafile
    check 1.2.27 "secrets are encrypted at rest" has apiserver --encryption-provider-config
    check 1.2.28 "in etcd no secret lies in the clear" encrypted_at_rest
    check 1.2.29 "strong ciphers only" strong "$GATEWAY:6443"
    skip 1.2.30 "tokens' lives are not extended" "they never are: a token lives as long as it says"
}

anonymous_reach_little() {
    local path
    for path in /api/v1/namespaces /api/v1/secrets /apis /metrics /openapi/v2; do
        [ "$(code "$SERVER$path")" = 403 ] || return
    done
    [ "$(code "$SERVER/livez")" = 200 ]
}

# may USER RESOURCE GROUP: whether the authorizers let somebody read it everywhere.
may() {
    ctl create -f - -o 'jsonpath={.status.allowed}' <<<"{\"apiVersion\": \"authorization.k8s.io/v1\", \"kind\": \"SubjectAccessReview\",
        \"spec\": {\"user\": \"$1\", \"groups\": [\"$3\"], \"resourceAttributes\": {\"verb\": \"get\", \"resource\": \"$2\"}}}"
}

# The Node authorizer says why.
node_reads_nothing_foreign() {
    local answer
    answer=$("$BIN/ctl" --kubeconfig "$PKI/node-node-1.conf" auth can-i get secrets --namespace kube-system || true)
    [[ $answer == no*'node "node-1"'* ]]
}

disabled() { tr '\0' '\n' <"/proc/$(service_pid apiserver)/cmdline" | grep -A1 -- '^--disable-admission-plugins' | grep -qw "$1"; }

serves_profiles() { [ "$(code "$1/debug/pprof/")" = 200 ]; }

encrypted_at_rest() {
    local stored
    ctl create secret generic cis-probe --from-literal=k=plain-to-see --namespace default || return
    stored=$(ask_etcd get --print-value-only /registry/secrets/default/cis-probe | tr -d '\0' | head -c 4096)
    ctl delete secret cis-probe --namespace default
    case $stored in k8s:enc:*) ;; *) return 1 ;; esac
    ! grep -q plain-to-see <<<"$stored"
}

# strong ADDRESS: TLS 1.2 and later, with forward secrecy and authenticated encryption.
strong() {
    local suite
    handshakes "$1" -tls1_3 || return
    for suite in AES128-SHA AES256-SHA256 ECDHE-ECDSA-AES128-SHA ECDHE-ECDSA-AES128-SHA256 DES-CBC3-SHA; do
        not handshakes "$1" -tls1_2 -cipher "$suite:@SECLEVEL=0" || return
    done
    not handshakes "$1" -tls1_1 -cipher 'ALL:@SECLEVEL=0'
}

handshakes() {
    local address=$1
    shift
    openssl s_client -connect "$address" -cert "$PKI/scheduler.crt" "$@" </dev/null >/dev/null 2>&1 ||
        openssl s_client -connect "$address" "$@" </dev/null 2>/dev/null | grep -q 'Cipher is [^(]'
}

managers() {
    skip 1.3.1 "pods that have ended are removed" "from 12,500 on, upstream's default of --terminated-pod-gc-threshold"
    check 1.3.2 "controller-manager: no profiling" not serves_profiles http://127.0.0.1:10257
    skip 1.3.3 "an account for each controller" "the controller-manager has one name, to which each controller's role is bound"
    check 1.3.4 "controller-manager: signs accounts' tokens" has controller-manager --service-account-private-key-file
    check 1.3.5 "controller-manager: hands out the CA" has controller-manager --root-ca-file
    skip 1.3.6 "kubelets' serving certificates rotate" "always, where the kubelet joined by token"
    check 1.3.7 "controller-manager: listens on the loopback only" listens_locally 10257
    check 1.4.1 "scheduler: no profiling" not serves_profiles http://127.0.0.1:10259
    check 1.4.2 "scheduler: listens on the loopback only" listens_locally 10259
}

listens_locally() { ss -Hltn "sport = :$1" | awk '{ print $4 }' | grep . | not_elsewhere; }

not_elsewhere() { ! grep -qv '^127\.0\.0\.1:\|^\[::1\]:'; }
