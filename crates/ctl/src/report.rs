//! What a command says of an object that it made or changed: `pod/a created`, or the object itself.

use serde_json::Value;

use crate::Error;
use crate::mapping::Resource;
use crate::output::{Format, out};

/// Whether anything is stored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum DryRun {
    /// Everything is done.
    #[default]
    None,
    /// Nothing is sent.
    Client,
    /// The server does all but store.
    Server,
}

/// Options of commands that change objects.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct Writing {
    /// Output format: name, yaml, json, jsonpath=…, custom-columns=…
    #[arg(long, short)]
    pub output: Option<String>,
    /// none; client: print what would be sent; server: let the server do all but store
    #[arg(long, value_enum, num_args = 0..=1, require_equals = true, default_value = "none", default_missing_value = "client", hide_possible_values = true, hide_default_value = true)]
    pub dry_run: DryRun,
    /// Name of the manager of the fields
    #[arg(long, default_value = "ctl", hide_default_value = true)]
    pub field_manager: String,
}

/// Prints outcomes.
#[derive(Clone, Debug)]
pub struct Report {
    format: Option<Format>,
    dry_run: DryRun,
}

// === impl DryRun ===

impl DryRun {
    /// What a message ends with.
    #[must_use]
    pub const fn suffix(self) -> &'static str {
        match self {
            Self::None => "",
            Self::Client => " (dry run)",
            Self::Server => " (server dry run)",
        }
    }
}

// === impl Writing ===

impl Writing {
    /// How outcomes are printed; a wrong format is told before anything is done.
    pub fn report(&self) -> Result<Report, Error> {
        let format = match &self.output {
            Some(text) => match Format::parse(Some(text))? {
                Format::Table { .. } => return Err(Error::Format(text.clone())),
                format => Some(format),
            },
            None => None,
        };
        Ok(Report { format, dry_run: self.dry_run })
    }

    /// Whether the server is not asked at all.
    #[must_use]
    pub fn is_local(&self) -> bool {
        self.dry_run == DryRun::Client
    }

    /// Whether the server does all but store.
    #[must_use]
    pub fn is_rehearsal(&self) -> bool {
        self.dry_run == DryRun::Server
    }
}

// === impl Report ===

impl Report {
    /// Says what became of an object.
    pub fn done(&self, resource: &Resource, object: &Value, what: &str) -> Result<(), Error> {
        out::text(&self.text(resource, object, what)?);
        Ok(())
    }

    fn text(&self, resource: &Resource, object: &Value, what: &str) -> Result<String, Error> {
        let name = format!("{}/{}", resource.printed(), object["metadata"]["name"].as_str().unwrap_or_default());
        if let Some(format) = &self.format {
            return format.text(object, &|_| name.clone());
        }
        Ok(format!("{name} {what}{}\n", self.dry_run.suffix()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mapping::Mapping;
    use serde_json::json;

    #[test]
    fn outcomes_are_told_as_kubectl_tells_them() {
        let resource = json!({"resource": "deployments", "singularResource": "deployment", "scope": "Namespaced", "responseKind": {"kind": "Deployment"}});
        let mapping = Mapping::read(
            &json!({"items": [{"metadata": {"name": "apps"}, "versions": [{"version": "v1", "resources": [resource]}]}]}),
        );
        let resource = mapping.find("deployments").expect("served");
        let object = json!({"metadata": {"name": "a"}});
        let told = |output: Option<&str>, dry_run| {
            let writing = Writing { output: output.map(Into::into), dry_run, field_manager: String::new() };
            writing.report().expect("a format").text(resource, &object, "created").expect("text")
        };
        assert_eq!(told(None, DryRun::None), "deployment.apps/a created\n");
        assert_eq!(told(None, DryRun::Server), "deployment.apps/a created (server dry run)\n");
        assert_eq!(told(Some("name"), DryRun::Client), "deployment.apps/a\n");
        assert_eq!(told(Some("yaml"), DryRun::None), "metadata:\n  name: a\n");
    }
}
