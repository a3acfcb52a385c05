# Sections 2 and 3: etcd, authentication, logging.

etcd_and_logs() {
    check 2.1 "etcd has a certificate" all "has etcd" --cert-file --key-file
    check 2.2 "etcd asks clients for theirs" has etcd --client-cert-auth
    check 2.3 "etcd's certificates are nobody's inventions" lacks etcd --auto-tls
    check 2.4 "members have certificates" all "has etcd" --peer-cert-file --peer-key-file
    check 2.5 "members ask each other for theirs" has etcd --peer-client-cert-auth
    check 2.6 "members' certificates are nobody's inventions" lacks etcd --peer-auto-tls
    check 2.7 "etcd has a CA of its own" not cmp -s "$PKI/etcd/ca.crt" "$PKI/ca.crt"
    skip 3.1.1 "people do not come by certificate" "the administrator's own is the one that is made; others are the operator's choice"
    skip 3.1.2 "people do not come by accounts' tokens" "the operator's choice"
    skip 3.1.3 "people do not come by bootstrap tokens" "their group may ask for a node's certificate and nothing else"
    check 3.2.1 "there is a policy of what is told" has apiserver --audit-policy-file
    check 3.2.2 "secrets and changes are told, bodies of secrets are not" told_without_secrets
}

told_without_secrets() {
    local log=$LOGS/audit.log
    ctl create secret generic cis-told --from-literal=k=never-to-be-told --namespace default || return
    ctl delete secret cis-told --namespace default
    grep -q '"verb":"create".*"name":"cis-told"' "$log" && ! grep -q "$(printf never-to-be-told | base64)" "$log" && private "$log"
}
