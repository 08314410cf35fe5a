//! `embargo …`.

use super::{Database, Json, examples, instant};
use clap::{Args, Subcommand};
use jiff::Timestamp;

/// `embargo`.
#[derive(Debug, Subcommand)]
pub(crate) enum Embargo {
    /// List the items that name somebody.
    #[command(after_help = examples("embargo list --as alice --database sqlite:tracker.db"))]
    List(EmbargoList),
    /// Show an item: what it says, whom it names, and what was said about it.
    #[command(after_help = examples("embargo show 5f0c2a --as alice --json --database sqlite:tracker.db"))]
    Show(EmbargoShow),
    /// Hold something back, for the eyes of whoever does and of those named; prints the item's name.
    #[command(after_help = examples("embargo create ROOT-2026-1 --title 'Overflow in musl' --family musl --person bob --until 2026-12-31 --as alice --database sqlite:tracker.db"))]
    Create(Box<EmbargoCreate>),
    /// Let people know of an item.
    #[command(after_help = examples("embargo add 5f0c2a bob carol --as alice --database sqlite:tracker.db"))]
    Add(EmbargoPeople),
    /// Take people off an item; what they know they know.
    #[command(after_help = examples("embargo remove 5f0c2a bob --as alice --dry-run --database sqlite:tracker.db"))]
    Remove(EmbargoPeople),
    /// Say when an item ends by itself, or without a time that it does so only by hand.
    #[command(after_help = examples("embargo until 5f0c2a 2026-12-31 --as alice --database sqlite:tracker.db"))]
    Until(EmbargoUntil),
    /// Say something about an item, to those whom it names.
    #[command(after_help = examples("embargo comment 5f0c2a 'Upstream answered.' --as alice --database sqlite:tracker.db"))]
    Comment(EmbargoComment),
    /// Make an item public.
    #[command(after_help = examples("embargo release 5f0c2a --as alice --dry-run --database sqlite:tracker.db"))]
    Release(EmbargoOne),
}

/// Who does it: somebody who signed in once, for an item is there for those alone whom it names.
#[derive(Debug, Args)]
pub(crate) struct Member {
    /// Who does it, by the name that the tracker knows them by.
    #[arg(long = "as", env = "ROOTSTOCK_ACTOR", value_name = "NAME")]
    pub(crate) handle: String,
    #[command(flatten)]
    pub(crate) database: Database,
    #[command(flatten)]
    pub(crate) json: Json,
}

/// What changes something takes.
#[derive(Debug, Args)]
pub(crate) struct Change {
    /// Only check, and tell what would be done.
    #[arg(long)]
    pub(crate) dry_run: bool,
    #[command(flatten)]
    pub(crate) member: Member,
}

/// `embargo list`.
#[derive(Debug, Args)]
pub(crate) struct EmbargoList {
    #[command(flatten)]
    pub(crate) member: Member,
}

/// `embargo show`.
#[derive(Debug, Args)]
pub(crate) struct EmbargoShow {
    /// Its name.
    #[arg(value_name = "ITEM")]
    pub(crate) name: String,
    #[command(flatten)]
    pub(crate) member: Member,
}

/// `embargo create`.
#[derive(Debug, Args)]
pub(crate) struct EmbargoCreate {
    /// The id that the vulnerability will have.
    #[arg(value_name = "ID")]
    pub(crate) id: String,
    /// Title.
    #[arg(long, value_name = "TEXT")]
    pub(crate) title: String,
    /// Description, in Markdown.
    #[arg(long, value_name = "TEXT", default_value = "")]
    pub(crate) details: String,
    /// CVSS vector of version 3 or 4.
    #[arg(long, value_name = "VECTOR", default_value = "")]
    pub(crate) vector: String,
    /// A package family that it concerns; may be given several times.
    #[arg(long, value_name = "FAMILY")]
    pub(crate) family: Vec<String>,
    /// The distribution of the families.
    #[arg(long, value_name = "NAME", default_value = "nixpkgs")]
    pub(crate) distribution: String,
    /// Somebody who may know of it; may be given several times.
    #[arg(long, value_name = "NAME")]
    pub(crate) person: Vec<String>,
    /// When it ends by itself; by hand only if it is left out.
    #[arg(long, value_name = "TIME", value_parser = instant)]
    pub(crate) until: Option<Timestamp>,
    #[command(flatten)]
    pub(crate) change: Change,
}

/// `embargo add` and `embargo remove`.
#[derive(Debug, Args)]
pub(crate) struct EmbargoPeople {
    /// The item's name.
    #[arg(value_name = "ITEM")]
    pub(crate) name: String,
    /// People, by the names that the tracker knows them by.
    #[arg(required = true, value_name = "NAME")]
    pub(crate) people: Vec<String>,
    #[command(flatten)]
    pub(crate) change: Change,
}

/// `embargo until`.
#[derive(Debug, Args)]
pub(crate) struct EmbargoUntil {
    /// The item's name.
    #[arg(value_name = "ITEM")]
    pub(crate) name: String,
    /// When; a day is its beginning in UTC.
    #[arg(value_name = "TIME", value_parser = instant)]
    pub(crate) until: Option<Timestamp>,
    #[command(flatten)]
    pub(crate) change: Change,
}

/// `embargo comment`.
#[derive(Debug, Args)]
pub(crate) struct EmbargoComment {
    /// The item's name.
    #[arg(value_name = "ITEM")]
    pub(crate) name: String,
    /// Markdown.
    #[arg(value_name = "TEXT")]
    pub(crate) text: String,
    #[command(flatten)]
    pub(crate) change: Change,
}

/// `embargo release`.
#[derive(Debug, Args)]
pub(crate) struct EmbargoOne {
    /// The item's name.
    #[arg(value_name = "ITEM")]
    pub(crate) name: String,
    #[command(flatten)]
    pub(crate) change: Change,
}
