//! Image names as people write them and as the runtime keeps them (`docker.io/library/x:latest`).

/// The name cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("couldn't parse image name \"{0}\": invalid reference format")]
pub struct Invalid(pub String);

/// The whole name: registry, repository, and tag or digest.
pub fn normalise(name: &str) -> Result<String, Invalid> {
    let invalid = || Invalid(name.into());
    let (rest, digest) = match name.split_once('@') {
        Some((rest, digest)) => (rest, Some(digest)),
        None => (name, None),
    };
    if digest.is_some_and(|d| !is_digest(d)) {
        return Err(invalid());
    }
    let (path, tag) = match rest.rsplit_once(':') {
        Some((path, tag)) if !tag.contains('/') => (path, Some(tag)),
        _ => (rest, None),
    };
    if tag.is_some_and(|t| !is_tag(t)) {
        return Err(invalid());
    }
    let (domain, repository) = match path.split_once('/') {
        Some((first, rest)) if first.contains(['.', ':']) || first == "localhost" => (first, rest.to_owned()),
        Some(_) => ("docker.io", path.to_owned()),
        None => ("docker.io", format!("library/{path}")),
    };
    if !is_domain(domain) || !repository.split('/').all(is_component) {
        return Err(invalid());
    }
    Ok(match (tag, digest) {
        (_, Some(digest)) => format!("{domain}/{repository}@{digest}"),
        (tag, None) => format!("{domain}/{repository}:{}", tag.unwrap_or("latest")),
    })
}

/// Whether nothing but the tag `latest` is named, for which images are always pulled by default.
#[must_use]
pub fn is_latest(name: &str) -> bool {
    normalise(name).is_ok_and(|name| name.ends_with(":latest"))
}

fn is_domain(domain: &str) -> bool {
    let (host, port) = domain.split_once(':').unwrap_or((domain, "0"));
    !host.is_empty()
        && host.chars().all(|c| c.is_ascii_alphanumeric() || c == '.' || c == '-')
        && !port.is_empty()
        && port.chars().all(|c| c.is_ascii_digit())
}

fn is_component(component: &str) -> bool {
    let edge = |c: Option<char>| c.is_some_and(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
    edge(component.chars().next())
        && edge(component.chars().last())
        && component.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '.' | '_' | '-'))
}

fn is_tag(tag: &str) -> bool {
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    tag.len() <= 128 && tag.starts_with(word) && tag.chars().all(|c| word(c) || c == '.' || c == '-')
}

fn is_digest(digest: &str) -> bool {
    digest.split_once(':').is_some_and(|(algorithm, hex)| {
        !algorithm.is_empty()
            && hex.len() >= 32
            && hex.chars().all(|c| c.is_ascii_hexdigit() && !c.is_ascii_uppercase())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_whole() {
        for (short, whole) in [
            ("hello", "docker.io/library/hello:latest"),
            ("hello:1", "docker.io/library/hello:1"),
            ("me/hello:1", "docker.io/me/hello:1"),
            ("localhost/hello", "localhost/hello:latest"),
            ("r.io:5000/a/b:c", "r.io:5000/a/b:c"),
            ("nakhoda.local/pause:1", "nakhoda.local/pause:1"),
        ] {
            assert_eq!(normalise(short).as_deref(), Ok(whole));
        }
    }

    #[test]
    fn nonsense_is_refused() {
        for name in ["", "Hello", "a b", "a:b c", "a@sha256:xyz", "-a", "a//b"] {
            assert!(normalise(name).is_err(), "{name}");
        }
    }
}
