//! Joining a cluster: how a machine that has a token and the authority's hash becomes a node with a
//! certificate of its own, and how that certificate and the serving one stay fresh.
//!
//! Everything lies in `pki/` below the root directory. What is there and valid is used; a join that was
//! broken off is taken up with the same key. With `--kubeconfig` none of this happens.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, bail};
use nakhoda_client::{Client, Config};
use nakhoda_daemon::pki::write_private;

use crate::options::Options;

mod discover;
mod pair;
mod renew;
mod request;

use pair::Pair;
pub(crate) use renew::keep_fresh;
use request::{CLIENT, Wanted};

/// How long the first certificate may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// How the kubelet reaches the API server and how it serves.
#[derive(Clone, Debug)]
pub(crate) struct Access {
    /// Who it is.
    pub(crate) kubeconfig: PathBuf,
    /// Its serving certificate.
    pub(crate) serving: (PathBuf, PathBuf),
    /// Who may sign clients' certificates.
    pub(crate) authority: PathBuf,
    /// Whether the certificates are its own to renew.
    pub(crate) joined: bool,
}

/// The files of a machine that joins.
#[derive(Clone, Debug)]
struct Files {
    folder: PathBuf,
}

// === impl Files ===

impl Files {
    fn of(root: &Path) -> Self {
        Self { folder: root.join("pki") }
    }

    fn authority(&self) -> PathBuf {
        self.folder.join("ca.crt")
    }

    fn client(&self) -> Pair {
        Pair::of(&self.folder, "client")
    }

    fn serving(&self) -> Pair {
        Pair::of(&self.folder, "serving")
    }

    /// Writes a kubeconfig with a user's part, and returns its path.
    fn kubeconfig(&self, name: &str, servers: &[String], user: &str) -> anyhow::Result<PathBuf> {
        let path = self.folder.join(name);
        let text = format!(
            "apiVersion: v1\nkind: Config\nclusters:\n- name: cluster\n  cluster:\n    server: {}\n    \
             certificate-authority: {}\nusers:\n- name: node\n  user:\n{user}contexts:\n- name: cluster\n  context:\n    \
             cluster: cluster\n    user: node\ncurrent-context: cluster\n",
            servers.join(","),
            self.authority().display(),
        );
        write_private(&path, text.as_bytes())?;
        Ok(path)
    }
}

/// Finds or gets what the node needs to begin.
pub(crate) async fn access(options: &Options, node: &str) -> anyhow::Result<Access> {
    let files = Files::of(&options.root_dir);
    let (client, serving) = (files.client(), files.serving());
    let given = |flag: &Option<PathBuf>, own: &Path| flag.clone().unwrap_or_else(|| own.to_owned());
    let kubeconfig = match &options.kubeconfig {
        Some(kubeconfig) => kubeconfig.clone(),
        None => join(options, &files, &client, node).await?,
    };
    let joined = options.tls_cert_file.is_none();
    if joined && !serving.is_valid() {
        // Until the node is known and its request is signed.
        serving.sign_self(node)?;
    }
    Ok(Access {
        kubeconfig,
        serving: (given(&options.tls_cert_file, &serving.cert), given(&options.tls_private_key_file, &serving.key)),
        authority: given(&options.client_ca_file, &files.authority()),
        joined: joined && options.kubeconfig.is_none(),
    })
}

async fn join(options: &Options, files: &Files, client: &Pair, node: &str) -> anyhow::Result<PathBuf> {
    if options.apiserver.is_empty() {
        bail!("pass --apiserver, --token and --ca-hash as ctl token create prints them, or --kubeconfig FILE");
    }
    if !(client.is_valid() && files.authority().exists()) {
        let token = options.token.as_ref().context("this machine has no certificate yet: pass --token ID.SECRET")?;
        let hash = options.ca_hash.as_deref().context("pass --ca-hash sha256:… as ctl token create prints it")?;
        let authority = discover::authority(&options.apiserver, token, hash).await?;
        write_private(&files.authority(), authority.as_bytes())?;
        let stranger = files.kubeconfig("bootstrap.conf", &options.apiserver, &format!("    token: {token}\n"))?;
        let api = Client::new(&Config::from_kubeconfig(&stranger)?);
        let wanted = Wanted { signer: CLIENT, node, addresses: &[] };
        let issued = tokio::time::timeout(PATIENCE, request::certificate(&api, client, &wanted)).await;
        issued.context("nobody has approved the request: ctl get csr, ctl certificate approve NAME")??;
        std::fs::remove_file(&stranger).with_context(|| format!("cannot remove {}", stranger.display()))?;
        tracing::info!(node, "this machine has its certificate");
    }
    let user = format!("    client-certificate: {}\n    client-key: {}\n", client.cert.display(), client.key.display());
    files.kubeconfig("kubelet.conf", &options.apiserver, &user)
}
