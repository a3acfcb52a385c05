//! `create secret`.

use std::path::PathBuf;
use std::process::ExitCode;

use serde_json::{Map, Value, json};

use crate::literals::{Literals, Piece, base64};
use crate::report::Writing;
use crate::{Context, Error};

/// Create a secret
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    kind: Kind,
}

#[derive(Debug, clap::Subcommand)]
enum Kind {
    /// From literals, files or directories
    Generic(Generic),
    /// From a certificate and its key
    Tls(Tls),
    /// For an image registry
    DockerRegistry(Registry),
}

#[derive(Debug, clap::Args)]
struct Generic {
    name: String,
    /// The type of the secret
    #[arg(long = "type", default_value = "Opaque")]
    type_: String,
    #[command(flatten)]
    literals: Literals,
    #[command(flatten)]
    writing: Writing,
}

#[derive(Debug, clap::Args)]
struct Tls {
    name: String,
    /// The certificate, PEM
    #[arg(long)]
    cert: PathBuf,
    /// Its key, PEM
    #[arg(long)]
    key: PathBuf,
    #[command(flatten)]
    writing: Writing,
}

#[derive(Debug, clap::Args)]
struct Registry {
    name: String,
    /// Address of the registry
    #[arg(long, default_value = "https://index.docker.io/v1/")]
    docker_server: String,
    /// User name
    #[arg(long)]
    docker_username: String,
    /// Password
    #[arg(long)]
    docker_password: String,
    /// E-mail address
    #[arg(long, default_value = "")]
    docker_email: String,
    #[command(flatten)]
    writing: Writing,
}

/// Runs the command.
pub async fn run(args: Args, context: &Context) -> Result<ExitCode, Error> {
    let (writing, object) = match args.kind {
        Kind::Generic(args) => (args.writing, object(&args.name, &args.type_, args.literals.read()?)),
        Kind::Tls(args) => {
            let piece = |key: &str, path: PathBuf| match std::fs::read(&path) {
                Ok(value) => Ok(Piece { key: key.into(), value }),
                Err(source) => Err(Error::Read { path, source }),
            };
            let pieces = vec![piece("tls.crt", args.cert)?, piece("tls.key", args.key)?];
            (args.writing, object(&args.name, "kubernetes.io/tls", pieces))
        }
        Kind::DockerRegistry(args) => {
            let value = credentials(&args).to_string().into_bytes();
            let piece = Piece { key: ".dockerconfigjson".into(), value };
            let object = object(&args.name, "kubernetes.io/dockerconfigjson", vec![piece]);
            (args.writing, object)
        }
    };
    super::submit(context, &writing, object).await
}

fn credentials(args: &Registry) -> Value {
    let auth = base64(format!("{}:{}", args.docker_username, args.docker_password).as_bytes());
    let mut entry = json!({"username": args.docker_username, "password": args.docker_password, "auth": auth});
    if !args.docker_email.is_empty() {
        entry["email"] = args.docker_email.clone().into();
    }
    json!({"auths": {&args.docker_server: entry}})
}

fn object(name: &str, type_: &str, pieces: Vec<Piece>) -> Value {
    let data: Map<String, Value> = pieces.into_iter().map(|piece| (piece.key, base64(&piece.value).into())).collect();
    json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "type": type_, "data": data})
}
