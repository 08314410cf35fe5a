//! The pages: each module has a page's handler, its model and the rule from view to model.
//!
//! Invariant: a template only places what its model holds; every decision about words, order and links is made
//! in Rust, where a test reaches it.

pub(crate) mod about;
pub(crate) mod account;
pub(crate) mod administer;
pub(crate) mod assets;
pub(crate) mod atom;
pub(crate) mod change;
pub(crate) mod channel;
pub(crate) mod channels;
pub(crate) mod embargoes;
pub(crate) mod events;
pub(crate) mod failure;
pub(crate) mod family;
pub(crate) mod jobs;
pub(crate) mod labels;
pub(crate) mod log;
pub(crate) mod maintainers;
pub(crate) mod overview;
pub(crate) mod package;
pub(crate) mod packages;
pub(crate) mod pipeline;
pub(crate) mod queue;
pub(crate) mod record;
mod rows;
pub(crate) mod rules;
mod shell;
pub(crate) mod sign_in;
pub(crate) mod vulnerabilities;
pub(crate) mod vulnerability;

pub(crate) use rows::Row;
pub(crate) use shell::{Account, Section, Shell};

use crate::query::Paging;
use serde::Serialize;
use tracker_store::view::Page;

/// Addresses of the pages beside a page of a list.
#[derive(Debug, Serialize)]
pub(crate) struct Neighbours {
    /// The page after this one.
    pub(crate) next: Option<String>,
    /// The page before this one.
    pub(crate) previous: Option<String>,
}

impl Neighbours {
    /// The neighbours of a page, by the address of a place.
    pub(crate) fn new<T>(
        page: &Page<T>,
        here: &Paging,
        address: impl Fn(Paging) -> String,
    ) -> Neighbours {
        Neighbours {
            next: page.next.as_ref().map(|token| address(here.after(token))),
            previous: page
                .previous
                .as_ref()
                .map(|token| address(here.before(token))),
        }
    }
}

/// Version of the program.
pub(crate) const VERSION: &str = env!("CARGO_PKG_VERSION");

/// A link within the site.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Link {
    /// Address.
    pub(crate) href: String,
    /// Text.
    pub(crate) text: String,
}

impl Link {
    pub(crate) fn new(href: impl Into<String>, text: impl Into<String>) -> Link {
        Link {
            href: href.into(),
            text: text.into(),
        }
    }
}
