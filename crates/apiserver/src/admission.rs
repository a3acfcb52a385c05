//! Admission: what becomes of an object between authorization and storage, and what is refused though
//! the caller may write. First all plugins change, then all check.
//!
//! A plugin is one file and one line here; which of them run says [`selection`]. Quotas are charged behind the chain
//! (`quota.rs`), in the transaction that writes the object.

use futures::future::BoxFuture;
use k8s_openapi::Resource;
use nakhoda_api::{GroupVersionKind, Object, Status};
use serde::de::DeserializeOwned;

use crate::kind::Info;
use crate::verb::{Call, get};
use rounds::Rounds;

pub mod connect;
pub mod policy;
pub mod rounds;
pub mod selection;
pub mod webhook;

pub use selection::Selection;

/// What is being done to the object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// It is made.
    Create,
    /// It is replaced or patched.
    Update,
    /// It is deleted.
    Delete,
    /// A stream to it is opened.
    Connect,
}

/// The circumstances (`k8s.io/apiserver/pkg/admission.Attributes`).
#[derive(Clone, Copy)]
pub struct Attributes<'a> {
    /// Who does it to what.
    pub call: &'a Call,
    /// What is being done.
    pub operation: Operation,
    /// The object as it is stored.
    pub old: Option<&'a Object>,
    /// Nothing will be stored.
    pub dry_run: bool,
}

/// One rule, or one filler-in of fields.
pub trait Plugin: Send + Sync {
    /// Upstream's name.
    fn name(&self) -> &'static str;

    /// Takes what the AdmissionConfiguration says of it; most have nothing to say.
    fn configure(&mut self, _: &serde_json::Value) -> Result<(), String> {
        Ok(())
    }

    /// Whether it has anything to do with this.
    fn handles(&self, attributes: &Attributes<'_>) -> bool;

    /// Changes the object.
    fn mutate<'a>(&'a self, _: &'a Attributes<'a>, _: &'a mut Object) -> BoxFuture<'a, Result<(), Status>> {
        Box::pin(async { Ok(()) })
    }

    /// The same by plugins that ask others again after a change.
    fn mutate_in<'a>(
        &'a self,
        attributes: &'a Attributes<'a>,
        object: &'a mut Object,
        _: &'a mut Rounds,
    ) -> BoxFuture<'a, Result<(), Status>> {
        self.mutate(attributes, object)
    }

    /// Refuses the object. For a deletion there is no new object.
    fn validate<'a>(&'a self, _: &'a Attributes<'a>, _: Option<&'a Object>) -> BoxFuture<'a, Result<(), Status>> {
        Box::pin(async { Ok(()) })
    }
}

/// The plugins in running order.
#[derive(Default)]
pub struct Chain(pub Vec<Box<dyn Plugin>>);

/// Whether a plugin runs if nobody says anything of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Usual {
    On,
    Off,
    /// It is no plugin upstream, so nobody can switch it.
    Always,
}

/// Emits the modules and all plugins, in running order.
macro_rules! plugins {
    ($($file:ident :: $plugin:ident $(:: $make:ident ())? is $usual:ident),* $(,)?) => {
        $(pub mod $file;)*

        fn all() -> Vec<(Box<dyn Plugin>, Usual)> {
            vec![$((Box::new($file::$plugin $(::$make())?) as Box<dyn Plugin>, Usual::$usual)),*]
        }
    };
}

// the order decides which of two refusals is heard: it is upstream's (`pkg/kubeapiserver/options/plugins.go`)
plugins! {
    // nothing
    always_admit::AlwaysAdmit is Off,
    // makes what the next one looks for
    namespace_auto_provision::NamespaceAutoProvision is Off,
    // first: nothing else need look at an object whose namespace does not take it
    namespace_lifecycle::NamespaceLifecycle is On,
    namespace_exists::NamespaceExists is Off,
    limit_pod_hard_anti_affinity_topology::LimitPodHardAntiAffinityTopology is Off,
    // before all that looks at what containers ask for
    limit_ranger::LimitRanger is On,
    // adds volumes, which later rules on pods look at
    service_account::ServiceAccount is On,
    // a node's object is judged as the node sent it
    node_restriction::NodeRestriction is On,
    // a new node must not be schedulable before its first heartbeat
    taint_nodes_by_condition::TaintNodesByCondition is On,
    always_pull_images::AlwaysPullImages is Off,
    // behind all that adds containers or volumes; only looks
    pod_security::PodSecurity::new() is On,
    // sets the number by which the scheduler and the kubelet compare pods
    priority::Priority is On,
    // adds only what neither the user nor another plugin has said
    default_toleration_seconds::DefaultTolerationSeconds is On,
    // behind those that add tolerations: looks at all of them
    pod_toleration_restriction::PodTolerationRestriction::new() is Off,
    event_rate_limit::EventRateLimit::new() is Off,
    extended_resource_toleration::ExtendedResourceToleration is Off,
    // adds only what the user has not said
    default_storage_class::DefaultStorageClass is On,
    storage_object_in_use_protection::StorageObjectInUseProtection is On,
    pod_group_protection::PodGroupProtection is On,
    // only looks
    owner_references_permission_enforcement::OwnerReferencesPermissionEnforcement is Off,
    // only looks
    persistent_volume_claim_resize::PersistentVolumeClaimResize is On,
    // behind the tolerations of others: those that its own cover go
    runtime_class::RuntimeClass is On,
    certificate_approval::CertificateApproval is On,
    certificate_signing::CertificateSigning is On,
    cluster_trust_bundle_attest::ClusterTrustBundleAttest is On,
    certificate_subject_restriction::CertificateSubjectRestriction is On,
    // upstream's strategy refuses it, behind all that it finds wrong in the object
    pod_certificate_signing::PodCertificateSigning is Always,
    // adds only what the user has not said
    default_ingress_class::DefaultIngressClass is On,
    deny_service_external_ips::DenyServiceExternalIPs is Off,
    // last of those that change by themselves: a node is known by now
    pod_topology_labels::PodTopologyLabels is On,
    // before webhooks: cheap
    pod_group_workload_exists::PodGroupWorkloadExists is On,
    // behind the defaults that a LimitRange gives; only looks
    pod_resize::PodResizeValidator is On,
    // before the object is stored, whoever filled it in: what it grants must be the caller's to give
    escalation::Escalation is Always,
    // behind all that the server itself changes: policies and webhooks see what would be stored
    mutating_policies::MutatingAdmissionPolicy is On,
    // the last word on an object has who is asked last
    mutating_webhooks::MutatingAdmissionWebhook is On,
    // before the world is asked: policies cost nothing but time
    validating_policies::ValidatingAdmissionPolicy is On,
    // last of those that ask: nothing is told to the world that is refused here anyway
    validating_webhooks::ValidatingAdmissionWebhook is On,
    // charged in the transaction that writes, behind all others
    resource_quota::ResourceQuota is On,
    always_deny::AlwaysDeny is Off,
}

