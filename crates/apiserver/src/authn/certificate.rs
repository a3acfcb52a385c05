//! Client certificates: the common name is the user, the organizations are its groups. TLS has already
//! verified the chain.

use futures::future::{BoxFuture, FutureExt, ready};
use nakhoda_api::Status;
use sha2::{Digest, Sha256};
use x509_parser::prelude::{FromDer, X509Certificate};

use super::Authenticator;
use crate::request::Caller;
use crate::user::{AUTHENTICATED, User};

/// The key under which a user's credential is told, so that its traces can be followed.
const CREDENTIAL: &str = "authentication.kubernetes.io/credential-id";

/// The authenticator.
pub struct Certificates;

impl Authenticator for Certificates {
    fn authenticate<'a>(&'a self, caller: &'a Caller) -> BoxFuture<'a, Result<Option<User>, Status>> {
        ready(caller.certificates.first().map(|c| subject(c)).transpose()).boxed()
    }
}

fn subject(der: &[u8]) -> Result<User, Status> {
    let (_, certificate) = X509Certificate::from_der(der).map_err(|_| Status::unauthorized())?;
    let name = certificate.subject();
    let texts = |values: &mut dyn Iterator<Item = &x509_parser::x509::AttributeTypeAndValue<'_>>| {
        values.filter_map(|v| v.as_str().ok()).map(str::to_owned).collect::<Vec<_>>()
    };
    let user = texts(&mut name.iter_common_name()).into_iter().next().ok_or_else(Status::unauthorized)?;
    let mut groups = texts(&mut name.iter_organization());
    groups.push(AUTHENTICATED.into());
    let digest: String = Sha256::digest(der).iter().map(|byte| format!("{byte:02x}")).collect();
    let extra = [(CREDENTIAL.to_owned(), vec![format!("X509SHA256={digest}")])].into();
    Ok(User { name: user, groups, extra, ..User::default() })
}
