//! Wrong flags and files, a port that is taken, a stranger's certificate: each ends with one clear line that names
//! what is wrong, and changes nothing.

use std::process::{Command, Stdio};

use anyhow::{Result, ensure};
use nakhoda_tests::command::Client;
use nakhoda_tests::source::root;

const SERVER: &str = "https://172.30.93.1:6443";

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
    ("controller-manager", "--kubeconfig /nowhere/x.conf", "--kubeconfig"),
    ("controller-manager", "--kubeconfig PKI/controller-manager.conf", "10257"),
    ("kubelet", "--novel", "unexpected argument '--novel'"),
    ("kubelet", "--node-labels a", "--node-labels"),
    ("proxy", "--kubeconfig /nowhere/x.conf --hostname-override x", "/nowhere/x.conf"),
    ("dns", "--kubeconfig /nowhere/x.conf", "/nowhere/x.conf"),
    ("dns", "--bind nowhere", "--bind"),
];

fn pki() -> String {
    root().join(".cluster/pki").display().to_string()
}

fn arguments(text: &str) -> Vec<String> {
    let files = "--client-ca-file PKI/ca.crt --tls-cert-file PKI/apiserver.crt --tls-private-key-file PKI/apiserver.key \
                 --service-account-signing-key-file PKI/sa.key";
    let (first, second) = text.split_once("FILES").unwrap_or((text, ""));
    // what is given overrides what it repeats
    let given: Vec<&str> = second.split_whitespace().filter(|word| word.starts_with("--")).collect();
    let mut words: Vec<String> = first.split_whitespace().map(str::to_owned).collect();
    if text.contains("FILES") {
        let pairs: Vec<&str> = files.split_whitespace().collect();
        let kept = pairs.chunks(2).filter(|pair| !given.contains(&pair[0])).flatten();
        words.extend(kept.map(|word| (*word).to_owned()));
    }
    words.extend(second.split_whitespace().map(str::to_owned));
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
    Ok(())
}

/// A certificate of another cluster opens nothing, and ours trusts no server of another.
pub(crate) fn strangers() -> Result<()> {
    let folder = root().join(".cluster/stranger").display().to_string();
    let ctl = Client::ctl();
    ctl.run(&["pki", "init", "--dir", &folder, "--server", SERVER, "--address", "172.30.93.1"])?;
    let mixed = format!("{folder}/mixed.conf");
    let kubeconfig = format!(
        "apiVersion: v1\nkind: Config\ncurrent-context: a\ncontexts: [{{name: a, context: {{cluster: a, user: a}}}}]\n\
         clusters: [{{name: a, cluster: {{server: '{SERVER}', certificate-authority: {}/ca.crt}}}}]\n\
         users: [{{name: a, user: {{client-certificate: {folder}/apiserver-kubelet-client.crt, client-key: \
         {folder}/apiserver-kubelet-client.key}}}}]\n",
        pki()
    );
    std::fs::write(&mixed, kubeconfig)?;
    for (file, wanted) in [(format!("{folder}/admin.conf"), "invalid peer certificate"), (mixed, "transport error")] {
        let output = Command::new(&ctl.program).args(["--kubeconfig", &file, "get", "pods"]).output()?;
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        ensure!(!output.status.success() && told.contains(wanted), "{file}: {told}");
    }
    std::fs::remove_dir_all(&folder)?;
    Ok(())
}
