//! `triage decline`, `withdraw`, `log`, `history`, `maintainer`, `rule renew`, `rule review`, `view undo`: what is looked at
//! by more than one.

use super::{Common, Hiding, Own, Page, Which};
use crate::arguments::{Database, Json};
use clap::Args;
use tracker_triage::EventKind;

/// An answer to what is suggested about a match.
#[derive(Debug, Args)]
pub(crate) struct Answer {
    #[command(flatten)]
    pub(crate) which: Which,
    /// Which suggestion, by its event; the last if it is left out.
    #[arg(long, value_name = "EVENT")]
    pub(crate) suggestion: Option<u64>,
    #[command(flatten)]
    pub(crate) common: Common,
}

/// `triage log`.
#[derive(Debug, Args)]
pub(crate) struct TriageLog {
    /// Only about this vulnerability, by any id of it: what the tracker derived, too.
    #[arg(value_name = "VULNERABILITY")]
    pub(crate) vulnerability: Option<String>,
    /// Only of this name, or as `person:NAME`, `token:NAME`, `operator:NAME`.
    #[arg(long, value_name = "NAME")]
    pub(crate) actor: Option<String>,
    /// Only of this kind, such as `confirmed` or `suggested`.
    #[arg(long, value_name = "KIND")]
    pub(crate) kind: Option<EventKind>,
    #[command(flatten)]
    pub(crate) page: Page,
    #[command(flatten)]
    pub(crate) database: Database,
    #[command(flatten)]
    pub(crate) json: Json,
}

/// `triage history`.
#[derive(Debug, Args)]
pub(crate) struct History {
    #[command(flatten)]
    pub(crate) which: Which,
    #[command(flatten)]
    pub(crate) page: Page,
    #[command(flatten)]
    pub(crate) database: Database,
    #[command(flatten)]
    pub(crate) json: Json,
}

/// `triage maintainer`.
#[derive(Debug, Args)]
pub(crate) struct Maintainer {
    /// Handle on GitHub, or e-mail address.
    #[arg(value_name = "NAME")]
    pub(crate) name: String,
    /// Narrow down what is open about their packages.
    #[arg(default_value = "", value_name = "QUERY")]
    pub(crate) query: String,
    /// Matches at most, 1 to 200.
    #[arg(long, default_value_t = 50, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(1..=200))]
    pub(crate) limit: u32,
    #[command(flatten)]
    pub(crate) database: Database,
    #[command(flatten)]
    pub(crate) json: Json,
}

/// `triage rule renew`.
#[derive(Debug, Args)]
pub(crate) struct RuleRenew {
    /// The number of the old rule.
    #[arg(value_name = "RULE")]
    pub(crate) rule: u64,
    #[command(flatten)]
    pub(crate) hiding: Hiding,
    #[command(flatten)]
    pub(crate) common: Common,
}

/// `triage view undo`.
#[derive(Debug, Args)]
pub(crate) struct ViewUndo {
    /// The event, as saving and dropping tell it.
    #[arg(value_name = "EVENT")]
    pub(crate) event: u64,
    #[command(flatten)]
    pub(crate) own: Own,
}
