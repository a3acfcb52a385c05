//! Conversion by webhook: objects in one version go out in a `ConversionReview` and come back in another
//! (`pkg/apiserver/conversion`).
//!
//! What an item looks like in a version is kept with the item, so that a list or a watch asks once.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use nakhoda_api::kinds::apiextensions::CustomResourceDefinition;
use nakhoda_api::{GroupVersionKind, Object, Reason, Status};
use nakhoda_store::cache::{Form, Item};
use serde_json::{Map, Value, json};

use crate::pipeline::Pipeline;
use crate::webhooks::{Place, Webhook};

/// Upstream's timeout.
const WITHIN: Duration = Duration::from_secs(30);
/// What a webhook may change of the metadata.
const OPEN: [&str; 2] = ["labels", "annotations"];
/// Where items keep what they look like in other versions.
const SLOTS: [u8; 3] = [4, 5, 7];

/// How objects of one version are made of those of others.
pub struct Conversion {
    pipeline: Pipeline,
    webhook: Webhook,
    review: String,
    own: GroupVersionKind,
}

/// The place for what an item looks like in a version, by the version's number.
#[must_use]
pub fn slot(number: usize) -> Option<u8> {
    SLOTS.get(number).copied()
}

// === impl Conversion ===

impl Conversion {
    /// What a definition says; nothing if its versions differ in their names only.
    #[must_use]
    pub fn of(crd: &CustomResourceDefinition, own: &GroupVersionKind, pipeline: &Pipeline) -> Option<Self> {
        let conversion = crd.spec.conversion.as_ref().filter(|conversion| conversion.strategy == "Webhook")?;
        let webhook = conversion.webhook.as_ref()?;
        let client = webhook.client_config.as_ref()?;
        let place = match (&client.url, &client.service) {
            (Some(url), _) => Place::Url(url.clone()),
            (None, service) => {
                let service = service.as_ref()?;
                Place::Service {
                    namespace: service.namespace.clone(),
                    name: service.name.clone(),
                    port: u16::try_from(service.port.unwrap_or(443)).ok()?,
                    path: service.path.clone().unwrap_or_default(),
                }
            }
        };
        let bundle = client.ca_bundle.as_ref().map(|bundle| bundle.0.clone()).unwrap_or_default();
        let known = ["v1", "v1beta1"];
        let review = webhook.conversion_review_versions.iter().find(|version| known.contains(&version.as_str()))?;
        Some(Self {
            pipeline: pipeline.clone(),
            webhook: Webhook { place, bundle },
            review: review.clone(),
            own: own.clone(),
        })
    }

    /// Objects in another version.
    pub async fn convert(&self, objects: Vec<Object>, to: &GroupVersionKind) -> Result<Vec<Object>, Status> {
        let wanted = to.api_version();
        let Some(from) = objects.iter().find(|object| object.api_version() != wanted) else { return Ok(objects) };
        let of = format!("{}, Kind={}", from.api_version(), self.own.kind);
        let failed =
            |why: String| Status::failure(500, Reason::Unknown, format!("conversion webhook for {of} failed: {why}"));
        let sent: Vec<&Object> = objects.iter().filter(|object| object.api_version() != wanted).collect();
        let uid = uuid::Uuid::new_v4().to_string();
        let review = json!({
            "kind": "ConversionReview",
            "apiVersion": format!("apiextensions.k8s.io/{}", self.review),
            "request": {"uid": uid, "desiredAPIVersion": wanted, "objects": sent},
            "response": null,
        });
        let mut answer = self
            .webhook
            .post(&self.pipeline, &format!("?timeout={}s", WITHIN.as_secs()), &review, WITHIN)
            .await
            .map_err(failed)?;
        let made = read(&mut answer["response"], &uid, sent.len()).map_err(failed)?;
        let mut made = made.into_iter();
        objects
            .into_iter()
            .map(|old| {
                if old.api_version() == wanted {
                    return Ok(old);
                }
                let new = made.next().unwrap_or_default();
                check(&old, new, &wanted, &self.own.kind).map_err(failed)
            })
            .collect()
    }

    /// Makes sure that items can be shown in this version.
    pub async fn settle(&self, items: &[Arc<Item>], slot: u8) -> Result<(), Status> {
        let form = Form::new(slot);
        let missing: Vec<&Arc<Item>> = items.iter().filter(|item| item.encoded(form, |_| Err(())).is_err()).collect();
        let read = |item: &&Arc<Item>| Object::from_json(item.json()).map_err(|error| Status::internal(&error));
        let objects = missing.iter().map(read).collect::<Result<Vec<_>, _>>()?;
        let converted = self.convert(objects, &self.own).await?;
        for (item, mut object) in missing.into_iter().zip(converted) {
            nakhoda_api::structural::go::canonical_root(object.root_mut());
            let json = Bytes::from(object.to_json());
            item.encoded(form, |_| Ok::<_, Status>(json))?;
        }
        Ok(())
    }
}

fn read(response: &mut Value, uid: &str, count: usize) -> Result<Vec<Object>, String> {
    if response["uid"] != uid {
        return Err(format!("expected response.uid={uid:?}, got {}", response["uid"]));
    }
    let result = &response["result"];
    if result["status"] != "Success" {
        return Err(match result["message"].as_str().unwrap_or_default() {
            "" => "unsuccessful response".to_owned(),
            message => message.to_owned(),
        });
    }
    let Value::Array(made) = response["convertedObjects"].take() else {
        return Err(format!("webhook returned 0 objects, expected {count}"));
    };
    if made.len() != count {
        return Err(format!("webhook returned {} objects, expected {count}", made.len()));
    }
    made.into_iter().map(|object| Object::from_value(object).map_err(|error| error.to_string())).collect()
}

/// The converted object with what a webhook may not change as it was.
fn check(old: &Object, mut new: Object, wanted: &str, kind: &str) -> Result<Object, String> {
    if new.api_version() != wanted {
        return Err(format!(
            "webhook returned invalid converted object: invalid groupVersion (actual {}, expected {wanted})",
            new.api_version()
        ));
    }
    if new.kind() != kind {
        return Err(format!(
            "webhook returned invalid converted object: invalid kind (actual {:?}, expected {kind:?})",
            new.kind()
        ));
    }
    for (field, named) in [("name", "name"), ("namespace", "namespace"), ("uid", "UID")] {
        if new.meta_str(field) != old.meta_str(field) {
            return Err(format!(
                "webhook returned invalid metadata: mutation of {named} is not allowed (actual {:?}, expected {:?})",
                new.meta_str(field),
                old.meta_str(field)
            ));
        }
    }
    let mut metadata = old.at(&["metadata"]).and_then(Value::as_object).cloned().unwrap_or_default();
    for field in OPEN {
        match new.at(&["metadata", field]) {
            Some(value) => drop(metadata.insert(field.into(), value.clone())),
            None => drop(Map::shift_remove(&mut metadata, field)),
        }
    }
    new.set_at(&["metadata"], metadata.into());
    Ok(new)
}
