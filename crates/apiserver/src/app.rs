//! Puts the process together: store → caches → pipeline → fronts, and what has to happen in order
//! before `/readyz` says so.
//!
//! The port is open from the first moment: requests that come before the caches are filled wait for them.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use nakhoda_daemon::Tasks;
use nakhoda_daemon::health::Health;
use nakhoda_daemon::metrics::Metrics;
use nakhoda_daemon::pki::token_key::{PublicKey, TokenKey};
use nakhoda_daemon::tls::{self, Files};
use nakhoda_store::cache::{Caches, Settings};
use nakhoda_store::etcd::{self, Etcd};
use nakhoda_store::{Store, Transformed};
use tokio::sync::watch;

use crate::aggregation::Aggregation;
use crate::aggregation::authentication::Facts;
use crate::alloc::Allocators;
use crate::archives::Archives;
use crate::audit::Auditor;
use crate::authn::bootstrap_token::BootstrapTokens;
use crate::authn::living::Cached;
use crate::authn::service_account::Tokens;
use crate::authn::{Authenticator, Bearer, TokenAuthenticator, legacy};
use crate::authz::node::NodeAuthorizer;
use crate::authz::rbac::Rbac;
use crate::bootstrap::policy;
use crate::discovery::openapi::Documents;
use crate::encryption::Encryption;
use crate::identity::Issuer;
use crate::kinds::Kinds;
use crate::kubelets::Kubelets;
use crate::options::{self, Options};
use crate::pipeline::{Parts, Pipeline};
use crate::serve::Fronts;
use crate::storage::{Storage, Stored};
use crate::{authn, grpc, rest, serve};

mod advertise;
mod auditor;
pub mod authentication;
pub mod authorization;
mod default_cidr;
#[cfg(test)]
mod matrix;
mod renewal;
mod revision;
mod startup;

/// Upstream's `--etcd-compaction-interval`.
const COMPACTION: Duration = Duration::from_secs(300);
/// How long a call to etcd may take, tries included.
const STORE_WITHIN: Duration = Duration::from_secs(10);

/// A pipeline and what feeds its authorizers.
pub struct Core {
    /// The pipeline.
    pub pipeline: Pipeline,
    /// To be kept current from the caches.
    pub rbac: Rbac,
    /// To be kept current from the caches.
    pub node: NodeAuthorizer,
    /// Signs tokens.
    pub issuer: Arc<Issuer>,
}

/// The other servers that this one calls, and who is told of requests.
pub struct Peers {
    /// Who is told, if anybody is.
    pub auditor: Option<Auditor>,
    /// Those of nodes, if they can be called.
    pub kubelets: Option<Kubelets>,
    /// Other API servers.
    pub aggregation: Aggregation,
    /// Who is believed by certificates.
    pub certificates: Vec<Box<dyn Authenticator>>,
    /// Whose credentials from outside are believed.
    pub outside: authentication::Outside,
    /// Who decides what callers may do.
    pub deciders: authorization::Deciders,
}

/// Starts everything; returns once the port is open.
pub async fn start(options: Options, tasks: Tasks) -> anyhow::Result<()> {
    let advertised = advertise::address(&options.serving)?;
    let identity = Files::load(&options.serving.tls_cert_file, &options.serving.tls_private_key_file)
        .context("the serving certificate cannot be used; see --tls-cert-file and --tls-private-key-file")?;
    identity.keep_fresh(&tasks);
    let callers = authentication::callers(&options.identity)?;
    let tls = tls::server_of(identity, callers)?;
    let issuer = Arc::new(issuer(&options.identity)?);
    let listeners = serve::bind(&options.serving.listen()).await?;
    let etcd = Arc::new(connect(&options.etcd).await?);
    renewal::follow(&tasks, &etcd, &options.etcd);
    let compacted = etcd.clone();
    tasks.spawn("compaction", async move { etcd::compact::run(&compacted, COMPACTION).await });
    let kubelets = kubelets(&options.kubelet, &tasks)?;
    let aggregation = Aggregation::new(front_proxy(&options.identity, &tasks)?, &tasks);
    let facts = authorities(&options.identity)
        .context("the CAs cannot be read; see --client-ca-file and --requestheader-client-ca-file")?;
    let (health, metrics) = (Health::default(), Metrics::default());
    let (store, keys) = encrypted(etcd, options.etcd.encryption_provider_config.as_deref(), &tasks)?;
    let auditor = auditor::open(&options.audit, &tasks)?;
    let own = &options.identity.service_account_issuer;
    let outside = authentication::open(&options.authentication, own, &tasks)?;
    let certificates = authentication::certificates(&options.identity)?;
    let deciders = authorization::read(&options.authorization)?;
    let peers = Peers { kubelets, aggregation, auditor, certificates, outside, deciders };
    let core = core(store, &options, issuer, peers, &metrics, &tasks)?;
    if let Some(path) = &options.etcd.revision_file {
        revision::keep(&tasks, core.pipeline.storage().caches(), path.clone());
    }
    if let Some(mut keys) = keys {
        let caches = core.pipeline.storage().caches().clone();
        tasks.spawn("encryption keys", async move {
            while keys.changed().await.is_ok() {
                caches.reread();
            }
        });
    }
    let fronts = fronts(&core, &tasks, &health, metrics, &advertised.to_string())?;
    startup::begin(&core, &tasks, &health, startup::Told { advertised, port: options.serving.secure_port, facts });
    renewal::tell(&tasks, &core.pipeline, options.identity.clone());
    serve::serve(&tasks, listeners, &tls, &fronts);
    tracing::info!(addresses = ?options.serving.listen(), %advertised, "listening");
    Ok(())
}

