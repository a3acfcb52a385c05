//! Bringing a container's image onto the node, by its pull policy, with upstream's texts, events and
//! back-off. An image that was loaded by hand is present and never asked of a registry.

use std::collections::HashMap;

use jiff::Timestamp;
use k8s_openapi::api::core::v1::{Container, Pod};
use parking_lot::Mutex;

use super::archives::Archives;
use super::{credentials, reference};
use crate::cri::{self, Cri, v1};
use crate::pod::backoff::Backoff;
use crate::pod::spec;
use crate::pod::status::Waiting;
use crate::source::{Cluster, Severity};

/// While a registry is asked, the node itself is looked at this often.
const LOOK: std::time::Duration = std::time::Duration::from_millis(500);

/// Fetches images. One for the node, so that back-off is shared by its pods' restarts.
pub struct Puller {
    cri: Cri,
    archives: Option<Archives>,
    failures: Mutex<Failures>,
}

#[derive(Debug, Default)]
struct Failures {
    backoff: Backoff,
    last: HashMap<String, (Timestamp, String)>,
}

/// Who asks, and for what.
pub struct Wish<'a> {
    /// The API, for events and pull secrets.
    pub cluster: &'a dyn Cluster,
    /// Whose container.
    pub pod: &'a Pod,
    /// Which container.
    pub container: &'a Container,
    /// Its path in events.
    pub field: &'a str,
    /// The sandbox that it will run in.
    pub sandbox: &'a v1::PodSandboxConfig,
}

// === impl Puller ===

impl Puller {
    /// None fetched yet.
    #[must_use]
    pub fn new(cri: Cri) -> Self {
        Self { cri, archives: None, failures: Mutex::default() }
    }

    /// The same, with images that the API server hands out.
    #[must_use]
    pub fn with(self, archives: Archives) -> Self {
        Self { archives: Some(archives), ..self }
    }

    /// The image, fetched if the policy says so; otherwise why the container waits.
    pub async fn ensure(&self, wish: &Wish<'_>) -> Result<v1::Image, Waiting> {
        let outcome = self.present(wish).await;
        if let Err(waiting) = &outcome {
            wish.tell(Severity::Warning, "Failed", format!("Error: {}", waiting.reason));
        }
        outcome
    }

    async fn present(&self, wish: &Wish<'_>) -> Result<v1::Image, Waiting> {
        let name = wish.container.image.as_deref().unwrap_or_default();
        let whole = match reference::normalise(name) {
            Ok(whole) => whole,
            Err(error) => {
                let text = format!("Failed to apply default image tag {name:?}: {error}");
                wish.tell(Severity::Warning, "InspectFailed", text.clone());
                return Err(waiting("InvalidImageName", text));
            }
        };
        let policy = wish.container.image_pull_policy.as_deref().unwrap_or("IfNotPresent");
        if policy != "Always" {
            let found = self.cri.image(&whole).await.map_err(|error| {
                let text = format!("Failed to inspect image {name:?}: {error}");
                wish.tell(Severity::Warning, "InspectFailed", text.clone());
                waiting("ImageInspectError", text)
            })?;
            if let Some(image) = found {
                wish.tell(Severity::Normal, "Pulled", present(name));
                return Ok(image);
            }
            if policy == "Never" {
                if let Some(image) = self.handed_out(&whole).await {
                    wish.tell(Severity::Normal, "Pulled", format!("Fetched image {name:?} from the API server"));
                    return Ok(image);
                }
                let text = format!("Container image {name:?} is not present with pull policy of Never");
                wish.tell(Severity::Warning, "ErrImageNeverPull", text.clone());
                return Err(waiting("ErrImageNeverPull", text));
            }
        }
        self.fetch(wish, name, &whole).await
    }

    /// An image that no registry is to be asked for may be one of the cluster's own.
    async fn handed_out(&self, whole: &str) -> Option<v1::Image> {
        match self.archives.as_ref()?.fetch(whole).await {
            Ok(true) => self.cri.image(whole).await.ok().flatten(),
            Ok(false) => None,
            Err(error) => {
                let cause = nakhoda_api::status::chain(&error);
                tracing::warn!(image = whole, cause, "not fetched from the API server");
                None
            }
        }
    }

