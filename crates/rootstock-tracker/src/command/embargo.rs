//! `embargo …`: items under embargo, as somebody whom they name.
//!
//! Invariant: whoever is not named is told that there is no such item, here as on the pages.

use super::show::plain;
use super::who::{one_called, principal};
use super::{open_existing, triage};
use crate::arguments::embargo::{Change, Embargo, EmbargoCreate, EmbargoPeople, Member};
use crate::output::{self, Outcome};
use anyhow::{Context, bail};
use jiff::Timestamp;
use serde_json::json;
use std::collections::BTreeSet;
use std::fmt::Write as _;
use tracker_people::{Comment, Permit, Principal};
use tracker_store::{EmbargoChange, EmbargoDetail, EmbargoRow, Report, Store};
use tracker_triage::Subject;

/// Runs a command of embargoes.
pub(crate) async fn run(command: Embargo) -> anyhow::Result<Outcome> {
    match command {
        Embargo::List(arguments) => {
            let (store, who) = begin(&arguments.member).await?;
            let items = store.embargoes(who.permit()?).await?;
            triage::print(arguments.member.json.json, &items, || {
                items.iter().map(line).collect()
            })
        }
        Embargo::Show(arguments) => {
            let (store, who) = begin(&arguments.member).await?;
            let found = store.embargo(who.permit()?, &arguments.name).await?;
            let Some(detail) = found else {
                return Ok(absent(&arguments.name));
            };
            triage::print(arguments.member.json.json, &detail, || whole(&detail))
        }
        Embargo::Create(arguments) => create(*arguments).await,
        Embargo::Add(arguments) => people(arguments, EmbargoChange::Name, "named").await,
        Embargo::Remove(arguments) => people(arguments, EmbargoChange::Unname, "unnamed").await,
        Embargo::Until(arguments) => {
            let change = EmbargoChange::Until(arguments.until);
            let told = arguments
                .until
                .map_or_else(|| "by hand".to_owned(), |at| at.to_string());
            let changes = vec![(change, told)];
            apply(&arguments.name, changes, "ends", &arguments.change).await
        }
        Embargo::Release(arguments) => {
            let changes = vec![(EmbargoChange::Release, arguments.name.clone())];
            apply(&arguments.name, changes, "released", &arguments.change).await
        }
        Embargo::Comment(arguments) => {
            let (store, who) = begin(&arguments.change.member).await?;
            if store
                .embargo(who.permit()?, &arguments.name)
                .await?
                .is_none()
            {
                return Ok(absent(&arguments.name));
            }
            let permit: Permit<'_, Comment> = who.permit()?;
            if !arguments.change.dry_run {
                let (name, text) = (&arguments.name, &arguments.text);
                let now = Timestamp::now();
                if !store.comment_embargo(permit, name, text, None, now).await? {
                    bail!("`{name}` is public already");
                }
            }
            told("said", &[arguments.text.as_str()], &arguments.change)
        }
    }
}

async fn begin(member: &Member) -> anyhow::Result<(Store, Principal)> {
    let store = open_existing(&member.database.database).await?;
    let who = principal(&store, &member.handle).await?;
    Ok((store, who))
}

async fn create(arguments: EmbargoCreate) -> anyhow::Result<Outcome> {
    let (store, who) = begin(&arguments.change.member).await?;
    let permit = who.permit()?;
    let now = Timestamp::now();
    let report = Report {
        id: &arguments.id,
        summary: &arguments.title,
        details: &arguments.details,
        vector: &arguments.vector,
    };
    let draft = report.draft(now).context("it cannot be held back")?;
    let distribution = arguments.distribution.as_str();
    let families: BTreeSet<Subject> = arguments
        .family
        .into_iter()
        .map(|family| Subject::new(distribution, family))
        .collect();
    let mut named = BTreeSet::new();
    for handle in &arguments.person {
        named.insert(one_called(&store, handle).await?.person.id);
    }
    if arguments.change.dry_run {
        return told("held", &[arguments.id.as_str()], &arguments.change);
    }
    let name = store
        .add_embargo(
            permit,
            &draft,
            &families,
            &named,
            arguments.until,
            None,
            now,
        )
        .await?;
    triage::print(
        arguments.change.member.json.json,
        &json!({ "name": name }),
        || format!("{name}\n"),
    )
}

async fn people(
    arguments: EmbargoPeople,
    change: fn(tracker_people::Person) -> EmbargoChange,
    word: &str,
) -> anyhow::Result<Outcome> {
    let store = open_existing(&arguments.change.member.database.database).await?;
    let mut changes = Vec::new();
    for handle in &arguments.people {
        let person = one_called(&store, handle).await?.person;
        changes.push((change(person), handle.clone()));
    }
    drop(store);
    apply(&arguments.name, changes, word, &arguments.change).await
}

/// Makes changes to an item, each with what is told of it.
async fn apply(
    name: &str,
    changes: Vec<(EmbargoChange, String)>,
    word: &str,
    change: &Change,
) -> anyhow::Result<Outcome> {
    let (store, who) = begin(&change.member).await?;
    let Some(detail) = store.embargo(who.permit()?, name).await? else {
        return Ok(absent(name));
    };
    if detail.row.released.is_some() {
        bail!("`{name}` is public already");
    }
    // Who may not is told so in a dry run, too.
    let permit = who.permit()?;
    for (what, _) in &changes {
        if !change.dry_run
            && !store
                .change_embargo(permit, name, what, None, Timestamp::now())
                .await?
        {
            bail!("`{name}` is public already, or names you no more");
        }
    }
    let about: Vec<&str> = changes.iter().map(|(_, about)| about.as_str()).collect();
    told(word, &about, change)
}

fn told(word: &str, about: &[&str], change: &Change) -> anyhow::Result<Outcome> {
    let value = json!({ "did": word, "about": about, "dry_run": change.dry_run });
    let would = if change.dry_run { "would be " } else { "" };
    triage::print(change.member.json.json, &value, || {
        let about = about.iter().map(|about| plain(about));
        format!("{would}{word}: {}\n", about.collect::<Vec<_>>().join(", "))
    })
}

fn absent(name: &str) -> Outcome {
    output::note(&format!("there is no embargo `{name}` here"));
    Outcome::Absent
}

fn line(row: &EmbargoRow) -> String {
    let stands = match (row.released, row.ends) {
        (Some(at), _) => format!("public since {at}"),
        (None, Some(at)) => format!("until {at}"),
        (None, None) => "held".to_owned(),
    };
    let (id, title) = (plain(&row.id), plain(&row.title));
    format!("{}  {id:<20} {title}  ({stands})\n", row.name)
}

fn whole(detail: &EmbargoDetail) -> String {
    let mut out = line(&detail.row);
    let mut add = |text: String| {
        let _ = writeln!(out, "{text}");
    };
    if let Some(description) = &detail.description {
        add(plain(description));
    }
    for place in &detail.places {
        let version = place.version.as_deref().unwrap_or("without version");
        let (channel, attribute) = (plain(&place.channel), plain(&place.attribute));
        add(format!("{channel}: {attribute} {}", plain(version)));
    }
    let people = detail.people.iter().map(|one| plain(&one.handle));
    add(format!(
        "known to {}",
        people.collect::<Vec<_>>().join(", ")
    ));
    for note in &detail.notes {
        add(format!(
            "{}  {}: {} {}",
            note.at.strftime("%Y-%m-%d %H:%M"),
            plain(&note.author),
            note.kind,
            plain(&note.text)
        ));
    }
    out
}
