use serde_json::json;

use super::*;
use crate::cycle::{Decision, Sampling, decide};
use crate::fixtures::{cluster, info, node, pod};

fn config(more: &Value) -> Result<Config, ConfigError> {
    let mut value = json!({"apiVersion": API_VERSION, "kind": KIND});
    value.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
    Config::read(value.to_string().as_bytes())
}

fn fault(more: &Value) -> String {
    config(more).err().map(|error| error.to_string()).unwrap_or_default()
}

fn profile(more: &Value) -> Value {
    json!({"profiles": [more]})
}

fn scores(config: &Config, name: &str) -> Vec<(&'static str, i64)> {
    config.profiles.named(name).expect("a profile").scores().map(|(name, _, weight)| (name, weight)).collect()
}

#[test]
fn nothing_said_is_upstreams_default_and_interference() {
    let config = config(&json!({})).expect("valid");
    let standard = [
        ("TaintToleration", 3),
        ("NodeAffinity", 2),
        ("NodeResourcesFit", 1),
        ("PodTopologySpread", 2),
        ("InterPodAffinity", 2),
        ("NodeResourcesBalancedAllocation", 1),
        ("ImageLocality", 1),
        ("Interference", 3),
    ];
    assert_eq!(scores(&config, "default-scheduler"), standard);
    let (lease, settings) = config.election.expect("elects");
    assert_eq!((lease.to_string().as_str(), settings.duration.as_secs()), ("kube-system/kube-scheduler", 15));
}

#[test]
fn profiles_differ_in_weights_points_and_order() {
    let config = config(&json!({"profiles": [
        {"schedulerName": "default-scheduler"},
        {"schedulerName": "no-scoring", "plugins": {"preScore": {"disabled": [{"name": "*"}]}, "score": {"disabled": [{"name": "*"}]}}},
        {"schedulerName": "other", "plugins": {
            "multiPoint": {"disabled": [{"name": "ImageLocality"}], "enabled": [{"name": "NodeAffinity"}]},
            "score": {"enabled": [{"name": "NodeResourcesFit", "weight": 7}], "disabled": [{"name": "TaintToleration"}]},
            "filter": {"enabled": [{"name": "NodePorts"}], "disabled": [{"name": "NodeName"}]}}},
    ]}))
    .expect("valid");
    assert_eq!(config.profiles.names().collect::<Vec<_>>(), ["default-scheduler", "no-scoring", "other"]);
    assert_eq!(scores(&config, "no-scoring"), []);
    let other = [
        ("NodeResourcesFit", 7),
        ("NodeAffinity", 1),
        ("PodTopologySpread", 2),
        ("InterPodAffinity", 2),
        ("NodeResourcesBalancedAllocation", 1),
        ("Interference", 3),
    ];
    assert_eq!(scores(&config, "other"), other);
    let filters: Vec<_> = config.profiles.named("other").expect("there").filters().map(|(name, _)| name).collect();
    assert_eq!(filters[..2], ["NodePorts", "NodeUnschedulable"]);
    assert!(!filters.contains(&"NodeName") && filters.contains(&"TaintToleration"));
    assert!(config.profiles.of(&info(pod("p"))).is_some());
}

