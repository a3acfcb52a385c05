use super::*;

/// Upstream's order (v1.37's `AllOrderedPlugins`).
const ORDER: &[&str] = &[
    "AlwaysAdmit",
    "NamespaceAutoProvision",
    "NamespaceLifecycle",
    "NamespaceExists",
    "LimitPodHardAntiAffinityTopology",
    "LimitRanger",
    "ServiceAccount",
    "NodeRestriction",
    "TaintNodesByCondition",
    "AlwaysPullImages",
    "ImagePolicyWebhook",
    "PodSecurity",
    "PodNodeSelector",
    "Priority",
    "DefaultTolerationSeconds",
    "PodTolerationRestriction",
    "EventRateLimit",
    "ExtendedResourceToleration",
    "DefaultStorageClass",
    "StorageObjectInUseProtection",
    "PodGroupProtection",
    "OwnerReferencesPermissionEnforcement",
    "PersistentVolumeClaimResize",
    "RuntimeClass",
    "CertificateApproval",
    "CertificateSigning",
    "ClusterTrustBundleAttest",
    "CertificateSubjectRestriction",
    "DefaultIngressClass",
    "DenyServiceExternalIPs",
    "PodTopologyLabels",
    "PodGroupWorkloadExists",
    "NodeDeclaredFeatureValidator",
    "JobValidation",
    "PodResizeValidator",
    "MutatingAdmissionPolicy",
    "MutatingAdmissionWebhook",
    "ValidatingAdmissionPolicy",
    "ValidatingAdmissionWebhook",
    "ResourceQuota",
    "AlwaysDeny",
];
/// What upstream does not run unless it is told to.
const OFF: &[&str] = &[
    "AlwaysAdmit",
    "AlwaysDeny",
    "AlwaysPullImages",
    "DenyServiceExternalIPs",
    "EventRateLimit",
    "ExtendedResourceToleration",
    "LimitPodHardAntiAffinityTopology",
    "NamespaceAutoProvision",
    "NamespaceExists",
    "OwnerReferencesPermissionEnforcement",
    "PodTolerationRestriction",
];

fn named(names: &[&str]) -> Vec<String> {
    names.iter().map(|&name| name.into()).collect()
}

fn running(enable: &[&str], disable: &[&str]) -> Vec<&'static str> {
    let chain = Selection::of(&named(enable), &named(disable), None).expect("a selection").chain().expect("a chain");
    // ours alone stands where RBAC's own checks of grants would be
    chain.0.iter().map(|plugin| plugin.name()).filter(|name| ORDER.contains(name)).collect()
}

fn told(enable: &[&str], disable: &[&str]) -> String {
    Selection::of(&named(enable), &named(disable), None).expect_err("refused").to_string()
}

#[test]
fn the_plugins_run_in_upstreams_order() {
    let here = |name: &&&str| !ABSENT.contains(name);
    assert_eq!(running(OFF, &[]), ORDER.iter().filter(here).copied().collect::<Vec<_>>());
    let usual: Vec<_> = ORDER.iter().filter(here).filter(|name| !OFF.contains(name)).copied().collect();
    assert_eq!(running(&[], &[]), usual);
}

#[test]
fn what_is_disabled_does_not_run() {
    let names = running(&["AlwaysPullImages"], &["PodSecurity", "PodNodeSelector"]);
    assert!(names.contains(&"AlwaysPullImages") && !names.contains(&"PodSecurity"));
}

#[test]
fn names_that_mean_nothing_are_told() {
    assert_eq!(told(&["X"], &[]), "enable-admission-plugins plugin \"X\" is unknown");
    assert_eq!(told(&[], &["X"]), "disable-admission-plugins plugin \"X\" is unknown");
    assert_eq!(
        told(&["PodNodeSelector"], &[]),
        "enable-admission-plugins plugin \"PodNodeSelector\" is not part of this server"
    );
    assert_eq!(
        told(&["Priority", "PodSecurity"], &["PodSecurity"]),
        "[PodSecurity] in enable-admission-plugins and disable-admission-plugins overlapped"
    );
}

#[test]
fn a_file_configures_plugins_in_itself_or_by_another() {
    let folder = std::env::temp_dir().join(format!("nakhoda-admission-{}", uuid::Uuid::new_v4()));
    std::fs::create_dir_all(&folder).expect("a folder");
    let write = |name: &str, text: &str| std::fs::write(folder.join(name), text).expect("written");
    write("quota.yaml", "limitedResources: [{resource: pods, matchContains: [cpu]}]");
    let head = "apiVersion: apiserver.config.k8s.io/v1\nkind: AdmissionConfiguration\nplugins:\n";
    let plugins =
        "- {name: ResourceQuota, path: quota.yaml}\n- name: PodSecurity\n  configuration: {defaults: {enforce: X}}\n";
    write("good.yaml", &format!("{head}{plugins}"));
    let selection = Selection::of(&[], &[], Some(&folder.join("good.yaml"))).expect("a selection");
    assert_eq!(selection.quota().expect("limits").0[0].contains, ["cpu"]);
    assert_eq!(
        selection.chain().err().expect("refused").to_string(),
        "couldn't init admission plugin \"PodSecurity\": defaults.enforce: Invalid value: \"X\": must be one of \
         privileged, baseline, restricted"
    );
    write("other.yaml", "apiVersion: v1\nkind: Pod\n");
    let other = Selection::of(&[], &[], Some(&folder.join("other.yaml"))).expect_err("refused").to_string();
    assert!(other.ends_with("is no AdmissionConfiguration but \"v1 Pod\""), "{other}");
    std::fs::remove_dir_all(&folder).expect("removed");
}
