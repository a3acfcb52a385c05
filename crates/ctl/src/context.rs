//! What every command has: the global options and, on demand, the client.

use std::path::PathBuf;

use nakhoda_client::config::kubeconfig::{Kubeconfig, User};
use nakhoda_client::{Client, Config};

use crate::Error;
use crate::output::harmless::harmless;

/// Options of all commands, named as kubectl names them.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct Global {
    /// Path of the kubeconfig file to use; default: KUBECONFIG, then ~/.kube/config
    #[arg(long, global = true)]
    pub kubeconfig: Option<PathBuf>,
    /// Name of the kubeconfig context to use
    #[arg(long, global = true)]
    pub context: Option<String>,
    /// Namespace of the request
    #[arg(long, short, global = true)]
    pub namespace: Option<String>,
}

/// The circumstances of a command.
#[derive(Debug)]
pub struct Context {
    /// The global options.
    pub global: Global,
}

// === impl Context ===

impl Context {
    /// With these options.
    #[must_use]
    pub const fn new(global: Global) -> Self {
        Self { global }
    }

    /// A client of the cluster that the kubeconfig names. It connects on first use.
    pub fn client(&self) -> Result<Client, Error> {
        Ok(Client::new(&self.config()?).warning(|warning| eprintln!("Warning: {}", harmless(warning))))
    }

    /// The namespace of the request: `-n`, else that of the kubeconfig's context.
    pub fn namespace(&self) -> Result<String, Error> {
        match &self.global.namespace {
            Some(namespace) => Ok(namespace.clone()),
            None => Ok(self.config()?.namespace().to_owned()),
        }
    }

    /// How the cluster is reached.
    pub fn config(&self) -> Result<Config, Error> {
        Ok(Config::select(&self.kubeconfig()?, self.global.context.as_deref())?)
    }

    /// What says how.
    pub fn kubeconfig(&self) -> Result<Kubeconfig, Error> {
        Ok(match &self.global.kubeconfig {
            Some(path) => Kubeconfig::read(path)?,
            None => Kubeconfig::find()?,
        })
    }

    /// The user of the context in it.
    #[must_use]
    pub fn user<'a>(&self, kubeconfig: &'a Kubeconfig) -> Option<&'a User> {
        let name = self.global.context.as_ref().unwrap_or(&kubeconfig.current_context);
        let context = kubeconfig.contexts.iter().find(|context| context.name == *name)?;
        kubeconfig.users.iter().find(|user| user.name == context.value.user).map(|user| &user.value)
    }
}
