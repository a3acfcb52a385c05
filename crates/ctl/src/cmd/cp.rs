//! `cp`: files to and from a container, by its tar.

pub mod pack;

use std::convert::Infallible;
use std::fs::File;
use std::io::{Seek, Write};
use std::path::Path;
use std::process::ExitCode;

use futures::StreamExt;
use futures::stream::BoxStream;
use nakhoda_client::Duplex;
use nakhoda_rpc::v1;
use tokio::io::AsyncReadExt;
use tokio::sync::mpsc;

use crate::cluster::text;
use crate::session;
use crate::stream::{self, Place, STATUS, STDERR, STDIN, STDOUT};
use crate::{Cluster, Context, Error, pods, targets};

const CHUNK: usize = 64 << 10;

/// Copy files and directories to and from a container, which needs tar
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  ctl cp ./site web-0:/srv/site\n  ctl cp default/web-0:/var/log ./log")]
pub struct Args {
    /// A local path, or [NAMESPACE/]POD:PATH
    #[arg(value_name = "FROM")]
    from: String,
    /// A local path, or [NAMESPACE/]POD:PATH
    #[arg(value_name = "TO")]
    to: String,
    /// Container; default: the pod's default or first one
    #[arg(long, short)]
    container: Option<String>,
}

/// One end of a copy.
#[derive(Clone, Debug, PartialEq, Eq)]
enum End {
    Local(String),
    Remote { namespace: Option<String>, pod: String, path: String },
}

/// A container that commands run in.
struct Remote<'a> {
    cluster: &'a Cluster,
    namespace: String,
    pod: String,
    container: String,
}

/// What a command said and how it ended.
struct Ended {
    errors: String,
    code: u8,
}

/// Runs the command.
pub async fn run(args: Args, context: &Context) -> Result<ExitCode, Error> {
    let (from, to) = (End::parse(&args.from), End::parse(&args.to));
    let cluster = Cluster::load(context).await?;
    match (from, to) {
        (End::Local(from), End::Remote { namespace, pod, path }) => {
            let remote = Remote::find(&cluster, namespace, &pod, args.container.as_deref()).await?;
            remote.put(&from, &path).await?;
        }
        (End::Remote { namespace, pod, path }, End::Local(to)) => {
            let remote = Remote::find(&cluster, namespace, &pod, args.container.as_deref()).await?;
            remote.fetch(&path, &to).await?;
        }
        (End::Local(_), End::Local(_)) => {
            return Err(Error::Usage("one of src or dest must be a remote file specification, POD:PATH".into()));
        }
        (End::Remote { .. }, End::Remote { .. }) => {
            return Err(Error::Usage("one of src or dest must be a local file specification".into()));
        }
    }
    Ok(ExitCode::SUCCESS)
}

// === impl End ===

impl End {
    /// A path that begins with a dot or a slash is local, whatever colons it has.
    fn parse(text: &str) -> Self {
        match text.split_once(':') {
            Some((pod, path)) if !text.starts_with(['.', '/']) && !pod.is_empty() => {
                let (namespace, pod) = pod.split_once('/').map_or((None, pod), |(ns, pod)| (Some(ns.into()), pod));
                Self::Remote { namespace, pod: pod.into(), path: path.into() }
            }
            _ => Self::Local(text.into()),
        }
    }
}

// === impl Remote ===

impl<'a> Remote<'a> {
    async fn find(cluster: &'a Cluster, namespace: Option<String>, pod: &str, container: Option<&str>) -> Result<Self, Error> {
        let mut item = targets::one(cluster, pod, "pods")?;
        item.namespace = namespace.unwrap_or(item.namespace);
        let object = item.get(cluster).await?;
        let container = pods::container(&object, container)?;
        Ok(Self { cluster, namespace: text(&object, "/metadata/namespace").into(), pod: pod.into(), container })
    }

    async fn put(&self, from: &str, to: &str) -> Result<(), Error> {
        let unreadable = |source| Error::Read { path: from.into(), source };
        let source = Path::new(from);
        let to = match to {
            "" => return Err(Error::Usage("filepath can not be empty".into())),
            path => path.trim_end_matches('/'),
        };
        let into = self.is_directory(to).await?;
        let name = source.canonicalize().map_err(unreadable)?.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let target = if into { format!("{to}/{name}") } else { to.to_owned() };
        let (directory, base) = target.rsplit_once('/').unwrap_or((".", &target));
        let mut archive = pack::pack(source, base).map_err(unreadable)?;
        let directory = if directory.is_empty() { "/" } else { directory };
        let ended = self.command(&["tar", "-xmf", "-", "-C", directory], Some(&mut archive), &mut std::io::sink()).await?;
        ended.check("tar")
    }

