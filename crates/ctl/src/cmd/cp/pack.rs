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

    /// An entry as no honest `tar` writes it.
    fn entry(builder: &mut tar::Builder<File>, kind: tar::EntryType, name: &str, link: &str, content: &[u8]) {
        let mut header = tar::Header::new_gnu();
        header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
        header.as_old_mut().linkname[..link.len()].copy_from_slice(link.as_bytes());
        header.set_entry_type(kind);
        header.set_size(u64::try_from(content.len()).expect("small"));
        header.set_mode(0o644);
        header.set_cksum();
        builder.append(&header, content).expect("appended");
    }

    /// The class of CVE-2018-1002100, CVE-2019-1002101, CVE-2019-11246, CVE-2019-11249 and CVE-2019-11251: a
    /// container whose `tar` writes where nobody asked it to.
    #[test]
    fn an_archive_writes_below_its_target_and_nowhere_else() {
        use tar::EntryType;
        let base = std::env::temp_dir().join(format!("ctl-evil-{}", std::process::id()));
        let (outside, target) = (base.join("outside"), base.join("target"));
        std::fs::create_dir_all(&outside).expect("made");
        std::fs::create_dir_all(&target).expect("made");
        let secret = outside.join("kept");
        std::fs::write(&secret, b"kept").expect("written");
        let path = |path: &Path| path.display().to_string();
        let file = File::options().read(true).write(true).create_new(true).open(base.join("evil.tar"));
        let mut builder = tar::Builder::new(file.expect("a file"));
        let up = "data/../../../outside/kept";
        for name in [up, "../outside/kept", "data/./../../outside/kept", &path(&secret)] {
            entry(&mut builder, EntryType::Regular, name, "", b"overwritten");
        }
        for (kind, to) in [(EntryType::Symlink, path(&outside)), (EntryType::Link, path(&secret))] {
            entry(&mut builder, kind, "data/link", &to, b"");
            entry(&mut builder, EntryType::Regular, "data/link/kept", "", b"overwritten");
        }
        entry(&mut builder, EntryType::Symlink, "data/file", &path(&secret), b"");
        entry(&mut builder, EntryType::Regular, "data/file", "", b"overwritten");
        entry(&mut builder, EntryType::Fifo, "data/fifo", "", b"");
        let mut archive = builder.into_inner().expect("finished");
        archive.rewind().expect("rewound");
        let skipped = unpack(archive, "data", &target).expect("unpacked");
        assert!(skipped.iter().filter(|told| told.starts_with("link: ")).count() >= 3, "{skipped:?}");
        assert_eq!(std::fs::read(&secret).expect("there"), b"kept");
        assert_eq!(std::fs::read_dir(&outside).expect("there").count(), 1, "nothing was added");
        std::fs::remove_dir_all(base).expect("removed");
    }
}