    async fn fetch(&self, wish: &Wish<'_>, name: &str, whole: &str) -> Result<v1::Image, Waiting> {
        let key = format!("{}_{name}", spec::uid(wish.pod));
        if let Some(last) = self.failures.lock().waiting(&key, Timestamp::now()) {
            let text = format!("Back-off pulling image {name:?}");
            wish.tell(Severity::Normal, "BackOff", text.clone());
            return Err(waiting("ImagePullBackOff", format!("{text}: {last}")));
        }
        wish.tell(Severity::Normal, "Pulling", format!("Pulling image {name:?}"));
        let began = Timestamp::now();
        let pulled = tokio::select! {
            pulled = self.pull(wish, whole) => pulled,
            image = self.loaded(wish, whole) => {
                self.failures.lock().clear(&key);
                wish.tell(Severity::Normal, "Pulled", present(name));
                return Ok(image);
            }
        };
        match pulled {
            Ok(image) => {
                self.failures.lock().clear(&key);
                let took = format!("{:.3}s", Timestamp::now().duration_since(began).as_secs_f64());
                let text = format!(
                    "Successfully pulled image {name:?} in {took} ({took} including waiting). Image size: {} bytes.",
                    image.size
                );
                wish.tell(Severity::Normal, "Pulled", text);
                Ok(image)
            }
            Err(error) => {
                let text = error.status.message().to_owned();
                wish.tell(Severity::Warning, "Failed", format!("Failed to pull image {name:?}: {text}"));
                self.failures.lock().note(&key, format!("ErrImagePull: {text}"), Timestamp::now());
                Err(waiting("ErrImagePull", text))
            }
        }
    }

    /// Resolves when the image comes by another way while a registry is asked, if that is as good.
    async fn loaded(&self, wish: &Wish<'_>, whole: &str) -> v1::Image {
        if wish.container.image_pull_policy.as_deref() == Some("Always") {
            return std::future::pending().await;
        }
        loop {
            tokio::time::sleep(LOOK).await;
            if let Ok(Some(image)) = self.cri.image(whole).await {
                return image;
            }
        }
    }

    async fn pull(&self, wish: &Wish<'_>, whole: &str) -> Result<v1::Image, cri::Error> {
        let logins = credentials::of(wish.cluster, wish.pod, whole).await;
        let attempts = logins.into_iter().map(Some).chain([None]);
        let mut failure = None;
        for auth in attempts {
            let request = v1::PullImageRequest {
                image: Some(cri::image_spec(whole)),
                auth,
                sandbox_config: Some(wish.sandbox.clone()),
            };
            match self.cri.pull(request).await {
                Ok(id) => return Ok(self.cri.image(&id).await?.unwrap_or_default()),
                Err(error) => failure = Some(error),
            }
        }
        Err(failure.expect("there is an attempt without a login"))
    }
}

// === impl Failures ===

impl Failures {
    fn waiting(&self, key: &str, now: Timestamp) -> Option<&str> {
        let (at, text) = self.last.get(key)?;
        self.backoff.remaining(key, *at, now).map(|_| text.as_str())
    }

    fn note(&mut self, key: &str, text: String, now: Timestamp) {
        self.backoff.next(key, now, now);
        self.last.insert(key.into(), (now, text));
    }

    fn clear(&mut self, key: &str) {
        self.last.remove(key);
    }
}

// === impl Wish ===

impl Wish<'_> {
    fn tell(&self, severity: Severity, reason: &str, text: String) {
        self.cluster.event(self.pod, Some(self.field.into()), severity, reason, text);
    }
}

fn present(name: &str) -> String {
    format!("Container image {name:?} already present on machine and can be accessed by the pod")
}

fn waiting(reason: &str, message: String) -> Waiting {
    Waiting { reason: reason.into(), message }
}