    async fn fetch(&self, from: &str, to: &str) -> Result<(), Error> {
        let failed = |source| Error::Read { path: to.into(), source };
        let mut archive = pack::nameless().map_err(failed)?;
        let ended = self.command(&["tar", "cf", "-", from], None, &mut archive).await?;
        ended.check("tar")?;
        archive.rewind().map_err(failed)?;
        for skipped in pack::unpack(archive, from, Path::new(to)).map_err(failed)? {
            eprintln!("warning: skipping {skipped}");
        }
        Ok(())
    }

    async fn is_directory(&self, path: &str) -> Result<bool, Error> {
        let path = if path.is_empty() { "/" } else { path };
        // an image without the program may have a shell that knows the word
        let ways: [&[&str]; 2] = [&["test", "-d", path], &["sh", "-c", "test -d \"$0\"", path]];
        for words in ways {
            if let Ok(ended) = self.command(words, None, &mut std::io::sink()).await {
                return Ok(ended.code == 0);
            }
        }
        Ok(false)
    }

    /// Runs a command in the container.
    async fn command(&self, words: &[&str], input: Option<&mut File>, output: &mut dyn Write) -> Result<Ended, Error> {
        let mut parameters: Vec<(&str, String)> = words.iter().map(|word| ("command", (*word).to_owned())).collect();
        parameters.push(("container", self.container.clone()));
        parameters.extend([("stdout", "true".to_owned()), ("stderr", "true".into()), ("stdin", input.is_some().to_string())]);
        let place = Place { resource: "pods", namespace: &self.namespace, name: &self.pod, subresource: "exec" };
        let Duplex { send, recv } = stream::open(&self.cluster.client, place, &parameters).await?;
        let file = input.map(|file| file.try_clone()).transpose();
        let file = file.map_err(|source| Error::Local { what: "cannot read the archive".into(), source })?;
        let feeds = async {
            feed(file, &send).await;
            std::future::pending::<Infallible>().await
        };
        tokio::select! {
            ended = collect(recv, output) => ended,
            never = feeds => match never {},
        }
    }
}

/// Keeps what a command says until it has ended.
async fn collect(mut frames: Frames, output: &mut dyn Write) -> Result<Ended, Error> {
    let mut ended = Ended { errors: String::new(), code: 0 };
    while let Some(frame) = frames.next().await {
        let frame = frame?;
        match frame.channel {
            STDOUT => output
                .write_all(&frame.data)
                .map_err(|source| Error::Local { what: "cannot keep what the container sends".into(), source })?,
            STDERR => ended.errors.push_str(&String::from_utf8_lossy(&frame.data)),
            STATUS => ended.code = session::ended(&frame.data)?.err().unwrap_or(0),
            _ => {}
        }
    }
    Ok(ended)
}

type Frames = BoxStream<'static, nakhoda_client::Result<v1::ConnectFrame>>;

// === impl Ended ===

impl Ended {
    fn check(self, program: &str) -> Result<(), Error> {
        match self.code {
            0 => Ok(()),
            code => Err(Error::Usage(format!("{program} in the container failed with exit code {code}: {}", self.errors.trim()))),
        }
    }
}

/// Sends a file as standard input; a command that has ended needs no more of it.
async fn feed(file: Option<File>, send: &mpsc::Sender<v1::ConnectFrame>) {
    let Some(file) = file else { return };
    let mut file = tokio::fs::File::from_std(file);
    let mut buffer = vec![0; CHUNK];
    while let Ok(count @ 1..) = file.read(&mut buffer).await {
        if send.send(stream::frame(STDIN, buffer[..count].to_vec())).await.is_err() {
            return;
        }
    }
    drop(send.send(stream::closing(STDIN)).await);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_a_pod_is_remote() {
        let remote = |ns: Option<&str>, pod: &str, path: &str| End::Remote { namespace: ns.map(Into::into), pod: pod.into(), path: path.into() };
        assert_eq!(End::parse("web:/a"), remote(None, "web", "/a"));
        assert_eq!(End::parse("ns/web:a:b"), remote(Some("ns"), "web", "a:b"));
        assert_eq!(End::parse("./a:b"), End::Local("./a:b".into()));
        assert_eq!(End::parse("a"), End::Local("a".into()));
    }
}
