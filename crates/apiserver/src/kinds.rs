//! The list of built-in kinds, and the table in which kinds are looked up at run time.

use std::collections::BTreeMap;
use std::sync::Arc;

use arc_swap::ArcSwap;
use nakhoda_api::{GroupVersionKind, GroupVersionResource};
use tokio::sync::watch;

use crate::kind::Served;

/// Emits the modules and the table from one list: `group { file::Type, … }`.
macro_rules! kinds {
    ($($group:ident { $($file:ident :: $kind:ident),* $(,)? })*) => {
        $(
            #[doc = concat!("Kinds of the folder `", stringify!($group), "`.")]
            pub mod $group { $(pub mod $file;)* }
        )*
        /// Every built-in kind, in discovery's order: groups by upstream's priority.
        #[must_use]
        pub fn built_in() -> Vec<Arc<Served>> {
            vec![$($(Served::new::<$group::$file::$kind>(),)*)*]
        }
    };
}

kinds! {
    core {
        binding::Bindings,
        component_status::ComponentStatuses,
        config_map::ConfigMaps,
        endpoints::AllEndpoints,
        event::Events,
        limit_range::LimitRanges,
        namespace::Namespaces,
        node::Nodes,
        persistent_volume::PersistentVolumes,
        persistent_volume_claim::PersistentVolumeClaims,
        pod::Pods,
        pod_template::PodTemplates,
        replication_controller::ReplicationControllers,
        resource_quota::ResourceQuotas,
        secret::Secrets,
        service::Services,
        service_account::ServiceAccounts,
    }
    apiregistration {
        api_service::APIServices,
    }
    apps {
        controller_revision::ControllerRevisions,
        daemon_set::DaemonSets,
        deployment::Deployments,
        replica_set::ReplicaSets,
        stateful_set::StatefulSets,
    }
    events {
        event::Events,
    }
    authentication {
        self_subject_review::SelfSubjectReviews,
        token_review::TokenReviews,
    }
    authorization {
        local_subject_access_review::LocalSubjectAccessReviews,
        self_subject_access_review::SelfSubjectAccessReviews,
        self_subject_rules_review::SelfSubjectRulesReviews,
        subject_access_review::SubjectAccessReviews,
    }
    autoscaling {
        horizontal_pod_autoscaler::HorizontalPodAutoscalers,
        horizontal_pod_autoscaler_v1::HorizontalPodAutoscalers,
    }
    batch {
        cron_job::CronJobs,
        job::Jobs,
    }
    certificates {
        certificate_signing_request::CertificateSigningRequests,
        cluster_trust_bundle::ClusterTrustBundles,
        pod_certificate_request::PodCertificateRequests,
    }
    networking {
        ingress::Ingresses,
        ingress_class::IngressClasses,
        ip_address::IPAddresses,
        network_policy::NetworkPolicies,
        service_cidr::ServiceCIDRs,
    }
    policy {
        pod_disruption_budget::PodDisruptionBudgets,
    }
    rbac {
        cluster_role::ClusterRoles,
        cluster_role_binding::ClusterRoleBindings,
        role::Roles,
        role_binding::RoleBindings,
    }
    storage {
        csi_driver::CsiDrivers,
        csi_node::CsiNodes,
        csi_storage_capacity::CsiStorageCapacities,
        storage_class::StorageClasses,
        volume_attachment::VolumeAttachments,
        volume_attributes_class::VolumeAttributesClasses,
    }
    admissionregistration {
        mutating_admission_policy::MutatingAdmissionPolicies,
        mutating_admission_policy_binding::MutatingAdmissionPolicyBindings,
        mutating_webhook_configuration::MutatingWebhookConfigurations,
        validating_admission_policy::ValidatingAdmissionPolicies,
        validating_admission_policy_binding::ValidatingAdmissionPolicyBindings,
        validating_webhook_configuration::ValidatingWebhookConfigurations,
    }
    apiextensions {
        custom_resource_definition::CustomResourceDefinitions,
    }
    scheduling {
        pod_group::PodGroups,
        priority_class::PriorityClasses,
        workload::Workloads,
    }
    coordination {
        lease::Leases,
    }
    node {
        runtime_class::RuntimeClasses,
    }
    discovery {
        endpoint_slice::EndpointSlices,
    }
    resource {
        device_class::DeviceClasses,
        device_taint_rule::DeviceTaintRules,
        resource_claim::ResourceClaims,
        resource_claim_template::ResourceClaimTemplates,
        resource_slice::ResourceSlices,
    }
    flowcontrol {
        flow_schema::FlowSchemas,
        priority_level_configuration::PriorityLevelConfigurations,
    }
    storagemigration {
        storage_version_migration::StorageVersionMigrations,
    }
    metrics {
        node_metrics::NodeUsage,
        pod_metrics::PodUsage,
    }
}

