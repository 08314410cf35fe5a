//! Suppression rules: folded from the log whenever they are asked for, for they are few.
//!
//! Invariants: a match is hidden until the latest end of the rules that cover it, and by nothing else; no rule hides what
//! is severe unless whoever made or renewed it said so.

use super::once::{self, Conditions};
use super::sql::Condition;
use super::{ItemId, log, queue, statements as sql};
use crate::Store;
use crate::error::{Result, StoreError};
use crate::session::Session;
use crate::writer::{Counter, Writer};
use jiff::Timestamp;
use serde::Serialize;
use tracker_triage::board::RuleState;
use tracker_triage::command::{check_reason, check_time};
use tracker_triage::query::Query;
use tracker_triage::rule::{LONGEST, severe};
use tracker_triage::{Actor, Board, Event, Rule};

/// Keys that one statement names.
const KEYS: usize = 500;

/// A rule that is in force, or waits to be looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RuleRow {
    /// Its number.
    pub rule: u64,
    /// The rest.
    #[serde(flatten)]
    pub state: RuleState,
    /// Whether its time is over, so that it hides nothing and is to be looked at.
    pub due: bool,
}

/// A rule to make.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewRule<'a> {
    /// What it hides.
    pub query: &'a str,
    /// Until when.
    pub expires: Timestamp,
    /// Why.
    pub reason: Option<&'a str>,
    /// Whether it may hide what is severe.
    pub hides_severe: bool,
}

/// What a rule would hide.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct RulePreview {
    /// How many matches.
    pub total: u64,
    /// How many of them are severe: high, critical or exploited, and not dismissed.
    pub severe: u64,
    /// The most urgent of all.
    pub would_hide: Vec<ItemId>,
    /// The most urgent of the severe.
    pub would_hide_severe: Vec<ItemId>,
    /// Whether there are more than are listed.
    pub more: bool,
}

/// The rules of the log.
pub(super) async fn board(session: &mut Session) -> Result<Board> {
    let entries = log::general(session).await?;
    Ok(Board::fold(&entries))
}

/// Hides what the rules cover: of some matches that are hidden by nothing yet, or of all.
pub(super) async fn lay(session: &mut Session, only: Option<&[i64]>) -> Result<()> {
    let board = board(session).await?;
    if only.is_none() {
        session.execute(&sql::SHOWN_AGAIN, Vec::new()).await?;
    }
    for (number, state) in board.rules() {
        let query = Rule::query(&state.query)
            .map_err(|error| StoreError::damaged(format!("rule {number}"), error))?;
        let mut condition = Condition::of(
            query.parts(),
            session.dialect(),
            Timestamp::UNIX_EPOCH,
            None,
        );
        let (set, held) = (condition.bind(state.expires), condition.bind(state.expires));
        // Placeholders of SQLite are found by number, so these may stand before those of the condition.
        let text = |keys: &str| {
            format!(
                "UPDATE triage_item SET suppressed = {set} WHERE key IN (SELECT i.key FROM triage_item AS i WHERE ({}) AND i.suppressed < {held}{keys})",
                condition.text
            )
        };
        match only {
            None => {
                session.change(text(""), condition.values.clone()).await?;
            }
            Some(keys) => {
                for keys in keys.chunks(KEYS) {
                    let keys: Vec<String> = keys.iter().map(i64::to_string).collect();
                    let keys = format!(" AND i.key IN ({})", keys.join(","));
                    session
                        .change(text(&keys), condition.values.clone())
                        .await?;
                }
            }
        }
    }
    Ok(())
}

/// Whether an event is about somebody's saved view.
pub(super) const fn is_of_view(event: &Event) -> bool {
    matches!(event, Event::ViewSaved { .. } | Event::ViewDropped { .. })
}

/// Writes the event that makes a rule, once it is checked that it may be; gives its number.
async fn make(
    writer: &mut Writer,
    actor: &Actor,
    query: &Query,
    rule: &NewRule<'_>,
    group: Option<i64>,
) -> Result<u64> {
    check_time(rule.expires, writer.now, LONGEST)?;
    if !rule.hides_severe {
        let severe = queue::count(&mut writer.session, &severe(query)).await?;
        if severe > 0 {
            return Err(StoreError::HidesSevere { severe });
        }
    }
    let number = (writer.get(Counter::Event) + 1) as u64;
    let event = Event::RuleMade {
        rule: number,
        query: query.to_string(),
        expires: rule.expires,
    };
    writer.entry(0, actor, rule.reason, group, &event);
    Ok(number)
}

/// Notes the rules whose time is over; gives how many.
pub(super) async fn expire(writer: &mut Writer) -> Result<u64> {
    let overdue = overdue(&mut writer.session, writer.now).await?;
    for rule in &overdue {
        writer.event(0, &Event::RuleExpired { rule: *rule });
    }
    Ok(overdue.len() as u64)
}

/// Rules whose time is over, and of which the log does not say so yet.
pub(super) async fn overdue(session: &mut Session, now: Timestamp) -> Result<Vec<u64>> {
    let board = board(session).await?;
    let rules = board.rules().iter();
    let overdue = rules.filter(|(_, state)| state.expires <= now && !state.expired);
    Ok(overdue.map(|(rule, _)| *rule).collect())
}

