//! The handlers about families: who belongs to one, and merging and splitting it. Undo is that of events.
//!
//! Invariant: a family's tag names the last change of it, so that a change can be made to depend on there being no later.

use super::sent::{Conditional, Sent, tag};
use super::shape::{Failures, Refusals};
use crate::app::App;
use crate::ask::{Ask, Names};
use crate::deciding;
use crate::error::Error;
use axum::extract::State;
use axum::response::Response;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tracker_people::Decide;
use tracker_store::{
    FamilyAct, FamilyAction, FamilyDetail, FamilyMember, FamilyOutcome, FamilyStep,
};
use tracker_triage::Subject;
use utoipa::ToSchema;

/// An attribute that is counted to a family.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Member {
    /// The attribute.
    attribute: String,
    /// Name without version.
    pname: String,
    /// The family that matching gives it.
    own_family: String,
    /// Vulnerabilities that affect it on some channel.
    affected: u32,
}

/// A merge or a split.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Change {
    /// Its event.
    event: u64,
    /// `split` or `merge`.
    kind: &'static str,
    /// The family that members left.
    family: String,
    /// The family that they are counted to.
    into: String,
    /// They, by attribute.
    members: Vec<String>,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// Who.
    by: String,
    /// Why.
    reason: Option<String>,
    /// Whether it holds, and was not undone.
    holds: bool,
    /// The last event that is it, undoes it or makes it anew: undo that to turn it round.
    last: u64,
}

/// A family.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct FamilyWhole {
    /// Distribution.
    distribution: String,
    /// Name.
    family: String,
    /// Its members; none of one that was merged into another.
    members: Vec<Member>,
    /// Families that have members that were once its own.
    heirs: Vec<String>,
    /// What people made of it, oldest first.
    changes: Vec<Change>,
}

/// What is to be split off.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SplitOrder {
    /// Members that get a family of their own, by attribute.
    members: Vec<String>,
    /// Its name; that of the attribute where there is one.
    into: Option<String>,
    /// Why, for the log.
    reason: Option<String>,
    /// Whether to tell only what would be done.
    #[serde(default)]
    dry_run: bool,
}

/// What a family is to be merged into.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct MergeOrder {
    /// The family that stays.
    into: String,
    /// Why, for the log.
    reason: Option<String>,
    /// Whether to tell only what would be done.
    #[serde(default)]
    dry_run: bool,
}

/// What was done about a family, or would be.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct FamilyDone {
    /// Its event, by which it is undone; absent in a dry run.
    event: Option<u64>,
    /// `split` or `merge`.
    kind: &'static str,
    /// Distribution.
    distribution: String,
    /// The family that members left.
    family: String,
    /// The family that they are counted to now.
    into: String,
    /// They, by attribute.
    members: Vec<String>,
    /// Vulnerabilities that were matched to one of the two.
    vulnerabilities: u64,
    /// How many of them people had decided something about.
    decided: u64,
    /// Whether it was only tried.
    dry_run: bool,
}

impl From<FamilyMember> for Member {
    fn from(member: FamilyMember) -> Member {
        Member {
            attribute: member.attribute,
            pname: member.pname,
            own_family: member.own_family,
            affected: member.affected,
        }
    }
}

impl From<FamilyStep> for Change {
    fn from(step: FamilyStep) -> Change {
        Change {
            event: step.change.event,
            kind: step.change.kind.name(),
            family: step.change.family,
            into: step.change.into,
            members: step.change.members,
            at: step.at,
            by: step.actor.to_string(),
            reason: step.reason,
            holds: step.holds,
            last: step.last,
        }
    }
}

impl From<FamilyDetail> for FamilyWhole {
    fn from(detail: FamilyDetail) -> FamilyWhole {
        FamilyWhole {
            distribution: detail.distribution,
            family: detail.family,
            members: detail.members.into_iter().map(Member::from).collect(),
            heirs: detail.heirs,
            changes: detail.steps.into_iter().map(Change::from).collect(),
        }
    }
}

