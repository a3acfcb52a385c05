//! Commands in containers through containerd's native tasks: FIFOs for the three streams and an
//! exact end of stdin, which the websocket form of CRI's exec does not have.
//!
//! The shim opens the FIFOs: stdin for reading, stdout and stderr for writing.

use std::path::{Path, PathBuf};

use containerd_client::services::v1::containers_client::ContainersClient;
use containerd_client::services::v1::tasks_client::TasksClient;
use containerd_client::services::v1::{
    CloseIoRequest, DeleteProcessRequest, ExecProcessRequest, GetContainerRequest, KillRequest, ResizePtyRequest,
    StartRequest, WaitRequest,
};
use serde_json::{Value, json};
use tokio::net::unix::pipe;
use tonic::transport::Channel;

use super::{Error, request};

/// What to run.
#[derive(Clone, Debug)]
pub struct Command {
    /// Program and arguments.
    pub args: Vec<String>,
    /// Whether stdin is connected.
    pub stdin: bool,
    /// Whether a terminal is made; stderr is then part of stdout.
    pub tty: bool,
}

/// Why a command could not be run.
#[derive(Debug, thiserror::Error)]
pub enum ExecError {
    /// containerd said no.
    #[error(transparent)]
    Containerd(#[from] Error),
    /// The FIFOs cannot be made or opened.
    #[error("cannot make the command's streams")]
    Streams(#[source] std::io::Error),
    /// The container's own specification cannot be read.
    #[error("the container's specification is not readable")]
    Spec(#[source] serde_json::Error),
    /// There is no such container.
    #[error("container {0} has no process specification")]
    NoProcess(String),
}

/// A running command.
pub struct Process {
    channel: Channel,
    container: String,
    id: String,
    dir: PathBuf,
    /// Bytes for its stdin; dropping it and calling [`Process::close_stdin`] ends the stream.
    pub stdin: Option<pipe::Sender>,
    /// What it writes.
    pub stdout: Option<pipe::Receiver>,
    /// What it complains, without a terminal.
    pub stderr: Option<pipe::Receiver>,
}

/// A handle to end or resize a command while its streams are in use elsewhere.
#[derive(Clone)]
pub struct Control {
    channel: Channel,
    container: String,
    id: String,
}

/// Starts a command in a container; `scratch` holds its FIFOs.
pub async fn start(channel: Channel, container: &str, command: &Command, scratch: &Path) -> Result<Process, ExecError> {
    let spec = process_spec(channel.clone(), container, command).await?;
    let id = uuid::Uuid::new_v4().simple().to_string();
    let dir = scratch.join(&id);
    let path = |name: &str| dir.join(name).display().to_string();
    let (out, err) = open_fifos(&dir, command).map_err(ExecError::Streams)?;
    let mut process = Process {
        channel: channel.clone(),
        container: container.into(),
        id: id.clone(),
        dir: dir.clone(),
        stdin: None,
        stdout: Some(out),
        stderr: err,
    };
    let mut tasks = TasksClient::new(channel);
    let exec = ExecProcessRequest {
        container_id: container.into(),
        exec_id: id.clone(),
        terminal: command.tty,
        stdin: if command.stdin { path("in") } else { String::new() },
        stdout: path("out"),
        stderr: if command.tty { String::new() } else { path("err") },
        spec: Some(prost_types::Any {
            type_url: "types.containerd.io/opencontainers/runtime-spec/1/Process".into(),
            value: spec.to_string().into_bytes(),
        }),
    };
    tasks.exec(request(exec)).await.map_err(Error::attempting("exec"))?;
    if command.stdin {
        // Opening for read and write keeps this end from waiting for the shim and from failing before it opens.
        let opened = pipe::OpenOptions::new().read_write(true).open_sender(dir.join("in"));
        process.stdin = Some(opened.map_err(ExecError::Streams)?);
    }
    let begin = StartRequest { container_id: container.into(), exec_id: id };
    if let Err(status) = tasks.start(request(begin)).await {
        process.remove().await;
        return Err(Error::attempting("start the command")(status).into());
    }
    process.narrow().map_err(ExecError::Streams)?;
    Ok(process)
}

// === impl Process ===

impl Process {
    /// For ending and resizing.
    #[must_use]
    pub fn control(&self) -> Control {
        Control { channel: self.channel.clone(), container: self.container.clone(), id: self.id.clone() }
    }

    /// Waits for the end and gives the exit code.
    pub async fn wait(&self) -> Result<u32, Error> {
        let wait = WaitRequest { container_id: self.container.clone(), exec_id: self.id.clone() };
        let answer = TasksClient::new(self.channel.clone()).wait(request(wait)).await;
        Ok(answer.map_err(Error::attempting("wait for the command"))?.into_inner().exit_status)
    }

    /// Removes what was made for it. Call after its streams were read to their end.
    pub async fn remove(&self) {
        let delete = DeleteProcessRequest { container_id: self.container.clone(), exec_id: self.id.clone() };
        if let Err(status) = TasksClient::new(self.channel.clone()).delete_process(request(delete)).await {
            tracing::debug!(error = status.message(), "exec was gone before");
        }
        if let Err(error) = std::fs::remove_dir_all(&self.dir) {
            tracing::debug!(%error, dir = %self.dir.display(), "exec streams stay");
        }
    }

    /// After the shim has opened its ends, ours must be one-way, so that each sees the other's end.
    fn narrow(&mut self) -> std::io::Result<()> {
        let out = pipe::OpenOptions::new().open_receiver(self.dir.join("out"))?;
        self.stdout = Some(out);
        if self.stderr.is_some() {
            self.stderr = Some(pipe::OpenOptions::new().open_receiver(self.dir.join("err"))?);
        }
        if self.stdin.is_some() {
            // Nobody reads any more when the command has ended already.
            self.stdin = match pipe::OpenOptions::new().open_sender(self.dir.join("in")) {
                Ok(sender) => Some(sender),
                Err(error) if error.raw_os_error() == Some(rustix::io::Errno::NXIO.raw_os_error()) => None,
                Err(error) => return Err(error),
            };
        }
        Ok(())
    }
}

// === impl Control ===

impl Control {
    /// Tells the shim that stdin has ended.
    pub async fn close_stdin(&self) -> Result<(), Error> {
        let close = CloseIoRequest { container_id: self.container.clone(), exec_id: self.id.clone(), stdin: true };
        TasksClient::new(self.channel.clone())
            .close_io(request(close))
            .await
            .map_err(Error::attempting("close stdin"))?;
        Ok(())
    }

    /// Kills the command.
    pub async fn kill(&self) -> Result<(), Error> {
        let kill =
            KillRequest { container_id: self.container.clone(), exec_id: self.id.clone(), signal: 9, all: false };
        TasksClient::new(self.channel.clone())
            .kill(request(kill))
            .await
            .map_err(Error::attempting("kill the command"))?;
        Ok(())
    }

    /// Sets the terminal's size.
    pub async fn resize(&self, width: u32, height: u32) -> Result<(), Error> {
        let size = ResizePtyRequest { container_id: self.container.clone(), exec_id: self.id.clone(), width, height };
        TasksClient::new(self.channel.clone()).resize_pty(request(size)).await.map_err(Error::attempting("resize"))?;
        Ok(())
    }
}

/// The container's own process with another command line.
async fn process_spec(channel: Channel, container: &str, command: &Command) -> Result<Value, ExecError> {
    let get = GetContainerRequest { id: container.into() };
    let attempt = Error::attempting(format!("find container {container}"));
    let answer = ContainersClient::new(channel).get(request(get)).await.map_err(attempt)?;
    let spec = answer.into_inner().container.and_then(|c| c.spec).unwrap_or_default();
    let mut spec: Value = serde_json::from_slice(&spec.value).map_err(ExecError::Spec)?;
    let mut process = spec["process"].take();
    if !process.is_object() {
        return Err(ExecError::NoProcess(container.into()));
    }
    process["args"] = json!(command.args);
    process["terminal"] = json!(command.tty);
    if command.tty
        && let Some(env) = process["env"].as_array_mut()
        && !env.iter().any(|e| e.as_str().is_some_and(|e| e.starts_with("TERM=")))
    {
        env.push(json!("TERM=xterm"));
    }
    Ok(process)
}

fn open_fifos(dir: &Path, command: &Command) -> std::io::Result<(pipe::Receiver, Option<pipe::Receiver>)> {
    std::fs::create_dir_all(dir)?;
    let fifo = |name: &str| {
        let path = dir.join(name);
        let mode = rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR;
        rustix::fs::mknodat(rustix::fs::CWD, &path, rustix::fs::FileType::Fifo, mode, 0)?;
        std::io::Result::Ok(path)
    };
    if command.stdin {
        fifo("in")?;
    }
    let read = |path: PathBuf| pipe::OpenOptions::new().read_write(true).open_receiver(path);
    let out = read(fifo("out")?)?;
    let err = if command.tty { None } else { Some(read(fifo("err")?)?) };
    Ok((out, err))
}
