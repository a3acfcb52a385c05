//! The class of CVE-2017-1002101 and CVE-2021-25741: a container that swaps a directory of its volume for a link while
//! the kubelet looks, so that a path of the node is mounted or made.

use std::fs::Permissions;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::fs::{CWD, RenameFlags, renameat_with};
use rustix::thread::UnshareFlags;

use super::*;

const SWAPS: usize = 10_000;

/// A volume beside a directory of the node that is not to be touched.
struct House {
    base: PathBuf,
}

impl House {
    fn new(name: &str) -> Self {
        let base = std::env::temp_dir().join(format!("sub-path-{name}-{}", std::process::id()));
        std::fs::create_dir_all(base.join("volume/inner")).expect("made");
        std::fs::create_dir_all(base.join("node")).expect("made");
        std::fs::set_permissions(base.join("volume"), Permissions::from_mode(0o777)).expect("set");
        symlink(base.join("node"), base.join("volume/link")).expect("linked");
        symlink("../node", base.join("volume/up")).expect("linked");
        Self { base }
    }

    fn volume(&self) -> PathBuf {
        self.base.join("volume")
    }

    fn opened(&self, sub: &str) -> Result<PathBuf, String> {
        let found = resolve(&self.volume(), sub)?;
        std::fs::read_link(format!("/proc/self/fd/{}", found.as_raw_fd())).map_err(|error| error.to_string())
    }
}

impl Drop for House {
    fn drop(&mut self) {
        drop(std::fs::remove_dir_all(&self.base));
    }
}

#[test]
fn a_sub_path_is_made_with_the_volumes_permissions_and_stays_in_it() {
    let house = House::new("stays");
    let made = house.opened("./a/b").expect("made");
    assert_eq!(made, house.volume().join("a/b").canonicalize().expect("there"));
    assert_eq!(std::fs::metadata(&made).expect("there").permissions().mode() & 0o777, 0o777);
    symlink("a/b", house.volume().join("within")).expect("linked");
    assert_eq!(house.opened("within"), Ok(made));
    for sub in ["../x", "/x", "a/../../x"] {
        assert!(house.opened(sub).is_err_and(|why| why.contains("must be a relative path without '..'")), "{sub}");
    }
    for sub in ["link", "link/new", "up", "up/new"] {
        assert_eq!(house.opened(sub), Err(format!("subPath {sub:?} leads out of the volume")));
    }
    assert_eq!(std::fs::read_dir(house.base.join("node")).expect("there").count(), 0);
}

#[test]
fn a_link_that_is_swapped_in_leads_nowhere() {
    let house = House::new("swap");
    let (volume, over) = (house.volume(), AtomicBool::new(false));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let (inner, link) = (volume.join("inner"), volume.join("link"));
            while !over.load(Ordering::Relaxed) {
                renameat_with(CWD, &inner, CWD, &link, RenameFlags::EXCHANGE).expect("swapped");
            }
        });
        let mut opened = 0;
        for number in 0..SWAPS {
            // what was opened is in the volume, wherever the names lead by now
            if let Ok(found) = house.opened(&format!("inner/new-{}", number % 16)) {
                opened += 1;
                assert!(found.starts_with(house.base.canonicalize().expect("there").join("volume")), "{found:?}");
            }
        }
        over.store(true, Ordering::Relaxed);
        assert!(opened > 0, "nothing was ever opened");
    });
    assert_eq!(std::fs::read_dir(house.base.join("node")).expect("there").count(), 0, "nothing was made on the node");
}

#[test]
fn what_is_bound_stays_what_it_was_and_goes_without_its_content() {
    // mounts are made in a namespace of this thread; without the right to have one there is nothing to test
    if unshare().is_err() {
        return;
    }
    let private = rustix::mount::MountPropagationFlags::PRIVATE | rustix::mount::MountPropagationFlags::REC;
    rustix::mount::mount_change("/", private).expect("private");
    let house = House::new("bind");
    let place = house.base.join("places/c/0");
    std::fs::write(house.volume().join("inner/data"), b"kept").expect("written");
    bind(&resolve(&house.volume(), "inner").expect("there"), &place).expect("bound");
    std::fs::rename(house.volume().join("inner"), house.volume().join("away")).expect("renamed");
    symlink(house.base.join("node"), house.volume().join("inner")).expect("linked");
    assert_eq!(std::fs::read(place.join("data")).expect("still the directory"), b"kept");
    let file = house.base.join("places/c/1");
    bind(&resolve(&house.volume(), "away/data").expect("there"), &file).expect("bound");
    bind(&resolve(&house.volume(), "away").expect("there"), &place).expect("bound anew");
    assert_eq!(std::fs::read(&file).expect("a file"), b"kept");
    release(&house.base.join("places")).expect("released");
    assert!(!house.base.join("places").exists());
    assert_eq!(std::fs::read(house.volume().join("away/data")).expect("the volume's own"), b"kept");
}

#[expect(deprecated, reason = "the one that is not is unsafe for the sake of descriptors, which are not unshared here")]
fn unshare() -> rustix::io::Result<()> {
    rustix::thread::unshare(UnshareFlags::NEWNS)
}
