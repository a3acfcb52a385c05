use super::*;
use crate::config::identity::Material;

const FILE: &str = "
apiVersion: v1
kind: Config
current-context: one
clusters:
- name: c
  cluster: {server: 'https://127.0.0.1:6443', certificate-authority: pki/ca.crt}
users:
- name: u
  user: {client-certificate-data: aGk=, client-key: pki/u.key}
- name: plugin
  user: {exec: {command: aws}}
contexts:
- name: one
  context: {cluster: c, user: u, namespace: web}
- name: two
  context: {cluster: c, user: plugin}
- name: three
  context: {cluster: gone, user: u}
";

fn parsed() -> Kubeconfig {
    Kubeconfig::parse(FILE, Path::new("/etc/k/admin.conf")).expect("a kubeconfig")
}

#[test]
fn paths_count_from_the_file_and_data_is_decoded() {
    let config = parsed();
    let selected = config.select(None).expect("the current context");
    assert_eq!(selected.namespace, "web");
    assert_eq!(selected.authority().expect("a CA"), Material::File("/etc/k/pki/ca.crt".into()));
    let (cert, key) = selected.key_pair().expect("a pair").expect("is there");
    assert_eq!(cert, Material::Data(b"hi".to_vec()));
    assert_eq!(key, Material::File("/etc/k/pki/u.key".into()));
}

#[test]
fn errors_name_the_file_and_the_field() {
    let config = parsed();
    let told = |name| config.select(Some(name)).err().map(|e| e.to_string()).unwrap_or_default();
    assert!(
        told("two").starts_with("/etc/k/admin.conf: users[plugin].user.exec: credential plugins"),
        "{}",
        told("two")
    );
    assert_eq!(told("three"), "/etc/k/admin.conf: clusters: no entry is named \"gone\"; there are c");
    assert!(told("nope").contains("contexts: no entry is named \"nope\"; there are one, two, three"));
}

#[test]
fn of_several_files_the_first_to_define_a_name_wins() {
    let mut config = parsed();
    let other = "current-context: x\nclusters:\n- name: c\n  cluster: {server: 'https://other'}\n- name: d\n  cluster: {server: 'https://d'}\n";
    config.merge(Kubeconfig::parse(other, Path::new("/b")).expect("a kubeconfig"));
    assert_eq!(config.current_context, "one");
    assert_eq!(config.clusters[0].value.server, "https://127.0.0.1:6443");
    assert_eq!(config.clusters[1].path, Path::new("/b"));
}

#[test]
fn empty_lists_written_as_null_are_taken() {
    let config = Kubeconfig::parse("clusters: null\nusers:\ncontexts: []\n", Path::new("/k")).expect("a kubeconfig");
    assert!(
        config
            .select(None)
            .is_err_and(|e| e.to_string() == "/k: current-context: is not set; set it, or name a context")
    );
}