/// Raises etcd's revision, and ends.
pub async fn raise(options: &options::Etcd, above: u64, tasks: &Tasks) -> anyhow::Result<()> {
    let etcd = connect(options).await?;
    let revision = nakhoda_store::raise::raise(&etcd, above).await.context("the revision cannot be raised")?;
    tracing::info!(revision, above, "raised");
    tasks.stop();
    Ok(())
}

/// The pipeline over a store.
pub fn core(
    store: Arc<dyn Store>,
    options: &Options,
    issuer: Arc<Issuer>,
    peers: Peers,
    metrics: &Metrics,
    tasks: &Tasks,
) -> anyhow::Result<Core> {
    let selection = options.admission.selection()?;
    let kinds = Kinds::built_in();
    let floor = revision::highest(options.etcd.revision_file.as_deref())?;
    let caches = Caches::start(store.clone(), tasks.clone(), Settings { floor, ..Settings::default() });
    let storage = Storage::new(store, caches, kinds.clone());
    let (uses, used) = legacy::channel();
    let tokens = Tokens::new(issuer.clone(), Arc::new(Cached::new(storage.clone(), kinds.clone())), uses);
    let (rbac, node) = (Rbac::default(), NodeAuthorizer::default());
    rbac.change(|index| policy::built_in().into_iter().for_each(|policy| policy::put(index, policy)));
    let mut extensions = http::Extensions::new();
    extensions.insert(rbac.clone());
    extensions.insert(issuer.clone());
    let bootstrap = BootstrapTokens::new(storage.clone(), kinds.clone(), issuer.audiences.clone());
    let mut known: Vec<Box<dyn TokenAuthenticator>> = vec![Box::new(tokens), Box::new(bootstrap)];
    known.extend(peers.outside.tokens);
    let bearer = Bearer::new(known);
    extensions.insert(bearer.clone());
    extensions.insert(Arc::new(Archives::of(options.image_folder.clone())));
    extensions.insert(peers.aggregation);
    extensions.insert(selection.quota()?);
    if let Some(auditor) = peers.auditor {
        extensions.insert(auditor);
    }
    if let Some(kubelets) = peers.kubelets {
        extensions.insert(kubelets);
    }
    let mut authenticators = peers.certificates;
    authenticators.push(Box::new(bearer));
    let pipeline = Pipeline::new(Parts {
        kinds,
        storage,
        authn: authn::Union::new(authenticators, peers.outside.anonymous),
        authz: peers.deciders.chain(&node, &rbac, tasks)?,
        admission: selection.chain()?,
        allocators: Allocators { addresses: options.service_cluster_ip_range, ports: options.service_node_port_range },
        seats: options.max_requests_inflight + options.max_mutating_requests_inflight,
        metrics: metrics.clone(),
        extensions,
    });
    legacy::follow(pipeline.clone(), used, tasks);
    Ok(Core { pipeline, rbac, node, issuer })
}

/// Both fronts over one pipeline.
pub fn fronts(
    core: &Core,
    tasks: &Tasks,
    health: &Health,
    metrics: Metrics,
    advertised: &str,
) -> anyhow::Result<Fronts> {
    let front = grpc::Front { pipeline: core.pipeline.clone(), tasks: tasks.clone(), health: health.clone() };
    let grpc = grpc::routes(front).context("the gRPC descriptors cannot be read")?;
    let rest = rest::router(rest::Front {
        pipeline: core.pipeline.clone(),
        tasks: tasks.clone(),
        health: health.clone(),
        metrics,
        issuer: Some(core.issuer.clone()),
        openapi: Documents::default(),
        advertised: advertised.to_owned(),
    });
    Ok(Fronts { grpc: grpc.prepare().into_axum_router(), rest })
}

