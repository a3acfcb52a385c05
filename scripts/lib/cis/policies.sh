# Section 5: what a program can see of policies.

policies() {
    check 5.1.1 "cluster-admin is the masters' alone" [ "$(bound_to cluster-admin)" = "Group:system:masters" ]
    check 5.1.3 "nobody but the masters and the controllers has every right" no_foreign_wildcards
    check 5.1.5 "default accounts have no roles" default_accounts_have_none
    check 5.1.7 "the masters' group is not bound elsewhere" [ "$(bindings_of system:masters)" = cluster-admin ]
    check 5.2.1 "pod security can be enforced" pod_security_refuses
    skip 5.2.2 "pod security by namespace (5.2.2 to 5.2.12)" "by labels of namespaces or by configuration: the operator's choice"
    skip 5.3.1 "the network keeps to NetworkPolicies" "absent: the proxy does not apply them"
    skip 5.4.1 "secrets as files" "the operator's choice"
    skip 5.7.1 "namespaces as boundaries (5.7.1 to 5.7.4)" "the operator's choice"
}

bound_to() {
    ctl get clusterrolebindings -o "jsonpath={range .items[?(@.roleRef.name==\"$1\")].subjects[*]}{.kind}:{.name}{\"\\n\"}{end}" | sort -u
}

bindings_of() {
    ctl get clusterrolebindings -o json | python3 -c '
import json, sys
for binding in json.load(sys.stdin)["items"]:
    if any(s.get("name") == sys.argv[1] for s in binding.get("subjects") or []):
        print(binding["metadata"]["name"])' "$1"
}

no_foreign_wildcards() {
    ! ctl get clusterroles -o json | python3 -c '
import json, sys
for role in json.load(sys.stdin)["items"]:
    name = role["metadata"]["name"]
    if name == "cluster-admin" or name.startswith("system:"):
        continue
    for rule in role.get("rules") or []:
        if all("*" in (rule.get(k) or []) for k in ("verbs", "apiGroups", "resources")):
            print(name)' | grep -q .
}

default_accounts_have_none() {
    ! ctl get rolebindings,clusterrolebindings --all-namespaces -o json | python3 -c '
import json, sys
for binding in json.load(sys.stdin)["items"]:
    for subject in binding.get("subjects") or []:
        if subject["kind"] == "ServiceAccount" and subject["name"] == "default":
            print(binding["metadata"]["name"])' | grep -q .
}

pod_security_refuses() {
    local answer
    ctl create namespace cis-probe && ctl label namespace cis-probe pod-security.kubernetes.io/enforce=restricted || return
    answer=$(ctl run probe --image none --namespace cis-probe 2>&1)
    ctl delete namespace cis-probe --wait=false
    grep -q 'violates PodSecurity "restricted:latest"' <<<"$answer"
}
