//! `admin people`, `admin sessions`, `admin tokens`.

use super::{Database, Json, examples};
use clap::{Args, Subcommand};
use tracker_people::Role;

/// `admin people`.
#[derive(Debug, Subcommand)]
pub(crate) enum AdminPeople {
    /// List people, in the order in which they came.
    #[command(after_help = examples("admin people list --json --database sqlite:tracker.db"))]
    List(PeopleList),
    /// Show somebody: their role, from where they have it, and the roles that they were given.
    #[command(after_help = examples("admin people show alice --database sqlite:tracker.db"))]
    Show(PersonShow),
    /// Give somebody a role; `anonymous` takes what was given.
    #[command(after_help = examples("admin people role alice triager --reason 'joined the team' --database sqlite:tracker.db"))]
    Role(PersonRole),
    /// Shut somebody out, and end their sessions and tokens.
    #[command(after_help = examples("admin people block mallory --dry-run --database sqlite:tracker.db"))]
    Block(PersonChange),
    /// Let somebody in again.
    #[command(after_help = examples("admin people unblock mallory --database sqlite:tracker.db"))]
    Unblock(PersonChange),
    /// End all sessions of somebody.
    #[command(after_help = examples("admin people sign-out alice --database sqlite:tracker.db"))]
    SignOut(PersonChange),
}

/// `admin sessions` and `admin tokens`.
#[derive(Debug, Subcommand)]
pub(crate) enum AdminProofs {
    /// List those of somebody.
    #[command(after_help = examples("admin sessions list alice --json --database sqlite:tracker.db\n  rootstock-tracker admin tokens list alice --database sqlite:tracker.db"))]
    List(PersonShow),
    /// End one of somebody.
    #[command(after_help = examples("admin sessions end alice 7 --dry-run --database sqlite:tracker.db\n  rootstock-tracker admin tokens end alice 7 --database sqlite:tracker.db"))]
    End(ProofEnd),
}

/// `admin people list`.
#[derive(Debug, Args)]
pub(crate) struct PeopleList {
    /// People at most.
    #[arg(long, default_value_t = 100, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(1..=200))]
    pub(crate) limit: u32,
    /// Go on behind the person of this key.
    #[arg(long, default_value_t = 0, value_name = "KEY")]
    pub(crate) after: i64,
    #[command(flatten)]
    pub(crate) database: Database,
    #[command(flatten)]
    pub(crate) json: Json,
}

/// One person.
#[derive(Debug, Args)]
pub(crate) struct PersonShow {
    /// Their name.
    #[arg(value_name = "NAME")]
    pub(crate) handle: String,
    #[command(flatten)]
    pub(crate) database: Database,
    #[command(flatten)]
    pub(crate) json: Json,
}

/// Something that is done about one person.
#[derive(Debug, Args)]
pub(crate) struct PersonChange {
    /// Only check, and tell what would be done.
    #[arg(long)]
    pub(crate) dry_run: bool,
    #[command(flatten)]
    pub(crate) person: PersonShow,
}

/// `admin people role`.
#[derive(Debug, Args)]
pub(crate) struct PersonRole {
    #[command(flatten)]
    pub(crate) change: PersonChange,
    /// `maintainer`, `triager`, `administrator`, or `anonymous` to take what was given.
    #[arg(value_name = "ROLE")]
    pub(crate) role: Role,
    /// Why.
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: String,
}

/// `admin sessions end` and `admin tokens end`.
#[derive(Debug, Args)]
pub(crate) struct ProofEnd {
    #[command(flatten)]
    pub(crate) change: PersonChange,
    /// Its key, as the list tells it.
    #[arg(value_name = "KEY")]
    pub(crate) key: i64,
}
