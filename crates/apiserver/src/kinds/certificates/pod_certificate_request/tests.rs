use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rcgen::{CertificateParams, KeyPair, date_time_ymd};
use serde_json::{Value, json};

use super::*;
use crate::kinds::testing::{create, defaulted, row, status, update};

fn stub(key: &KeyPair) -> String {
    STANDARD.encode(CertificateParams::default().serialize_request(key).expect("signed").der())
}

fn request(key: &KeyPair) -> Value {
    json!({"metadata": {"name": "r", "namespace": "n"}, "spec": {
        "signerName": "x.io/s", "podName": "p", "podUID": "1", "serviceAccountName": "a", "serviceAccountUID": "2",
        "nodeName": "m", "nodeUID": "3", "maxExpirationSeconds": 86400, "stubPKCS10Request": stub(key)}})
}

fn with(mut value: Value, at: &str, new: Value) -> Value {
    *value.pointer_mut(at).expect("a field") = new;
    value
}

#[test]
fn the_proof_and_all_names_are_needed() {
    let request = request(&KeyPair::generate().expect("a key"));
    assert_eq!(create::<PodCertificateRequests>(request.clone()), "");
    for (at, value, faults) in [
        ("/spec/stubPKCS10Request", json!(""), "spec: Invalid value: exactly one of"),
        ("/spec/stubPKCS10Request", json!("AAAA"), "spec.stubPKCS10Request: Invalid value: must be a valid PKCS#10 CSR"),
        ("/spec/maxExpirationSeconds", json!(60), "spec.maxExpirationSeconds: Invalid value: 60: must be in the range"),
        ("/spec/podUID", json!(""), r#"spec.podUID: Invalid value: "": must not be empty"#),
        ("/spec/signerName", json!(""), "spec.signerName: Required value"),
    ] {
        let told = create::<PodCertificateRequests>(with(request.clone(), at, value));
        assert!(told.starts_with(faults), "{told}");
    }
    let own = with(with(request, "/spec/signerName", json!("kubernetes.io/a")), "/spec/maxExpirationSeconds", json!(90_000));
    assert!(create::<PodCertificateRequests>(own).contains("[3600, 86400]"));
}

#[test]
fn the_spec_stays_and_the_state_is_printed() {
    let request = request(&KeyPair::generate().expect("a key"));
    let other = with(request.clone(), "/spec/podName", json!("q"));
    assert!(update::<PodCertificateRequests>(request.clone(), other).starts_with("spec: Invalid value:"));
    assert_eq!(row::<PodCertificateRequests>(request.clone())[5], "Pending");
    let mut bare = request;
    bare["spec"].as_object_mut().expect("a spec").remove("maxExpirationSeconds");
    assert_eq!(defaulted::<PodCertificateRequests>(bare)["spec"]["maxExpirationSeconds"], 86_400);
}

fn ended(request: &Value, kind: &str, more: Value) -> Value {
    let condition = json!({"type": kind, "status": "True", "reason": "R", "message": "", "lastTransitionTime": "2026-01-02T03:04:05Z"});
    let mut ended = request.clone();
    ended["status"] = more;
    ended["status"]["conditions"] = json!([condition]);
    ended
}

#[test]
fn a_request_ends_once_and_with_a_certificate_of_its_key() {
    let key = KeyPair::generate().expect("a key");
    let request = request(&key);
    let denied = ended(&request, "Denied", json!({}));
    assert_eq!(status::<PodCertificateRequests>(request.clone(), denied.clone()), "");
    let failed = ended(&request, "Failed", json!({}));
    assert!(status::<PodCertificateRequests>(denied, failed).contains("immutable after PodCertificateRequest is issued"));
    let unknown = ended(&request, "Odd", json!({}));
    assert!(status::<PodCertificateRequests>(request.clone(), unknown).contains(r#"Unsupported value: "Odd""#));
    let foreign = ended(&request, "Issued", issued(&KeyPair::generate().expect("a key")));
    assert!(status::<PodCertificateRequests>(request.clone(), foreign).contains("not issued to the requested public key"));
    let early = ended(&request, "Issued", issued(&key));
    assert!(status::<PodCertificateRequests>(request, early).contains("within 5 minutes of kube-apiserver's"));
}

fn issued(key: &KeyPair) -> Value {
    let mut params = CertificateParams::default();
    (params.not_before, params.not_after) = (date_time_ymd(2026, 1, 1), date_time_ymd(2026, 1, 2));
    let certificate = params.self_signed(key).expect("signed");
    json!({"certificateChain": certificate.pem(), "notBefore": "2026-01-01T00:00:00Z",
        "notAfter": "2026-01-02T00:00:00Z", "beginRefreshAt": "2026-01-01T12:00:00Z"})
}
