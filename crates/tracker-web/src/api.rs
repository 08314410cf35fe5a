//! `/api/v1`: what the pages show, for programs, under a promise: a field that is here stays.
//!
//! Reading order: `shape` (what is answered), `read` (the handlers), `queue`, `decide`, `family`, `suggest`, `rule`, `view`,
//! `log` and `maintain` (those of triage, with `answer`, `order` and `sent`: what is told, what may be asked for, how it is
//! sent), `account`, `people` and `embargo`, `document` (their description).
//! Invariants: a handler is described where it stands, and the description that is committed
//! (`docs/reference/openapi.json`) is compared with it; who asks is told by a token alone, never by a cookie, so that
//! any site's script may ask.

pub(crate) mod account;
mod answer;
pub(crate) mod decide;
mod document;
pub(crate) mod embargo;
pub(crate) mod family;
pub(crate) mod log;
pub(crate) mod maintain;
mod order;
pub(crate) mod people;
pub(crate) mod queue;
mod read;
pub(crate) mod rule;
mod sent;
mod shape;
pub(crate) mod suggest;
pub(crate) mod view;

pub(crate) use document::openapi;
pub use document::openapi_document;
pub(crate) use read::{
    affected, findings, matches, package, package_findings, packages, vulnerabilities,
    vulnerability, whoami,
};