#[cfg(test)]
pub(crate) mod testing;

/// The kinds that are served now. Cheap to clone; readers never wait.
#[derive(Clone, Default)]
pub struct Kinds {
    table: Arc<ArcSwap<Table>>,
    changes: Arc<watch::Sender<()>>,
}

/// What was served at a point of time.
#[derive(Clone)]
pub struct State(Arc<Table>);

impl PartialEq for State {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

#[derive(Default, Clone)]
struct Table {
    resources: BTreeMap<GroupVersionResource, Arc<Served>>,
    order: Vec<Arc<Served>>,
}

// === impl Kinds ===

impl Kinds {
    /// The built-in kinds.
    #[must_use]
    pub fn built_in() -> Self {
        let kinds = Self::default();
        for served in built_in() {
            kinds.add(served);
        }
        kinds
    }

    /// Adds a kind, or replaces the one of the same resource.
    pub fn add(&self, served: Arc<Served>) {
        self.table.rcu(|table| {
            let mut table = Table::clone(table);
            table.order.retain(|s| s.info.gvr() != served.info.gvr());
            table.order.push(served.clone());
            table.resources.insert(served.info.gvr(), served.clone());
            table
        });
    }

    /// Takes kinds away and puts others in, in one step. What is there already keeps its place.
    pub fn change(&self, gone: &[GroupVersionResource], new: &[Arc<Served>]) {
        self.table.rcu(|table| {
            let mut table = Table::clone(table);
            let stays = |gvr: &GroupVersionResource| new.iter().any(|served| served.info.gvr() == *gvr);
            for gvr in gone.iter().filter(|gvr| !stays(gvr)) {
                table.resources.remove(gvr);
                table.order.retain(|served| served.info.gvr() != *gvr);
            }
            for served in new {
                let gvr = served.info.gvr();
                match table.order.iter_mut().find(|known| known.info.gvr() == gvr) {
                    Some(known) => *known = served.clone(),
                    None => table.order.push(served.clone()),
                }
                table.resources.insert(gvr, served.clone());
            }
            table
        });
        self.changes.send_replace(());
    }

    /// Wakes whenever kinds come or go.
    #[must_use]
    pub fn changes(&self) -> watch::Receiver<()> {
        self.changes.subscribe()
    }

    /// What is served now, to be compared with what was served before.
    #[must_use]
    pub fn state(&self) -> State {
        State(self.table.load_full())
    }

    /// Whether a group has kinds that no definition makes.
    #[must_use]
    pub fn is_built_in(&self, group: &str) -> bool {
        self.table.load().order.iter().any(|s| s.info.gvk.group == group && s.strategy.schema().is_none())
    }

    /// The kind of a resource.
    #[must_use]
    pub fn get(&self, gvr: &GroupVersionResource) -> Option<Arc<Served>> {
        self.table.load().resources.get(gvr).cloned()
    }

    /// The resource of a kind.
    #[must_use]
    pub fn by_kind(&self, gvk: &GroupVersionKind) -> Option<Arc<Served>> {
        self.table.load().order.iter().find(|s| s.info.gvk == *gvk).cloned()
    }

    /// All of them, in the order in which they were added.
    #[must_use]
    pub fn all(&self) -> Vec<Arc<Served>> {
        self.table.load().order.clone()
    }
}

#[cfg(test)]
mod tests;
