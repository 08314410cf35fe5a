//! What a writing request may ask for.
//!
//! Invariant: a field that is not known is refused by name, never ignored.

use crate::deciding;
use crate::error::Error;
use jiff::Timestamp;
use serde::Deserialize;
use tracker_store::{ItemId, Targets};
use tracker_triage::query::Query;
use tracker_triage::{Action, Place, Subject, Verdict};
use utoipa::ToSchema;

/// A match, by its names.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct MatchName {
    /// Any id of the vulnerability.
    vulnerability: String,
    /// Distribution.
    distribution: String,
    /// Package family.
    family: String,
}

/// A package family.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct FamilyName {
    /// Distribution.
    distribution: String,
    /// Package family.
    family: String,
}

/// All matches of a vulnerability but some.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AllBut {
    /// Any id of the vulnerability.
    vulnerability: String,
    /// What is left alone.
    keep: Vec<FamilyName>,
}

/// What is decided.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(tag = "do", rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) enum Decision {
    /// The match is right.
    Confirm {},
    /// It is wrong, or does not matter.
    Dismiss {
        /// `wrong-package`, `duplicate`, `not-a-vulnerability`, or a justification of VEX.
        why: String,
    },
    /// What was said of it is taken back.
    Reopen {},
    /// The state of findings.
    SetState {
        /// `affected`, `under-investigation`, `will-not-fix`, `fixed-by-version`, `fixed-by-patch`, or `not-affected:` with
        /// a justification of VEX.
        state: String,
        /// On this channel only.
        channel: Option<String>,
        /// For this attribute only.
        attribute: Option<String>,
    },
    /// A state that was decided is taken back.
    WithdrawState {
        /// On this channel only.
        channel: Option<String>,
        /// For this attribute only.
        attribute: Option<String>,
    },
    /// Somebody deals with it, or nobody.
    Assign {
        /// Who.
        to: Option<String>,
    },
    /// It is out of sight until a time, or back.
    Snooze {
        /// Until when, at most a year from now.
        #[schema(value_type = Option<String>, format = DateTime)]
        until: Option<Timestamp>,
    },
    /// A family that matching did not find.
    AddPackage {},
}

/// A decision about one match, about many, about what a query finds, or about all of a vulnerability but some: one of
/// `matches`, `query` and `all_but`.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct DecisionOrder {
    /// These matches: as many as a request of 256 KiB holds.
    matches: Option<Vec<MatchName>>,
    /// What this query finds, at most 10,000.
    query: Option<String>,
    /// All matches of a vulnerability but some.
    all_but: Option<AllBut>,
    /// What.
    pub(super) decision: Decision,
    /// Why, for the log.
    pub(super) reason: Option<String>,
    /// Whether to tell only what would be done.
    #[serde(default)]
    pub(super) dry_run: bool,
}

/// How a match should be decided, in the opinion of somebody who may not, or not alone.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SuggestionOrder {
    /// The match.
    r#match: MatchName,
    /// How: `confirm`, `dismiss` or `set-state`.
    decision: Decision,
    /// Why.
    pub(super) reason: Option<String>,
    /// Whether to tell only what would be done.
    #[serde(default)]
    pub(super) dry_run: bool,
}

/// An answer to what is suggested for a match.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AnswerOrder {
    /// The match.
    pub(super) r#match: MatchName,
    /// Which of its suggestions; the last if it is left out.
    pub(super) suggestion: Option<u64>,
    /// Why, for the log.
    pub(super) reason: Option<String>,
    /// Whether to tell only what would be done.
    #[serde(default)]
    pub(super) dry_run: bool,
}

/// The match about which one takes back what one last suggested.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct WithdrawalOrder {
    /// The match.
    pub(super) r#match: MatchName,
    /// Why, for the log.
    pub(super) reason: Option<String>,
    /// Whether to tell only what would be done.
    #[serde(default)]
    pub(super) dry_run: bool,
}

/// Something to say about a match.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CommentOrder {
    /// The match.
    r#match: MatchName,
    /// Markdown.
    pub(super) text: String,
}

