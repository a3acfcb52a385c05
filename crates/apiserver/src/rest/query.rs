//! The query of a URL and the options that it carries.

use nakhoda_api::field::{self, Path};
use nakhoda_api::{GroupKind, Status};

use crate::parameters::Parameters;
use crate::request::{FieldValidation, Included, ListOptions, WatchOptions, WriteOptions};
use crate::rest::path::decode;

/// Names and values in order, with repeats.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Query(Vec<(String, String)>);

// === impl Query ===

impl Query {
    /// Reads what stands behind the question mark.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let pairs = text.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (plain(name), plain(value))
        });
        Self(pairs.collect())
    }

    /// See [`Parameters::value`].
    #[must_use]
    pub fn get(&self, name: &str) -> &str {
        self.0.value(name)
    }

    /// See [`Parameters::has`].
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.0.has(name)
    }

    /// See [`Parameters::values`].
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.values(name)
    }

    /// See [`Parameters::flag`].
    #[must_use]
    pub fn flag(&self, name: &str) -> bool {
        self.0.flag(name)
    }

    /// See [`Parameters::number`].
    pub fn number(&self, name: &str) -> Result<Option<i64>, Status> {
        self.0.number(name)
    }

    /// The pairs.
    #[must_use]
    pub fn into_pairs(self) -> Vec<(String, String)> {
        self.0
    }

    /// The options of a list.
    pub fn list(&self) -> Result<ListOptions, Status> {
        self.number("timeoutSeconds")?;
        Ok(ListOptions {
            labels: self.get("labelSelector").into(),
            fields: self.get("fieldSelector").into(),
            resource_version: self.get("resourceVersion").into(),
            resource_version_match: self.get("resourceVersionMatch").into(),
            limit: self.number("limit")?.unwrap_or_default(),
            continue_token: self.get("continue").into(),
        })
    }

    /// The options of a watch.
    pub fn watch(&self) -> Result<WatchOptions, Status> {
        Ok(WatchOptions {
            list: self.list()?,
            bookmarks: self.flag("allowWatchBookmarks"),
            send_initial_events: self.has("sendInitialEvents").then(|| self.flag("sendInitialEvents")),
            timeout_seconds: self.number("timeoutSeconds")?.and_then(|s| u64::try_from(s).ok()).filter(|s| *s > 0),
        })
    }

    /// The options of a write; `kind` is what the error names, for example `CreateOptions`.
    pub fn write(&self, kind: &str) -> Result<WriteOptions, Status> {
        let mut errors = field::Errors::default();
        let manager = self.get("fieldManager");
        if manager.len() > 128 {
            errors.too_long(&Path::new("fieldManager"), 128);
        }
        for (at, odd) in manager.char_indices().filter(|(_, c)| !field::is_print(*c)) {
            let why = format!("invalid character U+{:04X} (at position {at})", u32::from(odd));
            errors.invalid(&Path::new("fieldManager"), manager, why);
        }
        if self.all("dryRun").any(|value| value != "All") {
            let value = self.all("dryRun").collect::<Vec<_>>();
            errors.not_supported(&Path::new("dryRun"), value, &["All"]);
        }
        let validation = match self.get("fieldValidation") {
            "" | "Warn" => FieldValidation::Warn,
            "Ignore" => FieldValidation::Ignore,
            "Strict" => FieldValidation::Strict,
            other => {
                let words = ["", "Ignore", "Strict", "Warn"];
                errors.not_supported(&Path::new("fieldValidation"), other, &words);
                FieldValidation::Warn
            }
        };
        if errors.is_empty() {
            let dry_run = self.has("dryRun");
            return Ok(WriteOptions { dry_run, field_manager: manager.into(), validation, fence: None });
        }
        Err(Status::invalid(&GroupKind { group: "meta.k8s.io".into(), kind: kind.into() }, "", &errors))
    }

    /// Checks the time that the client would wait: it is not needed, since nothing that is no stream takes long.
    pub fn timeout(&self) -> Result<(), Status> {
        match self.get("timeout") {
            "" => Ok(()),
            text => duration(text).map_err(|why| {
                Status::bad_request(format!("invalid timeout specified in the request URL - time: {why}"))
            }),
        }
    }

    /// What the rows of a table carry.
    pub fn included(&self) -> Result<Included, Status> {
        match self.get("includeObject") {
            "" | "Metadata" => Ok(Included::Metadata),
            "None" => Ok(Included::None),
            "Object" => Ok(Included::Object),
            other => Err(Status::bad_request(format!(
                "Unable to convert to Table as requested: includeObject: Invalid value: {other:?}: must be 'Metadata', 'Object', 'None', or empty"
            ))),
        }
    }
}

