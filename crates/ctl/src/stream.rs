//! Connect streams: how they are opened, and what ends them.

use bytes::BytesMut;
use futures::StreamExt;
use nakhoda_api::Status;
use nakhoda_client::{Client, Duplex};
use nakhoda_rpc::v1;

use crate::Error;

/// The channel of input.
pub const STDIN: u32 = 0;
/// The channel of output.
pub const STDOUT: u32 = 1;
/// The channel of errors.
pub const STDERR: u32 = 2;
/// The channel of the final Status.
pub const STATUS: u32 = 3;
/// The channel of terminal sizes.
pub const RESIZE: u32 = 4;

/// What a stream is opened on: a subresource of a core/v1 object.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    /// For example `pods`.
    pub resource: &'a str,
    /// Empty for nodes.
    pub namespace: &'a str,
    /// The object.
    pub name: &'a str,
    /// For example `exec`.
    pub subresource: &'a str,
}

/// Opens a stream; the parameters are those of the REST query.
pub async fn open(client: &Client, place: Place<'_>, parameters: &[(&str, String)]) -> Result<Duplex, Error> {
    let target = v1::Target {
        version: "v1".into(),
        resource: place.resource.into(),
        namespace: place.namespace.into(),
        name: place.name.into(),
        subresource: place.subresource.into(),
        ..v1::Target::default()
    };
    let parameter = |(name, value): &(&str, String)| v1::Parameter { name: (*name).into(), value: value.clone() };
    let parameters = parameters.iter().map(parameter).collect();
    Ok(client.connect(v1::ConnectOpen { target: Some(target), parameters }).await?)
}

/// A frame of data.
#[must_use]
pub fn frame(channel: u32, data: impl Into<bytes::Bytes>) -> v1::ConnectFrame {
    v1::ConnectFrame { open: None, channel, data: data.into(), close: false }
}

/// The frame that ends a channel.
#[must_use]
pub fn closing(channel: u32) -> v1::ConnectFrame {
    v1::ConnectFrame { close: true, ..frame(channel, bytes::Bytes::new()) }
}

/// All that comes on standard output, for answers that are short.
pub async fn read(mut duplex: Duplex) -> Result<BytesMut, Error> {
    let mut all = BytesMut::new();
    while let Some(frame) = duplex.recv.next().await {
        let frame = frame?;
        match frame.channel {
            STDOUT => all.extend_from_slice(&frame.data),
            STATUS => outcome(&frame.data)?,
            _ => {}
        }
    }
    Ok(all)
}

/// What a final Status says.
pub fn outcome(data: &[u8]) -> Result<(), Error> {
    let status: Status = serde_json::from_slice(data).map_err(Error::Answer)?;
    if status.status == "Success" { Ok(()) } else { Err(nakhoda_client::Error::from(status).into()) }
}
