use serde_json::json;

use super::*;

const HEAD: &str = "apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\n";

/// A folder that goes with the test.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("nakhoda-kubelet-config-{name}-{}", std::process::id()));
        std::fs::create_dir_all(path.join("drop")).expect("writable");
        Self(path)
    }

    fn put(&self, name: &str, text: &str) {
        std::fs::write(self.0.join(name), format!("{HEAD}{text}")).expect("writable");
    }

    fn parse(&self, more: &[&str]) -> Result<Options, String> {
        let path = |name: &str| self.0.join(name).display().to_string();
        let (file, folder) = (path("file.yaml"), format!("--config-dir={}", path("drop")));
        let words = ["kubelet", "--config", &file, &folder, "--kubeconfig=k"];
        let words = words.iter().chain(more).map(OsString::from).collect();
        parse(words).map_err(|error| error.to_string())
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        drop(std::fs::remove_dir_all(&self.0));
    }
}

#[test]
fn fields_are_flags_drop_ins_go_over_them_and_the_command_line_over_both() {
    let folder = Folder::new("order");
    folder.put(
        "file.yaml",
        "port: 1\nmaxPods: 7\nclusterDomain: one.example\nclusterDNS: [10.0.0.1, 10.0.0.2]\n\
         authentication: {anonymous: {enabled: false}, x509: {clientCAFile: ca.crt}}\n\
         evictionHard: {memory.available: 1Mi, nodefs.available: 5%}\nsyncFrequency: 1m0s\n\
         evictionSoft: {memory.available: 2Mi}\nevictionSoftGracePeriod: {memory.available: 1m30s}\n",
    );
    folder.put("drop/20.conf", "clusterDomain: three.example\n");
    folder.put("drop/10.conf", "clusterDomain: two.example\nevictionHard: {nodefs.available: null}\nport: 2\n");
    folder.put("drop/README", "clusterDomain: [what is no .conf is not read\n");
    let options = folder.parse(&["--port", "3"]).expect("options");
    assert_eq!((options.port, options.max_pods, options.cluster_domain.as_str()), (3, 7, "three.example"));
    assert_eq!(options.cluster_dns.len(), 2);
    assert_eq!(options.client_ca_file, Some(folder.0.join("ca.crt")));
    let hard = Options::parse_from([
        "kubelet",
        "--kubeconfig=k",
        "--client-ca-file=c",
        "--eviction-hard=memory.available<1Mi",
    ]);
    assert_eq!(format!("{:?}", options.evictions.eviction_hard), format!("{:?}", hard.evictions.eviction_hard));
    assert_eq!(options.ineffective, ["syncFrequency"]);
}

#[test]
fn what_cannot_be_used_is_told() {
    let folder = Folder::new("faults");
    let told = |text: &str| {
        folder.put("file.yaml", text);
        folder.parse(&["--client-ca-file=c"]).expect_err("refused")
    };
    for (text, wanted) in [
        ("prot: 1\n", "strict decoding error: unknown field \"prot\""),
        ("port: [1]\n", "port: [1] cannot be understood"),
        ("readOnlyPort: 10255\n", "readOnlyPort: 10255 is not supported: there is no port without authentication"),
        ("authorization: {mode: AlwaysAllow}\n", "authorization.mode: \"AlwaysAllow\" is not supported"),
        ("port: many\n", "invalid value 'many' for '--port <PORT>'"),
        ("kind: Pod\n", "failed to load kubelet config file"),
    ] {
        let told = told(text);
        assert!(told.contains(wanted), "{told}");
    }
    std::fs::write(folder.0.join("file.yaml"), "apiVersion: v1\nkind: Pod\n").expect("writable");
    let told = folder.parse(&[]).expect_err("refused");
    assert!(told.contains("it is no kubelet.config.k8s.io/v1beta1 KubeletConfiguration"), "{told}");
    std::fs::remove_file(folder.0.join("file.yaml")).expect("removed");
    assert!(folder.parse(&[]).expect_err("refused").contains("failed to load kubelet config file"));
}

#[test]
fn a_drop_in_takes_away_by_null() {
    let merged = merge(json!({"a": {"b": 1, "c": 2}, "d": [1]}), json!({"a": {"b": null}, "d": [2]}));
    assert_eq!(merged, json!({"a": {"c": 2}, "d": [2]}));
}