/// What to take back: either one event, or a whole act.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct UndoOrder {
    /// Sequence of one event.
    pub(super) event: Option<u64>,
    /// Sequence of the first event of an act.
    pub(super) act: Option<u64>,
    /// Why, for the log.
    pub(super) reason: Option<String>,
    /// Whether to tell only what would be done.
    #[serde(default)]
    pub(super) dry_run: bool,
}

/// A rule to make.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RuleOrder {
    /// What it hides; it may not depend on who asks or when.
    pub(super) query: String,
    /// When it is to be looked at again, at most two years from now.
    #[schema(value_type = String, format = DateTime)]
    pub(super) expires: Timestamp,
    /// Why.
    pub(super) reason: String,
    /// Whether it may hide what is severe: high, critical or exploited. Without it such a rule is refused.
    #[serde(default)]
    pub(super) hide_severe: bool,
}

/// Until when a rule holds anew.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RenewalOrder {
    /// When it is to be looked at again, at most two years from now.
    #[schema(value_type = String, format = DateTime)]
    pub(super) expires: Timestamp,
    /// Why; that of the rule before if it is left out.
    pub(super) reason: Option<String>,
    /// Whether it may hide what is severe: high, critical or exploited. Without it such a rule is refused.
    #[serde(default)]
    pub(super) hide_severe: bool,
}

/// An event about a view to take back.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ViewUndoOrder {
    /// Its sequence.
    pub(super) event: u64,
}

/// A view to save.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ViewOrder {
    /// Its query.
    pub(super) query: String,
    /// Whether everybody sees it.
    #[serde(default)]
    pub(super) shared: bool,
}

impl From<MatchName> for ItemId {
    fn from(name: MatchName) -> ItemId {
        ItemId {
            vulnerability: name.vulnerability,
            distribution: name.distribution,
            family: name.family,
        }
    }
}

impl Decision {
    /// The act that it asks for.
    pub(super) fn action(self) -> Result<Action, Error> {
        Ok(match self {
            Decision::Confirm {} => Action::Confirm,
            Decision::Dismiss { why } => Action::Dismiss(deciding::dismissal(&why)?),
            Decision::Reopen {} => Action::Reopen,
            Decision::SetState {
                state,
                channel,
                attribute,
            } => Action::SetState {
                place: Place { channel, attribute },
                state: deciding::state(&state)?,
            },
            Decision::WithdrawState { channel, attribute } => Action::WithdrawState {
                place: Place { channel, attribute },
            },
            Decision::Assign { to } => Action::Assign(to),
            Decision::Snooze { until } => Action::Snooze(until),
            Decision::AddPackage {} => Action::AddPackage,
        })
    }
}

impl DecisionOrder {
    /// What it is about.
    pub(super) fn targets(&mut self) -> Result<Targets, Error> {
        let told = (self.matches.take(), self.query.take(), self.all_but.take());
        Ok(match told {
            (Some(matches), None, None) => {
                Targets::Items(matches.into_iter().map(ItemId::from).collect())
            }
            (None, Some(query), None) => Targets::Query(Query::parse(&query)?),
            (None, None, Some(all)) => Targets::AllBut {
                vulnerability: all.vulnerability,
                keep: all
                    .keep
                    .into_iter()
                    .map(|kept| Subject::new(kept.distribution, kept.family))
                    .collect(),
            },
            _ => {
                return Err(Error::Undecidable {
                    reason: "it is about exactly one of `matches`, `query` and `all_but`"
                        .to_owned(),
                });
            }
        })
    }
}

impl SuggestionOrder {
    /// What it is about, and the act.
    pub(super) fn parts(self) -> Result<(Targets, Action), Error> {
        let verdict = Verdict::of(&self.decision.action()?);
        let verdict = verdict.ok_or_else(|| Error::Undecidable {
            reason: "only `confirm`, `dismiss` and `set-state` can be suggested".to_owned(),
        })?;
        let targets = Targets::Items(vec![self.r#match.into()]);
        Ok((targets, Action::Suggest(verdict)))
    }
}

impl CommentOrder {
    /// What it is about, and the text.
    pub(super) fn parts(self) -> (Targets, Action) {
        let targets = Targets::Items(vec![self.r#match.into()]);
        (targets, Action::Comment(self.text))
    }
}
