//! Objects of files: YAML or JSON, many in a file, whole directories, or standard input.

use std::io::Read;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::Error;

/// Where objects are read from.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct Files {
    /// File, directory, or - for standard input (repeat, or separate by commas)
    #[arg(long = "filename", short = 'f', value_name = "FILE", value_delimiter = ',')]
    pub names: Vec<String>,
    /// Look into subdirectories too
    #[arg(long, short = 'R')]
    pub recursive: bool,
}

/// Which files of a directory are read.
const EXTENSIONS: [&str; 3] = ["json", "yaml", "yml"];

// === impl Files ===

impl Files {
    /// Every object, those of Lists too, in the order they stand.
    pub fn read(&self) -> Result<Vec<Value>, Error> {
        let mut objects = Vec::new();
        for name in &self.names {
            if name == "-" {
                let mut text = String::new();
                let unreadable = |source| Error::Read { path: "standard input".into(), source };
                std::io::stdin().read_to_string(&mut text).map_err(unreadable)?;
                objects.extend(parse(Path::new("standard input"), &text)?);
                continue;
            }
            if name.starts_with("http://") || name.starts_with("https://") {
                return Err(Error::Usage(format!(
                    "{name}: files of the web are not read; fetch it first: curl -L {name} | ctl … -f -"
                )));
            }
            for path in paths(Path::new(name), self.recursive)? {
                let unreadable = |source| Error::Read { path: path.clone(), source };
                objects.extend(parse(&path, &std::fs::read_to_string(&path).map_err(unreadable)?)?);
            }
        }
        Ok(objects)
    }
}

/// The file, or the manifests of a directory by name.
fn paths(path: &Path, recursive: bool) -> Result<Vec<PathBuf>, Error> {
    if !path.exists() {
        return Err(Error::Usage(format!("the path {:?} does not exist", path.display().to_string())));
    }
    if !path.is_dir() {
        return Ok(vec![path.into()]);
    }
    let unreadable = |source| Error::Read { path: path.into(), source };
    let entries = std::fs::read_dir(path).and_then(Iterator::collect::<Result<Vec<_>, _>>).map_err(unreadable)?;
    let mut inside: Vec<PathBuf> = entries.into_iter().map(|entry| entry.path()).collect();
    inside.sort();
    let mut found = Vec::new();
    for path in inside {
        let is_manifest = path.extension().is_some_and(|e| EXTENSIONS.iter().any(|known| e == *known));
        if path.is_dir() && recursive {
            found.extend(paths(&path, true)?);
        } else if path.is_file() && is_manifest {
            found.push(path);
        }
    }
    Ok(found)
}

/// The objects of a text. `path` is for messages.
pub fn parse(path: &Path, text: &str) -> Result<Vec<Value>, Error> {
    let invalid = |source: Box<dyn std::error::Error + Send + Sync>| Error::Yaml { path: path.into(), source };
    let mut objects = Vec::new();
    if text.trim_start().starts_with('{') {
        for value in serde_json::Deserializer::from_str(text).into_iter() {
            flatten(value.map_err(|e| invalid(e.into()))?, &mut objects);
        }
        return Ok(objects);
    }
    for document in documents(text) {
        match yaml(document.as_bytes()).map_err(|e| invalid(e.into()))? {
            Value::Null => {}
            value @ Value::Object(_) => flatten(value, &mut objects),
            other => return Err(Error::Usage(format!("{} holds {other}, which is no object", path.display()))),
        }
    }
    Ok(objects)
}

/// One YAML document; octal numbers are those of YAML 1.1, as in the API server.
pub fn yaml(bytes: &[u8]) -> Result<Value, serde_saphyr::Error> {
    let options = serde_saphyr::options! { legacy_octal_numbers: true, with_snippet: false };
    let is_blank = bytes.split(|b| *b == b'\n').all(|line| {
        let line = line.trim_ascii();
        line.is_empty() || line.starts_with(b"#") || line.starts_with(b"---")
    });
    if is_blank { Ok(Value::Null) } else { serde_saphyr::from_slice_with_options(bytes, options) }
}

/// The documents between lines of three dashes.
fn documents(text: &str) -> Vec<String> {
    let mut documents = vec![String::new()];
    for line in text.lines() {
        if line == "---" || line.starts_with("--- ") {
            documents.push(String::new());
        } else if let Some(last) = documents.last_mut() {
            last.push_str(line);
            last.push('\n');
        }
    }
    documents
}

fn flatten(value: Value, objects: &mut Vec<Value>) {
    let is_list = value["kind"].as_str().is_some_and(|kind| kind.ends_with("List"));
    match value {
        Value::Object(mut map) if is_list && map.get("items").is_some_and(Value::is_array) => {
            if let Some(Value::Array(items)) = map.remove("items") {
                items.into_iter().for_each(|item| flatten(item, objects));
            }
        }
        other => objects.push(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(text: &str) -> Vec<String> {
        let objects = parse(Path::new("a.yaml"), text).expect("objects");
        objects.iter().map(|o| o["kind"].as_str().unwrap_or_default().into()).collect()
    }

    #[test]
    fn documents_lists_and_json_are_read() {
        assert_eq!(kinds("# c\n---\nkind: A\n---\n# none\n---\nkind: B\n"), ["A", "B"]);
        assert_eq!(kinds("kind: List\nitems:\n- kind: A\n- kind: B\n"), ["A", "B"]);
        assert_eq!(kinds("{\"kind\": \"A\"} {\"kind\": \"B\"}"), ["A", "B"]);
        assert!(kinds("").is_empty());
    }

    #[test]
    fn three_dashes_in_a_text_do_not_end_it() {
        let objects = parse(Path::new("a"), "kind: A\ndata:\n  x: |\n    ---\n    y\n").expect("one");
        assert_eq!(objects[0]["data"]["x"], "---\ny\n");
    }

    #[test]
    fn what_is_no_object_is_refused() {
        for text in ["- a", "a: [", "{\"kind\": ", "a: 1\na: 2"] {
            assert!(parse(Path::new("a"), text).is_err(), "{text}");
        }
    }
}
