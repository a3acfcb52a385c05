//! `image build`: builds with the tool that is there, and loads the result.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use super::{Nodes, load};
use crate::{Context, Error};

/// Build an image with docker, buildah or nerdctl, and load it onto nodes
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  ctl image build -t hello-flask:1 .")]
pub struct Args {
    /// Name of the image, for example hello-flask:1
    #[arg(long, short, required = true)]
    tag: String,
    /// Path of the Dockerfile; default: DIR/Dockerfile
    #[arg(long, short)]
    file: Option<PathBuf>,
    /// Set a build argument (repeat)
    #[arg(long, value_name = "KEY=VALUE")]
    build_arg: Vec<String>,
    /// The directory to build from
    #[arg(value_name = "DIR")]
    directory: PathBuf,
    #[command(flatten)]
    nodes: Nodes,
}

/// A program that builds images.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Builder {
    program: &'static str,
    build: &'static str,
}

/// Those we know, best first.
const BUILDERS: [Builder; 3] = [
    Builder { program: "docker", build: "build" },
    Builder { program: "buildah", build: "bud" },
    Builder { program: "nerdctl", build: "build" },
];

/// Runs the command.
pub async fn run(args: Args, context: &Context) -> Result<ExitCode, Error> {
    let search = std::env::var_os("PATH").unwrap_or_default();
    let paths: Vec<PathBuf> = std::env::split_paths(&search).collect();
    let builder = find(&paths).ok_or_else(|| {
        Error::Usage("no image builder found: install docker.io or buildah (apt-get install buildah), or nerdctl".into())
    })?;
    let archive = std::env::temp_dir().join(format!("ctl-build-{}.tar", std::process::id()));
    perform(builder.program, &builder.arguments(&args))?;
    let saved = perform(builder.program, &builder.save(&args.tag, &archive));
    let outcome = match saved {
        Ok(()) => {
            let load = load::Args::of(&archive, args.nodes);
            load::run(load, context).await
        }
        Err(error) => Err(error),
    };
    // absent if saving failed
    drop(std::fs::remove_file(&archive));
    outcome
}

fn find(paths: &[PathBuf]) -> Option<Builder> {
    BUILDERS.into_iter().find(|builder| paths.iter().any(|path| path.join(builder.program).is_file()))
}

fn perform(program: &str, arguments: &[String]) -> Result<(), Error> {
    let unstartable = |source| Error::Start { program: program.into(), source };
    let status = Command::new(program).args(arguments).stdin(Stdio::null()).status().map_err(unstartable)?;
    if status.success() { Ok(()) } else { Err(Error::Usage(format!("{program} {} failed: {status}", arguments[0]))) }
}

// === impl Builder ===

impl Builder {
    fn arguments(self, args: &Args) -> Vec<String> {
        let text = |path: &Path| path.to_string_lossy().into_owned();
        let mut all = vec![self.build.to_owned(), "-t".into(), args.tag.clone()];
        if let Some(file) = &args.file {
            all.extend(["-f".into(), text(file)]);
        }
        all.extend(args.build_arg.iter().flat_map(|argument| ["--build-arg".into(), argument.clone()]));
        all.push(text(&args.directory));
        all
    }

    fn save(self, tag: &str, archive: &Path) -> Vec<String> {
        let path = archive.to_string_lossy();
        match self.program {
            "buildah" => vec!["push".into(), tag.into(), format!("docker-archive:{path}:{tag}")],
            _ => vec!["save".into(), "-o".into(), path.into_owned(), tag.into()],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_builder_is_called_in_its_own_way() {
        let args = Args {
            tag: "a:1".into(),
            file: None,
            build_arg: vec!["X=1".into()],
            directory: ".".into(),
            nodes: Nodes::default(),
        };
        assert_eq!(BUILDERS[0].arguments(&args), ["build", "-t", "a:1", "--build-arg", "X=1", "."]);
        assert_eq!(BUILDERS[1].save("a:1", Path::new("/t")), ["push", "a:1", "docker-archive:/t:a:1"]);
        assert_eq!(find(&[]), None);
    }
}
