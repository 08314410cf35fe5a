//! The words in which forms ask for decisions, and what they become.
//!
//! Invariant: each word is offered by a form and understood here; a match in a form is named by its page's address.

use crate::deciding;
use crate::error::Error;
use crate::fields::Fields;
use crate::path::segment;
use jiff::{SignedDuration, Timestamp};
use percent_encoding::percent_decode_str;
use tracker_store::ItemId;
use tracker_triage::state::{DecidedState, Dismissal};
use tracker_triage::{Action, Place};

/// Days that a snooze by one key lasts.
const SNOOZE_DAYS: i64 = 7;

/// A decision by one key: the key, the word that forms send, and what it does.
#[derive(Debug)]
pub(super) struct Key {
    pub(super) key: &'static str,
    pub(super) word: &'static str,
    pub(super) about: &'static str,
}

const fn key(key: &'static str, word: &'static str, about: &'static str) -> Key {
    Key { key, word, about }
}

/// The keys of the queue that decide.
pub(super) const KEYS: &[Key] = &[
    key("c", "confirm", "confirm"),
    key("d", "dismiss:wrong-package", "dismiss: wrong package"),
    key("e", "dismiss:duplicate", "dismiss: duplicate"),
    key(
        "v",
        "dismiss:not-a-vulnerability",
        "dismiss: no vulnerability",
    ),
    key(
        "n",
        "dismiss:vulnerable-code-not-present",
        "dismiss: vulnerable code not present",
    ),
    key("w", "state:will-not-fix", "will not fix"),
    key("i", "state:under-investigation", "under investigation"),
    key("m", "assign-me", "take it"),
    key("s", "snooze", "snooze for a week"),
    key("r", "reopen", "reopen"),
    key("a", "agree", "agree to what is suggested"),
    key("f", "decline", "decline what is suggested"),
];

/// A decision that a form offers.
#[derive(Debug)]
pub(super) struct Choice {
    pub(super) word: String,
    pub(super) label: String,
}

/// Decisions of a group.
#[derive(Debug)]
pub(super) struct Group {
    pub(super) label: &'static str,
    pub(super) choices: Vec<Choice>,
}

/// All that a form offers.
pub(super) fn groups() -> Vec<Group> {
    let choice = |word: &str, label: &str| Choice {
        word: word.to_owned(),
        label: label.to_owned(),
    };
    let dismissals = dismissals().into_iter().map(|choice| Choice {
        word: format!("dismiss:{}", choice.word),
        ..choice
    });
    let states = DecidedState::all().map(|state| Choice {
        word: format!("state:{}", state.name()),
        label: words(&state.name()),
    });
    vec![
        Group {
            label: "The match",
            choices: vec![choice("confirm", "confirm"), choice("reopen", "reopen")],
        },
        Group {
            label: "What is suggested",
            choices: vec![choice("agree", "agree"), choice("decline", "decline")],
        },
        Group {
            label: "Dismiss it as",
            choices: dismissals.collect(),
        },
        Group {
            label: "Its findings are",
            choices: states
                .chain([choice("withdraw", "what evidence says again")])
                .collect(),
        },
        Group {
            label: "Who and when",
            choices: vec![
                choice("assign-me", "take it"),
                choice("assign", "assign to the name beside"),
                choice("unassign", "assign to nobody"),
                choice("snooze", "snooze for the days beside"),
                choice("wake", "snooze no more"),
            ],
        },
    ]
}

/// The reasons to dismiss.
pub(super) fn dismissals() -> Vec<Choice> {
    let all = Dismissal::all().map(|why| Choice {
        word: why.name().to_owned(),
        label: words(why.name()),
    });
    all.collect()
}

fn words(name: &str) -> String {
    name.replace('-', " ").replace(':', ": ")
}

fn wrong(reason: &str) -> Error {
    Error::BadForm {
        reason: reason.to_owned(),
    }
}

fn some(text: &str) -> Option<String> {
    Some(text.to_owned()).filter(|text| !text.is_empty())
}

