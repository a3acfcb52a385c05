use base64::Engine;
use serde_json::{Value, json};

use super::*;
use crate::kinds::testing::{create, prepared, row, update};

fn csr() -> Value {
    let key = rcgen::KeyPair::generate().expect("a key");
    let request = rcgen::CertificateParams::default().serialize_request(&key).expect("a request");
    let pem = base64::engine::general_purpose::STANDARD.encode(request.pem().expect("PEM"));
    json!({"metadata": {"name": "c"}, "spec": {
        "request": pem, "usages": ["client auth"], "signerName": "kubernetes.io/kube-apiserver-client"}})
}

#[test]
fn a_signed_request_is_valid_and_tells_who_asked() {
    let made = prepared::<CertificateSigningRequests>(csr(), None);
    assert_eq!(create::<CertificateSigningRequests>(made.clone()), "");
    assert_eq!(made["spec"]["username"], "alice");
    assert_eq!(
        row::<CertificateSigningRequests>(made)[1..],
        ["<unknown>", "kubernetes.io/kube-apiserver-client", "alice", "<none>", "Pending"]
    );
}

#[test]
fn faults_read_as_upstream_words_them() {
    let mut bad = csr();
    bad["spec"]["request"] = json!("eA==");
    bad["spec"]["usages"] = json!(["signing", "signing"]);
    bad["spec"]["signerName"] = json!("x");
    bad["spec"]["expirationSeconds"] = json!(1);
    assert_eq!(
        create::<CertificateSigningRequests>(bad),
        "[spec.request: Invalid value: \"eA==\": PEM block type must be CERTIFICATE REQUEST, \
         spec.usages[1]: Duplicate value: \"signing\", \
         spec.signerName: Invalid value: \"x\": must be a fully qualified domain and path of the form 'example.com/signer-name', \
         spec.expirationSeconds: Invalid value: 1: may not specify a duration less than 600 seconds (10 minutes)]"
    );
}

#[test]
fn approval_has_its_own_way() {
    let (old, mut new) = (csr(), csr());
    new["spec"] = old["spec"].clone();
    new["status"] = json!({"conditions": [{"type": "Approved", "status": "True"}]});
    assert_eq!(
        update::<CertificateSigningRequests>(old, new.clone()),
        "status.conditions: Forbidden: updates may not add a condition of type \"Approved\""
    );
    assert_eq!(row::<CertificateSigningRequests>(new)[5], "Approved");
}
