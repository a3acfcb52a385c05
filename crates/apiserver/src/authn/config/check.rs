//! What may stand in an AuthenticationConfiguration, in upstream's words
//! (`k8s.io/apiserver/pkg/apis/apiserver/validation`), and the rules it comes to.

mod issuer;

use std::collections::BTreeSet;
use std::sync::LazyLock;

use nakhoda_api::cel::{Program, Type, Variables};
use nakhoda_api::field::{Errors, Path};
use nakhoda_api::structural::Schema;
use serde_json::{Value, json};

use super::{Authenticator, ClaimRule, Configuration, Extra, Mapping, Mappings, UserRule};
use crate::authn::jwt::mapping::{Check, Rules, Source};
use crate::rules::reference::domain_path;

/// How many issuers there may be.
const ISSUERS_MAX: usize = 64;
const BOTH: &str = "claim and expression can't both be set";

/// The type of `user` in expressions.
static USER: LazyLock<Schema> = LazyLock::new(|| {
    let texts = json!({"type": "array", "items": {"type": "string"}});
    let schema = json!({"type": "object", "properties": {
        "username": {"type": "string"}, "uid": {"type": "string"}, "groups": texts,
        "extra": {"type": "object", "additionalProperties": texts},
    }});
    serde_json::from_value(schema).expect("a schema")
});

/// The rules of each issuer, in the order of the file.
pub fn check(file: &Configuration, disallowed: &[String]) -> Result<Vec<Rules>, Errors> {
    let (root, mut errors) = (Path::new("jwt"), Errors::default());
    if file.jwt.len() > ISSUERS_MAX {
        errors.too_many(&root, file.jwt.len(), ISSUERS_MAX);
        return Err(errors);
    }
    let (mut urls, mut discoveries) = (BTreeSet::new(), BTreeSet::new());
    let mut all = Vec::new();
    for (index, one) in file.jwt.iter().enumerate() {
        let path = root.index(index);
        all.push(authenticator(&mut errors, &path, one, disallowed));
        let at = path.child("issuer");
        if !urls.insert(&one.issuer.url) {
            errors.duplicate(&at.child("url"), one.issuer.url.as_str());
        }
        if !one.issuer.discovery_url.is_empty() && !discoveries.insert(&one.issuer.discovery_url) {
            errors.duplicate(&at.child("discoveryURL"), one.issuer.discovery_url.as_str());
        }
    }
    if let Some(anonymous) = file.anonymous.as_ref().filter(|one| !one.enabled && !one.conditions.is_empty()) {
        let shown: Value = anonymous.conditions.iter().map(|one| json!({"Path": one.path})).collect();
        errors.invalid(
            &Path::new("anonymous").child("conditions"),
            shown,
            "enabled should be set to true when conditions are defined",
        );
    }
    if errors.is_empty() { Ok(all) } else { Err(errors) }
}

fn authenticator(errors: &mut Errors, path: &Path, one: &Authenticator, disallowed: &[String]) -> Rules {
    issuer::check(errors, &path.child("issuer"), &one.issuer, disallowed);
    let mut rules = Rules::default();
    claim_rules(errors, &path.child("claimValidationRules"), &one.claim_validation_rules, &mut rules);
    mappings(errors, &path.child("claimMappings"), &one.claim_mappings, &mut rules);
    user_rules(errors, &path.child("userValidationRules"), &one.user_validation_rules, &mut rules);
    rules
}

fn claim_rules(errors: &mut Errors, path: &Path, given: &[ClaimRule], rules: &mut Rules) {
    let (mut claims, mut expressions) = (BTreeSet::new(), BTreeSet::new());
    for (index, rule) in given.iter().enumerate() {
        let at = path.index(index);
        match (rule.claim.is_empty(), rule.expression.is_empty()) {
            (false, false) => errors.invalid(&at, rule.claim.as_str(), BOTH),
            (true, true) => errors.required(&at, "claim or expression is required"),
            (false, true) => {
                if !rule.message.is_empty() {
                    errors.invalid(
                        &at.child("message"),
                        rule.message.as_str(),
                        "may not be specified when claim is set",
                    );
                }
                if !claims.insert(&rule.claim) {
                    errors.duplicate(&at.child("claim"), rule.claim.as_str());
                }
                rules.required.insert(rule.claim.clone(), rule.required_value.clone());
            }
            (true, false) => {
                if !rule.required_value.is_empty() {
                    let why = "may not be specified when expression is set";
                    errors.invalid(&at.child("requiredValue"), rule.required_value.as_str(), why);
                }
                let at = at.child("expression");
                if !expressions.insert(&rule.expression) {
                    errors.duplicate(&at, rule.expression.as_str());
                } else if let Some(program) = condition(errors, &at, &rule.expression, &claims_only()) {
                    rules.claims.push(Check { program, message: rule.message.clone() });
                }
            }
        }
    }
}

