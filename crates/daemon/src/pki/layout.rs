//! The folder of a cluster's certificates and kubeconfigs. What is missing is made, what is there is
//! left alone, so that making it twice changes nothing.

use std::net::{IpAddr, Ipv4Addr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rcgen::KeyPair;
use ring::rand::{SecureRandom, SystemRandom};

use super::{Authority, LEAF_LIFE, PkiError, Profile, write_private};

/// What the certificates must name.
#[derive(Clone, Debug)]
pub struct Cluster {
    /// Where clients reach the API server, for example `https://10.0.0.1:6443`.
    pub server: String,
    /// More names of the API server.
    pub names: Vec<String>,
    /// More addresses of the API server: the advertised one, the first service address.
    pub addresses: Vec<IpAddr>,
    /// How long leaves live.
    pub life: Duration,
}

/// A folder.
#[derive(Clone, Debug)]
pub struct Folder(PathBuf);

// === impl Folder ===

impl Folder {
    /// The folder at a path; it need not exist.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self(path.into())
    }

    /// The path of a file in it.
    #[must_use]
    pub fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// Makes what a control plane needs and what is missing of it.
    pub fn control_plane(&self, cluster: &Cluster) -> Result<(), PkiError> {
        let authority = self.authority("ca", "kubernetes-ca")?;
        let front = self.authority("front-proxy-ca", "front-proxy-ca")?;
        let life = cluster.life;
        self.leaf("front-proxy-client", &front, &Profile::client("front-proxy-client", &[]), life)?;
        self.etcd(life)?;
        self.signing_key()?;
        self.encryption_key()?;
        self.leaf("apiserver", &authority, &api_server(cluster), life)?;
        let to_kubelets = Profile::client("kube-apiserver-kubelet-client", &["system:masters"]);
        self.leaf("apiserver-kubelet-client", &authority, &to_kubelets, life)?;
        let users = [
            ("admin", Profile::client("kubernetes-admin", &["system:masters"])),
            ("scheduler", Profile::client("system:kube-scheduler", &[])),
            ("controller-manager", Profile::client("system:kube-controller-manager", &[])),
        ];
        users.iter().try_for_each(|(name, profile)| self.kubeconfig(name, &authority, profile, &cluster.server, life))
    }

    /// Makes the kubeconfig and the serving certificate of a node.
    pub fn node(&self, name: &str, addresses: &[IpAddr], server: &str) -> Result<(), PkiError> {
        let authority = self.authority("ca", "kubernetes-ca")?;
        let user = format!("system:node:{name}");
        self.leaf(&format!("node-{name}"), &authority, &Profile::server(&user, &[name], addresses), LEAF_LIFE)?;
        let user = Profile::client(&user, &["system:nodes"]);
        self.kubeconfig(&format!("node-{name}"), &authority, &user, server, LEAF_LIFE)
    }

    fn etcd(&self, life: Duration) -> Result<(), PkiError> {
        let authority = self.authority("etcd/ca", "etcd-ca")?;
        let local = [IpAddr::V4(Ipv4Addr::LOCALHOST)];
        // A member's name is what its peers and the API servers call it by, one alone or of three.
        let names = ["localhost", "etcd", "etcd-1", "etcd-2", "etcd-3"];
        let both = |name: &str| Profile { client: true, ..Profile::server(name, &names, &local) };
        self.leaf("etcd/server", &authority, &both("etcd"), life)?;
        self.leaf("etcd/peer", &authority, &both("etcd-peer"), life)?;
        self.leaf("etcd/client", &authority, &Profile::client("apiserver-etcd-client", &[]), life)
    }

    fn authority(&self, name: &str, common_name: &str) -> Result<Authority, PkiError> {
        Authority::ensure(common_name, &self.file(name, "crt"), &self.file(name, "key"))
    }

    /// The key that signs service-account tokens.
    fn signing_key(&self) -> Result<(), PkiError> {
        let path = self.file("sa", "key");
        if path.exists() {
            return Ok(());
        }
        let wrong = |source| PkiError::Certificate { what: "the service-account key".into(), source };
        let pair = KeyPair::generate().map_err(wrong)?;
        write_private(&path, pair.serialize_pem().as_bytes())?;
        write_private(&self.file("sa", "pub"), pair.public_key_pem().as_bytes())
    }

    /// How secrets are encrypted in etcd, with a new key.
    fn encryption_key(&self) -> Result<(), PkiError> {
        let path = self.file("encryption", "yaml");
        if path.exists() {
            return Ok(());
        }
        let mut key = [0; 32];
        SystemRandom::new().fill(&mut key).map_err(|_| PkiError::Random)?;
        let text = format!(
            "apiVersion: apiserver.config.k8s.io/v1\nkind: EncryptionConfiguration\nresources:\n- resources: [secrets]\n  \
             providers:\n  - secretbox:\n      keys:\n      - name: key1\n        secret: {}\n  - identity: {{}}\n",
            STANDARD.encode(key)
        );
        write_private(&path, text.as_bytes())
    }

    fn leaf(&self, name: &str, authority: &Authority, profile: &Profile, life: Duration) -> Result<(), PkiError> {
        let (cert, key) = (self.file(name, "crt"), self.file(name, "key"));
        if cert.exists() && key.exists() {
            return Ok(());
        }
        let (certificate, private) = authority.issue(profile, life)?;
        write_private(&key, private.as_bytes())?;
        write_private(&cert, certificate.as_bytes())
    }

    fn kubeconfig(
        &self,
        name: &str,
        authority: &Authority,
        user: &Profile,
        server: &str,
        life: Duration,
    ) -> Result<(), PkiError> {
        let path = self.file(name, "conf");
        if path.exists() {
            return Ok(());
        }
        let (certificate, key) = authority.issue(user, life)?;
        let text = render(server, authority.certificate(), &user.common_name, &certificate, &key);
        write_private(&path, text.as_bytes())
    }

    fn file(&self, name: &str, extension: &str) -> PathBuf {
        self.0.join(Path::new(&format!("{name}.{extension}")))
    }
}

