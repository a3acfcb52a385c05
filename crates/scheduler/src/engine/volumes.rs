//! What the API tells of volumes, claims and classes, taken into the cluster.

use std::sync::Arc;

use nakhoda_api::kinds::core::{PersistentVolume, PersistentVolumeClaim};
use nakhoda_api::kinds::storage::{CSINode, StorageClass};
use nakhoda_client::{Change, Key, Resource};

use super::Engine;
use crate::framework::Changes;

/// What there is now, or what is gone.
pub(super) fn split<K>(change: Change<K>) -> Result<Arc<K>, Arc<K>> {
    match change {
        Change::Added(object) | Change::Updated { new: object, .. } => Ok(object),
        Change::Deleted(object) => Err(object),
    }
}

// === impl Engine ===

impl Engine {
    pub(super) fn on_volume(&mut self, change: Change<PersistentVolume>) {
        match split(change) {
            Ok(volume) => self.cluster.volumes_mut().set_volume(volume),
            Err(volume) => self.cluster.volumes_mut().remove_volume(volume.name()),
        }
        self.stir(Changes::VOLUMES);
    }

    pub(super) fn on_claim(&mut self, change: Change<PersistentVolumeClaim>) {
        match split(change) {
            Ok(claim) => self.cluster.volumes_mut().set_claim(claim),
            Err(claim) => self.cluster.volumes_mut().remove_claim(&Key::of(&*claim)),
        }
        self.stir(Changes::VOLUMES);
    }

    pub(super) fn on_class(&mut self, change: Change<StorageClass>) {
        match split(change) {
            Ok(class) => self.cluster.volumes_mut().set_class(class),
            Err(class) => self.cluster.volumes_mut().remove_class(class.name()),
        }
        self.stir(Changes::VOLUMES);
    }

    pub(super) fn on_limits(&mut self, change: &Change<CSINode>) {
        match change {
            Change::Added(node) | Change::Updated { new: node, .. } => self.cluster.volumes_mut().set_limits(node),
            Change::Deleted(node) => self.cluster.volumes_mut().remove_limits(node.name()),
        }
        self.stir(Changes::VOLUMES);
    }
}
