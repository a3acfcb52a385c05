//! Content negotiation: which form of an answer a client reads, and in which form it wrote its body
//! (`k8s.io/apiserver/pkg/endpoints/handlers/negotiation`).

use nakhoda_api::Status;
use nakhoda_api::wire::Media;

use crate::request::{Accept, Form};
use crate::rest::query::Query;

/// Media types that bodies and answers may have, in the order in which errors list them.
const MEDIA: [Media; 3] = [Media::Json, Media::Yaml, Media::Protobuf];

/// One element of an `Accept` header.
#[derive(Clone, Debug, PartialEq)]
pub struct Clause {
    /// For example `application/json` or `*/*`, lower case.
    pub essence: String,
    /// Parameters without `q`, names in lower case.
    pub parameters: Vec<(String, String)>,
    quality: f32,
}

// === impl Clause ===

impl Clause {
    /// Reads a header: best first, equal ones in the order they were written; quality 0 drops one.
    #[must_use]
    pub fn parse_all(header: &str) -> Vec<Self> {
        let mut clauses: Vec<Self> = header
            .split(',')
            .map(str::trim)
            .filter(|c| !c.is_empty())
            .map(Self::parse)
            .filter(|c| c.quality > 0.0)
            .collect();
        clauses.sort_by(|a, b| b.quality.total_cmp(&a.quality));
        clauses
    }

    fn parse(text: &str) -> Self {
        let mut parts = text.split(';').map(str::trim);
        let essence = parts.next().unwrap_or_default().to_ascii_lowercase();
        let mut clause = Self { essence, parameters: Vec::new(), quality: 1.0 };
        for part in parts {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            let (name, value) = (name.trim().to_ascii_lowercase(), value.trim().trim_matches('"'));
            if name == "q" {
                clause.quality = value.parse().unwrap_or(1.0);
            } else {
                clause.parameters.push((name, value.to_owned()));
            }
        }
        clause
    }

    /// A parameter, empty if absent.
    #[must_use]
    pub fn parameter(&self, name: &str) -> &str {
        self.parameters.iter().find(|(n, _)| n == name).map_or("", |(_, v)| v)
    }

    /// The first media type that this clause accepts.
    #[must_use]
    pub fn media(&self) -> Option<Media> {
        match self.essence.as_str() {
            "*/*" | "application/*" => Some(Media::Json),
            essence => Media::parse(essence),
        }
    }
}

/// The forms of an answer that the client reads, best first; 406 if there is none. Never empty.
pub fn forms(header: &str, query: &Query, agent: &str) -> Result<Vec<Accept>, Status> {
    let plain = Accept { pretty: pretty(query, agent), ..Accept::default() };
    let clauses = Clause::parse_all(header);
    if clauses.is_empty() {
        return Ok(vec![plain]);
    }
    let mut forms = Vec::new();
    for clause in &clauses {
        let (Some(media), Some(form)) = (clause.media(), form(clause, query)?) else { continue };
        // a table has no protobuf form that any client reads
        let made =
            !matches!((form, media), (Form::Table(_), Media::Protobuf | Media::Yaml) | (Form::Metadata, Media::Yaml));
        if made && matches!(clause.parameter("stream"), "" | "watch") {
            forms.push(Accept { media, form, pretty: plain.pretty || clause.parameter("pretty") == "1" });
        }
    }
    if forms.is_empty() {
        return Err(Status::not_acceptable(format!(
            "only the following media types are accepted: {}",
            listed(&MEDIA, "")
        )));
    }
    Ok(forms)
}

/// The same for a watch, which YAML cannot frame.
pub fn stream_forms(header: &str, query: &Query, agent: &str) -> Result<Vec<Accept>, Status> {
    let refused = || {
        let listed = listed(&[Media::Json, Media::Protobuf], ";stream=watch");
        Status::not_acceptable(format!("only the following media types are accepted: {listed}"))
    };
    let mut forms =
        forms(header, query, agent).map_err(|status| if status.code == 406 { refused() } else { status })?;
    forms.retain(|accept| accept.media != Media::Yaml);
    if forms.is_empty() { Err(refused()) } else { Ok(forms) }
}

