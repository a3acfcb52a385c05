//! Removing images that nobody uses once the disk is fuller than 85 %, the longest unused first, until it
//! is below 80 %: upstream's limits. Images that were loaded by hand and the pause image stay for ever.

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::sync::watch;

use super::load::{Images, LoadError};
use crate::cri::{Cri, v1};
use crate::node::machine::Left;
use crate::pause;

/// Hundredths of the disk that are free when collecting begins, and when it ends.
const BEGIN: i64 = 15;
const END: i64 = 20;
const PERIOD: Duration = Duration::from_secs(300);
/// An image that came just now is about to be used.
const YOUNG: SignedDuration = SignedDuration::from_mins(2);

/// Collects for ever.
pub struct Collector {
    images: Images,
    cri: Cri,
    root: PathBuf,
    used: HashMap<String, Timestamp>,
}

// === impl Collector ===

impl Collector {
    /// Looks at the disk that holds `root`.
    #[must_use]
    pub fn new(images: Images, cri: Cri, root: PathBuf) -> Self {
        Self { images, cri, root, used: HashMap::new() }
    }

    /// Looks every five minutes, and when images came or went.
    pub async fn run(mut self, mut changes: watch::Receiver<u64>) {
        loop {
            if let Err(error) = self.round().await {
                tracing::warn!(%error, "images not collected");
            }
            let changed = tokio::time::timeout(PERIOD, changes.changed()).await;
            if matches!(changed, Ok(Err(_))) {
                return;
            }
        }
    }

    async fn round(&mut self) -> Result<(), LoadError> {
        let (images, pinned) = self.images.list().await?;
        let containers = self.cri.containers(HashMap::new()).await?;
        let in_use: HashSet<String> =
            containers.into_iter().flat_map(|c| [c.image_ref, c.image.unwrap_or_default().image]).collect();
        let now = Timestamp::now();
        for image in images.iter().filter(|image| is_used(image, &in_use)) {
            self.used.insert(image.id.clone(), now);
        }
        self.used.retain(|id, _| images.iter().any(|image| image.id == *id));
        for image in &images {
            self.used.entry(image.id.clone()).or_insert(now);
        }
        if Left::read(&self.root).disk >= BEGIN {
            return Ok(());
        }
        for id in candidates(&images, &pinned, &in_use, &self.used, now) {
            if Left::read(&self.root).disk >= END {
                break;
            }
            tracing::info!(image = id, "disk is full; removing an image that nobody uses");
            self.cri.remove_image(&id).await?;
        }
        Ok(())
    }
}

/// What may be removed, the longest unused first.
fn candidates(
    images: &[v1::Image],
    pinned: &HashSet<String>,
    in_use: &HashSet<String>,
    used: &HashMap<String, Timestamp>,
    now: Timestamp,
) -> Vec<String> {
    let last = |image: &v1::Image| used.get(&image.id).copied().unwrap_or(now);
    let kept = |image: &v1::Image| {
        image.pinned
            || pinned.contains(&image.id)
            || image.repo_tags.iter().any(|tag| tag == pause::IMAGE)
            || is_used(image, in_use)
            || now.duration_since(last(image)) < YOUNG
    };
    let mut free: Vec<&v1::Image> = images.iter().filter(|image| !kept(image)).collect();
    free.sort_by_key(|image| last(image));
    free.into_iter().map(|image| image.id.clone()).collect()
}

fn is_used(image: &v1::Image, in_use: &HashSet<String>) -> bool {
    let mut names = std::iter::once(&image.id).chain(&image.repo_tags).chain(&image.repo_digests);
    names.any(|name| in_use.contains(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_unused_goes_first_and_what_is_used_or_loaded_stays() {
        let at = |s| Timestamp::from_second(s).expect("in range");
        let image =
            |id: &str, tag: &str| v1::Image { id: id.into(), repo_tags: vec![tag.into()], ..Default::default() };
        let images = [
            image("a", "x/a:1"),
            image("b", "x/b:1"),
            image("c", "x/c:1"),
            image("d", "x/d:1"),
            image("p", pause::IMAGE),
        ];
        let used =
            [("a", 500), ("b", 100), ("c", 100), ("d", 100), ("p", 100)].map(|(id, s)| (id.to_owned(), at(s))).into();
        let in_use = HashSet::from(["x/c:1".to_owned()]);
        let pinned = HashSet::from(["d".to_owned()]);
        assert_eq!(candidates(&images, &pinned, &in_use, &used, at(1000)), ["b", "a"]);
        assert_eq!(candidates(&images, &pinned, &in_use, &used, at(550)), ["b"]);
    }
}
