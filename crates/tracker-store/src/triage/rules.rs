//! Suppression rules and saved views: folded from the log whenever they are asked for, for they are few.
//!
//! Invariant: a match is hidden until the latest end of the rules that cover it, and by nothing else.

use super::once::{self, Once};
use super::sql::Condition;
use super::{log, queue, statements as sql};
use crate::Store;
use crate::error::{Result, StoreError};
use crate::session::Session;
use crate::writer::{Counter, Writer};
use jiff::Timestamp;
use serde::Serialize;
use tracker_triage::board::RuleState;
use tracker_triage::command::{check_reason, check_time};
use tracker_triage::query::Query;
use tracker_triage::rule::LONGEST;
use tracker_triage::subject::is_name;
use tracker_triage::{Actor, Board, CommandError, Event, Rule};

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

/// A saved view.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ViewRow {
    /// Name.
    pub view: String,
    /// Whose it is.
    pub owner: Actor,
    /// The query.
    pub query: String,
    /// Whether everybody sees it.
    pub shared: bool,
}

/// The rules of the log.
async fn board(session: &mut Session) -> Result<Board> {
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
        let mut condition = Condition::of(&query, session.dialect(), Timestamp::UNIX_EPOCH, None);
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
    /// is past or too far away; [`StoreError::KeyTaken`] when the key was given to another request.
    pub async fn make_rule(
        &self,
        actor: &Actor,
        query: &str,
        expires: Timestamp,
        reason: Option<&str>,
        once: Option<&Once>,
    ) -> Result<u64> {
        check_reason(reason)?;
        let query = Rule::query(query)?;
        let mut writer = self.writer().await?;
        if let Some(rule) = once::answered(&mut writer, actor, once).await? {
            return Ok(rule);
        }
        check_time(expires, writer.now, LONGEST)?;
        let rule = (writer.get(Counter::Event) + 1) as u64;
        let event = Event::RuleMade {
            rule,
            query: query.to_string(),
            expires,
        };
        writer.entry(0, actor, reason, None, &event);
        writer.flush().await?;
        lay(&mut writer.session, None).await?;
        once::keep(&mut writer, actor, once, &rule).await?;
        writer.commit().await?;
        Ok(rule)
    }

    /// Ends a rule; what it hid is shown again.
    ///
    /// # Errors
    /// [`StoreError::NoRule`] when there is no such rule.
    pub async fn end_rule(&self, actor: &Actor, rule: u64, reason: Option<&str>) -> Result<()> {
        check_reason(reason)?;
        let mut writer = self.writer().await?;
        if !board(&mut writer.session)
            .await?
            .rules()
            .contains_key(&rule)
        {
            return Err(StoreError::NoRule { rule });
        }
        writer.entry(0, actor, reason, None, &Event::RuleEnded { rule });
        writer.flush().await?;
        lay(&mut writer.session, None).await?;
        writer.commit().await
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

    /// What a rule would hide, at most so many, the most urgent first, and whether there are more.
    ///
    /// # Errors
    /// [`StoreError::Query`] as for [`Store::make_rule`].
    pub async fn rule_preview(
        &self,
        query: &str,
        limit: usize,
    ) -> Result<(Vec<super::ItemId>, bool)> {
        let query = Rule::query(query)?;
        let mut session = self.read().await?;
        let epoch = Timestamp::UNIX_EPOCH;
        let found = queue::all(&mut session, &query, epoch, None, limit + 1).await?;
        let more = found.len() > limit;
        let items = found
            .into_iter()
            .take(limit)
            .map(|(_, vulnerability, subject)| super::ItemId {
                vulnerability,
                distribution: subject.distribution,
                family: subject.family,
            });
        Ok((items.collect(), more))
    }

    /// Gives a query a name; gives the event's sequence, by which its owner undoes it.
    ///
    /// # Errors
    /// [`StoreError::Triage`] when the name is none.
    pub async fn save_view(
        &self,
        actor: &Actor,
        view: &str,
        query: &Query,
        shared: bool,
    ) -> Result<u64> {
        if !is_name(view) {
            let name = view.to_owned();
            return Err(CommandError::NotAName { name }.into());
        }
        let mut writer = self.writer().await?;
        let event = Event::ViewSaved {
            view: view.to_owned(),
            query: query.to_string(),
            shared,
        };
        let sequence = writer.entry(0, actor, None, None, &event) as u64;
        writer.commit().await?;
        Ok(sequence)
    }

    /// Drops a view; gives the event's sequence, or nothing if the actor has none of that name.
    pub async fn drop_view(&self, actor: &Actor, view: &str) -> Result<Option<u64>> {
        let mut writer = self.writer().await?;
        let key = (actor.clone(), view.to_owned());
        if !board(&mut writer.session).await?.views().contains_key(&key) {
            return Ok(None);
        }
        let event = Event::ViewDropped {
            view: view.to_owned(),
        };
        let sequence = writer.entry(0, actor, None, None, &event) as u64;
        writer.commit().await?;
        Ok(Some(sequence))
    }

    /// The views that somebody sees: their own and the shared ones, by name.
    pub async fn views(&self, actor: Option<&Actor>) -> Result<Vec<ViewRow>> {
        let mut session = self.read().await?;
        let board = board(&mut session).await?;
        let seen = board
            .views()
            .iter()
            .filter(|((owner, _), state)| state.shared || Some(owner) == actor);
        let mut rows: Vec<ViewRow> = seen
            .map(|((owner, view), state)| ViewRow {
                view: view.clone(),
                owner: owner.clone(),
                query: state.query.clone(),
                shared: state.shared,
            })
            .collect();
        rows.sort_by(|a, b| (&a.view, &a.owner).cmp(&(&b.view, &b.owner)));
        Ok(rows)
    }
}
