//! `/logs/`: the node's log files, as upstream shows those of `/var/log`; here they are those of the containers.

use std::path::{Component, PathBuf};

use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use tokio_util::io::ReaderStream;

use super::{Server, pages};

/// The folder of all logs.
pub(super) async fn all(State(server): State<Server>) -> Response {
    show(&server, "").await
}

/// A folder or a file below it.
pub(super) async fn one(State(server): State<Server>, Path(path): Path<String>) -> Response {
    show(&server, &path).await
}

async fn show(server: &Server, path: &str) -> Response {
    let Some(place) = below(&server.host.paths.logs(), path) else { return pages::absent().await };
    if place.is_dir() {
        return Html(listing(&place)).into_response();
    }
    match tokio::fs::File::open(&place).await {
        Ok(file) => {
            let body = Body::from_stream(ReaderStream::new(file));
            ([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], body).into_response()
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => pages::absent().await,
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, format!("{error}\n")).into_response(),
    }
}

/// A path below a folder; whatever leads out of it, by `..` or by a link, is not there.
fn below(root: &std::path::Path, path: &str) -> Option<PathBuf> {
    let relative = std::path::Path::new(path);
    if !relative.components().all(|part| matches!(part, Component::Normal(_))) {
        return None;
    }
    let (root, place) = (root.canonicalize().ok()?, root.join(relative).canonicalize().ok()?);
    place.starts_with(root).then_some(place)
}

fn listing(dir: &std::path::Path) -> String {
    let entries = std::fs::read_dir(dir).into_iter().flatten().flatten();
    let mut names: Vec<String> = entries
        .map(|entry| {
            let slash = if entry.path().is_dir() { "/" } else { "" };
            format!("{}{slash}", entry.file_name().to_string_lossy())
        })
        .collect();
    names.sort();
    let links: String = names.iter().map(|name| format!("<a href=\"{name}\">{name}</a>\n")).collect();
    format!("<!doctype html>\n<meta name=\"viewport\" content=\"width=device-width\">\n<pre>\n{links}</pre>\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_outside_the_folder_is_shown() {
        let dir = std::env::temp_dir().join(format!("logs-{}", std::process::id()));
        std::fs::create_dir_all(dir.join("a")).expect("made");
        std::os::unix::fs::symlink("/etc", dir.join("out")).expect("linked");
        assert!(below(&dir, "a").is_some() && below(&dir, "").is_some());
        assert!(below(&dir, "../x").is_none() && below(&dir, "/etc").is_none() && below(&dir, "out/passwd").is_none());
        assert!(listing(&dir).contains("<a href=\"a/\">a/</a>"));
        std::fs::remove_dir_all(dir).expect("removed");
    }
}
