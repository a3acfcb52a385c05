//! `create configmap`.

use std::process::ExitCode;

use serde_json::{Map, Value, json};

use crate::literals::{Literals, Piece};
use crate::report::Writing;
use crate::{Context, Error};

/// Create a config map from literals, files or directories
#[derive(Debug, clap::Args)]
#[command(visible_alias = "cm")]
pub struct Args {
    name: String,
    #[command(flatten)]
    literals: Literals,
    #[command(flatten)]
    writing: Writing,
}

/// Runs the command.
pub async fn run(args: Args, context: &Context) -> Result<ExitCode, Error> {
    let object = object(&args.name, args.literals.read()?);
    super::submit(context, &args.writing, object).await
}

/// What is text stands in `data`, all else in `binaryData`.
fn object(name: &str, pieces: Vec<Piece>) -> Value {
    let (mut data, mut binary) = (Map::new(), Map::new());
    for piece in pieces {
        match String::from_utf8(piece.value) {
            Ok(text) => data.insert(piece.key, text.into()),
            Err(error) => binary.insert(piece.key, crate::literals::base64(error.as_bytes()).into()),
        };
    }
    let mut object = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}});
    for (field, map) in [("data", data), ("binaryData", binary)] {
        if !map.is_empty() {
            object[field] = map.into();
        }
    }
    object
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_that_are_no_text_are_binary() {
        let piece = |key: &str, value: &[u8]| Piece { key: key.into(), value: value.into() };
        let object = object("a", vec![piece("t", b"x"), piece("b", &[0xff])]);
        assert_eq!(object["data"], json!({"t": "x"}));
        assert_eq!(object["binaryData"], json!({"b": "/w=="}));
    }
}
