//! Who asks: the credentials shown, and who that makes the caller, told here by hand.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use nakhoda_daemon::pki::{Authority, Profile};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;

use super::house::{BOOTSTRAP, House};
use crate::identity::{Bound, Claims, Private};

const LIFE: Duration = Duration::from_secs(3600);

/// A user's name and groups.
pub(super) struct Who {
    pub(super) name: String,
    pub(super) groups: Vec<String>,
}

/// What the credentials are worth.
pub(super) enum Rights {
    /// Nothing: they are not believed.
    Nobody,
    /// They are believed, but what is asked with them never is granted.
    None,
    /// What this user may.
    Of(Who),
}

/// A kind of caller.
pub(super) struct Caller {
    pub(super) name: &'static str,
    pub(super) certificate: Option<Arc<[CertificateDer<'static>]>>,
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) rights: Rights,
}

/// Every kind of caller.
pub(super) async fn all(house: &House) -> Vec<Caller> {
    let mut callers = certified();
    callers.extend(accounts(house).await);
    callers.extend(impersonators());
    callers.push(Caller::anonymous("anonymous", &[]));
    callers.push(Caller::anonymous("naming himself in a front proxy's headers", FRONT_PROXY));
    let bootstrap = who("system:bootstrap:abcdef", &["system:bootstrappers", "system:authenticated"]);
    callers.push(Caller::bearing("a bootstrap token", BOOTSTRAP, Rights::Of(bootstrap)));
    callers.push(Caller::bearing("a bootstrap token of another secret", "abcdef.0000000000000000", Rights::Nobody));
    callers.push(Caller::bearing("no token at all", "nonsense", Rights::Nobody));
    callers
}

const FRONT_PROXY: &[(&str, &str)] = &[("x-remote-user", "root"), ("x-remote-group", "system:masters")];

fn certified() -> Vec<Caller> {
    let folder = std::env::temp_dir().join(format!("nakhoda-matrix-{}", uuid::Uuid::new_v4()));
    std::fs::create_dir_all(&folder).expect("a folder");
    let authority = Authority::create("matrix", &folder.join("ca.crt"), &folder.join("ca.key")).expect("an authority");
    std::fs::remove_dir_all(&folder).expect("removed");
    let users: &[(&str, &str, &[&str])] = &[
        ("cluster-admin by group", "kubernetes-admin", &["system:masters"]),
        ("cluster-admin by binding", "root", &[]),
        ("admin of blue", "ada", &[]),
        ("editor of blue", "ed", &["blue-editors"]),
        ("viewer of blue", "vi", &[]),
        ("everything in blue", "wild", &[]),
        ("one name in blue", "one", &[]),
        ("scaler of all", "scaler", &[]),
        ("an aggregated role", "gatherer", &[]),
        ("plain", "nobody", &[]),
        ("node a", "system:node:a", &["system:nodes"]),
        ("node b", "system:node:b", &["system:nodes"]),
        ("a node's name without its group", "system:node:a", &[]),
        ("a node's group without its name", "mallory", &["system:nodes"]),
        ("scheduler", "system:kube-scheduler", &[]),
        ("controller-manager", "system:kube-controller-manager", &[]),
    ];
    users.iter().map(|(name, user, groups)| Caller::certified(name, &authority, user, groups)).collect()
}

async fn accounts(house: &House) -> Vec<Caller> {
    let alive = async |name, account: (&str, &str), uid: String, audience: &str, age: i64, rights| {
        let bound = Bound { name: account.1.into(), uid };
        let private = Private { namespace: account.0.into(), serviceaccount: bound, ..Private::default() };
        let issuer = &house.core.issuer;
        let now = Timestamp::now().as_second() - age;
        let claims = Claims::new(&issuer.url, vec![audience.to_owned()], private, now, 3600);
        Caller::bearing(name, &issuer.sign(&claims), rights)
    };
    let ours = house.core.issuer.url.clone();
    let (worker, runner) = (house.uid("blue", "worker").await, house.uid("green", "runner").await);
    let of = |namespace: &str, name: &str| {
        let groups = ["system:serviceaccounts", &format!("system:serviceaccounts:{namespace}"), "system:authenticated"];
        Rights::Of(who(&format!("system:serviceaccount:{namespace}:{name}"), &groups))
    };
    vec![
        alive("account in its namespace", ("blue", "worker"), worker.clone(), &ours, 0, of("blue", "worker")).await,
        alive("account in another namespace", ("green", "runner"), runner, &ours, 0, of("green", "runner")).await,
        alive("account of old", ("blue", "worker"), "other".into(), &ours, 0, Rights::Nobody).await,
        alive("account that is gone", ("blue", "gone"), "x".into(), &ours, 0, Rights::Nobody).await,
        alive("account, token expired", ("blue", "worker"), worker.clone(), &ours, 7200, Rights::Nobody).await,
        alive("account, token for others", ("blue", "worker"), worker, "https://other", 0, Rights::Nobody).await,
    ]
}

fn impersonators() -> Vec<Caller> {
    let folder = std::env::temp_dir().join(format!("nakhoda-matrix-{}", uuid::Uuid::new_v4()));
    std::fs::create_dir_all(&folder).expect("a folder");
    let authority = Authority::create("matrix", &folder.join("ca.crt"), &folder.join("ca.key")).expect("an authority");
    std::fs::remove_dir_all(&folder).expect("removed");
    let acting = |name, user, headers: &[(&'static str, &str)], rights| {
        let mut caller = Caller::certified(name, &authority, user, &[]);
        caller.headers = headers.iter().map(|(key, value)| (*key, (*value).to_owned())).collect();
        Caller { rights, ..caller }
    };
    let vi = || Rights::Of(who("vi", &["system:authenticated"]));
    let editors = Rights::Of(who("vi", &["blue-editors", "system:authenticated"]));
    let (user, group) = ("impersonate-user", "impersonate-group");
    vec![
        acting("impersonator as the viewer", "actor", &[(user, "vi")], vi()),
        acting("impersonator as a member", "actor", &[(user, "vi"), (group, "blue-editors")], editors),
        acting("impersonator as a stranger", "actor", &[(user, "ada")], Rights::None),
        acting("impersonator as a master", "actor", &[(user, "vi"), (group, "system:masters")], Rights::None),
        acting("acting without the right", "nobody", &[(user, "vi")], Rights::None),
    ]
}

fn who(name: &str, groups: &[&str]) -> Who {
    Who { name: name.into(), groups: groups.iter().map(|&group| group.into()).collect() }
}

// === impl Caller ===

impl Caller {
    fn certified(name: &'static str, authority: &Authority, user: &str, groups: &[&str]) -> Self {
        let (pem, _) = authority.issue(&Profile::client(user, groups), LIFE).expect("issued");
        let der = CertificateDer::from_pem_slice(pem.as_bytes()).expect("a certificate");
        let mut all: Vec<&str> = groups.to_vec();
        all.push("system:authenticated");
        Self { name, certificate: Some([der].into()), headers: Vec::new(), rights: Rights::Of(who(user, &all)) }
    }

    fn bearing(name: &'static str, token: &str, rights: Rights) -> Self {
        Self { name, certificate: None, headers: vec![("authorization", format!("Bearer {token}"))], rights }
    }

    fn anonymous(name: &'static str, headers: &[(&'static str, &str)]) -> Self {
        let headers = headers.iter().map(|(key, value)| (*key, (*value).to_owned())).collect();
        Self {
            name,
            certificate: None,
            headers,
            rights: Rights::Of(who("system:anonymous", &["system:unauthenticated"])),
        }
    }
}
