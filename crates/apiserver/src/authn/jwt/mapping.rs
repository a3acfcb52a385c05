//! What is made of the claims of a verified token: a user, or a refusal. Plain functions over values.

use std::collections::BTreeMap;

use nakhoda_api::cel::eval::PER_CALL;
use nakhoda_api::cel::{Budget, Program, Val};
use serde_json::{Map, Value, json};

use crate::user::User;

/// The key under which a user's credential is told.
const CREDENTIAL: &str = "authentication.kubernetes.io/credential-id";

/// The rules of one issuer.
#[derive(Clone, Debug, Default)]
pub struct Rules {
    /// The name.
    pub username: Source,
    /// The groups.
    pub groups: Option<Source>,
    /// The uid.
    pub uid: Option<Source>,
    /// Further facts by their keys.
    pub extra: Vec<(String, Program)>,
    /// Claims that must have these values.
    pub required: BTreeMap<String, String>,
    /// What must be so of `claims`.
    pub claims: Vec<Check>,
    /// What must be so of `user`.
    pub users: Vec<Check>,
}

/// From where a value comes.
#[derive(Clone, Debug)]
pub enum Source {
    /// A claim, behind a prefix.
    Claim {
        /// Which.
        claim: String,
        /// May be empty.
        prefix: String,
    },
    /// An expression over `claims`.
    Expression(Program),
}

/// A condition and what is told if it is not so.
#[derive(Clone, Debug)]
pub struct Check {
    /// The condition.
    pub program: Program,
    /// The text.
    pub message: String,
}

/// Why claims make no user.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum ClaimError {
    /// A claim is absent, or not of the type that it should be.
    #[error("oidc: parse {what} {claim:?}: {why}")]
    Parse {
        /// What for.
        what: &'static str,
        /// Which claim.
        claim: String,
        /// Why not.
        why: &'static str,
    },
    /// The address was not verified.
    #[error("oidc: email not verified")]
    Unverified,
    /// A name must not be empty.
    #[error("oidc: empty username via CEL expression is not allowed")]
    Nameless,
    /// An expression failed, or gave something else than it should.
    #[error("oidc: error evaluating {what}: {why}")]
    Expression {
        /// Which.
        what: &'static str,
        /// Why.
        why: String,
    },
    /// A claim that must be there is not.
    #[error("oidc: required claim {0} not present in ID token")]
    Lacking(String),
    /// A claim has another value.
    #[error("oidc: required claim {claim} value does not match. Got = {got}, want = {want}")]
    Mismatch {
        /// Which.
        claim: String,
        /// The value it has.
        got: String,
        /// The value it should have.
        want: String,
    },
}

type Claims = Map<String, Value>;

// === impl Rules ===

impl Rules {
    /// The user of a token's claims.
    pub fn user(&self, claims: &Value) -> Result<User, ClaimError> {
        let nothing = Claims::new();
        let claims = claims.as_object().unwrap_or(&nothing);
        let mut user = User { name: self.name(claims)?, ..User::default() };
        user.groups = self.groups(claims)?;
        user.uid = self.uid(claims)?;
        user.extra = self.extra(claims)?;
        self.check_required(claims)?;
        held(&self.claims, ("claims", claims), "claim validation expression")?;
        if !self.users.is_empty() {
            let told = json!({"username": user.name, "uid": user.uid, "groups": user.groups, "extra": user.extra});
            let told = told.as_object().unwrap_or(&nothing);
            held(&self.users, ("user", told), "user info validation rule")?;
        }
        Ok(user)
    }

    /// The expressions of which upstream asks whether they look at the claim `email_verified`.
    pub(crate) fn programs(&self) -> impl Iterator<Item = &Program> {
        let name = match &self.username {
            Source::Expression(program) => Some(program),
            Source::Claim { .. } => None,
        };
        name.into_iter().chain(self.extra.iter().map(|(_, p)| p)).chain(self.claims.iter().map(|check| &check.program))
    }

    fn name(&self, claims: &Claims) -> Result<String, ClaimError> {
        match &self.username {
            Source::Claim { claim, prefix } => {
                let name = text(claims, claim, "username claims")?;
                if claim == "email" && claims.get("email_verified").is_some_and(|verified| *verified != true) {
                    return Err(ClaimError::Unverified);
                }
                Ok(format!("{prefix}{name}"))
            }
            Source::Expression(program) => {
                let name = one_text(
                    program,
                    claims,
                    "username claim expression",
                    "username claim expression must return a string",
                )?;
                if name.is_empty() { Err(ClaimError::Nameless) } else { Ok(name) }
            }
        }
    }