#[test]
fn a_fault_names_its_field() {
    let plugin = |point: &str, name: &str| profile(&json!({"plugins": {point: {"enabled": [{"name": name}]}}}));
    let args = |name: &str, args: Value| profile(&json!({"pluginConfig": [{"name": name, "args": args}]}));
    for (given, wanted) in [
        (json!({"extenders": [{}]}), "extenders: Forbidden: extenders are not supported"),
        (
            json!({"percentageOfNodesToScore": 101}),
            "percentageOfNodesToScore: Invalid value: 101: not in valid range [0-100]",
        ),
        (json!({"podInitialBackoffSeconds": 0}), "podInitialBackoffSeconds: Invalid value: 0: must be greater than 0"),
        (json!({"profiles": [{}, {}]}), "profiles[0].schedulerName: Required value"),
        (
            json!({"profiles": [{"schedulerName": "a"}, {"schedulerName": "a"}]}),
            "profiles[1].schedulerName: Duplicate value: \"a\"",
        ),
        (
            plugin("score", "Nice"),
            "profiles[0].plugins.score.enabled[0]: Invalid value: \"Nice\": plugin does not exist",
        ),
        (
            plugin("multiPoint", "Nice"),
            "profiles[0].plugins.multiPoint.enabled[0]: Invalid value: \"Nice\": plugin does not exist",
        ),
        (
            plugin("score", "NodeName"),
            "profiles[0].plugins.score.enabled[0]: Invalid value: \"NodeName\": plugin does not extend score",
        ),
        (
            profile(&json!({"plugins": {"bind": {"disabled": [{"name": "*"}]}}})),
            "profiles[0].plugins.bind: Required value: at least one bind plugin is needed",
        ),
        (args("Nice", json!({})), "profiles[0].pluginConfig[0].name: Not found: \"Nice\""),
        (
            args("InterPodAffinity", json!({"hardPodAffinityWeight": 101})),
            "profiles[0].pluginConfig[0].args.hardPodAffinityWeight: Invalid value: 101: not in valid range [0, 100]",
        ),
        (
            args("NodeResourcesFit", json!({"scoringStrategy": {"type": "Best"}})),
            "args.scoringStrategy.type: Unsupported value: \"Best\"",
        ),
        (args("NodeResourcesFit", json!({"scoring": {}})), "unknown field `scoring`"),
        (args("VolumeBinding", json!({"bindTimeoutSeconds": -1})), "args.bindTimeoutSeconds: Invalid value: -1"),
        (
            args("DefaultPreemption", json!({"minCandidateNodesPercentage": 0, "minCandidateNodesAbsolute": 0})),
            "cannot be zero at the same time as minCandidateNodesAbsolute",
        ),
        (
            args(
                "PodTopologySpread",
                json!({"defaultConstraints": [{"maxSkew": 1, "topologyKey": "z", "whenUnsatisfiable": "ScheduleAnyway"}]}),
            ),
            "args.defaultingType: Invalid value: \"System\": when .defaultConstraints are not empty",
        ),
        (json!({"leaderElection": {"leaseDuration": "soon"}}), "leaderElection.leaseDuration: Invalid value: \"soon\""),
        (
            json!({"leaderElection": {"resourceLock": "endpoints"}}),
            "leaderElection.resourceLock: Invalid value: \"endpoints\"",
        ),
        (json!({"nodes": 1}), "unknown field `nodes`"),
    ] {
        let told = fault(&given);
        assert!(told.contains(wanted), "{given}: {told}");
    }
    let told = Config::read(b"apiVersion: v1\nkind: Pod\n").err().expect("refused").to_string();
    assert!(told.starts_with("no kind \"Pod\" is registered for version \"v1\""), "{told}");
}

#[test]
fn arguments_change_what_is_decided() {
    let placed = |args: Value, wish: crate::fixtures::PodBuilder| {
        let more = profile(
            &json!({"pluginConfig": args, "plugins": {"score": {"disabled": [{"name": "NodeResourcesBalancedAllocation"}]}}}),
        );
        let config = config(&more).expect("valid");
        let framework = config.profiles.named("default-scheduler").expect("there");
        let mut nodes = cluster([
            node("empty").label("disk", "hdd"),
            node("busy").label("disk", "ssd").with(pod("o").cpu("1").memory("2Gi")),
        ]);
        let wish = info(wish);
        framework.tally(&mut nodes, &wish);
        match decide(framework, &nodes, &wish, &mut Sampling::default(), 0) {
            Decision::Place(slot) => nodes.at(slot).name.clone(),
            Decision::Unfit(diagnosis) => crate::report::unfit(&diagnosis, None),
            Decision::NoNodes => String::new(),
        }
    };
    let wish = || pod("p").cpu("1").memory("1Gi");
    let fit = |strategy: Value| json!([{"name": "NodeResourcesFit", "args": {"scoringStrategy": strategy}}]);
    assert_eq!(placed(json!([]), wish()), "empty");
    assert_eq!(placed(fit(json!({"type": "MostAllocated"})), wish()), "busy");
    let shape = json!({"type": "RequestedToCapacityRatio", "requestedToCapacityRatio": {"shape": [{"utilization": 0, "score": 0}, {"utilization": 100, "score": 10}]}});
    assert_eq!(placed(fit(shape), wish()), "busy");
    let added = json!({"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [{"matchExpressions": [{"key": "disk", "operator": "In", "values": ["ssd"]}]}]}});
    let args = json!([{"name": "NodeAffinity", "args": {"apiVersion": API_VERSION, "kind": "NodeAffinityArgs", "addedAffinity": added}}]);
    assert_eq!(placed(args.clone(), wish()), "busy");
    let told = placed(args, wish().cpu("8"));
    assert!(told.contains("1 node(s) didn't match scheduler-enforced node affinity"), "{told}");
    let ignored = json!([{"name": "NodeResourcesFit", "args": {"ignoredResourceGroups": ["example.com"]}}]);
    assert_eq!(placed(ignored, wish().ask("example.com/foo", "1")), "empty");
}
