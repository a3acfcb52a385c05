use std::fs;
use std::time::Duration;

use nakhoda_daemon::pki::{Authority, Profile};
use nakhoda_rpc::transport::Tls;

use super::*;

/// A folder with a CA, gone when dropped.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        let path = std::env::temp_dir().join(format!("nakhoda-config-{}", uuid::Uuid::new_v4()));
        fs::create_dir_all(&path).expect("made");
        nakhoda_daemon::install_crypto();
        let folder = Self(path);
        folder.authority("ca");
        folder
    }

    fn authority(&self, name: &str) -> Authority {
        let [cert, key] = ["crt", "key"].map(|end| self.0.join(format!("{name}.{end}")));
        Authority::create(name, &cert, &key).expect("made")
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.0.join(name);
        fs::write(&path, text).expect("written");
        path
    }

    fn kubeconfig(&self, user: &str) -> PathBuf {
        let text = format!(
            "current-context: x\n\
             clusters: [{{name: c, cluster: {{server: 'https://one:6443,https://two:6443', certificate-authority: ca.crt}}}}]\n\
             users: [{{name: u, user: {user}}}]\n\
             contexts: [{{name: x, context: {{cluster: c, user: u}}}}]\n"
        );
        self.write("config", &text)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.0));
    }
}

#[test]
fn a_pod_is_configured_by_its_service_account() {
    let folder = Folder::new();
    folder.write("token", "t0\n");
    folder.write("namespace", "kube-system");
    let config = Config::from_account(&folder.0, vec!["https://10.0.0.1:6443".into()]).expect("in order");
    assert_eq!(config.namespace(), "kube-system");
    assert_eq!(config.addresses(), [Address { host: "10.0.0.1".into(), port: 6443 }]);
    assert_eq!(config.bearer().authorization().expect("a token"), "Bearer t0");
}

#[test]
fn a_kubeconfig_may_name_several_servers_and_a_token_file_beside_it() {
    let folder = Folder::new();
    folder.write("t", "t1");
    let config = Config::from_kubeconfig(folder.kubeconfig("{tokenFile: t}")).expect("in order");
    assert_eq!(config.addresses().len(), 2);
    assert_eq!(config.namespace(), "default");
    assert_eq!(config.bearer().authorization().expect("a token"), "Bearer t1");
}

#[test]
fn half_a_key_pair_is_told() {
    let folder = Folder::new();
    let error = Config::from_kubeconfig(folder.kubeconfig("{client-certificate: ca.crt}")).expect_err("half");
    assert!(error.to_string().ends_with("client-key: is missing, though client-certificate is there"), "{error}");
}

#[test]
fn a_renewed_certificate_is_used_and_a_broken_one_is_not() {
    let folder = Folder::new();
    let issue = || {
        let authority = Authority::read(&folder.0.join("ca.crt"), &folder.0.join("ca.key")).expect("read");
        authority.issue(&Profile::client("me", &[]), Duration::from_secs(3600)).expect("issued")
    };
    let (cert, key) = issue();
    let [cert, key] = [folder.write("me.crt", &cert), folder.write("me.key", &key)].map(Material::File);
    let identity =
        Identity::new(&folder.0, Material::File(folder.0.join("ca.crt")), Some((cert, key))).expect("in order");
    let before = identity.config();
    assert!(Arc::ptr_eq(&before, &identity.config()));
    folder.write("me.crt", "broken");
    assert!(Arc::ptr_eq(&before, &identity.config()));
    let (cert, key) = issue();
    folder.write("me.crt", &cert);
    folder.write("me.key", &key);
    assert!(!Arc::ptr_eq(&before, &identity.config()));
}

#[test]
fn a_kubeconfig_that_holds_its_certificates_is_read_again_when_it_changes() {
    let folder = Folder::new();
    let pki = nakhoda_daemon::pki::layout::Folder::new(&folder.0);
    pki.node("a", &[], "https://10.0.0.1:6443").expect("made");
    let config = Config::from_kubeconfig(pki.path("node-a.conf")).expect("in order");
    let before = config.connector().tls();
    assert!(Arc::ptr_eq(&before, &config.connector().tls()));
    pki.renew(|_| true).expect("renewed");
    let after = config.connector().tls();
    assert!(!Arc::ptr_eq(&before, &after));
    folder.write("node-a.conf", "broken");
    assert!(Arc::ptr_eq(&after, &config.connector().tls()));
}
