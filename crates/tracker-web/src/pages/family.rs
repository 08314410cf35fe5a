//! `/families/DISTRIBUTION/FAMILY`: who belongs to a family, splitting members off, merging it into another, and undo.
//!
//! Invariant: each form works without a script, tells what it will do before it does it, and is one event, which the line
//! behind it and the history offer to undo.

use super::queue::{Done, decides, with};
use super::sign_in::{own, redirect};
use super::{Link, Section, Shell};
use crate::app::App;
use crate::ask::{Ask, Names};
use crate::components::{Day, count};
use crate::deciding;
use crate::error::{Error, Suggestion};
use crate::fields::Fields;
use crate::path;
use crate::people::Caller;
use crate::query::QueueQuery;
use askama::Template;
use axum::extract::State;
use axum::response::Response;
use tracker_people::Decide;
use tracker_store::{
    Conditions, FamilyAct, FamilyAction, FamilyDetail, FamilyOutcome, FamilyStep, Store,
};
use tracker_triage::{ChangeKind, Subject};

#[derive(Debug, Template)]
#[template(path = "family.html")]
struct FamilyPage {
    shell: Shell,
    family: String,
    distribution: String,
    members: Vec<MemberLine>,
    heirs: Vec<Link>,
    steps: Vec<StepLine>,
    queue: String,
    done: Option<Done>,
    decides: bool,
    last: u64,
    action: String,
    back: String,
}

#[derive(Debug)]
struct MemberLine {
    href: String,
    attribute: String,
    pname: String,
    own_family: Option<String>,
    affected: u32,
}

#[derive(Debug)]
struct StepLine {
    at: Day,
    who: String,
    text: String,
    reason: Option<String>,
    holds: bool,
    last: u64,
}

/// The question before a change.
#[derive(Debug, Template)]
#[template(path = "family-sure.html")]
struct SurePage {
    shell: Shell,
    what: String,
    members: Vec<String>,
    vulnerabilities: String,
    decided: String,
    rule: &'static str,
    kept: Vec<(&'static str, String)>,
    action: String,
    button: &'static str,
}

impl FamilyPage {
    fn new(detail: &FamilyDetail, done: Option<Done>, ask: &Ask) -> FamilyPage {
        let address = |family: &str| path::family(&detail.distribution, family);
        let action = address(&detail.family);
        FamilyPage {
            shell: Shell::new(Section::Packages, ask),
            family: detail.family.clone(),
            distribution: detail.distribution.clone(),
            members: detail
                .members
                .iter()
                .map(|member| MemberLine {
                    href: path::package(&detail.distribution, &member.attribute),
                    attribute: member.attribute.clone(),
                    pname: member.pname.clone(),
                    own_family: Some(member.own_family.clone()).filter(|own| *own != detail.family),
                    affected: member.affected,
                })
                .collect(),
            heirs: detail
                .heirs
                .iter()
                .map(|heir| Link::new(address(heir), heir))
                .collect(),
            steps: detail
                .steps
                .iter()
                .rev()
                .map(|step| StepLine::new(step, ask))
                .collect(),
            queue: format!(
                "/queue?q={}",
                path::query_value(&format!("family:\"{}\"", detail.family.replace('"', "")))
            ),
            done,
            decides: decides(&ask.caller),
            last: detail.last,
            back: action.clone(),
            action,
        }
    }
}

impl StepLine {
    fn new(step: &FamilyStep, ask: &Ask) -> StepLine {
        StepLine {
            at: Day::new(step.at, ask.now),
            who: step.actor.to_string(),
            text: step.text.clone(),
            reason: step.reason.clone(),
            holds: step.holds,
            last: step.last,
        }
    }
}

/// Ways on from a family, or from a match of one, that was merged into others.
pub(crate) async fn moved(
    store: &Store,
    subject: &Subject,
    address: impl Fn(&str) -> String,
) -> Result<Vec<Suggestion>, Error> {
    let found = store.family(subject).await?;
    let heirs = found.map(|found| found.heirs).unwrap_or_default();
    let ways = heirs.into_iter().map(|heir| Suggestion {
        href: address(&heir),
        text: heir,
    });
    Ok(ways.collect())
}

/// `GET /families/{distribution}/{family}`.
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
    let done = Done::of(&app, QueueQuery::read(&ask.query)?.done, &ask.caller).await?;
    ask.answer(&detail, || FamilyPage::new(&detail, done, &ask))
}

/// `POST /families/{distribution}/{family}`: what the form says, once it is sure.
pub(crate) async fn change(
    State(app): State<App>,
    caller: Caller,
    Names((distribution, family)): Names<(String, String)>,
    fields: Fields,
) -> Result<Response, Error> {
    let actor = deciding::actor::<Decide>(&caller)?;
    let some = |name| Some(fields.get(name).to_owned()).filter(|text: &String| !text.is_empty());
    let members: Vec<String> = fields.all("member").map(str::to_owned).collect();
    let action = match fields.get("do") {
        "split" => FamilyAction::Split {
            members: members.clone(),
            into: some("into"),
        },
        "merge" => FamilyAction::Merge {
            into: fields.get("into").to_owned(),
        },
        _ => {
            return Err(Error::BadForm {
                reason: "it says neither `split` nor `merge`".to_owned(),
            });
        }
    };
    let sure = !fields.get("sure").is_empty();
    let act = FamilyAct {
        family: Subject::new(distribution, family),
        action,
        reason: some("reason"),
        dry_run: !sure,
    };
    let conditions = Conditions {
        once: None,
        last: fields.get("last").parse().ok(),
    };
    let outcome = app.store.change_family(&actor, &act, &conditions).await?;
    if !sure {
        return own(&SurePage::new(&outcome, &fields, &caller));
    }
    // Of a merge, the family that stays has the members.
    let stays = match outcome.kind {
        ChangeKind::Split => &outcome.family,
        ChangeKind::Merge => &outcome.into,
    };
    let address = path::family(&outcome.distribution, stays);
    Ok(redirect(&with(&address, Some(outcome.act))))
}

impl SurePage {
    fn new(outcome: &FamilyOutcome, fields: &Fields, caller: &Caller) -> SurePage {
        let (family, into) = (&outcome.family, &outcome.into);
        let (what, rule, button) = match outcome.kind {
            ChangeKind::Split => (
                format!("Split off from {family}, as {into}"),
                "What was decided about the family so far holds for both; from now on they are decided apart.",
                "Split them off",
            ),
            ChangeKind::Merge => (
                format!("Merge {family} into {into}"),
                "What was decided about one of the matches holds for both; what was decided about findings stays with its members.",
                "Merge them",
            ),
        };
        let kept = ["do", "into", "reason", "last"];
        let kept = kept.map(|name| (name, fields.get(name).to_owned()));
        let members = fields.all("member").map(|one| ("member", one.to_owned()));
        SurePage {
            shell: Shell::own(caller),
            what,
            members: outcome.members.clone(),
            vulnerabilities: count(outcome.vulnerabilities),
            decided: count(outcome.decided),
            rule,
            kept: kept.into_iter().chain(members).collect(),
            action: path::family(&outcome.distribution, family),
            button,
        }
    }
}
