//! The typed model of the built-in kinds. The only place that names `k8s_openapi` modules by path,
//! so that the rest of the tree writes `kinds::core::Pod`.

pub mod metrics;
pub mod pressure;

pub use k8s_openapi::api::admissionregistration::v1 as admissionregistration;
pub use k8s_openapi::api::apps::v1 as apps;
pub use k8s_openapi::api::authentication::v1 as authentication;
pub use k8s_openapi::api::authorization::v1 as authorization;
pub use k8s_openapi::api::autoscaling::v1 as autoscaling_v1;
pub use k8s_openapi::api::autoscaling::v2 as autoscaling;
pub use k8s_openapi::api::batch::v1 as batch;
pub use k8s_openapi::api::certificates::v1 as certificates;
pub use k8s_openapi::api::coordination::v1 as coordination;
pub use k8s_openapi::api::core::v1 as core;
pub use k8s_openapi::api::discovery::v1 as discovery;
pub use k8s_openapi::api::events::v1 as events;
pub use k8s_openapi::api::flowcontrol::v1 as flowcontrol;
pub use k8s_openapi::api::networking::v1 as networking;
pub use k8s_openapi::api::node::v1 as node;
pub use k8s_openapi::api::policy::v1 as policy;
pub use k8s_openapi::api::rbac::v1 as rbac;
pub use k8s_openapi::api::resource::v1 as resource;
pub use k8s_openapi::api::scheduling::v1 as scheduling;
pub use k8s_openapi::api::scheduling::v1beta1 as scheduling_v1beta1;
pub use k8s_openapi::api::storage::v1 as storage;
pub use k8s_openapi::api::storagemigration::v1 as storagemigration;
pub use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1 as apiextensions;
pub use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
pub use k8s_openapi::apimachinery::pkg::apis::meta::v1 as meta;
pub use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
pub use k8s_openapi::kube_aggregator::pkg::apis::apiregistration::v1 as apiregistration;
