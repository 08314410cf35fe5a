//! `triage family …`.

use super::triage::Common;
use super::{Database, Json, examples};
use clap::{Args, Subcommand};

/// `triage family`.
#[derive(Debug, Subcommand)]
pub(crate) enum Family {
    /// Show who belongs to a family, and what people made of it.
    #[command(after_help = examples("triage family show musl --database sqlite:tracker.db"))]
    Show(FamilyShow),
    /// Give members of a family a family of their own.
    ///
    /// What was decided about the family so far holds for both; from then on they are decided apart.
    #[command(after_help = examples("triage family split openssl openssl_1_1 --reason 'patched apart' --database sqlite:tracker.db\n  rootstock-tracker triage family split linux linux_rt_5_4 linux_rt_5_10 --into linux-rt --dry-run --database sqlite:tracker.db"))]
    Split(FamilySplit),
    /// Count a family to another one, with whatever is found to belong to it later.
    ///
    /// Refused where a match of one was confirmed and that of the other dismissed.
    #[command(after_help = examples("triage family merge libressl openssl --dry-run --database sqlite:tracker.db"))]
    Merge(FamilyMerge),
    /// Take back a merge, a split, or an undo of one, by its event.
    ///
    /// Refused while something was decided or changed since that rests on it.
    #[command(after_help = examples("triage family undo 4711 --database sqlite:tracker.db"))]
    Undo(FamilyUndo),
}

/// `triage family show`.
#[derive(Debug, Args)]
pub(crate) struct FamilyShow {
    /// The family.
    #[arg(value_name = "FAMILY")]
    pub(crate) family: String,
    /// The distribution.
    #[arg(long, default_value = "nixpkgs", value_name = "NAME")]
    pub(crate) distribution: String,
    #[command(flatten)]
    pub(crate) database: Database,
    #[command(flatten)]
    pub(crate) json: Json,
}

/// `triage family split`.
#[derive(Debug, Args)]
pub(crate) struct FamilySplit {
    /// The family that members leave.
    #[arg(value_name = "FAMILY")]
    pub(crate) family: String,
    /// They, by attribute.
    #[arg(value_name = "ATTRIBUTE", required = true)]
    pub(crate) members: Vec<String>,
    /// Name of the new family; that of the attribute where there is one.
    #[arg(long, value_name = "NAME")]
    pub(crate) into: Option<String>,
    /// The distribution.
    #[arg(long, default_value = "nixpkgs", value_name = "NAME")]
    pub(crate) distribution: String,
    #[command(flatten)]
    pub(crate) common: Common,
}

/// `triage family merge`.
#[derive(Debug, Args)]
pub(crate) struct FamilyMerge {
    /// The family that goes.
    #[arg(value_name = "FAMILY")]
    pub(crate) family: String,
    /// The family that stays.
    #[arg(value_name = "INTO")]
    pub(crate) into: String,
    /// The distribution.
    #[arg(long, default_value = "nixpkgs", value_name = "NAME")]
    pub(crate) distribution: String,
    #[command(flatten)]
    pub(crate) common: Common,
}

/// `triage family undo`.
#[derive(Debug, Args)]
pub(crate) struct FamilyUndo {
    /// Sequence of the event, as `show`, the log and every change tell it.
    #[arg(value_name = "EVENT")]
    pub(crate) event: u64,
    #[command(flatten)]
    pub(crate) common: Common,
}