/// The form of an error: as asked if possible, JSON otherwise.
#[must_use]
pub fn accept_for_error(header: &str, query: &Query, agent: &str) -> Accept {
    let media = Clause::parse_all(header).iter().find_map(Clause::media).unwrap_or(Media::Json);
    Accept { media, form: Form::Object, pretty: pretty(query, agent) }
}

/// How a body is encoded; 415 if nobody knows.
pub fn content_type(header: &str) -> Result<Media, Status> {
    if header.is_empty() {
        return Ok(Media::Json);
    }
    Media::parse(header).ok_or_else(|| unsupported(&listed(&MEDIA, "")))
}

/// 415.
#[must_use]
pub fn unsupported(accepted: &str) -> Status {
    Status::unsupported_media_type(format!(
        "the body of the request was in an unknown format - accepted media types include: {accepted}"
    ))
}

/// What the clause wants of an object; `None` if it is a form that nobody makes.
fn form(clause: &Clause, query: &Query) -> Result<Option<Form>, Status> {
    let version = matches!(clause.parameter("v"), "v1" | "v1beta1") && clause.parameter("g") == "meta.k8s.io";
    Ok(match clause.parameter("as") {
        "" if clause.parameter("g").is_empty() && clause.parameter("v").is_empty() => Some(Form::Object),
        "Table" if version => Some(Form::Table(query.included()?)),
        "PartialObjectMetadata" | "PartialObjectMetadataList" if version => Some(Form::Metadata),
        _ => None,
    })
}

/// People get indented JSON.
fn pretty(query: &Query, agent: &str) -> bool {
    match query.get("pretty") {
        "" => ["curl", "Wget", "Mozilla/5.0"].iter().any(|person| agent.starts_with(person)),
        value => matches!(value, "1" | "t" | "T" | "true" | "TRUE" | "True"),
    }
}

/// Media types, each with a suffix, as errors list them.
fn listed(media: &[Media], suffix: &str) -> String {
    media.iter().map(|media| format!("{}{suffix}", media.mime())).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::Included;

    fn negotiated(header: &str) -> Result<(Media, Form), Status> {
        forms(header, &Query::default(), "test").map(|forms| (forms[0].media, forms[0].form))
    }

    #[test]
    fn kubectl_gets_a_table() {
        let header = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json";
        assert_eq!(negotiated(header), Ok((Media::Json, Form::Table(Included::Metadata))));
    }

    #[test]
    fn quality_decides_before_order() {
        let header = "application/json;q=0.5, application/vnd.kubernetes.protobuf, */*;q=0.1";
        assert_eq!(negotiated(header), Ok((Media::Protobuf, Form::Object)));
        assert_eq!(negotiated("application/json;q=0, application/yaml"), Ok((Media::Yaml, Form::Object)));
    }

    #[test]
    fn forms_that_nobody_makes_are_passed_over_or_refused() {
        let header = "application/json;as=Novel;v=v1;g=meta.k8s.io,application/json";
        assert_eq!(negotiated(header), Ok((Media::Json, Form::Object)));
        let error = negotiated("text/html").expect_err("refused");
        let text = "only the following media types are accepted: application/json, application/yaml, application/vnd.kubernetes.protobuf";
        assert_eq!((error.code, error.message.as_str()), (406, text));
    }

    #[test]
    fn a_watch_is_not_framed_in_yaml() {
        let error = stream_forms("application/yaml", &Query::default(), "").expect_err("refused");
        assert!(
            error.message.ends_with("application/json;stream=watch, application/vnd.kubernetes.protobuf;stream=watch")
        );
        assert!(stream_forms("application/yaml, */*", &Query::default(), "").is_ok_and(|f| f.len() == 1));
    }

    #[test]
    fn a_body_in_an_unknown_format_is_refused_in_upstreams_words() {
        assert_eq!(content_type("").ok(), Some(Media::Json));
        assert_eq!(content_type("application/json; charset=utf-8").ok(), Some(Media::Json));
        assert!(content_type("text/plain").is_err_and(|e| e.code == 415 && e.message.ends_with(&listed(&MEDIA, ""))));
    }

    #[test]
    fn people_get_indented_json() {
        let asked = |query: &str, agent: &str| forms("", &Query::parse(query), agent).expect("accepted")[0].pretty;
        assert!(
            asked("", "curl/8.0")
                && asked("pretty=true", "x")
                && !asked("pretty=0", "curl/8.0")
                && !asked("", "kubectl")
        );
    }
}