/// Why a text is no duration, in Go's words.
fn duration(text: &str) -> Result<(), String> {
    let mut rest = text.strip_prefix(['+', '-']).unwrap_or(text);
    if rest == "0" {
        return Ok(());
    }
    let invalid = || Err(format!("invalid duration {text:?}"));
    while !rest.is_empty() {
        let unit = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
        let (number, behind) = rest.split_at(unit);
        if !number.contains(|c: char| c.is_ascii_digit()) || number.matches('.').count() > 1 {
            return invalid();
        }
        let end = behind.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(behind.len());
        match &behind[..end] {
            "" => return Err(format!("missing unit in duration {text:?}")),
            "ns" | "us" | "µs" | "μs" | "ms" | "s" | "m" | "h" => {}
            unit => return Err(format!("unknown unit {unit:?} in duration {text:?}")),
        }
        rest = &behind[end..];
    }
    if text.trim_start_matches(['+', '-']).is_empty() { invalid() } else { Ok(()) }
}

fn plain(text: &str) -> String {
    decode(&text.replace('+', " "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_read_with_upstreams_idea_of_true() {
        let query = Query::parse(
            "watch=1&allowWatchBookmarks=false&labelSelector=a%3Db%2Cc+in+(d)&limit=5&command=a&command=b",
        );
        assert!(query.flag("watch") && !query.flag("allowWatchBookmarks") && !query.flag("follow"));
        let list = query.list().expect("valid");
        assert_eq!((list.labels.as_str(), list.limit), ("a=b,c in (d)", 5));
        assert_eq!(query.all("command").collect::<Vec<_>>(), ["a", "b"]);
        assert_eq!(query.watch().expect("valid").send_initial_events, None);
    }

    #[test]
    fn a_number_that_is_none_is_a_bad_request() {
        let error = Query::parse("limit=x").list().expect_err("refused");
        assert_eq!((error.code, error.message.as_str()), (400, r#"strconv.ParseInt: parsing "x": invalid syntax"#));
    }

    #[test]
    fn a_timeout_is_a_duration_of_go() {
        for (text, why) in [
            ("1s", ""),
            ("1m0.5s", ""),
            ("0", ""),
            ("x", r#"invalid duration "x""#),
            ("-", r#"invalid duration "-""#),
            ("1", r#"missing unit in duration "1""#),
            ("1y", r#"unknown unit "y" in duration "1y""#),
        ] {
            let told = Query::parse(&format!("timeout={text}")).timeout().err().map(|status| status.message);
            let wanted =
                (!why.is_empty()).then(|| format!("invalid timeout specified in the request URL - time: {why}"));
            assert_eq!(told, wanted, "{text}");
        }
    }

    #[test]
    fn a_manager_is_named_in_letters_that_can_be_printed() {
        assert!(Query::parse("fieldManager=a%20b%C3%A9").write("PatchOptions").is_ok());
        let error = Query::parse("fieldManager=a%00").write("PatchOptions").expect_err("refused");
        let why = r#"fieldManager: Invalid value: "a\x00": invalid character U+0000 (at position 1)"#;
        assert!(error.message.ends_with(why), "{}", error.message);
    }

    #[test]
    fn unknown_words_of_a_write_are_invalid() {
        let error = Query::parse("dryRun=Some").write("CreateOptions").expect_err("refused");
        assert_eq!(error.code, 422);
        assert!(
            error.message.starts_with(r#"CreateOptions.meta.k8s.io "" is invalid: dryRun: Unsupported value"#),
            "{}",
            error.message
        );
        assert!(Query::parse("dryRun=All&fieldValidation=Strict").write("CreateOptions").is_ok_and(|o| o.dry_run));
    }
}
