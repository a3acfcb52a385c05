//! Ingress: which Service answers which host and path from outside.

use nakhoda_api::Scope;
use nakhoda_api::field::{Errors, Path};
use nakhoda_api::kinds::networking::{Ingress, IngressLoadBalancerIngress, IngressSpec};
use nakhoda_api::names;

use crate::kind::{Columns, Cx, Info, Kind, STATUS};
use crate::rules::check::{each, keep_status, list, subdomain, text};
use crate::rules::network::address_warning;
use crate::rules::print::or_none;

mod backend;
mod rule;

/// The kind.
pub struct Ingresses;

/// By this annotation the class was named before there was a field.
pub(crate) const CLASS: &str = "kubernetes.io/ingress.class";

impl Kind for Ingresses {
    type Object = Ingress;

    fn info() -> Info {
        Info {
            short: &["ing"],
            subresources: &[STATUS],
            generation: true,
            storage: "ingress",
            ..Info::of::<Ingress>("ingresses", "ingress", Scope::Namespaced)
        }
    }

    fn prepare(cx: &Cx, new: &mut Ingress, old: Option<&Ingress>) {
        keep_status(cx, &mut new.status, old.map(|old| &old.status));
    }

    fn validate(cx: &Cx, new: &Ingress, old: Option<&Ingress>, errors: &mut Errors) {
        if cx.subresource == "status" {
            return status(errors, balancers(new), old.map(balancers).unwrap_or_default());
        }
        let none = IngressSpec::default();
        let spec = new.spec.as_ref().unwrap_or(&none);
        let before = old.map(|old| old.spec.as_ref().unwrap_or(&none));
        rule::spec(errors, &Path::new("spec"), spec, before);
        if let (None, Some(named), Some(class)) = (old, annotated(new), &spec.ingress_class_name)
            && named != class
        {
            let at = Path::new("annotations").child(CLASS);
            errors.invalid(&at, named, "must match `ingressClassName` when both are specified");
        }
    }

    fn warnings(new: &Ingress, old: Option<&Ingress>) -> Vec<String> {
        let has_class = new.spec.as_ref().is_some_and(|spec| spec.ingress_class_name.is_some());
        let mut warnings = Vec::new();
        if old.is_none() && annotated(new).is_some() && !has_class {
            warnings
                .push(format!("annotation \"{CLASS}\" is deprecated, please use 'spec.ingressClassName' instead"));
        }
        let path = Path::new("status.loadBalancer.ingress");
        let changed = old.is_some_and(|old| old.status != new.status);
        let told = balancers(new).iter().enumerate().filter(|_| changed);
        warnings.extend(told.filter_map(|(i, one)| address_warning(&path.index(i), text(&one.ip))));
        warnings
    }

    fn columns() -> Columns<Ingress> {
        Columns::<Ingress>::named()
            .text("Class", |i, _| or_none(text(&spec(i).ingress_class_name)).into())
            .text("Hosts", |i, _| hosts(&spec(i)).into())
            .text("Address", |i, _| addresses(balancers(i)).into())
            .text("Ports", |i, _| if list(&spec(i).tls).is_empty() { "80" } else { "80, 443" }.into())
            .age()
    }
}

fn spec(ingress: &Ingress) -> IngressSpec {
    ingress.spec.clone().unwrap_or_default()
}

fn annotated(ingress: &Ingress) -> Option<&str> {
    ingress.metadata.annotations.as_ref()?.get(CLASS).map(String::as_str)
}

fn balancers(ingress: &Ingress) -> &[IngressLoadBalancerIngress] {
    let balancer = ingress.status.as_ref().and_then(|status| status.load_balancer.as_ref());
    balancer.map(|balancer| list(&balancer.ingress)).unwrap_or_default()
}

fn status(errors: &mut Errors, new: &[IngressLoadBalancerIngress], old: &[IngressLoadBalancerIngress]) {
    let path = Path::new("status.loadBalancer.ingress");
    for (i, one) in new.iter().enumerate() {
        let (at, ip, host) = (path.index(i), text(&one.ip), text(&one.hostname));
        if !ip.is_empty() && !old.iter().any(|old| text(&old.ip) == ip) {
            each(errors, &at.child("ip"), ip, names::is_valid_ip(ip));
        }
        if !host.is_empty() {
            subdomain(errors, &at.child("hostname"), host);
            rule::no_address(errors, &at.child("hostname"), host);
        }
    }
}

/// The first three; how many more there are counts rules, with a host or not.
fn hosts(spec: &IngressSpec) -> String {
    let (mut shown, mut more) = (Vec::new(), false);
    for rule in list(&spec.rules) {
        more |= shown.len() == 3;
        if !more && !text(&rule.host).is_empty() {
            shown.push(text(&rule.host));
        }
    }
    match shown.join(",") {
        none if none.is_empty() => "*".into(),
        all if more => format!("{all} + {} more...", list(&spec.rules).len() - 3),
        all => all,
    }
}

fn addresses(balancers: &[IngressLoadBalancerIngress]) -> String {
    let named = |one: &IngressLoadBalancerIngress| match text(&one.ip) {
        "" => text(&one.hostname).to_owned(),
        ip => ip.to_owned(),
    };
    let all: std::collections::BTreeSet<String> = balancers.iter().map(named).filter(|a| !a.is_empty()).collect();
    all.into_iter().collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests;
