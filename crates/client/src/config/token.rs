//! [`Bearer`]: the `authorization` of each request. A token file is read again each minute, because
//! bound tokens expire.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use nakhoda_daemon::file;
use parking_lot::Mutex;
use tonic::metadata::{Ascii, MetadataValue};
use tonic::service::Interceptor;
use tonic::{Request, Status};

use super::ConfigError;
use super::kubeconfig::{User, beside};

const FRESH: Duration = Duration::from_secs(60);

/// Adds a token to requests, if there is one. Cheap to clone.
#[derive(Clone, Default)]
pub struct Bearer {
    source: Option<Arc<Source>>,
}

enum Source {
    Fixed(MetadataValue<Ascii>),
    File { path: PathBuf, read: Mutex<(Instant, MetadataValue<Ascii>)> },
}

// === impl Bearer ===

impl Bearer {
    pub(crate) fn of_user(path: &Path, user: &User) -> Result<Self, ConfigError> {
        match (&user.token_file, &user.token) {
            (Some(file), _) => Self::of_file(&beside(path, file)),
            (None, Some(token)) if !token.is_empty() => Self::of_token(token, path),
            (None, _) => Ok(Self::default()),
        }
    }

    pub(crate) fn of_file(path: &Path) -> Result<Self, ConfigError> {
        let read = Mutex::new((Instant::now(), read(path)?));
        Ok(Self { source: Some(Arc::new(Source::File { path: path.into(), read })) })
    }

    pub(crate) fn of_token(token: &str, path: &Path) -> Result<Self, ConfigError> {
        Ok(Self { source: Some(Arc::new(Source::Fixed(value(token, path)?))) })
    }

    /// The value of the `authorization` header, if there is a token.
    #[must_use]
    pub fn authorization(&self) -> Option<MetadataValue<Ascii>> {
        match self.source.as_deref()? {
            Source::Fixed(value) => Some(value.clone()),
            Source::File { path, read } => Some(current(path, &mut read.lock(), Instant::now())),
        }
    }
}

impl Interceptor for Bearer {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        if let Some(value) = self.authorization() {
            request.metadata_mut().insert("authorization", value);
        }
        Ok(request)
    }
}

fn current(path: &Path, known: &mut (Instant, MetadataValue<Ascii>), now: Instant) -> MetadataValue<Ascii> {
    if now.duration_since(known.0) >= FRESH {
        known.0 = now;
        match read(path) {
            Ok(value) => known.1 = value,
            Err(error) => tracing::warn!(%error, "the old token stays"),
        }
    }
    known.1.clone()
}

fn read(path: &Path) -> Result<MetadataValue<Ascii>, ConfigError> {
    let text = file::text(path)?;
    value(text.trim(), path)
}

fn value(token: &str, path: &Path) -> Result<MetadataValue<Ascii>, ConfigError> {
    let mut value: MetadataValue<Ascii> = format!("Bearer {token}").parse().map_err(|_| ConfigError::Field {
        path: path.into(),
        field: "token".into(),
        why: "holds characters that no token has".into(),
    })?;
    value.set_sensitive(true);
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_file_is_read_again_after_a_minute_and_kept_when_it_is_gone() {
        let path = std::env::temp_dir().join(format!("nakhoda-token-{}", uuid::Uuid::new_v4()));
        std::fs::write(&path, "one\n").expect("writes");
        let start = Instant::now();
        let mut known = (start, read(&path).expect("reads"));
        std::fs::write(&path, "two\n").expect("writes");
        assert_eq!(current(&path, &mut known, start + Duration::from_secs(59)), "Bearer one");
        assert_eq!(current(&path, &mut known, start + Duration::from_secs(60)), "Bearer two");
        std::fs::remove_file(&path).expect("removes");
        assert_eq!(current(&path, &mut known, start + Duration::from_secs(180)), "Bearer two");
    }
}
