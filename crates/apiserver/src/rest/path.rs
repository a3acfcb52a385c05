//! URL paths: what `/api/v1/namespaces/x/pods/y/log` names (`k8s.io/apiserver/pkg/endpoints/request`).
//!
//! Pure text. Whether the resource exists, and whether it may be read, is decided behind it.

use nakhoda_api::GroupVersionResource;

use crate::request::ResourceTarget;

/// What a path names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Route {
    /// An object, a collection or a subresource.
    Resource(Located),
    /// A document outside the resource tree, discovery included; without trailing slash.
    Document(String),
    /// A path below `/api` or `/apis` that cannot name anything.
    Nothing,
}

/// A resource and how it was named.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Located {
    /// What.
    pub target: ResourceTarget,
    /// The old form `/api/v1/watch/…`.
    pub watch: bool,
    /// The path up to and with the subresource, as it came: what a proxied `Location` starts with.
    pub prefix: String,
}

// === impl Route ===

impl Route {
    /// Reads a path as it stands in the request line.
    #[must_use]
    pub fn parse(path: &str) -> Self {
        if path.starts_with("//") {
            return Self::Nothing;
        }
        let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
        let (rest, group) = match parts.as_slice() {
            ["api", _, _, ..] => (&parts[1..], String::new()),
            ["apis", group, _, _, ..] if !group.is_empty() => (&parts[2..], decode(group)),
            _ => return Self::Document(document(path)),
        };
        let (version, mut rest) = (decode(rest[0]), &rest[1..]);
        let watch = rest[0] == "watch";
        if watch {
            rest = &rest[1..];
        }
        let (namespace, rest) = match *rest {
            ["namespaces", namespace, sub, ..] if sub != "status" && sub != "finalize" => {
                (decode(namespace), &rest[2..])
            }
            _ => (String::new(), rest),
        };
        if rest.is_empty() || rest[..rest.len().min(3)].iter().any(|part| part.is_empty()) {
            return Self::Nothing;
        }
        Self::Resource(Located::new(
            path,
            GroupVersionResource::new(group, version, decode(rest[0])),
            namespace,
            rest,
            watch,
        ))
    }
}

// === impl Located ===

impl Located {
    fn new(path: &str, gvr: GroupVersionResource, namespace: String, parts: &[&str], watch: bool) -> Self {
        let part = |index: usize| parts.get(index).map(|p| decode(p)).unwrap_or_default();
        let prefix = prefix(path, parts.iter().skip(3));
        let behind = path.trim_start_matches('/').get(prefix.len() - 1..).unwrap_or_default();
        // who may read a namespace is settled inside it
        let own = gvr.group.is_empty() && gvr.resource == "namespaces";
        let target = ResourceTarget {
            namespace: if own { part(1) } else { namespace },
            gvr,
            name: part(1),
            subresource: part(2),
            path: if parts.len() > 3 || path.ends_with('/') { behind.to_owned() } else { String::new() },
        };
        Self { target, watch, prefix }
    }
}

/// The path before the parts that stand behind the subresource, without a trailing slash.
fn prefix<'a>(path: &str, behind: impl Iterator<Item = &'a &'a str>) -> String {
    let path = format!("/{}", path.trim_start_matches('/'));
    let tail = path.len() - path.trim_end_matches('/').len();
    let length: usize = behind.map(|part| part.len() + 1).sum();
    path[..path.len() - tail - length].to_owned()
}

fn document(path: &str) -> String {
    match decode(path.trim_end_matches('/')) {
        path if path.is_empty() => "/".into(),
        path => path,
    }
}

/// Undoes percent encoding; what is not UTF-8 afterwards stays as it is.
#[must_use]
pub fn decode(text: &str) -> String {
    if !text.contains('%') {
        return text.to_owned();
    }
    let bytes = text.as_bytes();
    let mut plain = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let hex = (bytes[at] == b'%').then(|| text.get(at + 1..at + 3)).flatten();
        match hex.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(byte) => {
                plain.push(byte);
                at += 3;
            }
            None => {
                plain.push(bytes[at]);
                at += 1;
            }
        }
    }
    String::from_utf8(plain).unwrap_or_else(|_| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn located(path: &str) -> Located {
        match Route::parse(path) {
            Route::Resource(located) => located,
            other => panic!("{path}: {other:?}"),
        }
    }

    fn target(path: &str) -> [String; 6] {
        let t = located(path).target;
        [t.gvr.group, t.gvr.version, t.gvr.resource, t.namespace, t.name, t.subresource]
    }

    #[test]
    fn objects_and_collections_are_told_apart() {
        assert_eq!(target("/api/v1/pods"), ["", "v1", "pods", "", "", ""]);
        assert_eq!(target("/api/v1/pods/"), ["", "v1", "pods", "", "", ""]);
        assert_eq!(target("/api/v1/namespaces/a/pods/b/log"), ["", "v1", "pods", "a", "b", "log"]);
        assert_eq!(target("/apis/apps/v1/namespaces/a/deployments/b"), ["apps", "v1", "deployments", "a", "b", ""]);
    }

    #[test]
    fn a_namespace_is_an_object_until_something_stands_in_it() {
        assert_eq!(target("/api/v1/namespaces"), ["", "v1", "namespaces", "", "", ""]);
        assert_eq!(target("/api/v1/namespaces/a"), ["", "v1", "namespaces", "a", "a", ""]);
        assert_eq!(target("/api/v1/namespaces/a/finalize"), ["", "v1", "namespaces", "a", "a", "finalize"]);
        assert_eq!(target("/api/v1/namespaces/a/configmaps"), ["", "v1", "configmaps", "a", "", ""]);
    }

    #[test]
    fn the_old_watch_prefix_is_read() {
        let located = located("/api/v1/watch/namespaces/a/pods/b");
        assert!(located.watch);
        assert_eq!((located.target.namespace.as_str(), located.target.name.as_str()), ("a", "b"));
    }

    #[test]
    fn what_stands_behind_proxy_is_kept_as_it_came() {
        let located = located("/api/v1/namespaces/a/pods/http:b:80/proxy/x%20y/z/");
        assert_eq!(located.target.name, "http:b:80");
        assert_eq!(located.target.path, "/x%20y/z/");
        assert_eq!(located.prefix, "/api/v1/namespaces/a/pods/http:b:80/proxy");
        let bare = self::located("/api/v1/namespaces/a/services/s/proxy");
        assert_eq!((bare.target.path.as_str(), bare.prefix.as_str()), ("", "/api/v1/namespaces/a/services/s/proxy"));
        assert_eq!(self::located("/api/v1/nodes/n/proxy/").target.path, "/");
    }

    #[test]
    fn documents_lose_their_trailing_slash() {
        for (path, document) in
            [("/", "/"), ("/api/", "/api"), ("/apis/apps/v1", "/apis/apps/v1"), ("/api/v1", "/api/v1")]
        {
            assert_eq!(Route::parse(path), Route::Document(document.into()));
        }
        assert_eq!(Route::parse("/api/v1/watch"), Route::Nothing);
        assert_eq!(Route::parse("/api/v1//x"), Route::Nothing);
    }

    #[test]
    fn percent_signs_that_encode_nothing_stay() {
        assert_eq!(decode("a%2Fb%zz%"), "a/b%zz%");
    }
}
