//! Trees as tar archives in files that have no names.

use std::fs::File;
use std::io::{self, Seek};
use std::path::{Component, Path, PathBuf};

/// A file that is gone when it is closed.
pub fn nameless() -> io::Result<File> {
    let path = std::env::temp_dir().join(format!("ctl-cp-{}.tar", std::process::id()));
    let file = File::options().read(true).write(true).create_new(true).open(&path)?;
    std::fs::remove_file(path)?;
    Ok(file)
}

/// A file or a tree under another name.
pub fn pack(source: &Path, name: &str) -> io::Result<File> {
    let mut builder = tar::Builder::new(nameless()?);
    builder.follow_symlinks(false);
    if source.is_dir() {
        builder.append_dir_all(name, source)?;
    } else {
        builder.append_file(name, &mut File::open(source)?)?;
    }
    let mut file = builder.into_inner()?;
    file.rewind()?;
    Ok(file)
}

/// Writes what was packed from `root` to `target`, or into it if that is a directory. Answers what was
/// left out: links, and what lies elsewhere.
pub fn unpack(archive: File, root: &str, target: &Path) -> io::Result<Vec<String>> {
    let root = relative(Path::new(root));
    let name = root.file_name().map(PathBuf::from).unwrap_or_default();
    let target = if target.is_dir() { target.join(name) } else { target.to_path_buf() };
    let mut skipped = Vec::new();
    let mut archive = tar::Archive::new(archive);
    for entry in archive.entries()? {
        let mut entry = entry?;
        let path = relative(&entry.path()?);
        let kind = entry.header().entry_type();
        let Ok(rest) = path.strip_prefix(&root) else {
            skipped.push(path.display().to_string());
            continue;
        };
        let place = if rest.as_os_str().is_empty() { target.clone() } else { target.join(rest) };
        if kind.is_dir() {
            std::fs::create_dir_all(&place)?;
        } else if kind.is_file() {
            if let Some(parent) = place.parent() {
                std::fs::create_dir_all(parent)?;
            }
            io::copy(&mut entry, &mut File::create(&place)?)?;
        } else {
            skipped.push(format!("link: {}", path.display()));
        }
    }
    Ok(skipped)
}

/// The path without root, and without steps upwards: an archive must not lead out of its target.
fn relative(path: &Path) -> PathBuf {
    path.components().filter(|part| matches!(part, Component::Normal(_))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tree_comes_out_as_it_went_in() {
        let base = std::env::temp_dir().join(format!("ctl-pack-{}", std::process::id()));
        std::fs::create_dir_all(base.join("in/sub")).expect("made");
        std::fs::write(base.join("in/sub/a"), b"x").expect("written");
        let archive = pack(&base.join("in"), "in").expect("packed");
        assert!(unpack(archive, "/in", &base.join("out")).expect("unpacked").is_empty());
        assert_eq!(std::fs::read(base.join("out/sub/a")).expect("there"), b"x");
        let archive = pack(&base.join("in"), "elsewhere").expect("packed");
        assert!(!unpack(archive, "in", &base.join("out2")).expect("unpacked").is_empty());
        std::fs::remove_dir_all(base).expect("removed");
    }

    #[test]
    fn paths_do_not_lead_out() {
        assert_eq!(relative(Path::new("/a/../../b")), PathBuf::from("a/b"));
    }
}
