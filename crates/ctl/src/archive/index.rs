//! What an archive holds: each file's place, size and digest.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufReader, Read};

use serde_json::Value;

use super::Broken;

/// `docker save` describes its images here.
const SAVED: &str = "manifest.json";
/// OCI layouts describe theirs here.
const LAYOUT: &str = "index.json";
/// Descriptions are no larger.
const SMALL: u64 = 4 << 20;
/// Paths of what matters are no longer, and fit into a tar header.
const LONGEST: usize = 99;

/// A file of the archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Where its bytes begin.
    pub offset: u64,
    /// How many there are.
    pub size: u64,
    /// `sha256:…`.
    pub digest: String,
}

/// The contents of an archive, named so that blobs are found by digest.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Index {
    /// Small files that describe the images, as they are sent.
    pub texts: BTreeMap<String, Vec<u8>>,
    /// Files that a node may have already.
    pub blobs: BTreeMap<String, Entry>,
}

/// Files by path, before it is known what they are for.
#[derive(Default)]
struct Found {
    files: BTreeMap<String, Entry>,
    texts: BTreeMap<String, Vec<u8>>,
    links: BTreeMap<String, String>,
}

// === impl Index ===

impl Index {
    /// Reads a tar to its end. `name` is for messages.
    pub fn read(name: &str, file: &File) -> Result<Self, Broken> {
        let found = walk(file).map_err(|source| Broken::Tar(name.into(), source))?;
        match (found.texts.get(SAVED), found.texts.contains_key(LAYOUT)) {
            (Some(text), _) => saved(name, text, &found),
            (None, true) => Ok(layout(found)),
            (None, false) => Err(Broken::NoManifest(name.into())),
        }
    }
}

/// The description with its paths replaced by digests, and the files that it names.
fn saved(name: &str, text: &[u8], found: &Found) -> Result<Index, Broken> {
    let broken = |source| Broken::Manifest(name.into(), source);
    let mut images: Vec<Value> = serde_json::from_slice(text).map_err(broken)?;
    let mut blobs = BTreeMap::new();
    let mut take = |path: &mut Value| {
        let Some(old) = path.as_str() else { return Ok(()) };
        let entry = found.get(old).ok_or_else(|| Broken::Lacks(name.into(), old.into()))?;
        let new = blob_path(&entry.digest);
        blobs.insert(new.clone(), entry.clone());
        *path = new.into();
        Ok(())
    };
    for image in &mut images {
        if let Some(config) = image.get_mut("Config") {
            take(config)?;
        }
        for layer in image.get_mut("Layers").and_then(Value::as_array_mut).into_iter().flatten() {
            take(layer)?;
        }
    }
    let text = Value::Array(images).to_string().into_bytes();
    Ok(Index { texts: BTreeMap::from([(SAVED.into(), text)]), blobs })
}

/// Descriptions and manifests are small and travel always; the rest only where it is lacking.
fn layout(found: Found) -> Index {
    let is_blob = |path: &String| path.starts_with("blobs/") && !found.texts.contains_key(path);
    let blobs = found.files.iter().filter(|(path, _)| is_blob(path)).map(|(p, e)| (p.clone(), e.clone())).collect();
    Index { texts: found.texts, blobs }
}

// === impl Found ===

impl Found {
    fn get(&self, path: &str) -> Option<&Entry> {
        self.files.get(self.links.get(path).map_or(path, String::as_str))
    }
}

fn walk(file: &File) -> std::io::Result<Found> {
    let mut found = Found::default();
    let mut archive = tar::Archive::new(BufReader::with_capacity(1 << 20, file));
    for entry in archive.entries()? {
        let mut entry = entry?;
        let path = entry.path()?.to_string_lossy().trim_start_matches("./").to_owned();
        if path.len() > LONGEST {
            continue;
        }
        let kind = entry.header().entry_type();
        if let (true, Some(to)) = (kind.is_symlink() || kind.is_hard_link(), entry.link_name()?) {
            let target = linked(&path, &to.to_string_lossy(), kind.is_symlink());
            found.links.insert(path, target);
        } else if kind.is_file() {
            let (offset, size) = (entry.raw_file_position(), entry.size());
            let (digest, text) = digest(&mut entry, size)?;
            if path.ends_with(".json") || path == "oci-layout" || text.starts_with(b"{") && path.starts_with("blobs/") {
                found.texts.insert(path.clone(), text);
            }
            found.files.insert(path, Entry { offset, size, digest });
        }
    }
    Ok(found)
}

