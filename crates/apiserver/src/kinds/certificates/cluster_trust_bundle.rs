//! ClusterTrustBundle: certificates of authorities that workloads may trust, for a signer or for anybody.

use nakhoda_api::field::{Errors, Path};
use nakhoda_api::kinds::certificates::ClusterTrustBundle;
use nakhoda_api::kinds::meta::ObjectMeta;
use nakhoda_api::{Scope, names};
use x509_parser::pem::Pem;

use super::certificate_signing_request::signer;
use crate::kind::{Columns, Cx, Fields, Info, Kind, NameRule};
use crate::rules::check::{each, immutable, text};
use crate::rules::print::or_none;

const LARGEST: usize = 1 << 20;
const OMITTED: &str = "<value omitted>";

/// The kind.
pub struct ClusterTrustBundles;

impl Kind for ClusterTrustBundles {
    type Object = ClusterTrustBundle;

    fn info() -> Info {
        Info {
            names: NameRule::Own,
            unconditional_update: false,
            ..Info::of::<ClusterTrustBundle>("clustertrustbundles", "clustertrustbundle", Scope::Cluster)
        }
    }

    fn validate(_: &Cx, new: &ClusterTrustBundle, old: Option<&ClusterTrustBundle>, errors: &mut Errors) {
        let (spec, name) = (Path::new("spec"), text(&new.spec.signer_name));
        named(errors, &new.metadata, name);
        if !name.is_empty() {
            signer(errors, &spec.child("signerName"), name);
        }
        if old.is_none_or(|old| old.spec.trust_bundle != new.spec.trust_bundle) {
            anchors(errors, &spec.child("trustBundle"), &new.spec.trust_bundle);
        }
        if let Some(old) = old {
            immutable(errors, &spec.child("signerName"), &name, &text(&old.spec.signer_name));
        }
    }

    fn fields(bundle: &ClusterTrustBundle) -> Fields {
        vec![("spec.signerName", text(&bundle.spec.signer_name).to_owned())]
    }

    const PLAIN_FIELDS: bool = true;

    fn columns() -> Columns<ClusterTrustBundle> {
        Columns::<ClusterTrustBundle>::named().text("SignerName", |b, _| or_none(text(&b.spec.signer_name)).into())
    }
}

/// The name begins with the signer's.
fn named(errors: &mut Errors, meta: &ObjectMeta, signer: &str) {
    let path = Path::new("metadata");
    for (field, name) in [("generateName", &meta.generate_name), ("name", &meta.name)] {
        let name = text(name);
        if !name.is_empty() {
            each(errors, &path.child(field), name, faults(name, signer, field == "generateName"));
        }
    }
}

fn faults(name: &str, signer: &str, prefix: bool) -> Vec<String> {
    let start = if signer.is_empty() { String::new() } else { signer.replace('/', ":") + ":" };
    let Some(rest) = name.strip_prefix(&start) else {
        return vec![format!("ClusterTrustBundle for signerName {signer} must be named with prefix {start}")];
    };
    if signer.is_empty() && name.contains(':') {
        return vec![r#"ClusterTrustBundle without signer name must not have ":" in its name"#.into()];
    }
    // a prefix may end where a name may not
    let whole = if prefix { format!("{}a", rest.trim_end_matches(['-', '.'])) } else { rest.to_owned() };
    names::is_dns1123_subdomain(&whole)
}

/// PEM blocks, each an authority's certificate, none twice.
fn anchors(errors: &mut Errors, path: &Path, bundle: &str) {
    if bundle.len() > LARGEST {
        return errors.too_long(path, LARGEST);
    }
    let blocks: Vec<Pem> = Pem::iter_from_buffer(bundle.as_bytes()).filter_map(Result::ok).collect();
    let wrong: Vec<String> =
        blocks.iter().enumerate().filter_map(|(i, block)| Some(format!("entry {i} {}", fault(block)?))).collect();
    if !wrong.is_empty() {
        return wrong.into_iter().for_each(|why| errors.invalid(path, OMITTED, why));
    }
    if blocks.is_empty() {
        errors.invalid(path, OMITTED, "at least one trust anchor must be provided");
    }
    for (first, block) in blocks.iter().enumerate() {
        let same: Vec<usize> = (0..blocks.len()).filter(|i| blocks[*i].contents == block.contents).collect();
        if same.len() > 1 && same[0] == first {
            let list: Vec<_> = same.iter().map(ToString::to_string).collect();
            errors.invalid(path, OMITTED, format!("duplicate trust anchor (indices [{}])", list.join(" ")));
        }
    }
}

fn fault(block: &Pem) -> Option<String> {
    if block.label != "CERTIFICATE" {
        return Some(format!("has bad block type: {}", block.label));
    }
    let Ok(certificate) = block.parse_x509() else { return Some("does not parse as X.509".into()) };
    match certificate.basic_constraints() {
        Ok(Some(found)) if found.value.ca => None,
        Ok(_) => Some("does not have the CA bit set".into()),
        Err(_) => Some("has invalid basic constraints".into()),
    }
}

#[cfg(test)]
mod tests {
    use rcgen::{BasicConstraints, CertificateParams, IsCa, KeyPair};
    use serde_json::{Value, json};

    use super::*;
    use crate::kinds::testing::{create, row, update};

    fn certificate(ca: bool) -> String {
        let mut params = CertificateParams::default();
        if ca {
            params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        }
        params.self_signed(&KeyPair::generate().expect("a key")).expect("signed").pem()
    }

    fn bundle(name: &str, signer: &str, bundle: &str) -> Value {
        json!({"metadata": {"name": name}, "spec": {"signerName": signer, "trustBundle": bundle}})
    }

    #[test]
    fn only_certificates_of_authorities_are_taken_each_once() {
        let (anchor, leaf) = (certificate(true), certificate(false));
        assert_eq!(create::<ClusterTrustBundles>(bundle("a", "", &anchor)), "");
        let shown = r#"spec.trustBundle: Invalid value: "<value omitted>":"#;
        for (text, why) in [
            (String::new(), "at least one trust anchor must be provided"),
            (leaf, "entry 0 does not have the CA bit set"),
            (format!("{anchor}{anchor}"), "duplicate trust anchor (indices [0 1])"),
            (anchor.replace("CERTIFICATE", "KEY"), "entry 0 has bad block type: KEY"),
        ] {
            assert_eq!(create::<ClusterTrustBundles>(bundle("a", "", &text)), format!("{shown} {why}"));
        }
    }

    #[test]
    fn the_name_goes_with_the_signer_which_stays() {
        let anchor = certificate(true);
        let of = |name: &str, signer: &str| bundle(name, signer, &anchor);
        assert_eq!(create::<ClusterTrustBundles>(of("x.io:a:v1", "x.io/a")), "");
        let faults = create::<ClusterTrustBundles>(of("v1", "x.io/a"));
        assert!(faults.ends_with("ClusterTrustBundle for signerName x.io/a must be named with prefix x.io:a:"));
        assert!(create::<ClusterTrustBundles>(of("x.io:a:v1", "")).ends_with(r#"must not have ":" in its name"#));
        let changed = update::<ClusterTrustBundles>(of("x.io:a:v1", "x.io/a"), of("x.io:a:v1", "x.io/b"));
        assert!(changed.contains(r#"spec.signerName: Invalid value: "x.io/b": field is immutable"#), "{changed}");
        assert_eq!(row::<ClusterTrustBundles>(of("x.io:a:v1", "x.io/a"))[1], "x.io/a");
    }
}
