//! When a request has served its time.

use jiff::{SignedDuration, Timestamp};
use nakhoda_api::kinds::certificates::CertificateSigningRequest as Csr;

use super::since;

/// A request that was decided stays for this long.
const DECIDED: SignedDuration = SignedDuration::from_hours(1);
/// A request that nobody decides stays for this long.
const PENDING: SignedDuration = SignedDuration::from_hours(24);

/// How long a request may still stay; not positive once it should go.
#[must_use]
pub fn left(csr: &Csr, now: Timestamp) -> SignedDuration {
    let at = |type_: &str| since(csr, type_).and_then(|c| c.last_update_time.as_ref()).map(|t| t.0);
    let decided = at("Denied").or_else(|| at("Failed")).or_else(|| at("Approved"));
    let (from, stay) = match decided {
        Some(moment) => (moment, DECIDED),
        None => (csr.metadata.creation_timestamp.as_ref().map_or(now, |t| t.0), PENDING),
    };
    stay - now.duration_since(from)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::controllers::csr::{condition, with_condition};
    use nakhoda_api::kinds::meta::Time;

    #[test]
    fn a_decided_request_goes_after_an_hour_and_a_pending_one_after_a_day() {
        let hour = |h: i64| Timestamp::from_second(h * 3600).expect("in range");
        let mut csr = Csr::default();
        csr.metadata.creation_timestamp = Some(Time(hour(0)));
        assert!(left(&csr, hour(23)).is_positive() && !left(&csr, hour(24)).is_positive());
        let denied = with_condition(&csr, condition("Denied", "x", "y", hour(1)));
        assert!(!left(&denied, hour(2)).is_positive());
    }
}