fn mappings(errors: &mut Errors, path: &Path, given: &Mappings, rules: &mut Rules) {
    let username = path.child("username");
    match prefixed(errors, &username, &given.username) {
        Some(source) => rules.username = source,
        None if given.username.claim.is_empty() && given.username.expression.is_empty() => {
            errors.required(&username, "claim or expression is required");
        }
        None => {}
    }
    rules.groups = prefixed(errors, &path.child("groups"), &given.groups);
    let uid = path.child("uid");
    match (given.uid.claim.as_str(), given.uid.expression.as_str()) {
        ("", "") => {}
        (claim, "") => rules.uid = Some(Source::Claim { claim: claim.to_owned(), prefix: String::new() }),
        ("", text) => {
            rules.uid = expression(errors, &uid.child("expression"), text, &claims_only()).map(Source::Expression);
        }
        _ => errors.invalid(&uid, "", BOTH),
    }
    extra(errors, &path.child("extra"), &given.extra, rules);
    let email = matches!(&rules.username, Source::Expression(program) if program.selects("claims", "email"));
    if email && !rules.programs().any(|program| program.selects("claims", "email_verified")) {
        errors.invalid(
            &username.child("expression"),
            given.username.expression.as_str(),
            "claims.email_verified must be used in claimMappings.username.expression or claimMappings.extra[*].valueExpression or claimValidationRules[*].expression when claims.email is used in claimMappings.username.expression",
        );
    }
}

/// A claim with its prefix, or an expression; none if neither is given, or if it is wrong.
fn prefixed(errors: &mut Errors, path: &Path, given: &Mapping) -> Option<Source> {
    match (given.claim.as_str(), given.expression.as_str()) {
        ("", "") => None,
        (claim, "") => {
            let Some(prefix) = &given.prefix else {
                let why = "prefix is required when claim is set. It can be set to an empty string to disable prefixing";
                errors.required(&path.child("prefix"), why);
                return None;
            };
            Some(Source::Claim { claim: claim.to_owned(), prefix: prefix.clone() })
        }
        ("", text) => {
            if let Some(prefix) = &given.prefix {
                let why = "may not be specified when expression is set";
                errors.invalid(&path.child("prefix"), prefix.as_str(), why);
            }
            expression(errors, &path.child("expression"), text, &claims_only()).map(Source::Expression)
        }
        _ => {
            errors.invalid(path, "", BOTH);
            None
        }
    }
}

fn extra(errors: &mut Errors, path: &Path, given: &[Extra], rules: &mut Rules) {
    let mut keys = BTreeSet::new();
    for (index, one) in given.iter().enumerate() {
        let (at, key) = (path.index(index), one.key.as_str());
        let (key_at, value_at) = (at.child("key"), at.child("valueExpression"));
        domain_path(errors, &key_at, key);
        if key.chars().any(char::is_uppercase) {
            errors.invalid(&key_at, key, "must be lowercase");
        }
        let domain = key.split_once('/').map_or("", |(domain, _)| domain);
        let within = |of: &str| domain == of || domain.strip_suffix(of).is_some_and(|rest| rest.ends_with('.'));
        if within("kubernetes.io") || within("k8s.io") {
            let why = "k8s.io, kubernetes.io and their subdomains are reserved for Kubernetes use";
            errors.invalid(&key_at, key, why);
        }
        if !keys.insert(key) {
            errors.duplicate(&key_at, key);
        } else if one.value_expression.is_empty() {
            errors.required(&value_at, "");
        } else if let Some(program) = expression(errors, &value_at, &one.value_expression, &claims_only()) {
            rules.extra.push((key.to_owned(), program));
        }
    }
}

fn user_rules(errors: &mut Errors, path: &Path, given: &[UserRule], rules: &mut Rules) {
    let user: Variables<'static> = [("user".to_owned(), Type::of(&USER, false))].into();
    let mut expressions = BTreeSet::new();
    for (index, rule) in given.iter().enumerate() {
        let at = path.index(index).child("expression");
        if rule.expression.is_empty() {
            errors.required(&at, "");
        } else if !expressions.insert(&rule.expression) {
            errors.duplicate(&at, rule.expression.as_str());
        } else if let Some(program) = condition(errors, &at, &rule.expression, &user) {
            rules.users.push(Check { program, message: rule.message.clone() });
        }
    }
}

fn claims_only() -> Variables<'static> {
    [("claims".to_owned(), Type::map(Type::Text, Type::Dyn))].into()
}

fn expression(errors: &mut Errors, path: &Path, text: &str, variables: &Variables<'static>) -> Option<Program> {
    compile(errors, path, text, variables).map(|(program, _)| program)
}

/// An expression that gives a truth, and is known to.
fn condition(errors: &mut Errors, path: &Path, text: &str, variables: &Variables<'static>) -> Option<Program> {
    let (program, kind) = compile(errors, path, text, variables)?;
    if kind != Type::Bool {
        errors.invalid(path, text, "must evaluate to bool");
        return None;
    }
    Some(program)
}

fn compile<'s>(errors: &mut Errors, path: &Path, text: &str, variables: &Variables<'s>) -> Option<(Program, Type<'s>)> {
    match Program::compile(text, variables) {
        Ok(compiled) => Some(compiled),
        Err(why) => {
            errors.invalid(path, text, format!("compilation failed: {why}"));
            None
        }
    }
}

#[cfg(test)]
mod tests;
