//! What the flags of authorization say, put together.

use std::path::PathBuf;

use anyhow::Context;
use nakhoda_daemon::Tasks;
use nakhoda_daemon::file;

use crate::authz::Union;
use crate::authz::config::{Configuration, flags};
use crate::authz::node::NodeAuthorizer;
use crate::authz::rbac::Rbac;
use crate::options::Authorization;
use crate::reload::{self, Kept};

/// Who decides, as far as files and flags say it.
#[derive(Clone, Debug, Default)]
pub struct Deciders {
    configuration: Configuration,
    /// The file and its text, if there is one.
    file: Option<(PathBuf, Vec<u8>)>,
}

/// Reads what the flags name.
pub(super) fn read(options: &Authorization) -> anyhow::Result<Deciders> {
    let Some(path) = options.authorization_config.clone() else {
        let configuration = flags::configuration(options).context("the flags of authorization cannot be used")?;
        return Ok(Deciders { configuration, file: None });
    };
    let what = || format!("{} cannot be used; see --authorization-config", path.display());
    if options.has_flags() {
        anyhow::bail!(
            "--authorization-config can not be specified when --authorization-mode or --authorization-webhook-* flags are defined"
        );
    }
    let text = file::bytes(&path).with_context(what)?;
    let configuration = Configuration::parse(&text).with_context(what)?;
    Ok(Deciders { configuration, file: Some((path, text)) })
}

// === impl Deciders ===

impl Deciders {
    /// The chain; it changes with its file.
    pub(super) fn chain(self, node: &NodeAuthorizer, rbac: &Rbac, tasks: &Tasks) -> anyhow::Result<Union> {
        let chain = self.configuration.authorizers(&[], node, rbac);
        let union = Union::new(chain.context("the configuration of authorization cannot be used")?);
        if let Some((path, text)) = self.file {
            let (shared, node, rbac) = (union.clone(), node.clone(), rbac.clone());
            let lasting = self.configuration.lasting();
            reload::follow("authorization configuration", path, text, tasks, move |text| {
                let next = Configuration::parse(&text).and_then(|file| file.authorizers(&lasting, &node, &rbac));
                let kept = |error| Kept { why: nakhoda_api::status::chain(&error), again: false };
                std::future::ready(next.map(|chain| shared.replace(chain)).map_err(kept))
            });
        }
        Ok(union)
    }
}
