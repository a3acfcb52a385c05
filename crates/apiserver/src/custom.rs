//! Custom resources: kinds that come and go with CustomResourceDefinitions.
//!
//! [`follow`] watches the definitions and keeps the table of kinds and the caches in step with them; [`conditions`]
//! says what becomes of a definition's names; [`strategy`] is what the verbs are told of a custom kind. Objects stay
//! JSON: they are pruned, filled in and judged by their schema ([`nakhoda_api::structural`]), never typed.

pub mod cleanup;
pub mod columns;
pub mod conditions;
pub mod conversion;
pub mod definition;
pub mod follow;
pub mod names;
pub mod scale;
pub mod strategy;
pub mod validation;

#[cfg(test)]
mod tests;
