//! What an image archive says about itself: `docker save` (`manifest.json`) and OCI layouts
//! (`index.json`). Pure: from the small JSON files to the images that the archive holds.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::reference;

/// Where a blob is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// A file of the archive.
    File(String),
    /// By digest, in the archive or on the node from before.
    Digest(String),
}

/// One image of an archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Whole names.
    pub names: Vec<String>,
    /// The OCI manifest, if the archive has one; otherwise one is made.
    pub manifest: Option<Descriptor>,
    /// The image's configuration.
    pub config: Source,
    /// Its layers, lowest first.
    pub layers: Vec<Source>,
}

/// A reference to a blob.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Descriptor {
    /// What the blob is.
    pub media_type: String,
    /// `sha256:…`.
    pub digest: String,
    /// In bytes.
    pub size: i64,
    /// Names, among others.
    pub annotations: BTreeMap<String, String>,
    /// For which machine.
    pub platform: Option<Platform>,
}

/// For which machine an image is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Platform {
    /// As Go names it.
    pub architecture: String,
    /// For example `linux`.
    pub os: String,
}

/// Why an archive is no good.
#[derive(Debug, thiserror::Error)]
pub enum Broken {
    /// Neither kind of archive.
    #[error("not an image archive: it has neither manifest.json nor index.json")]
    NoManifest,
    /// A file of it cannot be read.
    #[error("{file} of the archive is not what it should be")]
    Json {
        /// Which file.
        file: String,
        /// Why not.
        #[source]
        source: serde_json::Error,
    },
    /// Something that it refers to is not in it.
    #[error("the archive lacks {0}")]
    Lacks(String),
    /// No image has a name.
    #[error("the archive names no image; save it by name, for example: docker save hello:1")]
    Nameless,
    /// A name cannot be read.
    #[error(transparent)]
    Name(#[from] reference::Invalid),
    /// Nothing for this machine.
    #[error("the archive has no image for linux/{0}")]
    Platform(&'static str),
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Saved {
    config: String,
    #[serde(default)]
    repo_tags: Option<Vec<String>>,
    #[serde(default)]
    layers: Vec<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Index {
    manifests: Vec<Descriptor>,
}

#[derive(Deserialize)]
struct Manifest {
    config: Descriptor,
    layers: Vec<Descriptor>,
}

/// The images of an archive, given a way to read its small files by path.
pub fn entries(file: impl Fn(&str) -> Option<Vec<u8>>) -> Result<Vec<Entry>, Broken> {
    let entries = match (file("manifest.json"), file("index.json")) {
        (Some(bytes), _) => saved(&bytes)?,
        (None, Some(bytes)) => layout(&parse("index.json", &bytes)?, &file)?,
        (None, None) => return Err(Broken::NoManifest),
    };
    if entries.iter().all(|entry| entry.names.is_empty()) {
        return Err(Broken::Nameless);
    }
    Ok(entries)
}

fn saved(bytes: &[u8]) -> Result<Vec<Entry>, Broken> {
    let saved: Vec<Saved> = parse("manifest.json", bytes)?;
    saved
        .into_iter()
        .map(|image| {
            let names = image
                .repo_tags
                .unwrap_or_default()
                .iter()
                .map(|n| reference::normalise(n))
                .collect::<Result<_, _>>()?;
            let layers = image.layers.iter().map(|path| source(path)).collect();
            Ok(Entry { names, manifest: None, config: source(&image.config), layers })
        })
        .collect()
}

fn layout(index: &Index, file: &impl Fn(&str) -> Option<Vec<u8>>) -> Result<Vec<Entry>, Broken> {
    let mut entries = Vec::new();
    for descriptor in &index.manifests {
        let chosen = choose(descriptor, file)?;
        let path = blob_path(&chosen.digest);
        let manifest: Manifest = parse(&path, &file(&path).ok_or_else(|| Broken::Lacks(path.clone()))?)?;
        entries.push(Entry {
            names: names(descriptor)?,
            config: Source::Digest(manifest.config.digest),
            layers: manifest.layers.into_iter().map(|layer| Source::Digest(layer.digest)).collect(),
            manifest: Some(chosen),
        });
    }
    Ok(entries)
}

/// The manifest itself, or that of a list which is for this machine.
fn choose(descriptor: &Descriptor, file: &impl Fn(&str) -> Option<Vec<u8>>) -> Result<Descriptor, Broken> {
    if !descriptor.media_type.ends_with("index.v1+json") && !descriptor.media_type.ends_with("manifest.list.v2+json") {
        return Ok(descriptor.clone());
    }
    let path = blob_path(&descriptor.digest);
    let list: Index = parse(&path, &file(&path).ok_or_else(|| Broken::Lacks(path.clone()))?)?;
    let architecture = go_arch();
    let fits = |d: &&Descriptor| d.platform.as_ref().is_none_or(|p| p.os == "linux" && p.architecture == architecture);
    list.manifests.iter().find(fits).cloned().ok_or(Broken::Platform(architecture))
}

fn names(descriptor: &Descriptor) -> Result<Vec<String>, Broken> {
    let full = descriptor.annotations.get("io.containerd.image.name");
    let short =
        descriptor.annotations.get("org.opencontainers.image.ref.name").filter(|name| name.contains([':', '/']));
    Ok(full.or(short).map(|name| reference::normalise(name)).transpose()?.into_iter().collect())
}

fn source(path: &str) -> Source {
    match path.strip_prefix("blobs/sha256/") {
        Some(hex) => Source::Digest(format!("sha256:{hex}")),
        None => Source::File(path.into()),
    }
}

fn blob_path(digest: &str) -> String {
    format!("blobs/{}", digest.replace(':', "/"))
}

fn parse<T: for<'a> Deserialize<'a>>(file: &str, bytes: &[u8]) -> Result<T, Broken> {
    serde_json::from_slice(bytes).map_err(|source| Broken::Json { file: file.into(), source })
}

/// This machine as Go names it.
#[must_use]
pub fn go_arch() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_docker_archive_names_its_images_in_full() {
        let manifest =
            json!([{"Config": "c.json", "RepoTags": ["hello:1"], "Layers": ["a/layer.tar", "blobs/sha256/ab"]}]);
        let entries =
            entries(|path| (path == "manifest.json").then(|| manifest.to_string().into_bytes())).expect("good");
        assert_eq!(entries[0].names, ["docker.io/library/hello:1"]);
        assert_eq!(entries[0].layers, [Source::File("a/layer.tar".into()), Source::Digest("sha256:ab".into())]);
    }

    #[test]
    fn an_archive_without_names_or_manifest_says_so() {
        assert!(matches!(entries(|_| None), Err(Broken::NoManifest)));
        let nameless = json!([{"Config": "c.json", "Layers": []}]).to_string();
        let result = entries(|path| (path == "manifest.json").then(|| nameless.clone().into_bytes()));
        assert!(matches!(result, Err(Broken::Nameless)));
    }
}
