//! `/api/v1`: what the pages show, for programs, under a promise: a field that is here stays.
//!
//! Reading order: `shape` (what is answered), `read` (the handlers), `queue`, `decide` and `family` (those of triage, with `answer`, `order`
//! and `sent`: what is told, what may be asked for, how it is sent), `document` (their description).
//! Invariants: a handler is described where it stands, and the description that is committed
//! (`docs/reference/openapi.json`) is compared with it; who asks is told by a token alone, never by a cookie, so that
//! any site's script may ask.

mod answer;
pub(crate) mod decide;
mod document;
pub(crate) mod family;
mod order;
pub(crate) mod queue;
mod read;
mod sent;
mod shape;

pub(crate) use document::openapi;
pub use document::openapi_document;
pub(crate) use read::{
    findings, matches, package, package_findings, packages, vulnerabilities, vulnerability, whoami,
};
