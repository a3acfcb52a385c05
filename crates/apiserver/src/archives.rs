//! The image archives that this server hands to its nodes, so that a node can run the cluster's own pods
//! without a registry: the `docker save` archives of one folder (`--image-folder`).
//!
//! An archive is known by the digest of its bytes. What was read once is kept until the file changes; the
//! folder itself is looked at for each list, so that a new archive needs no restart.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use parking_lot::Mutex;
use serde::Serialize;

/// No `manifest.json` is larger.
const MANIFEST: u64 = 1 << 20;
const PIECE: usize = 256 << 10;

/// The archives of a folder; none without a folder.
#[derive(Debug, Default)]
pub struct Archives {
    folder: Option<PathBuf>,
    known: Mutex<HashMap<PathBuf, (Version, Archive)>>,
}

/// One archive.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Archive {
    /// `sha256:…` of the whole file.
    pub digest: String,
    /// Its bytes.
    pub size: u64,
    /// The whole names of the images in it.
    pub names: Vec<String>,
}

/// What tells that a file has changed.
type Version = (u64, SystemTime);

#[derive(serde::Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Saved {
    #[serde(default)]
    repo_tags: Vec<String>,
}

// === impl Archives ===

impl Archives {
    /// Those of a folder.
    #[must_use]
    pub fn of(folder: Option<PathBuf>) -> Self {
        Self { folder, known: Mutex::default() }
    }

    /// All of them, in the order of their files' names. Reads what is new, which may take a while.
    pub fn list(&self) -> io::Result<Vec<Archive>> {
        Ok(self.files()?.into_iter().map(|(_, archive)| archive).collect())
    }

    /// The bytes of one.
    pub fn open(&self, digest: &str) -> io::Result<Option<File>> {
        let found = self.files()?.into_iter().find(|(_, archive)| archive.digest == digest);
        found.map(|(path, _)| File::open(path)).transpose()
    }

    fn files(&self) -> io::Result<Vec<(PathBuf, Archive)>> {
        let Some(folder) = &self.folder else { return Ok(Vec::new()) };
        let mut paths = Vec::new();
        for entry in std::fs::read_dir(folder)? {
            let path = entry?.path();
            if path.extension().is_some_and(|e| e == "tar") {
                paths.push(path);
            }
        }
        paths.sort();
        let mut known = self.known.lock();
        known.retain(|path, _| paths.contains(path));
        paths.into_iter().map(|path| Ok((path.clone(), current(&mut known, path)?))).collect()
    }
}

fn current(known: &mut HashMap<PathBuf, (Version, Archive)>, path: PathBuf) -> io::Result<Archive> {
    let data = std::fs::metadata(&path)?;
    let version = (data.len(), data.modified()?);
    if let Some((_, archive)) = known.get(&path).filter(|(read, _)| *read == version) {
        return Ok(archive.clone());
    }
    let archive = Archive { digest: digest(&path)?, size: data.len(), names: names(&path)? };
    known.insert(path, (version, archive.clone()));
    Ok(archive)
}

fn digest(path: &Path) -> io::Result<String> {
    let (mut file, mut hash) = (File::open(path)?, ring::digest::Context::new(&ring::digest::SHA256));
    let mut piece = vec![0; PIECE];
    loop {
        match file.read(&mut piece)? {
            0 => break,
            size => hash.update(&piece[..size]),
        }
    }
    let hex: String = hash.finish().as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(format!("sha256:{hex}"))
}

/// The names in its `manifest.json`; a file that is no image archive has none.
fn names(path: &Path) -> io::Result<Vec<String>> {
    let mut archive = tar::Archive::new(File::open(path)?);
    for entry in archive.entries_with_seek()? {
        let entry = entry?;
        if entry.path()?.as_ref() == Path::new("manifest.json") {
            let saved: Vec<Saved> = serde_json::from_reader(entry.take(MANIFEST))?;
            return Ok(saved.into_iter().flat_map(|image| image.repo_tags).collect());
        }
    }
    Ok(Vec::new())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(path: &Path, name: &str, text: &str) {
        let mut builder = tar::Builder::new(File::create(path).expect("writable"));
        let mut header = tar::Header::new_gnu();
        header.set_size(text.len() as u64);
        header.set_mode(0o644);
        builder.append_data(&mut header, name, text.as_bytes()).expect("a tar");
        builder.finish().expect("whole");
    }

    #[test]
    fn an_archive_is_known_by_its_bytes_and_read_again_when_they_change() {
        let folder = std::env::temp_dir().join(format!("archives-{}", uuid::Uuid::new_v4()));
        std::fs::create_dir_all(&folder).expect("writable");
        let archives = Archives::of(Some(folder.clone()));
        assert_eq!(archives.list().expect("readable"), []);
        put(&folder.join("a.tar"), "manifest.json", r#"[{"RepoTags":["docker.io/x/a:1"],"Config":"c"}]"#);
        put(&folder.join("b.tar"), "else", "no image");
        let first = archives.list().expect("readable");
        assert_eq!((first[0].names.as_slice(), first[1].names.len()), (&["docker.io/x/a:1".to_owned()][..], 0));
        assert!(archives.open(&first[0].digest).expect("readable").is_some());
        put(&folder.join("a.tar"), "manifest.json", r#"[{"RepoTags":["docker.io/x/a:1","docker.io/x/a:2"]}]"#);
        std::fs::remove_file(folder.join("b.tar")).expect("there");
        let second = archives.list().expect("readable");
        assert_eq!((second.len(), second[0].names.len()), (1, 2));
        assert!(archives.open(&first[0].digest).expect("readable").is_none());
        std::fs::remove_dir_all(&folder).expect("there");
    }

    #[test]
    fn without_a_folder_there_are_none_and_a_folder_that_is_gone_is_told() {
        assert_eq!(Archives::default().list().expect("none"), []);
        assert!(Archives::of(Some("/nonexistent/folder".into())).list().is_err());
    }
}