impl Store {
    /// Makes a rule that hides what its query finds until a time; gives its number.
    ///
    /// # Errors
    /// [`StoreError::Query`] when the query is none, or depends on who asks or when; [`StoreError::Triage`] when the time
    /// is past or too far away; [`StoreError::HidesSevere`] when it would hide what is severe and may not;
    /// [`StoreError::KeyTaken`] when the key was given to another request.
    pub async fn make_rule(
        &self,
        actor: &Actor,
        rule: &NewRule<'_>,
        conditions: &Conditions,
    ) -> Result<u64> {
        check_reason(rule.reason)?;
        let query = Rule::query(rule.query)?;
        let mut writer = self.writer().await?;
        let once = conditions.once.as_ref();
        if let Some(rule) = once::answered(&mut writer.session, actor, once).await? {
            return Ok(rule);
        }
        let number = make(&mut writer, actor, &query, rule, None).await?;
        writer.flush().await?;
        lay(&mut writer.session, None).await?;
        once::keep(&mut writer.session, actor, once, writer.now, &number).await?;
        writer.commit().await?;
        Ok(number)
    }

    /// Makes a rule anew and ends the old one, as one act, which one undo takes back; gives the new number. Without a
    /// reason, that of the old rule stands.
    ///
    /// # Errors
    /// As [`Store::make_rule`]; [`StoreError::NoRule`] when there is no such rule, [`StoreError::Moved`] when somebody did
    /// something about it since.
    pub async fn renew_rule(
        &self,
        actor: &Actor,
        rule: u64,
        expires: Timestamp,
        reason: Option<&str>,
        hides_severe: bool,
        conditions: &Conditions,
    ) -> Result<u64> {
        check_reason(reason)?;
        let mut writer = self.writer().await?;
        let once = conditions.once.as_ref();
        if let Some(rule) = once::answered(&mut writer.session, actor, once).await? {
            return Ok(rule);
        }
        let held = held(&mut writer.session, rule, conditions).await?;
        let query = Rule::query(&held.query)?;
        let new = NewRule {
            query: &held.query,
            expires,
            reason: reason.or(held.reason.as_deref()),
            hides_severe,
        };
        let group = Some(writer.get(Counter::Event) + 1);
        let number = make(&mut writer, actor, &query, &new, group).await?;
        let ended = Event::RuleEnded { rule };
        writer.entry(0, actor, Some("renewed"), group, &ended);
        writer.flush().await?;
        lay(&mut writer.session, None).await?;
        once::keep(&mut writer.session, actor, once, writer.now, &number).await?;
        writer.commit().await?;
        Ok(number)
    }

    /// Ends a rule; what it hid is shown again. Gives the event, which can be undone.
    ///
    /// # Errors
    /// [`StoreError::NoRule`] when there is no such rule, [`StoreError::Moved`] when somebody did something about it since.
    pub async fn end_rule(
        &self,
        actor: &Actor,
        rule: u64,
        reason: Option<&str>,
        conditions: &Conditions,
    ) -> Result<u64> {
        check_reason(reason)?;
        let mut writer = self.writer().await?;
        let once = conditions.once.as_ref();
        if let Some(event) = once::answered(&mut writer.session, actor, once).await? {
            return Ok(event);
        }
        held(&mut writer.session, rule, conditions).await?;
        let event = writer.entry(0, actor, reason, None, &Event::RuleEnded { rule }) as u64;
        writer.flush().await?;
        lay(&mut writer.session, None).await?;
        once::keep(&mut writer.session, actor, once, writer.now, &event).await?;
        writer.commit().await?;
        Ok(event)
    }

    /// All rules, by number; those whose time is over wait to be looked at.
    pub async fn rules(&self, now: Timestamp) -> Result<Vec<RuleRow>> {
        let mut session = self.read().await?;
        let board = board(&mut session).await?;
        let rows = board.rules().iter().map(|(rule, state)| RuleRow {
            rule: *rule,
            state: state.clone(),
            due: state.expires <= now,
        });
        Ok(rows.collect())
    }

    /// A rule, and the last event about it.
    pub async fn rule(&self, rule: u64, now: Timestamp) -> Result<Option<(RuleRow, u64)>> {
        let mut session = self.read().await?;
        let board = board(&mut session).await?;
        let found = board.rules().get(&rule).map(|state| RuleRow {
            rule,
            state: state.clone(),
            due: state.expires <= now,
        });
        Ok(found.map(|row| (row, board.last_about_rule(rule))))
    }

    /// What a rule would hide; of each list at most so many, the most urgent first.
    ///
    /// # Errors
    /// [`StoreError::Query`] as for [`Store::make_rule`].
    pub async fn rule_preview(&self, query: &str, limit: usize) -> Result<RulePreview> {
        let query = Rule::query(query)?;
        let mut session = self.read().await?;
        let severe = severe(&query);
        let mut preview = RulePreview {
            total: queue::count(&mut session, &query).await?,
            severe: queue::count(&mut session, &severe).await?,
            ..RulePreview::default()
        };
        preview.more = preview.total > limit as u64;
        preview.would_hide = listed(&mut session, &query, limit).await?;
        preview.would_hide_severe = listed(&mut session, &severe, limit).await?;
        Ok(preview)
    }
}

/// A rule that is there and about which nobody did anything since.
async fn held(session: &mut Session, rule: u64, conditions: &Conditions) -> Result<RuleState> {
    let board = board(session).await?;
    let held = board.rules().get(&rule).cloned();
    let held = held.ok_or(StoreError::NoRule { rule })?;
    conditions.check(board.last_about_rule(rule))?;
    Ok(held)
}

async fn listed(session: &mut Session, query: &Query, limit: usize) -> Result<Vec<ItemId>> {
    let found = queue::all(session, query, Timestamp::UNIX_EPOCH, None, limit).await?;
    let items = found.into_iter().map(|(_, vulnerability, subject)| ItemId {
        vulnerability,
        distribution: subject.distribution,
        family: subject.family,
    });
    Ok(items.collect())
}
