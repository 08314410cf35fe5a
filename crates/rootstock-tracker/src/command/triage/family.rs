//! `triage family …`: merging and splitting, as the page of a family does it.

use super::{actor, print, store};
use crate::arguments::family::{Family, FamilyShow};
use crate::arguments::triage::Common;
use crate::command::open_existing;
use crate::output::{self, Outcome};
use std::fmt::Write as _;
use tracker_store::{
    Conditions, FamilyAct, FamilyAction, FamilyDetail, FamilyOutcome, StoreError, Undo,
};
use tracker_triage::{FamilyError, Subject};

/// Runs a command about families.
pub(super) async fn run(command: Family) -> anyhow::Result<Outcome> {
    match command {
        Family::Show(arguments) => show(arguments).await,
        Family::Split(split) => {
            let action = FamilyAction::Split {
                members: split.members,
                into: split.into,
            };
            let family = Subject::new(split.distribution, split.family);
            change(family, action, split.common).await
        }
        Family::Merge(merge) => {
            let action = FamilyAction::Merge { into: merge.into };
            let family = Subject::new(merge.distribution, merge.family);
            change(family, action, merge.common).await
        }
        Family::Undo(undo) => {
            let common = undo.common;
            let store = store(&common).await?;
            let reason = common.reason.as_deref();
            let what = Undo::Event(undo.event);
            let done = store
                .undo(&actor(&common.who), what, reason, common.dry_run)
                .await?;
            print(common.json.json, &done, || {
                let would = if done.dry_run { "would move" } else { "moved" };
                let event = done.act.unwrap_or_default();
                format!(
                    "event {event}: the matches of {} vulnerabilities {would} back\n",
                    done.families
                )
            })
        }
    }
}

async fn show(arguments: FamilyShow) -> anyhow::Result<Outcome> {
    let store = open_existing(&arguments.database.database).await?;
    let subject = Subject::new(arguments.distribution, arguments.family);
    let Some(detail) = store.family(&subject).await? else {
        output::note(&format!("there is no family {subject}"));
        return Ok(Outcome::Absent);
    };
    print(arguments.json.json, &detail, || told(&detail))
}

fn told(detail: &FamilyDetail) -> String {
    let mut text = format!("{} in {}\n", detail.family, detail.distribution);
    for member in &detail.members {
        let _ = write!(text, "  {} ({})", member.attribute, member.pname);
        if member.own_family != detail.family {
            let _ = write!(text, ", by itself of {}", member.own_family);
        }
        let _ = writeln!(text, ", affected by {}", member.affected);
    }
    if !detail.heirs.is_empty() {
        let _ = writeln!(
            text,
            "members that were its own are in {}",
            detail.heirs.join(", ")
        );
    }
    for step in &detail.steps {
        let undone = if step.holds { "" } else { " (undone)" };
        let _ = write!(
            text,
            "event {}{undone} {} by {}: {}",
            step.change.event, step.at, step.actor, step.text
        );
        match &step.reason {
            Some(reason) => {
                let _ = writeln!(text, ": {reason}");
            }
            None => text.push('\n'),
        }
    }
    text
}

async fn change(family: Subject, action: FamilyAction, common: Common) -> anyhow::Result<Outcome> {
    let store = store(&common).await?;
    let act = FamilyAct {
        family,
        action,
        reason: common.reason,
        dry_run: common.dry_run,
    };
    let who = actor(&common.who);
    match store
        .change_family(&who, &act, &Conditions::default())
        .await
    {
        Ok(outcome) => print(common.json.json, &outcome, || changed(&outcome)),
        Err(StoreError::Family(error @ FamilyError::NoFamily { .. })) => {
            output::note(&error.to_string());
            Ok(Outcome::Absent)
        }
        Err(other) => Err(other.into()),
    }
}

fn changed(outcome: &FamilyOutcome) -> String {
    let mut text = if outcome.dry_run {
        "would be: ".to_owned()
    } else {
        format!("event {}: ", outcome.act)
    };
    let _ = writeln!(
        text,
        "{} of {} counted to {} (vulnerabilities: {}, decided about: {})",
        outcome.members.join(", "),
        outcome.family,
        outcome.into,
        outcome.vulnerabilities,
        outcome.decided
    );
    text
}
