//! The containerd process that the kubelet owns: started in a session of its own so that it outlives
//! the kubelet, found again by its pid file, started anew when it dies.

use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use nakhoda_daemon::Tasks;
use rustix::process::{Pid, PidfdFlags, pidfd_open};
use tokio::io::unix::AsyncFd;
use tonic::transport::Channel;

use super::config::{Layout, render};

/// A start that takes longer than this has failed.
const START: Duration = Duration::from_secs(30);
/// Between the death of one process and the start of the next, doubling up to [`SLOWEST`].
const FIRST_PAUSE: Duration = Duration::from_millis(200);
const SLOWEST: Duration = Duration::from_secs(10);

/// Why there is no runtime.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A directory or file cannot be made.
    #[error("cannot prepare {path}")]
    Prepare {
        /// Which one.
        path: PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// The program cannot be started.
    #[error("cannot start containerd; is the package containerd installed?")]
    Spawn(#[source] io::Error),
    /// It ended instead of serving.
    #[error("containerd ended while starting; see {log}")]
    Ended {
        /// Where its output is.
        log: PathBuf,
    },
    /// It runs but does not answer.
    #[error("containerd does not answer at {socket} after {} s; see {log}", START.as_secs())]
    Silent {
        /// Where it should.
        socket: PathBuf,
        /// Where its output is.
        log: PathBuf,
    },
    /// The path is too long for a socket.
    #[error("{path} is {} bytes long, a unix socket path ends at 107: choose a shorter --run-dir", .path.as_os_str().len())]
    LongPath {
        /// Which path.
        path: PathBuf,
    },
}

/// The owned containerd. See the module's documentation.
#[derive(Clone, Debug)]
pub struct Managed {
    layout: Layout,
    config: PathBuf,
    log: PathBuf,
    pid_file: PathBuf,
}

// === impl Managed ===

impl Managed {
    /// Writes the configuration; starts nothing yet.
    pub fn prepare(layout: Layout) -> Result<Self, Error> {
        if layout.socket.with_extension("ttrpc").as_os_str().len() > 107 {
            return Err(Error::LongPath { path: layout.socket.with_extension("ttrpc") });
        }
        let base = layout.root.parent().unwrap_or(&layout.root).to_path_buf();
        for dir in [&layout.root, &layout.state, &layout.cni_conf, &base] {
            std::fs::create_dir_all(dir).map_err(|source| Error::Prepare { path: dir.clone(), source })?;
        }
        let config = base.join("config.toml");
        std::fs::write(&config, render(&layout)).map_err(|source| Error::Prepare { path: config.clone(), source })?;
        Ok(Self { config, log: base.join("containerd.log"), pid_file: layout.state.join("containerd.pid"), layout })
    }

    /// Finds the running process or starts one, waits until it serves, and keeps it running.
    pub async fn run(self, tasks: &Tasks) -> Result<Channel, Error> {
        let pid = self.ensure()?;
        let channel = self.connected(pid).await?;
        tasks.spawn("containerd", async move { self.supervise(pid).await });
        Ok(channel)
    }

    /// The gRPC socket.
    #[must_use]
    pub fn socket(&self) -> &Path {
        &self.layout.socket
    }

    fn ensure(&self) -> Result<Pid, Error> {
        match self.running() {
            Some(pid) => Ok(pid),
            None => self.spawn(),
        }
    }

    /// The process of the pid file, if it is still that one.
    fn running(&self) -> Option<Pid> {
        let pid: i32 = std::fs::read_to_string(&self.pid_file).ok()?.trim().parse().ok()?;
        let cmdline = std::fs::read(format!("/proc/{pid}/cmdline")).ok()?;
        let config = self.config.as_os_str().as_encoded_bytes();
        cmdline.split(|b| *b == 0).any(|arg| arg == config).then(|| Pid::from_raw(pid)).flatten()
    }

    fn spawn(&self) -> Result<Pid, Error> {
        let prepare = |path: &Path, source| Error::Prepare { path: path.into(), source };
        let log = std::fs::OpenOptions::new().create(true).append(true).open(&self.log);
        let log = log.map_err(|e| prepare(&self.log, e))?;
        let err = log.try_clone().map_err(|e| prepare(&self.log, e))?;
        // `setsid` does not fork here, because a fresh child leads no group: its pid becomes containerd's.
        let child = tokio::process::Command::new("setsid")
            .args(["containerd", "--config"])
            .arg(&self.config)
            .stdin(Stdio::null())
            .stdout(log)
            .stderr(err)
            .kill_on_drop(false)
            .spawn()
            .map_err(Error::Spawn)?;
        let pid = child.id().and_then(|id| Pid::from_raw(id.cast_signed())).ok_or_else(|| self.ended())?;
        std::fs::write(&self.pid_file, pid.as_raw_nonzero().to_string()).map_err(|e| prepare(&self.pid_file, e))?;
        tracing::info!(pid = pid.as_raw_nonzero(), "containerd started");
        Ok(pid)
    }

    async fn connected(&self, pid: Pid) -> Result<Channel, Error> {
        let silent = || Error::Silent { socket: self.layout.socket.clone(), log: self.log.clone() };
        let serving = async {
            loop {
                if let Ok(channel) = super::connect(&self.layout.socket).await
                    && crate::cri::Cri::new(channel.clone()).version().await.is_ok()
                {
                    return channel;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::select! {
            channel = serving => Ok(channel),
            () = ended(pid) => Err(self.ended()),
            () = tokio::time::sleep(START) => Err(silent()),
        }
    }

    async fn supervise(self, mut pid: Pid) {
        let mut pause = FIRST_PAUSE;
        loop {
            let since = tokio::time::Instant::now();
            ended(pid).await;
            if since.elapsed() > Duration::from_secs(30) {
                pause = FIRST_PAUSE;
            }
            tracing::warn!(pid = pid.as_raw_nonzero(), "containerd ended; starting it again");
            loop {
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(SLOWEST);
                match self.ensure() {
                    Ok(next) => {
                        pid = next;
                        break;
                    }
                    Err(error) => tracing::error!(%error, "containerd does not start"),
                }
            }
        }
    }

    fn ended(&self) -> Error {
        Error::Ended { log: self.log.clone() }
    }
}

/// Resolves when the process has ended.
async fn ended(pid: Pid) {
    let Ok(fd) = pidfd_open(pid, PidfdFlags::NONBLOCK) else { return };
    wait(fd).await;
}

async fn wait(fd: OwnedFd) {
    #[expect(deprecated, reason = "its successor is unsafe to call; an OwnedFd keeps the promise it asks for")]
    match AsyncFd::new(fd) {
        Ok(fd) => {
            if let Err(error) = fd.readable().await {
                tracing::warn!(%error, "cannot watch containerd");
            }
        }
        Err(error) => tracing::warn!(%error, "cannot watch containerd"),
    }
}