async fn connect(options: &options::Etcd) -> anyhow::Result<Etcd> {
    Etcd::new(&config(options)?).await.context("etcd cannot be used; see --etcd-servers")
}

/// How to reach etcd, by the files as they are now.
fn config(options: &options::Etcd) -> anyhow::Result<etcd::Config> {
    let read = |path: &Path| std::fs::read(path).with_context(|| format!("cannot read {}", path.display()));
    let tls = match (&options.etcd_cafile, &options.etcd_certfile, &options.etcd_keyfile) {
        (Some(ca), Some(certificate), Some(key)) => {
            Some(etcd::Tls { ca: read(ca)?, certificate: read(certificate)?, key: read(key)? })
        }
        (None, None, None) => None,
        _ => anyhow::bail!("--etcd-cafile, --etcd-certfile and --etcd-keyfile go together: give all three or none"),
    };
    Ok(etcd::Config { endpoints: options.etcd_servers.clone(), tls, within: STORE_WITHIN })
}

/// Tells when values are encrypted with other keys.
type NewKeys = watch::Receiver<()>;

/// The store with what encrypts it, and who tells of other keys.
fn encrypted(
    etcd: Arc<Etcd>,
    config: Option<&Path>,
    tasks: &Tasks,
) -> anyhow::Result<(Arc<dyn Store>, Option<NewKeys>)> {
    let (encryption, keys) = match config {
        None => {
            tracing::warn!("no --encryption-provider-config: secrets are stored unencrypted");
            (Encryption::default(), None)
        }
        Some(path) => {
            let followed = Encryption::follow(path.into(), tasks);
            let (encryption, keys) =
                followed.context("the encryption keys cannot be used; see --encryption-provider-config")?;
            (encryption, Some(keys))
        }
    };
    Ok((Arc::new(Transformed::new(etcd, Arc::new(Stored::new(encryption)))), keys))
}

/// Who issues tokens, with every key that checks them.
fn issuer(options: &options::Identity) -> anyhow::Result<Issuer> {
    let key = TokenKey::read(&options.service_account_signing_key_file)
        .context("the token signing key cannot be used; see --service-account-signing-key-file")?;
    let files = options.service_account_key_file.iter().map(|path| PublicKey::read(path));
    let others: Vec<_> =
        files.collect::<Result<_, _>>().context("a key cannot be used; see --service-account-key-file")?;
    Ok(Issuer::new(options.service_account_issuer.clone(), key).with(others.into_iter().flatten()))
}

/// What other API servers are told of whom to believe.
fn authorities(options: &options::Identity) -> std::io::Result<Facts> {
    let front = options.requestheader_client_ca_file.as_deref();
    Facts::read(&options.client_ca_file, front, &options.requestheader_allowed_names)
}

/// What this server shows to other API servers.
fn front_proxy(options: &options::Identity, tasks: &Tasks) -> anyhow::Result<Option<Arc<Files>>> {
    match (&options.proxy_client_cert_file, &options.proxy_client_key_file) {
        (Some(cert), Some(key)) => {
            let files = Files::load(cert, key);
            let files =
                files.context("the certificate for API servers cannot be used; see --proxy-client-cert-file")?;
            files.keep_fresh(tasks);
            Ok(Some(files))
        }
        (None, None) => Ok(None),
        _ => anyhow::bail!("--proxy-client-cert-file and --proxy-client-key-file go together"),
    }
}

fn kubelets(options: &options::Kubelet, tasks: &Tasks) -> anyhow::Result<Option<Kubelets>> {
    let files =
        (&options.kubelet_client_certificate, &options.kubelet_client_key, &options.kubelet_certificate_authority);
    match files {
        (Some(cert), Some(key), Some(ca)) => {
            let kubelets = Kubelets::load(cert, key, ca, tasks);
            Ok(Some(kubelets.context("the certificate for kubelets cannot be used; see --kubelet-client-certificate")?))
        }
        (None, None, None) => {
            tracing::warn!("no --kubelet-client-certificate: logs, exec and port forwarding will not work");
            Ok(None)
        }
        _ => anyhow::bail!(
            "--kubelet-client-certificate, --kubelet-client-key and --kubelet-certificate-authority go together"
        ),
    }
}