// === impl Chain ===

impl Chain {
    /// The plugins that run if nobody says otherwise.
    #[must_use]
    pub fn standard() -> Self {
        Self(all().into_iter().filter(|(_, usual)| *usual != Usual::Off).map(|(plugin, _)| plugin).collect())
    }

    /// Whether a plugin runs.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.0.iter().any(|plugin| plugin.name() == name)
    }

    /// Lets every plugin change the object, and once more if a policy or a webhook did.
    pub async fn mutate(&self, attributes: &Attributes<'_>, object: &mut Object) -> Result<(), Status> {
        let mut rounds = Rounds::default();
        self.round(attributes, object, &mut rounds).await?;
        if rounds.wanted {
            rounds.again = true;
            self.round(attributes, object, &mut rounds).await?;
        }
        Ok(())
    }

    async fn round(&self, attributes: &Attributes<'_>, object: &mut Object, rounds: &mut Rounds) -> Result<(), Status> {
        for plugin in self.0.iter().filter(|plugin| plugin.handles(attributes)) {
            plugin.mutate_in(attributes, object, rounds).await?;
        }
        Ok(())
    }

    /// Lets every plugin refuse the object.
    pub async fn validate(&self, attributes: &Attributes<'_>, object: Option<&Object>) -> Result<(), Status> {
        for plugin in self.0.iter().filter(|plugin| plugin.handles(attributes)) {
            plugin.validate(attributes, object).await?;
        }
        Ok(())
    }
}

// === impl Attributes ===

impl Attributes<'_> {
    /// Whether this is about a resource of a group, its subresources included.
    #[must_use]
    pub fn is(&self, group: &str, resource: &str) -> bool {
        self.call.target.gvr.group == group && self.call.target.gvr.resource == resource
    }

    /// Whether this is one operation on one resource or subresource (an empty name: the object itself).
    #[must_use]
    pub fn writes(&self, operation: Operation, group: &str, resource: &str, subresource: &str) -> bool {
        self.operation == operation && self.is(group, resource) && self.subresource() == subresource
    }

    /// The subresource; empty for the object itself.
    #[must_use]
    pub fn subresource(&self) -> &str {
        &self.call.target.subresource
    }

    /// An object that the request depends on. One that is missing in the cache may have been made a moment ago: the
    /// store is asked how far it is.
    pub async fn find<T: Resource + DeserializeOwned>(&self, namespace: &str, name: &str) -> Result<Option<T>, Status> {
        let storage = self.call.pipeline.storage();
        if let Some(object) = storage.get(namespace, name) {
            return Ok(Some(object));
        }
        get::snapshot(self.call, "").await?;
        Ok(storage.get(namespace, name))
    }

    /// Of what kind the body is, were the request for a resource of this kind: subresources have bodies of their own.
    #[must_use]
    pub fn body_kind(&self, info: &Info) -> GroupVersionKind {
        let own = info.sub(self.subresource()).and_then(|sub| sub.kind);
        own.map_or_else(|| info.gvk.clone(), |(group, version, kind)| GroupVersionKind::new(group, version, kind))
    }

    /// Fills in what a change has left out, if the body is of the resource's own kind.
    pub fn default(&self, object: &mut Object) -> Result<(), Status> {
        let kind = &self.call.kind;
        if object.gvk().as_ref() == Some(&kind.info.gvk) { kind.strategy.default(object) } else { Ok(()) }
    }

    /// 403 in the words of an admission plugin.
    #[must_use]
    pub fn forbidden(&self, object: Option<&Object>, why: &str) -> Status {
        let named = |object: &Object| match (object.name(), object.meta_str("generateName")) {
            ("", "") => "Unknown".to_owned(),
            ("", prefix) => prefix.to_owned(),
            (name, _) => name.to_owned(),
        };
        let name = match self.call.target.name.as_str() {
            "" => object.map_or_else(|| "Unknown".to_owned(), named),
            name => name.to_owned(),
        };
        Status::forbidden(&self.call.resource(), &name, why)
    }
}
