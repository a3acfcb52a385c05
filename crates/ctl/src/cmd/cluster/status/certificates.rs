//! How long the certificates last that this command and the API server show each other. Those in the folder of the
//! control plane are told by `ctl pki status`.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use nakhoda_api::time::human;
use nakhoda_client::config::kubeconfig::User;
use x509_parser::pem::Pem;
use x509_parser::prelude::{FromDer, X509Certificate};

use super::Part;
use crate::{Context, Error};

/// The share of a certificate's life at whose end it should long have been renewed.
const LATE: f64 = 0.8;

/// The API server's certificate, and the user's.
pub(super) async fn part(context: &Context, now: Timestamp) -> Result<Part, Error> {
    let connected = context.config()?.connector().connect().await;
    let stream = connected.map_err(|error| Error::Usage(error.to_string()))?;
    let shown = stream.get_ref().1.peer_certificates().and_then(<[_]>::first).map(|leaf| leaf.to_vec());
    let kubeconfig = context.kubeconfig()?;
    let own = context.user(&kubeconfig).and_then(certificate);
    let all = [("API server", shown), ("kubeconfig", own)];
    let rows: Vec<[String; 3]> = all.iter().filter_map(|(what, der)| row(what, der.as_deref()?, now)).collect();
    let well = rows.iter().all(|row| row[2] == "well");
    Ok(Part::of(["CERTIFICATE", "ENDS IN", "STATE"], rows, well))
}

/// The certificate of a user, wherever the kubeconfig has it.
fn certificate(user: &User) -> Option<Vec<u8>> {
    let pem = match (&user.client_certificate_data, &user.client_certificate) {
        (Some(data), _) => STANDARD.decode(data.split_whitespace().collect::<String>()).ok()?,
        (None, Some(file)) => std::fs::read(file).ok()?,
        (None, None) => return None,
    };
    Some(Pem::iter_from_buffer(&pem).next()?.ok()?.contents)
}

fn row(what: &str, der: &[u8], now: Timestamp) -> Option<[String; 3]> {
    let (_, certificate) = X509Certificate::from_der(der).ok()?;
    let (from, until) = (certificate.validity().not_before.timestamp(), certificate.validity().not_after.timestamp());
    Some([what.into(), human((until - now.as_second()).max(0)), state(from, until, now.as_second()).into()])
}

fn state(from: i64, until: i64, now: i64) -> &'static str {
    #[allow(clippy::cast_precision_loss, reason = "a share of a life is no exact number")]
    let share = (now - from) as f64 / (until - from).max(1) as f64;
    match share {
        share if share >= 1.0 => "has ended",
        share if share >= LATE => "ends soon",
        _ => "well",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_that_nobody_renews_is_a_fault_before_it_ends() {
        assert_eq!([100, 950, 1000].map(|now| state(0, 1000, now)), ["well", "ends soon", "has ended"]);
    }
}
