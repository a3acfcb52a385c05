//! [`Chunks`]: a long list, made while it is sent, so that no more than a piece of it lies in memory.

use std::sync::Arc;

use bytes::Bytes;
use jiff::Timestamp;
use nakhoda_api::Status;
use nakhoda_api::wire::Media;
use nakhoda_store::cache::Item;

use super::Page;
use crate::kind::Served;
use crate::request::Accept;

/// So many bytes, roughly, in a piece.
const PIECE: usize = 64 << 10;

/// A page that keeps what it shows.
pub struct Listed {
    /// The kind of its objects.
    pub kind: Arc<Served>,
    /// The objects.
    pub items: Vec<Arc<Item>>,
    /// The revision of the list.
    pub revision: u64,
    /// The token for the next page.
    pub continue_token: String,
    /// How many come after this page, if known.
    pub remaining: Option<i64>,
}

/// The pieces of a list, one after the other the same as the whole.
pub struct Chunks {
    listed: Listed,
    accept: Accept,
    now: Timestamp,
    next: usize,
    head: Option<Vec<u8>>,
    tail: Option<Vec<u8>>,
}

// === impl Listed ===

impl Listed {
    /// The same, borrowed.
    #[must_use]
    pub fn page(&self) -> Page<'_> {
        Page {
            kind: &self.kind,
            items: &self.items,
            revision: self.revision,
            continue_token: &self.continue_token,
            remaining: self.remaining,
            bare: true,
        }
    }

    /// Whether it is worth being sent in pieces, and can be.
    #[must_use]
    pub fn is_long(&self, accept: Accept) -> bool {
        let text = accept.media == Media::Yaml || accept.pretty;
        !text && self.items.iter().map(|item| item.json().len()).sum::<usize>() > 8 * PIECE
    }

    /// The pieces in the form that a client reads. Fails with what a whole list would fail with at its first object.
    pub fn chunks(self, accept: Accept, now: Timestamp) -> Result<Chunks, Status> {
        let page = self.page();
        let elements = page.elements(accept, now);
        self.items.first().map(|item| elements.write(0, item, &mut Vec::new())).transpose()?;
        let (head, tail) = page.ends(accept, elements.length(&self.items)?)?;
        Ok(Chunks { listed: self, accept, now, next: 0, head: Some(head), tail: Some(tail) })
    }
}

// === impl Chunks ===

impl Iterator for Chunks {
    type Item = Result<Bytes, Status>;

    fn next(&mut self) -> Option<Self::Item> {
        self.tail.as_ref()?;
        let mut piece = Vec::with_capacity(PIECE + (8 << 10));
        piece.extend(self.head.take().unwrap_or_default());
        let page = self.listed.page();
        let elements = page.elements(self.accept, self.now);
        for (index, item) in self.listed.items.iter().enumerate().skip(self.next) {
            if piece.len() >= PIECE {
                self.next = index;
                return Some(Ok(piece.into()));
            }
            if let Err(status) = elements.write(index, item, &mut piece) {
                self.tail = None;
                return Some(Err(status));
            }
        }
        piece.extend(self.tail.take().unwrap_or_default());
        Some(Ok(piece.into()))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::request::{Form, Included, ListOptions};
    use crate::response::Answer;
    use crate::testing::Server;

    #[tokio::test]
    async fn the_pieces_are_the_whole() {
        let server = Server::start().await;
        for number in 0..60 {
            let data = "x".repeat(10_000 + number);
            let object = json!({"metadata": {"name": format!("a{number}")}, "data": {"k": data}});
            server.create("configmaps", "default", &object).await.expect("made");
        }
        let forms = [Form::Object, Form::Metadata, Form::Table(Included::Metadata), Form::Table(Included::Object)];
        for (form, media) in forms.iter().flat_map(|form| [(*form, Media::Json), (*form, Media::Protobuf)]) {
            let answer = server.list("configmaps", "default", ListOptions::default()).await.expect("listed").answer;
            let Answer::List { kind, items, revision, continue_token, remaining } = answer else { panic!("a list") };
            let listed = Listed { kind, items, revision, continue_token, remaining };
            let (accept, now) = (Accept { form, media, ..Accept::default() }, Timestamp::now());
            assert!(listed.is_long(accept) && !listed.is_long(Accept { pretty: true, ..accept }));
            let whole = listed.page().render(accept, now).expect("whole");
            let pieces: Vec<Bytes> = listed.chunks(accept, now).expect("begun").map(|p| p.expect("a piece")).collect();
            assert!(pieces.len() > 8 || form != Form::Object, "{form:?}");
            assert!(pieces.iter().all(|piece| piece.len() < 2 * PIECE), "{form:?}");
            assert_eq!(pieces.concat(), whole, "{form:?} {media:?}");
        }
    }
}
