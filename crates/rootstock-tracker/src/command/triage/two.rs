//! `triage suggest` and `triage second-person`: what waits for somebody else.

use super::{actor, decided, dismissal, one_act, print, store};
use crate::arguments::triage::{SecondPerson, Suggest};
use crate::output::Outcome;
use serde_json::json;
use tracker_record::Severity;
use tracker_triage::{Action, Place, Verdict};

pub(super) async fn suggest(arguments: Suggest) -> anyhow::Result<Outcome> {
    let verdict = if let Some(why) = &arguments.what.dismiss {
        let why = dismissal(why)?;
        Verdict::Dismiss { why }
    } else if let Some(state) = &arguments.what.state {
        let place = Place {
            channel: arguments.channel,
            attribute: arguments.attribute,
        };
        let state = decided(state)?;
        Verdict::State { place, state }
    } else {
        Verdict::Confirm
    };
    one_act(&arguments.which, Action::Suggest(verdict), arguments.common).await
}

pub(super) async fn second_person(arguments: SecondPerson) -> anyhow::Result<Outcome> {
    let common = arguments.common;
    let store = store(&common).await?;
    let from = match arguments.from.as_deref() {
        None => store.second_person().await?.from,
        Some(word) => {
            let from = severity(word);
            if !common.dry_run {
                let reason = common.reason.as_deref();
                store
                    .ask_second_person(&actor(&common.who), from, reason)
                    .await?;
            }
            from
        }
    };
    print(common.json.json, &json!({ "from": from }), || match from {
        Some(from) => {
            format!("two people have to agree from severity {from:?} on\n").to_lowercase()
        }
        None => "one person's word is enough for every severity\n".to_owned(),
    })
}

/// The severity of a word that the command line let through.
fn severity(word: &str) -> Option<Severity> {
    match word {
        "low" => Some(Severity::Low),
        "medium" => Some(Severity::Medium),
        "high" => Some(Severity::High),
        "critical" => Some(Severity::Critical),
        _ => None,
    }
}