impl From<FamilyOutcome> for FamilyDone {
    fn from(outcome: FamilyOutcome) -> FamilyDone {
        FamilyDone {
            event: (!outcome.dry_run).then_some(outcome.act),
            kind: outcome.kind.name(),
            distribution: outcome.distribution,
            family: outcome.family,
            into: outcome.into,
            members: outcome.members,
            vulnerabilities: outcome.vulnerabilities,
            decided: outcome.decided,
            dry_run: outcome.dry_run,
        }
    }
}

/// A family: its members, and what people made of it. Its `ETag` is for `If-Match` of a change of it.
#[utoipa::path(
    get,
    path = "/api/v1/families/{distribution}/{family}",
    tag = "triage",
    security((), ("token" = [])),
    params(
        ("distribution" = String, Path, description = "`nixpkgs`, …"),
        ("family" = String, Path, description = "Package family"),
    ),
    responses((status = 200, body = FamilyWhole), Failures)
)]
pub(crate) async fn family(
    ask: Ask,
    State(app): State<App>,
    Names((distribution, family)): Names<(String, String)>,
) -> Result<Response, Error> {
    let subject = Subject::new(distribution, family);
    let found = app.store.family(&subject).await?;
    let detail = found.ok_or_else(|| Error::NotFound {
        kind: "family",
        name: subject.family,
        near: Vec::new(),
    })?;
    let last = detail.last;
    ask.data_tagged(&FamilyWhole::from(detail), |body| tag(last, body))
}

/// Gives members of a family a family of their own; what was decided about the old one holds for both.
#[utoipa::path(
    post,
    path = "/api/v1/families/{distribution}/{family}/split",
    tag = "triage",
    security(("token" = [])),
    params(
        ("distribution" = String, Path, description = "`nixpkgs`, …"),
        ("family" = String, Path, description = "The family that members leave"),
        Conditional,
    ),
    request_body = SplitOrder,
    responses((status = 200, body = FamilyDone), Failures, Refusals)
)]
pub(crate) async fn split(
    ask: Ask,
    State(app): State<App>,
    Names((distribution, family)): Names<(String, String)>,
    sent: Sent<SplitOrder>,
) -> Result<Response, Error> {
    let actor = deciding::actor::<Decide>(&ask.caller)?;
    let order = sent.value;
    let act = FamilyAct {
        family: Subject::new(distribution, family),
        action: FamilyAction::Split {
            members: order.members,
            into: order.into,
        },
        reason: order.reason,
        dry_run: order.dry_run,
    };
    let done = app.store.change_family(&actor, &act, &sent.conditions);
    ask.data(&FamilyDone::from(done.await?))
}

/// Counts a family to another one, with whatever is found to belong to it later; refused where what was decided about the
/// two contradicts.
#[utoipa::path(
    post,
    path = "/api/v1/families/{distribution}/{family}/merge",
    tag = "triage",
    security(("token" = [])),
    params(
        ("distribution" = String, Path, description = "`nixpkgs`, …"),
        ("family" = String, Path, description = "The family that goes"),
        Conditional,
    ),
    request_body = MergeOrder,
    responses((status = 200, body = FamilyDone), Failures, Refusals)
)]
pub(crate) async fn merge(
    ask: Ask,
    State(app): State<App>,
    Names((distribution, family)): Names<(String, String)>,
    sent: Sent<MergeOrder>,
) -> Result<Response, Error> {
    let actor = deciding::actor::<Decide>(&ask.caller)?;
    let order = sent.value;
    let act = FamilyAct {
        family: Subject::new(distribution, family),
        action: FamilyAction::Merge { into: order.into },
        reason: order.reason,
        dry_run: order.dry_run,
    };
    let done = app.store.change_family(&actor, &act, &sent.conditions);
    ask.data(&FamilyDone::from(done.await?))
}
