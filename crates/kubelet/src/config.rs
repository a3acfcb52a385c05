//! `--config` and `--config-dir`: a KubeletConfiguration (`kubelet.config.k8s.io/v1beta1`) and drop-ins that are merged
//! into it in the order of their names. Its fields are read as the flags that they mean here; what the command line
//! itself says goes before them, as upstream has it.
//!
//! Absent: fields without a meaning here. They are told at the start; those that would open the kubelet are refused.

use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use clap::error::ErrorKind;
use clap::{CommandFactory, Parser};
use serde_json::{Map, Value};

use crate::Options;

pub mod fields;

const VERSION: &str = "kubelet.config.k8s.io/v1beta1";
const KIND: &str = "KubeletConfiguration";

/// Why a configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// It cannot be read.
    #[error("failed to load kubelet config file {path:?}: {source}")]
    Read {
        /// Which file or folder.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// It is no YAML.
    #[error("failed to load kubelet config file {path:?}: {source}")]
    Syntax {
        /// Which file.
        path: PathBuf,
        /// Why not.
        source: Box<serde_saphyr::Error>,
    },
    /// It is something else.
    #[error("failed to load kubelet config file {path:?}: it is no {VERSION} {KIND}")]
    Kind {
        /// Which file.
        path: PathBuf,
    },
    /// A field that upstream does not know either.
    #[error("failed to load kubelet config file {path:?}: strict decoding error: unknown field {field:?}")]
    Unknown {
        /// Which file.
        path: PathBuf,
        /// Which field.
        field: String,
    },
    /// A value of another shape.
    #[error("{field}: {value} cannot be understood")]
    Value {
        /// Which field.
        field: &'static str,
        /// What it says.
        value: Value,
    },
    /// A value that would open what this kubelet keeps shut.
    #[error("{field}: {value} is not supported: {why}")]
    Refused {
        /// Which field.
        field: &'static str,
        /// What it says.
        value: Value,
        /// Why.
        why: &'static str,
    },
}

/// Reads a command line, and the files that it names.
pub fn parse(words: Vec<OsString>) -> Result<Options, clap::Error> {
    let failed = |error: ConfigError| Options::command().error(ErrorKind::ValueValidation, error);
    let file = given(&words, "config").map(PathBuf::from);
    let folder = given(&words, "config-dir").map(PathBuf::from);
    let files = files(file, folder.as_deref()).map_err(failed)?;
    let read_all = || files.iter().try_fold(Value::Null, |config, path| read(path).map(|over| merge(config, over)));
    let config = read_all().map_err(failed)?;
    let read = fields::flags(&config).map_err(failed)?;
    let mut all = words.clone();
    for (flag, value) in read.flags {
        if given(&words, flag).is_none() {
            all.push(format!("--{flag}={value}").into());
        }
    }
    let mut options = Options::try_parse_from(all)?;
    options.ineffective = read.ineffective;
    Ok(options)
}

/// What the command line says of a flag.
fn given<'a>(words: &'a [OsString], flag: &str) -> Option<&'a OsStr> {
    let mut words = words.iter().skip(1);
    while let Some(word) = words.next() {
        let Some(name) = word.to_str().and_then(|word| word.strip_prefix("--")) else { continue };
        if name == flag {
            return words.next().map(OsString::as_os_str);
        }
        if let Some(value) = name.strip_prefix(flag).and_then(|rest| rest.strip_prefix('=')) {
            return Some(OsStr::new(value));
        }
    }
    None
}

/// The file, then the drop-ins: what ends in `.conf`, in the order of the names.
fn files(file: Option<PathBuf>, folder: Option<&Path>) -> Result<Vec<PathBuf>, ConfigError> {
    let mut found = BTreeSet::new();
    if let Some(folder) = folder {
        let failed = |source| ConfigError::Read { path: folder.into(), source };
        for entry in std::fs::read_dir(folder).map_err(failed)? {
            let path = entry.map_err(failed)?.path();
            if path.extension().is_some_and(|extension| extension == "conf") {
                found.insert(path);
            }
        }
    }
    Ok(file.into_iter().chain(found).collect())
}

/// One file, with its relative paths made absolute.
fn read(path: &Path) -> Result<Value, ConfigError> {
    let text = std::fs::read(path).map_err(|source| ConfigError::Read { path: path.into(), source })?;
    let read = serde_saphyr::from_slice::<Map<String, Value>>(&text);
    let mut config = read.map_err(|source| ConfigError::Syntax { path: path.into(), source: Box::new(source) })?;
    let is = |config: &mut Map<String, Value>, field: &str, wanted: &str| {
        config.remove(field).is_some_and(|value| value == wanted)
    };
    if !is(&mut config, "apiVersion", VERSION) || !is(&mut config, "kind", KIND) {
        return Err(ConfigError::Kind { path: path.into() });
    }
    if let Some(field) = config.keys().find(|field| !fields::KNOWN.contains(&field.as_str())) {
        return Err(ConfigError::Unknown { path: path.into(), field: field.clone() });
    }
    let mut config = Value::Object(config);
    fields::resolve(&mut config, path.parent().unwrap_or(Path::new("/")));
    Ok(config)
}

/// A drop-in over what was said before: maps field by field, everything else as a whole, and null takes away.
fn merge(before: Value, over: Value) -> Value {
    let Value::Object(over) = over else { return over };
    let mut merged = if let Value::Object(before) = before { before } else { Map::new() };
    for (field, value) in over {
        match merged.remove(&field) {
            _ if value.is_null() => continue,
            Some(known) => merged.insert(field, merge(known, value)),
            None => merged.insert(field, merge(Value::Null, value)),
        };
    }
    Value::Object(merged)
}

#[cfg(test)]
mod tests;
