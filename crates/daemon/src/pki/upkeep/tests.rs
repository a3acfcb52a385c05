use std::net::IpAddr;

use super::rotate::Step;
use super::*;
use crate::pki::layout::Cluster;
use crate::tls;

struct Pki(PathBuf, Folder);

impl Pki {
    fn new(name: &str) -> Self {
        crate::install_crypto();
        let path = std::env::temp_dir().join(format!("nakhoda-upkeep-{name}-{}", std::process::id()));
        let folder = Folder::new(&path);
        let address: IpAddr = "10.0.0.1".parse().expect("an address");
        let cluster = Cluster {
            server: "https://10.0.0.1:6443".into(),
            names: vec!["api".into()],
            addresses: vec![address],
            life: crate::pki::LEAF_LIFE,
        };
        folder.control_plane(&cluster).expect("made");
        Self(path, folder)
    }

    fn text(&self, name: &str) -> String {
        std::fs::read_to_string(self.0.join(name)).expect("there")
    }

    /// Whether what the file holds is believed by the authorities in `authorities`.
    fn believes(&self, authorities: &str, leaf: &str) -> bool {
        use rustls::pki_types::pem::PemObject;
        use rustls::pki_types::{CertificateDer, UnixTime};
        use rustls::server::danger::ClientCertVerifier;
        let text = self.text(leaf);
        let pem = value(&text, CERTIFICATE).unwrap_or(text);
        let leaf = CertificateDer::from_pem_slice(pem.as_bytes()).expect("PEM");
        let trust = tls::trust::Callers::load(&self.0.join(authorities)).expect("loaded");
        trust.verify_client_cert(&leaf, &[], UnixTime::now()).is_ok()
    }
}

impl Drop for Pki {
    fn drop(&mut self) {
        drop(std::fs::remove_dir_all(&self.0));
    }
}

#[test]
fn a_certificate_is_renewed_as_what_it_is() {
    let pki = Pki::new("renew");
    let before = pki.1.certificates().expect("readable");
    assert!(before.iter().filter(|c| c.signs).count() == 3 && before.len() == 12, "{before:?}");
    assert_eq!(pki.1.renew(|leaf| leaf.due() < SystemTime::now()).expect("renewed"), []);
    let texts = ["apiserver.crt", "apiserver.key", "admin.conf", "etcd/peer.crt"].map(|name| pki.text(name));
    let renewed = pki.1.renew(|_| true).expect("renewed");
    assert_eq!(renewed.len(), 9);
    let after = pki.1.certificates().expect("readable");
    let facts = |all: &[Certificate]| all.iter().map(|c| (c.file.clone(), c.profile.clone())).collect::<Vec<_>>();
    assert_eq!(facts(&before), facts(&after));
    for (name, old) in ["apiserver.crt", "apiserver.key", "admin.conf", "etcd/peer.crt"].iter().zip(texts) {
        assert_ne!(pki.text(name), old, "{name}");
    }
    assert!(pki.believes("ca.crt", "admin.conf"));
    tls::Files::load(&pki.0.join("apiserver.crt"), &pki.0.join("apiserver.key")).expect("they belong together");
}

#[test]
fn at_no_step_of_a_rotation_is_anything_shown_that_is_not_believed() {
    let pki = Pki::new("rotate");
    let (old, kubeconfig) = (pki.text("ca.crt"), pki.text("admin.conf"));
    assert_eq!(pki.1.rotate("ca").expect("announced"), Step::Announced);
    assert_eq!(pki.text("ca.crt").matches("BEGIN").count(), 2);
    assert!(pki.text("ca.crt").starts_with(&old) && pki.believes("ca.crt", "apiserver-kubelet-client.crt"));
    let told = value(&pki.text("admin.conf"), AUTHORITY).expect("an authority");
    assert_eq!(told, pki.text("ca.crt"), "kubeconfigs believe both");

    assert_eq!(pki.1.rotate("ca").expect("changed"), Step::Changed);
    assert!(pki.believes("ca.crt", "admin.conf") && pki.text("ca.crt").ends_with(&old));
    std::fs::write(pki.0.join("former.crt"), &old).expect("written");
    assert!(!pki.believes("former.crt", "apiserver-kubelet-client.crt"), "the new one signs");

    assert_eq!(pki.1.rotate("ca").expect("dropped"), Step::Dropped);
    assert!(pki.text("ca.crt").matches("BEGIN").count() == 1 && pki.believes("ca.crt", "admin.conf"));
    std::fs::write(pki.0.join("old.conf"), kubeconfig).expect("written");
    assert!(!pki.believes("ca.crt", "old.conf"));
    assert!(pki.1.certificates().expect("readable").iter().all(|c| c.file != Path::new("ca.next.crt")));
}
