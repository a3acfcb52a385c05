//! Wrong flags and files, a port that is taken: each ends with one clear line that names what is wrong, and changes
//! nothing.

use std::process::{Command, Stdio};

use anyhow::{Result, ensure};
use nakhoda_tests::source::root;

/// Daemon, its arguments (`PKI` is the cluster's folder of certificates), and what it must tell.
const CASES: &[(&str, &str, &str)] = &[
    ("apiserver", "--novel", "unexpected argument '--novel'"),
    ("apiserver", "--secure-port high", "--secure-port"),
    ("apiserver", "--service-cluster-ip-range 10.96.0.0", "--service-cluster-ip-range"),
    ("apiserver", "", "--tls-cert-file"),
    ("apiserver", "FILES --tls-cert-file /nowhere/x.crt", "/nowhere/x.crt"),
    ("apiserver", "FILES --client-ca-file /nowhere/ca.crt", "--client-ca-file"),
    ("apiserver", "FILES --service-account-signing-key-file PKI/ca.crt", "--service-account-signing-key-file"),
    ("apiserver", "FILES --bind-address 127.0.0.1 --secure-port 6443 --advertise-address 172.30.93.1", "6443"),
    ("scheduler", "--novel", "unexpected argument '--novel'"),
    ("scheduler", "--kubeconfig /nowhere/x.conf", "/nowhere/x.conf"),
    ("scheduler", "--kubeconfig PKI/ca.crt", "PKI/ca.crt"),
    ("scheduler", "--kubeconfig PKI/scheduler.conf", "10259"),
    ("controller-manager", "--novel", "unexpected argument '--novel'"),
    ("controller-manager", "--kubeconfig /nowhere/x.conf", "--kubeconfig"),
    ("controller-manager", "--kubeconfig PKI/controller-manager.conf", "10257"),
    ("kubelet", "--novel", "unexpected argument '--novel'"),
    ("kubelet", "--node-labels a", "--node-labels"),
    ("kubelet", "", "--client-ca-file"),
    ("kubelet", "--eviction-hard memory.free<1Mi --client-ca-file PKI/ca.crt", "memory.free"),
    ("kubelet", "KUBELET --kubeconfig /nowhere/x.conf", "/nowhere/x.conf"),
    ("kubelet", "KUBELET --tls-cert-file /nowhere/x.crt", "/nowhere/x.crt"),
    ("kubelet", "KUBELET --cni-bin-dir /nowhere", "/nowhere"),
    ("kubelet", "KUBELET --port 6443", "6443"),
    ("proxy", "--novel", "unexpected argument '--novel'"),
    ("proxy", "--kubeconfig /nowhere/x.conf --hostname-override x", "/nowhere/x.conf"),
    ("proxy", "PROXY --health-bind 127.0.0.1:6443", "127.0.0.1:6443"),
    ("dns", "--kubeconfig PKI/admin.conf --bind 127.0.0.1:6443", "127.0.0.1:6443"),
    ("dns", "--novel", "unexpected argument '--novel'"),
    ("dns", "--kubeconfig /nowhere/x.conf", "/nowhere/x.conf"),
    ("dns", "--bind nowhere", "--bind"),
];

fn pki() -> String {
    root().join(".cluster/pki").display().to_string()
}

/// What a daemon is rightly told, by the word that stands for it.
const RIGHT: &[(&str, &str)] = &[
    (
        "FILES",
        "--client-ca-file PKI/ca.crt --tls-cert-file PKI/apiserver.crt --tls-private-key-file PKI/apiserver.key \
         --service-account-signing-key-file PKI/sa.key",
    ),
    (
        "KUBELET",
        "--kubeconfig PKI/node-node-1.conf --client-ca-file PKI/ca.crt --tls-cert-file PKI/node-node-1.crt \
         --tls-private-key-file PKI/node-node-1.key --hostname-override x --root-dir PKI/../stranger-node",
    ),
    ("PROXY", "--kubeconfig PKI/admin.conf --hostname-override x --cluster-cidr 10.244.0.0/16"),
];

/// The words of a command line; what is given overrides what is right.
fn arguments(text: &str) -> Vec<String> {
    let mut words: Vec<&str> = text.split_whitespace().collect();
    let right = words.first().and_then(|first| RIGHT.iter().find(|(name, _)| name == first));
    if let Some((_, right)) = right {
        words.remove(0);
        let pairs: Vec<&str> = right.split_whitespace().collect();
        let kept = pairs.chunks(2).filter(|pair| !words.contains(&pair[0])).flatten();
        words = kept.copied().collect::<Vec<_>>().into_iter().chain(words.iter().copied()).collect();
    }
    words.into_iter().map(|word| word.replace("PKI", &pki())).collect()
}

/// Every daemon tells what is wrong with its command line, and ends.
pub(crate) fn command_lines() -> Result<()> {
    for (daemon, text, wanted) in CASES {
        let output = Command::new("timeout")
            .arg("20")
            .arg(root().join(".cluster/bin").join(daemon))
            .args(arguments(text))
            .stdin(Stdio::null())
            .output()?;
        let told = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        let code = output.status.code();
        ensure!(!matches!(code, Some(0 | 124) | None), "{daemon} {text}: {code:?} {told}");
        ensure!(told.contains(&wanted.replace("PKI", &pki())), "{daemon} {text} does not name {wanted}: {told}");
        ensure!(!told.contains("panicked"), "{daemon} {text}: {told}");
    }
    std::fs::remove_dir_all(root().join(".cluster/stranger-node"))?;
    Ok(())
}