    fn groups(&self, claims: &Claims) -> Result<Vec<String>, ClaimError> {
        match &self.groups {
            None => Ok(Vec::new()),
            Some(Source::Claim { claim, prefix }) => {
                let Some(value) = claims.get(claim) else { return Ok(Vec::new()) };
                let groups = strings(value).ok_or_else(|| ClaimError::Parse {
                    what: "groups claim",
                    claim: claim.clone(),
                    why: "json: cannot unmarshal into Go value of type string",
                })?;
                Ok(groups.into_iter().map(|group| format!("{prefix}{group}")).collect())
            }
            Some(Source::Expression(program)) => texts(program, claims, "group claim expression"),
        }
    }

    fn uid(&self, claims: &Claims) -> Result<String, ClaimError> {
        match &self.uid {
            None => Ok(String::new()),
            Some(Source::Claim { claim, .. }) => text(claims, claim, "uid claim"),
            Some(Source::Expression(program)) => {
                one_text(program, claims, "uid claim expression", "uid claim expression must return a string")
            }
        }
    }

    fn extra(&self, claims: &Claims) -> Result<BTreeMap<String, Vec<String>>, ClaimError> {
        let mut extra = BTreeMap::new();
        if let Some(id) = claims.get("jti").and_then(Value::as_str).filter(|id| !id.is_empty()) {
            extra.insert(CREDENTIAL.to_owned(), vec![format!("JTI={id}")]);
        }
        for (key, program) in &self.extra {
            let values = texts(program, claims, "extra claim expression")?;
            if !values.is_empty() {
                extra.insert(key.clone(), values);
            }
        }
        Ok(extra)
    }

    fn check_required(&self, claims: &Claims) -> Result<(), ClaimError> {
        for (claim, want) in &self.required {
            if !claims.contains_key(claim) {
                return Err(ClaimError::Lacking(claim.clone()));
            }
            let got = text(claims, claim, "claim")?;
            if got != *want {
                return Err(ClaimError::Mismatch { claim: claim.clone(), got, want: want.clone() });
            }
        }
        Ok(())
    }
}

impl Default for Source {
    fn default() -> Self {
        Self::Claim { claim: String::new(), prefix: String::new() }
    }
}

fn text(claims: &Claims, claim: &str, what: &'static str) -> Result<String, ClaimError> {
    let why = match claims.get(claim) {
        Some(Value::String(text)) => return Ok(text.clone()),
        Some(_) => "json: cannot unmarshal into Go value of type string",
        None => "claim not present",
    };
    Err(ClaimError::Parse { what, claim: claim.into(), why })
}

/// A list of texts, or one text.
fn strings(value: &Value) -> Option<Vec<String>> {
    match value {
        Value::String(one) => Some(vec![one.clone()]),
        Value::Array(several) => several.iter().map(|one| one.as_str().map(str::to_owned)).collect(),
        Value::Null => Some(Vec::new()),
        _ => None,
    }
}

fn run<'a>(program: &'a Program, variable: (&'a str, &'a Claims), what: &'static str) -> Result<Val<'a>, ClaimError> {
    let variables = [(variable.0, Val::Object(variable.1, None))];
    program
        .run(&variables, &mut Budget::new(PER_CALL))
        .map_err(|why| ClaimError::Expression { what, why: why.to_string() })
}

fn one_text(program: &Program, claims: &Claims, what: &'static str, why: &str) -> Result<String, ClaimError> {
    match run(program, ("claims", claims), what)? {
        Val::Text(text) => Ok(text.into_owned()),
        _ => Err(ClaimError::Expression { what, why: why.into() }),
    }
}

/// A text or a list of texts; empty ones count for nothing.
fn texts(program: &Program, claims: &Claims, what: &'static str) -> Result<Vec<String>, ClaimError> {
    let value = run(program, ("claims", claims), what)?.json();
    let found = strings(&value).ok_or_else(|| ClaimError::Expression {
        what,
        why: "expression must return a string or a list of strings".into(),
    })?;
    Ok(found.into_iter().filter(|text| !text.is_empty()).collect())
}

fn held(checks: &[Check], variable: (&str, &Claims), what: &'static str) -> Result<(), ClaimError> {
    for Check { program, message } in checks {
        match run(program, variable, what)? {
            Val::Bool(true) => {}
            Val::Bool(false) => {
                let why = format!("validation expression '{}' failed: {message}", program.text());
                return Err(ClaimError::Expression { what, why });
            }
            _ => {
                let why = "validation expression must return a boolean".into();
                return Err(ClaimError::Expression { what, why });
            }
        }
    }
    Ok(())
}
