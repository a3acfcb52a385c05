//! The API server: one request pipeline behind two thin fronts, and the only process that persists
//! objects.
//!
//! Architecture invariants: [`rest`] alone knows URLs and media types, [`grpc`] alone knows tonic; both
//! build the same [`request::Request`] and render the same [`response::Response`]. Authentication,
//! authorization, admission, validation and storage exist once, for all kinds. A kind is one file and
//! one line in [`kinds`].

pub mod authn;
pub mod authz;
pub mod kind;
pub mod kinds;
pub mod request;
pub mod response;
pub mod user;
