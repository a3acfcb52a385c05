//! `main` of every daemon in one call: parse, log, build, run, drain.

use std::future::Future;
use std::process::ExitCode;
use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};

use crate::logging::{self, LogFormat};
use crate::tasks::Tasks;

/// How long tasks may take to end after SIGTERM.
const GRACE: Duration = Duration::from_secs(20);

/// Options that every daemon has.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct Common {
    /// How log lines look.
    #[arg(long, value_enum, default_value_t, global = true)]
    pub log_format: LogFormat,
}

/// Runs a daemon: `start` builds it and spawns its tasks; the process then lives until SIGTERM,
/// SIGINT, or the fault of a task. Exit code 0 after a signal, 1 after a fault.
pub fn run<S, F>(common: &Common, start: S) -> ExitCode
where
    S: FnOnce(Tasks) -> F,
    F: Future<Output = anyhow::Result<()>>,
{
    logging::init(common.log_format);
    install_crypto();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            tracing::error!(%error, "no runtime");
            return ExitCode::FAILURE;
        }
    };
    let code = runtime.block_on(live(start));
    runtime.shutdown_timeout(Duration::from_secs(1));
    code
}

/// Makes ring the provider of all TLS in this process. A second call changes nothing.
pub fn install_crypto() {
    if rustls::crypto::ring::default_provider().install_default().is_err() {
        tracing::debug!("the crypto provider was installed before");
    }
}

async fn live<S, F>(start: S) -> ExitCode
where
    S: FnOnce(Tasks) -> F,
    F: Future<Output = anyhow::Result<()>>,
{
    let tasks = Tasks::new();
    let signals = match signal(SignalKind::terminate()).and_then(|t| Ok((t, signal(SignalKind::interrupt())?))) {
        Ok(signals) => signals,
        Err(error) => {
            tracing::error!(%error, "no signal handlers");
            return ExitCode::FAILURE;
        }
    };
    let (mut terminate, mut interrupt) = signals;
    let started = tokio::select! {
        started = start(tasks.clone()) => started,
        _ = terminate.recv() => return ExitCode::SUCCESS,
        _ = interrupt.recv() => return ExitCode::SUCCESS,
    };
    if let Err(error) = started {
        tracing::error!("{error:#}");
        return ExitCode::FAILURE;
    }
    tokio::select! {
        _ = terminate.recv() => tracing::info!("SIGTERM: draining"),
        _ = interrupt.recv() => tracing::info!("SIGINT: draining"),
        () = tasks.stopping() => {}
    }
    tasks.stop();
    if !tasks.finished(GRACE).await {
        tracing::warn!(seconds = GRACE.as_secs(), "some tasks did not end in time");
    }
    if tasks.failure().is_some() { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}
