//! Certificates that open nothing: another cluster's, and one of ours whose time is over. Who comes with one is told
//! what is wrong with it.

use std::process::Command;
use std::time::Duration;

use anyhow::{Result, ensure};
use nakhoda_daemon::pki::{Authority, Profile};
use nakhoda_tests::command::Client;
use nakhoda_tests::source::root;

const SERVER: &str = "https://172.30.93.1:6443";

/// All of them.
pub(crate) fn strangers() -> Result<()> {
    let folder = root().join(".cluster/stranger").display().to_string();
    Client::ctl().run(&["pki", "init", "--dir", &folder, "--server", SERVER, "--address", "172.30.93.1"])?;
    expire(&folder)?;
    let cases = [
        (format!("{folder}/admin.conf"), "invalid peer certificate"),
        (kubeconfig(&folder, "apiserver-kubelet-client")?, "received fatal alert"),
        (kubeconfig(&folder, "expired")?, "CertificateExpired"),
    ];
    for (file, wanted) in cases {
        for words in [&["get", "pods"][..], &["image", "ls"]] {
            let told = told(&file, words, wanted)?;
            ensure!(told.contains(wanted) && told.lines().count() <= 2, "{file} {words:?}: {told}");
        }
    }
    std::fs::remove_dir_all(&folder)?;
    Ok(())
}

/// What a refused caller is told. In TLS 1.3 the server's reason races with its closing the connection: he who asks
/// again hears it, and is refused each time.
fn told(file: &str, words: &[&str], wanted: &str) -> Result<String> {
    let mut told = String::new();
    for _ in 0..20 {
        let output = Command::new(&Client::ctl().program).args(["--kubeconfig", file]).args(words).output()?;
        told = String::from_utf8_lossy(&output.stderr).into_owned();
        ensure!(!output.status.success(), "{file} {words:?} is let in");
        if told.contains(wanted) {
            break;
        }
    }
    Ok(told)
}

/// An administrator's certificate of this cluster, for a second.
fn expire(folder: &str) -> Result<()> {
    let file = |name: &str| root().join(".cluster/pki").join(name);
    let authority = Authority::read(&file("ca.crt"), &file("ca.key"))?;
    let life = Duration::from_secs(1);
    let (certificate, key) = authority.issue(&Profile::client("kubernetes-admin", &["system:masters"]), life)?;
    std::fs::write(format!("{folder}/expired.crt"), certificate)?;
    std::fs::write(format!("{folder}/expired.key"), key)?;
    // That a time passes cannot be waited for otherwise.
    std::thread::sleep(2 * life);
    Ok(())
}

/// Our authority, and a client's certificate out of the folder.
fn kubeconfig(folder: &str, name: &str) -> Result<String> {
    let authority = root().join(".cluster/pki/ca.crt").display().to_string();
    let text = format!(
        "apiVersion: v1\nkind: Config\ncurrent-context: a\ncontexts: [{{name: a, context: {{cluster: a, user: a}}}}]\n\
         clusters: [{{name: a, cluster: {{server: '{SERVER}', certificate-authority: {authority}}}}}]\n\
         users: [{{name: a, user: {{client-certificate: {folder}/{name}.crt, client-key: {folder}/{name}.key}}}}]\n"
    );
    let file = format!("{folder}/{name}.conf");
    std::fs::write(&file, text)?;
    Ok(file)
}
