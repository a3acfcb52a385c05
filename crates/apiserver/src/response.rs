//! [`Response`]: the only output of the pipeline. The fronts render it in the form that the request
//! accepts.

use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;
use futures::Stream;
use nakhoda_api::{Object, Status};
use nakhoda_store::cache::{Item, Watcher};
pub use nakhoda_streams::{Channels, Dial, Duplex, Frame};

use crate::kind::Served;
use crate::verb::gate::Gate;

/// What came of a request. A failure is an `Err(Status)` beside it.
pub struct Response {
    /// The answer.
    pub answer: Answer,
    /// Texts for the `Warning` header.
    pub warnings: Vec<String>,
}

/// The answer itself.
pub enum Answer {
    /// A stored object, ready encoded.
    Item {
        /// Its kind.
        kind: Arc<Served>,
        /// It.
        item: Arc<Item>,
    },
    /// An object that is not stored as such: a dry run, a Scale, a review.
    Object {
        /// The kind of the resource that was asked, if columns can be printed.
        kind: Option<Arc<Served>>,
        /// It.
        object: Box<Object>,
        /// Whether it was made by this request (201).
        created: bool,
    },
    /// An object that was made by this request (201).
    Created {
        /// Its kind.
        kind: Arc<Served>,
        /// It.
        item: Arc<Item>,
    },
    /// A collection, or a page of it.
    List {
        /// Its kind.
        kind: Arc<Served>,
        /// In the order of their keys.
        items: Vec<Arc<Item>>,
        /// The revision of the list.
        revision: u64,
        /// The token for the next page; empty for the last.
        continue_token: String,
        /// How many come after this page, if known.
        remaining: Option<i64>,
    },
    /// A collection that is followed.
    Watch {
        /// Its kind.
        kind: Arc<Served>,
        /// The events.
        watcher: Watcher,
        /// Ends the stream.
        timeout: std::time::Duration,
        /// Whether bookmarks are sent on.
        bookmarks: bool,
        /// What lets through only some of the events.
        gate: Option<Box<Gate>>,
    },
    /// A Status (deletions).
    Status(Box<Status>),
    /// An open stream.
    Stream(Streaming),
}

/// A stream that a Connect opened. The front translates it to websocket, SPDY, chunked HTTP or gRPC
/// frames.
pub enum Streaming {
    /// There is nothing to read: the log of a pod that was not scheduled yet.
    Nothing,
    /// Bytes one way, for logs.
    Read(Pin<Box<dyn Stream<Item = Result<Bytes, Status>> + Send>>),
    /// Channels both ways, for exec and attach: stdin, stdout, stderr, the final Status, resize.
    Channels(Channels),
    /// The front opens one byte stream for each port that the client asks for.
    Ports(Arc<dyn Dial>),
    /// The front sends an HTTP request over a byte stream and streams the answer back.
    Proxy(ProxyTarget),
}

/// Where a proxied HTTP request goes.
pub struct ProxyTarget {
    /// How to get there.
    pub dial: Arc<dyn Dial>,
    /// The port there.
    pub port: u16,
    /// Whether TLS (unverified, as upstream does for pods) is spoken.
    pub tls: bool,
    /// The path and query to ask for.
    pub path: String,
    /// The prefix of this API's path, for rewriting `Location`.
    pub prefix: String,
}

// === impl Response ===

impl Response {
    /// An answer without warnings.
    #[must_use]
    pub const fn new(answer: Answer) -> Self {
        Self { answer, warnings: Vec::new() }
    }

    /// The resourceVersion of the one object that it is, if it is one.
    #[must_use]
    pub fn version(&self) -> Option<String> {
        match &self.answer {
            Answer::Item { item, .. } | Answer::Created { item, .. } => Some(item.revision.to_string()),
            Answer::Object { object, .. } => object.str_at(&["metadata", "resourceVersion"]).map(str::to_owned),
            Answer::List { .. } | Answer::Watch { .. } | Answer::Status(_) | Answer::Stream(_) => None,
        }
    }
}
