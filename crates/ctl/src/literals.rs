//! `--from-literal`, `--from-file`, `--from-env-file` of config maps and secrets.

use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::Error;

/// Where the values come from.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct Literals {
    /// A key and its value (repeat)
    #[arg(long = "from-literal", value_name = "KEY=VALUE")]
    literals: Vec<String>,
    /// A file, under its own name or another, or a directory of files (repeat)
    #[arg(long = "from-file", value_name = "[KEY=]FILE")]
    files: Vec<String>,
    /// A file of lines KEY=VALUE (repeat)
    #[arg(long = "from-env-file", value_name = "FILE")]
    env_files: Vec<PathBuf>,
}

/// A key and its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece {
    /// The key.
    pub key: String,
    /// The value.
    pub value: Vec<u8>,
}

// === impl Literals ===

impl Literals {
    /// All keys and values; a key that comes twice is an error.
    pub fn read(&self) -> Result<Vec<Piece>, Error> {
        let mut pieces = Vec::new();
        for literal in &self.literals {
            pieces.push(pair(literal)?);
        }
        for file in &self.files {
            pieces.extend(files(file)?);
        }
        for path in &self.env_files {
            let text = String::from_utf8_lossy(&bytes(path)?).into_owned();
            pieces.extend(environment(&text)?);
        }
        for (index, piece) in pieces.iter().enumerate() {
            if pieces[..index].iter().any(|other| other.key == piece.key) {
                return Err(Error::Usage(format!(
                    "cannot add key {:?}, another key by that name already exists",
                    piece.key
                )));
            }
        }
        Ok(pieces)
    }
}

/// Bytes as secrets carry them.
#[must_use]
pub fn base64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

fn pair(text: &str) -> Result<Piece, Error> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => {
            let quoted = |q: char| value.strip_prefix(q).and_then(|v| v.strip_suffix(q));
            let value = quoted('"').or_else(|| quoted('\'')).unwrap_or(value);
            Ok(Piece { key: key.into(), value: value.into() })
        }
        _ => Err(Error::Usage(format!("invalid literal source {text:?}, expected key=value"))),
    }
}

fn files(text: &str) -> Result<Vec<Piece>, Error> {
    if let Some((key, path)) = text.split_once('=') {
        return Ok(vec![Piece { key: key.into(), value: bytes(Path::new(path))? }]);
    }
    let path = Path::new(text);
    let name = |path: &Path| path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    if !path.is_dir() {
        return Ok(vec![Piece { key: name(path), value: bytes(path)? }]);
    }
    let unreadable = |source| Error::Read { path: path.into(), source };
    let entries = std::fs::read_dir(path).and_then(Iterator::collect::<Result<Vec<_>, _>>).map_err(unreadable)?;
    let mut paths: Vec<PathBuf> = entries.into_iter().map(|entry| entry.path()).filter(|path| path.is_file()).collect();
    paths.sort();
    paths.iter().map(|path| Ok(Piece { key: name(path), value: bytes(path)? })).collect()
}

/// A key without a value takes that of this program's environment.
fn environment(text: &str) -> Result<Vec<Piece>, Error> {
    let lines = text.lines().map(str::trim_start).filter(|line| !line.is_empty() && !line.starts_with('#'));
    let own = |key: &str| std::env::var(key).ok().map(|value| Piece { key: key.into(), value: value.into() });
    let pieces = lines.filter_map(|line| match line.split_once('=') {
        Some(("", _)) => Some(Err(Error::Usage(format!("{line:?} has no key")))),
        Some((key, value)) => Some(Ok(Piece { key: key.into(), value: value.into() })),
        None => own(line).map(Ok),
    });
    pieces.collect()
}

fn bytes(path: &Path) -> Result<Vec<u8>, Error> {
    std::fs::read(path).map_err(|source| Error::Read { path: path.into(), source })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_may_hold_equal_signs_and_quotes_go() {
        let literals = Literals { literals: vec!["a=b=c".into(), "q=\"x y\"".into()], ..Literals::default() };
        let values: Vec<_> = literals.read().expect("pieces").into_iter().map(|p| p.value).collect();
        assert_eq!(values, [b"b=c".to_vec(), b"x y".to_vec()]);
    }

    #[test]
    fn a_key_that_comes_twice_is_an_error() {
        let literals = Literals { literals: vec!["a=1".into(), "a=2".into()], ..Literals::default() };
        assert!(literals.read().is_err());
        assert!(pair("=x").is_err() && pair("x").is_err());
    }

    #[test]
    fn environment_files_have_comments() {
        let pieces = environment("# c\n\nA=1\n  B=2=3\n").expect("pieces");
        assert_eq!(pieces.len(), 2);
        assert_eq!(pieces[1].value, b"2=3");
    }
}
