//! `pki status`: what certificates there are and how long they last.

use std::process::ExitCode;
use std::time::SystemTime;

use nakhoda_api::time::human;
use nakhoda_daemon::pki::upkeep::Certificate;

use super::Folder;
use crate::output::table::Rows;
use crate::{Context, Error, output};

/// Show certificates and how long they last; exit code 1 if one has ended or should have been renewed
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    folder: Folder,
}

/// Runs the command.
pub async fn run(args: Args, _: &Context) -> Result<ExitCode, Error> {
    let certificates = args.folder.open().certificates()?;
    let now = SystemTime::now();
    let heads = ["FILE", "NAME", "SIGNED BY", "AGE", "ENDS IN", "STATE"].map(Into::into).to_vec();
    let rows = certificates.iter().map(|certificate| row(certificate, now).into()).collect();
    output::out::text(&Rows { heads, rows }.text(false));
    let well = certificates.iter().all(|certificate| state(certificate, now) == "well");
    Ok(if well { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn row(certificate: &Certificate, now: SystemTime) -> [String; 6] {
    let span = |from: SystemTime, to: SystemTime| match to.duration_since(from) {
        Ok(span) => human(span.as_secs().cast_signed()),
        Err(_) => "0s".into(),
    };
    [
        certificate.file.display().to_string(),
        certificate.profile.common_name.clone(),
        certificate.authority.clone(),
        span(certificate.from, now),
        span(now, certificate.until),
        state(certificate, now).into(),
    ]
}

fn state(certificate: &Certificate, now: SystemTime) -> &'static str {
    match (certificate.signs, now) {
        (_, now) if now >= certificate.until => "has ended",
        (false, now) if now >= certificate.due() => "due: ctl pki renew",
        (true, now) if now >= certificate.due() => "due: ctl pki rotate-ca",
        _ => "well",
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_certificate_is_due_before_it_ends() {
        let at = |seconds| SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
        let leaf = Certificate {
            file: "apiserver.crt".into(),
            authority: "ca".into(),
            signs: false,
            profile: Default::default(),
            from: at(1000),
            until: at(2000),
        };
        assert_eq!([1100, 1700, 2000].map(|now| state(&leaf, at(now))), ["well", "due: ctl pki renew", "has ended"]);
        assert_eq!(row(&leaf, at(1880))[3..5], ["14m", "2m"]);
    }
}
