//! `dns query`: asks one question, for health checks and for people without dig.

use std::io::Write;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::str::FromStr;

use anyhow::Context;
use hickory_proto::op::{Message, Query};
use hickory_proto::rr::{Name, RecordType};

use crate::forward::{Forwarder, over_tcp};
use crate::options::Question;

/// Asks and prints. Exit code 0 if there is an answer, 1 if not.
#[must_use]
pub fn run(question: &Question) -> ExitCode {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let asked = runtime.context("cannot start").and_then(|r| r.block_on(ask(question)));
    let told = asked.and_then(|lines| {
        writeln!(std::io::stdout(), "{}", lines.join("\n")).context("cannot print")?;
        Ok(!lines.is_empty())
    });
    match told {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            tracing::error!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn ask(question: &Question) -> anyhow::Result<Vec<String>> {
    let name = Name::from_str(&format!("{}.", question.name.trim_end_matches('.')))
        .with_context(|| format!("{:?} is not a domain name", question.name))?;
    let kind = RecordType::from_str(&question.kind.to_ascii_uppercase())
        .with_context(|| format!("{:?} is not a record type; A, AAAA, SRV, PTR, CNAME and TXT are", question.kind))?;
    let mut message = Message::query();
    message.metadata.recursion_desired = true;
    message.add_query(Query::query(name, kind));
    let packet = message.to_vec().context("the question cannot be written")?;
    let server = SocketAddr::new(question.server, question.port);
    let reply = if question.tcp {
        over_tcp(server, &packet).await.with_context(|| format!("{server} does not answer"))?
    } else {
        let asked = Forwarder::new(vec![server]).ask(&packet, false).await;
        asked.with_context(|| format!("{server} does not answer"))?
    };
    let reply = Message::from_vec(&reply).context("the answer cannot be read")?;
    Ok(reply.answers.iter().map(|r| r.data.to_string()).collect())
}
