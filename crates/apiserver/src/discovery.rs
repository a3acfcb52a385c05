//! Discovery: what is served, in the documents that clients read (`k8s.io/apiserver/pkg/endpoints/discovery`),
//! made of [`Kinds`] whenever they are asked for.
//!
//! [`remote`] adds what other API servers serve. Absent: peer-aggregated discovery.

pub mod aggregated;
pub mod legacy;
pub mod openapi;
pub mod remote;

use std::cmp::Reverse;
use std::sync::Arc;

use nakhoda_api::Scope;

use crate::kind::Served;
use crate::kinds::Kinds;

/// A group with its versions, best first.
pub struct Group {
    /// Empty for the core group.
    pub name: String,
    /// Its versions.
    pub versions: Vec<Version>,
}

/// One version of a group.
pub struct Version {
    /// For example `v1`.
    pub name: String,
    /// Its resources, in alphabetic order.
    pub kinds: Vec<Arc<Served>>,
}

/// All groups, the core group first, then in the order of their kinds.
#[must_use]
pub fn groups(kinds: &Kinds) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    for served in kinds.all() {
        let gvk = &served.info.gvk;
        let at = groups.iter().position(|g| g.name == gvk.group).unwrap_or_else(|| {
            groups.push(Group { name: gvk.group.clone(), versions: Vec::new() });
            groups.len() - 1
        });
        let versions = &mut groups[at].versions;
        match versions.iter_mut().find(|v| v.name == gvk.version) {
            Some(version) => version.kinds.push(served),
            None => versions.push(Version { name: gvk.version.clone(), kinds: vec![served] }),
        }
    }
    groups.sort_by_key(|g| !g.name.is_empty());
    for group in &mut groups {
        group.versions.sort_by_key(|v| Reverse(rank(&v.name)));
        for version in &mut group.versions {
            version.kinds.sort_by_key(|k| k.info.plural);
        }
    }
    groups
}

/// How good a version is: `v2` > `v1` > `v1beta1` > `v1alpha1` (`k8s.io/apimachinery/pkg/version`).
#[must_use]
pub fn rank(version: &str) -> (u8, u32, u32) {
    let number = |text: &str| text.parse::<u32>().ok();
    let Some(rest) = version.strip_prefix('v') else { return (0, 0, 0) };
    for (stage, word) in [(1, "alpha"), (2, "beta")] {
        if let Some((major, minor)) = rest.split_once(word)
            && let (Some(major), Some(minor)) = (number(major), number(minor))
        {
            return (stage, major, minor);
        }
    }
    number(rest).map_or((0, 0, 0), |major| (3, major, 0))
}

fn is_namespaced(served: &Served) -> bool {
    served.info.scope == Scope::Namespaced
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stable_versions_come_before_beta_and_alpha() {
        let mut versions = ["v1alpha1", "v1", "v2beta1", "v2", "v1beta2", "odd"];
        versions.sort_by_key(|v| Reverse(rank(v)));
        assert_eq!(versions, ["v2", "v1", "v2beta1", "v1beta2", "v1alpha1", "odd"]);
    }

    #[test]
    fn the_core_group_comes_first() {
        let groups = groups(&Kinds::built_in());
        assert_eq!(groups[0].name, "");
        assert_eq!(groups[0].versions[0].name, "v1");
    }
}
