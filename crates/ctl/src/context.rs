//! What every command has: the global options and, on demand, the client.

/// Options of all commands, named as kubectl names them.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct Global {
    /// Path of the kubeconfig file to use
    #[arg(long, global = true, env = "KUBECONFIG")]
    pub kubeconfig: Option<String>,
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
}
