//! ServiceAccount: an identity for pods. Tokens are made by its subresource `token`.

use nakhoda_api::Scope;
use nakhoda_api::kinds::core::{ObjectReference, ServiceAccount};

use crate::kind::{Columns, Cx, Info, Kind, Sub};

/// The kind.
pub struct ServiceAccounts;

impl Kind for ServiceAccounts {
    type Object = ServiceAccount;

    fn info() -> Info {
        Info {
            short: &["sa"],
            subresources: &[Sub {
                name: "token",
                verbs: &["create"],
                kind: Some(("authentication.k8s.io", "v1", "TokenRequest")),
            }],
            returns_deleted: true,
            ..Info::of::<ServiceAccount>("serviceaccounts", "serviceaccount", Scope::Namespaced)
        }
    }

    /// Of references to secrets only the name counts.
    fn prepare(_: &Cx, new: &mut ServiceAccount, _: Option<&ServiceAccount>) {
        for secret in new.secrets.iter_mut().flatten() {
            *secret = ObjectReference { name: secret.name.take(), ..ObjectReference::default() };
        }
    }

    fn columns() -> Columns<ServiceAccount> {
        Columns::<ServiceAccount>::named().age()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::kinds::testing::prepared;

    #[test]
    fn secrets_are_known_by_name_only() {
        let account =
            prepared::<ServiceAccounts>(json!({"secrets": [{"name": "a", "namespace": "b", "kind": "c"}]}), None);
        assert_eq!(account["secrets"], json!([{"name": "a"}]));
    }
}
