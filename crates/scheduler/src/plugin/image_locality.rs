//! A node that has the pod's images is better, the more so the larger they are. An image that is on
//! few nodes counts for less, so that not all pods go to the first node that had it.

use crate::framework::{BEST, Cycle, Plugin, Rate, Score};

const MIB: i64 = 1 << 20;
/// What is smaller than this makes no difference.
const LEAST: i64 = 23 * MIB;
/// What is larger than this, per container, makes no more.
const MOST: i64 = 1000 * MIB;

struct ImageLocality;

/// The plugin.
#[must_use]
pub fn plugin() -> Plugin {
    Plugin::named("ImageLocality").score(ImageLocality)
}

impl Score for ImageLocality {
    fn weight(&self) -> i64 {
        1
    }

    fn prepare<'a>(&'a self, cycle: Cycle<'a>, _: &[usize]) -> Option<Rate<'a>> {
        let images: Vec<(String, usize)> = cycle
            .pod
            .containers()
            .filter_map(|container| container.image.as_deref().map(tagged))
            .map(|image| {
                let spread = cycle.cluster.image_spread(&image);
                (image, spread)
            })
            .collect();
        let nodes = cycle.cluster.len().max(1);
        let most = MOST * i64::try_from(images.len()).unwrap_or(1).max(1);
        Some(Box::new(move |node| {
            let here = images.iter().filter_map(|(image, spread)| Some(weigh(*node.images.get(image)?, *spread, nodes)));
            let sum: i64 = here.sum();
            BEST * (sum.clamp(LEAST, most) - LEAST) / (most - LEAST)
        }))
    }
}

#[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "a size, weighed")]
fn weigh(size: i64, spread: usize, nodes: usize) -> i64 {
    (size as f64 * (spread as f64 / nodes as f64)) as i64
}

/// An image name without a tag means `latest`.
fn tagged(image: &str) -> String {
    let name = image.rsplit('/').next().unwrap_or(image);
    if name.contains(':') { image.into() } else { format!("{image}:latest") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::{node, pod, rates};

    #[test]
    fn a_node_with_the_image_is_better() {
        let nodes = [node("has").image("big:latest", 1000 * MIB), node("also").image("big:latest", 1000 * MIB), node("not")];
        let scores = rates(plugin(), pod("a").image("big"), nodes);
        assert!(scores[0] > 60 && scores[1] == scores[0] && scores[2] == 0, "{scores:?}");
    }

    #[test]
    fn a_registry_port_is_no_tag() {
        assert_eq!(tagged("host:5000/app"), "host:5000/app:latest");
        assert_eq!(tagged("host:5000/app:1"), "host:5000/app:1");
    }
}
