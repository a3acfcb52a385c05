//! What a cluster has from its first moment: namespaces, priority classes, roles and bindings.

pub mod policy;