fn api_server(cluster: &Cluster) -> Profile {
    let mut names = vec![
        "localhost",
        "kubernetes",
        "kubernetes.default",
        "kubernetes.default.svc",
        "kubernetes.default.svc.cluster.local",
    ];
    names.extend(cluster.names.iter().map(String::as_str));
    let mut addresses = vec![IpAddr::V4(Ipv4Addr::LOCALHOST)];
    addresses.extend(&cluster.addresses);
    Profile::server("kube-apiserver", &names, &addresses)
}

/// A kubeconfig with one cluster, one user and one context, all data inside.
fn render(server: &str, ca: &str, user: &str, certificate: &str, key: &str) -> String {
    let encode = |pem: &str| STANDARD.encode(pem);
    format!(
        "apiVersion: v1\nkind: Config\nclusters:\n- name: nakhoda\n  cluster:\n    server: {server}\n    \
         certificate-authority-data: {ca}\nusers:\n- name: {user}\n  user:\n    client-certificate-data: {certificate}\n    \
         client-key-data: {key}\ncontexts:\n- name: nakhoda\n  context:\n    cluster: nakhoda\n    user: {user}\n\
         current-context: nakhoda\n",
        ca = encode(ca),
        certificate = encode(certificate),
        key = encode(key),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cluster() -> Cluster {
        let addresses = vec!["10.0.0.1".parse().expect("an address")];
        Cluster { server: "https://10.0.0.1:6443".into(), names: Vec::new(), addresses, life: LEAF_LIFE }
    }

    #[test]
    fn a_second_making_changes_nothing() {
        crate::install_crypto();
        let path = std::env::temp_dir().join(format!("nakhoda-pki-{}", std::process::id()));
        let folder = Folder::new(&path);
        folder.control_plane(&cluster()).expect("made");
        folder.node("a", &[], "https://10.0.0.1:6443").expect("made");
        let before = std::fs::read(folder.path("apiserver.crt")).expect("there");
        folder.control_plane(&cluster()).expect("made again");
        assert_eq!(before, std::fs::read(folder.path("apiserver.crt")).expect("still there"));
        assert!(std::fs::read_to_string(folder.path("node-a.conf")).is_ok_and(|t| t.contains("system:node:a")));
        std::fs::remove_file(folder.path("ca.key")).expect("removed");
        assert!(matches!(folder.control_plane(&cluster()), Err(PkiError::Half { .. })));
        std::fs::remove_dir_all(path).expect("removed");
    }
}