/// The days of a form.
pub(super) fn days(fields: &Fields, otherwise: i64, most: i64) -> Result<SignedDuration, Error> {
    let text = fields.get("days");
    let days = match text {
        "" => otherwise,
        text => text.parse().unwrap_or(0),
    };
    if !(1..=most).contains(&days) {
        return Err(wrong(&format!(
            "a number of days from 1 to {most} is needed"
        )));
    }
    Ok(SignedDuration::from_hours(24 * days))
}

/// The reason of a form.
pub(super) fn reason(fields: &Fields) -> Option<String> {
    some(fields.get("reason"))
}

/// What a word of a form asks for.
pub(super) fn action(
    word: &str,
    fields: &Fields,
    me: &str,
    now: Timestamp,
) -> Result<Action, Error> {
    let place = || Place {
        channel: some(fields.get("channel")),
        attribute: some(fields.get("attribute")),
    };
    Ok(match word.split_once(':') {
        Some(("dismiss", why)) => Action::Dismiss(deciding::dismissal(why)?),
        Some(("state", state)) => Action::SetState {
            place: place(),
            state: deciding::state(state)?,
        },
        _ => match word {
            "confirm" => Action::Confirm,
            "reopen" => Action::Reopen,
            "agree" => Action::Agree(None),
            "decline" => Action::Decline(None),
            "withdraw" => Action::WithdrawState { place: place() },
            "assign-me" => Action::Assign(Some(me.to_owned())),
            "assign" => Action::Assign(Some(fields.get("to").to_owned())),
            "unassign" => Action::Assign(None),
            "snooze" => Action::Snooze(Some(now + days(fields, SNOOZE_DAYS, 366)?)),
            "wake" => Action::Snooze(None),
            "comment" => Action::Comment(fields.get("text").to_owned()),
            "add" => Action::AddPackage,
            _ => return Err(wrong("it does not say what to do")),
        },
    })
}

/// A match as forms name it.
pub(super) fn name(id: &ItemId) -> String {
    format!(
        "{}/{}/{}",
        segment(&id.vulnerability),
        segment(&id.distribution),
        segment(&id.family)
    )
}

/// The page of a match.
pub(crate) fn address(id: &ItemId) -> String {
    format!("/vulnerabilities/{}", name(id))
}

/// The match that a form names.
pub(super) fn item(name: &str) -> Result<ItemId, Error> {
    let parts: Option<Vec<String>> = name
        .split('/')
        .map(|part| percent_decode_str(part).decode_utf8().ok().map(Into::into))
        .collect();
    match parts.as_deref() {
        Some([vulnerability, distribution, family]) => Ok(ItemId {
            vulnerability: vulnerability.clone(),
            distribution: distribution.clone(),
            family: family.clone(),
        }),
        _ => Err(wrong("it names no match")),
    }
}

#[cfg(test)]
mod tests {
    use super::{KEYS, action, groups, item, name};
    use crate::fields::Fields;
    use jiff::Timestamp;
    use std::collections::BTreeSet;
    use tracker_store::ItemId;

    #[test]
    fn every_word_that_is_offered_is_understood() {
        let fields = Fields::of(&[("to", "bob")]);
        let offered = groups().into_iter().flat_map(|group| group.choices);
        let words = offered.map(|choice| choice.word);
        let words = words.chain(KEYS.iter().map(|key| key.word.to_owned()));
        for word in words.chain(["comment".to_owned(), "add".to_owned()]) {
            action(&word, &fields, "me", Timestamp::UNIX_EPOCH).unwrap();
        }
        for wrong in ["", "fly", "dismiss:x", "state:fixed"] {
            action(wrong, &fields, "me", Timestamp::UNIX_EPOCH).unwrap_err();
        }
        let keys: BTreeSet<&str> = KEYS.iter().map(|key| key.key).collect();
        assert_eq!(keys.len(), KEYS.len(), "no key does two things");
        assert!(!keys.iter().any(|key| "jkxogu?/".contains(key)));
    }

    #[test]
    fn a_match_is_named_by_its_address() {
        let odd = ItemId {
            vulnerability: "CVE-1".to_owned(),
            distribution: "nix/pkgs".to_owned(),
            family: "a b%2F\"é.json".to_owned(),
        };
        assert_eq!(item(&name(&odd)).unwrap(), odd);
        for wrong in ["", "a/b", "a/b/c/d", "a/b/%FF"] {
            item(wrong).unwrap_err();
        }
    }
}
