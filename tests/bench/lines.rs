//! A watch over REST, line by line.

use std::time::Duration;

use anyhow::{Context, Result};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use nakhoda_client::Config;

use crate::rest::{Connection, JSON};

/// The events of a watch.
pub(crate) struct Lines {
    body: Incoming,
    rest: Vec<u8>,
    read: usize,
}

// === impl Lines ===

impl Lines {
    /// Watches a path, which says from where.
    pub(crate) async fn open(config: &Config, path: &str) -> Result<Self> {
        let body = Connection::open(config).await?.stream(path, JSON).await?.into_body();
        Ok(Self { body, rest: Vec::new(), read: 0 })
    }

    /// The next event; a failure if none comes for so long.
    pub(crate) async fn next(&mut self, patience: Duration) -> Result<Vec<u8>> {
        loop {
            if let Some(length) = self.rest[self.read..].iter().position(|byte| *byte == b'\n') {
                let line = self.rest[self.read..=self.read + length].to_vec();
                self.read += line.len();
                return Ok(line);
            }
            self.rest.drain(..std::mem::take(&mut self.read));
            let frame = tokio::time::timeout(patience, self.body.frame()).await.context("no event comes")?;
            let frame = frame.context("the watch ended")??;
            self.rest.extend(frame.data_ref().into_iter().flatten());
        }
    }
}