/// The digest, and the bytes themselves of what is small.
fn digest(reader: &mut impl Read, size: u64) -> std::io::Result<(String, Vec<u8>)> {
    let mut context = ring::digest::Context::new(&ring::digest::SHA256);
    let (mut kept, mut read) = (Vec::new(), 0);
    let mut buffer = vec![0; 256 << 10];
    loop {
        let count = reader.read(&mut buffer)?;
        if count == 0 {
            break;
        }
        read += count as u64;
        context.update(&buffer[..count]);
        if size <= SMALL {
            kept.extend_from_slice(&buffer[..count]);
        }
    }
    if read < size {
        return Err(std::io::ErrorKind::UnexpectedEof.into());
    }
    let hex: String = context.finish().as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    Ok((format!("sha256:{hex}"), kept))
}

/// Old archives share a layer by a link to `../ID/layer.tar`.
fn linked(path: &str, to: &str, relative: bool) -> String {
    if !relative {
        return to.trim_start_matches("./").to_owned();
    }
    let mut parts: Vec<&str> = path.split('/').collect();
    parts.pop();
    for part in to.split('/') {
        match part {
            ".." => drop(parts.pop()),
            "." | "" => {}
            name => parts.push(name),
        }
    }
    parts.join("/")
}

fn blob_path(digest: &str) -> String {
    format!("blobs/{}", digest.replace(':', "/"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn archive(files: &[(&str, &[u8])], cut: usize) -> File {
        let mut builder = tar::Builder::new(Vec::new());
        for (path, data) in files {
            let mut header = tar::Header::new_gnu();
            header.set_size(data.len() as u64);
            builder.append_data(&mut header, path, *data).expect("fits");
        }
        let bytes = builder.into_inner().expect("whole");
        let name = format!("ctl-test-{}-{cut}-{}", std::process::id(), files.len());
        let path = std::env::temp_dir().join(name);
        let mut file = File::options().read(true).write(true).create(true).truncate(true).open(&path).expect("opens");
        std::fs::remove_file(path).expect("is there");
        file.write_all(&bytes[..bytes.len() - cut]).expect("fits");
        std::io::Seek::rewind(&mut file).expect("rewinds");
        file
    }

    #[test]
    fn layers_of_a_saved_image_are_named_by_digest() {
        let manifest = br#"[{"Config":"c.json","RepoTags":["a:1"],"Layers":["x/layer.tar"]}]"#;
        let file = archive(&[("manifest.json", manifest), ("c.json", b"{}"), ("x/layer.tar", b"layer")], 0);
        let index = Index::read("a.tar", &file).expect("an index");
        assert_eq!(index.blobs.len(), 2);
        let text = String::from_utf8(index.texts["manifest.json"].clone()).expect("text");
        assert!(text.contains("blobs/sha256/") && !text.contains("layer.tar"), "{text}");
    }

    #[test]
    fn what_is_no_archive_says_what_is_wrong() {
        let cases = [
            (archive(&[("x", b"y")], 0), "neither manifest.json nor index.json"),
            (archive(&[("manifest.json", br#"[{"Config":"c.json"}]"#)], 0), "it lacks c.json"),
            (archive(&[("manifest.json", b"{")], 0), "manifest.json of a.tar"),
            (archive(&[("a", b"a"), ("manifest.json", &[b' '; 600])], 2000), "not a whole tar"),
        ];
        for (file, text) in cases {
            let error = Index::read("a.tar", &file).expect_err("broken").to_string();
            assert!(error.contains(text), "{error}");
        }
    }

    #[test]
    fn links_between_layers_are_followed() {
        assert_eq!(linked("b/layer.tar", "../a/layer.tar", true), "a/layer.tar");
        assert_eq!(linked("b/layer.tar", "a/layer.tar", false), "a/layer.tar");
    }
}
