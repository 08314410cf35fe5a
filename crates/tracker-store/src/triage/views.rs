//! Saved views: a query with a name, folded from the log whenever they are asked for.
//!
//! Invariants: a view is its owner's; nobody else changes it, drops it or takes that back. A preview checks what the change
//! checks.

use super::decide::original;
use super::once::{self, Conditions};
use super::{log, rules};
use crate::Store;
use crate::error::{Result, StoreError};
use crate::session::Session;
use serde::Serialize;
use tracker_triage::board::ViewState;
use tracker_triage::command::check_undo;
use tracker_triage::query::Query;
use tracker_triage::subject::is_name;
use tracker_triage::{Actor, CommandError, Entry, Event};

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

impl ViewRow {
    fn new(owner: &Actor, view: &str, state: &ViewState) -> ViewRow {
        ViewRow {
            view: view.to_owned(),
            owner: owner.clone(),
            query: state.query.clone(),
            shared: state.shared,
        }
    }
}

/// What is to be done about a view of somebody's own.
#[derive(Debug, Clone, Copy)]
pub enum ViewChange<'a> {
    /// A query gets a name.
    Save {
        /// The name.
        view: &'a str,
        /// The query.
        query: &'a Query,
        /// Whether everybody sees it.
        shared: bool,
    },
    /// A view goes.
    Drop {
        /// Its name.
        view: &'a str,
    },
    /// An event about a view, or an undo of one, counts as if it had not been.
    Undo {
        /// Its sequence.
        event: u64,
    },
}

impl ViewChange<'_> {
    /// The event that it is; none if it stands so already.
    async fn event(
        self,
        session: &mut Session,
        owner: &Actor,
        conditions: &Conditions,
    ) -> Result<Option<Event>> {
        match self {
            ViewChange::Save {
                view,
                query,
                shared,
            } => {
                let name = view.to_owned();
                if !is_name(view) {
                    return Err(CommandError::NotAName { name }.into());
                }
                let board = rules::board(session).await?;
                conditions.check(board.last_about_view(owner, view))?;
                let query = query.to_string();
                let state = ViewState { query, shared };
                let held = board.views().get(&(owner.clone(), name.clone()));
                Ok((held != Some(&state)).then_some(Event::ViewSaved {
                    view: name,
                    query: state.query,
                    shared,
                }))
            }
            ViewChange::Drop { view } => {
                let board = rules::board(session).await?;
                let view = view.to_owned();
                if !board.views().contains_key(&(owner.clone(), view.clone())) {
                    return Err(StoreError::NoView { view });
                }
                conditions.check(board.last_about_view(owner, &view))?;
                Ok(Some(Event::ViewDropped { view }))
            }
            ViewChange::Undo { event } => {
                let entries = log::general(session).await?;
                let found = entries.iter().find(|entry| entry.sequence == event);
                let about = found.map(|entry| original(&entries, entry));
                let own = |entry: &Entry| rules::is_of_view(&entry.event) && entry.actor == *owner;
                if !about.is_some_and(own) {
                    return Err(CommandError::NoEvent { event }.into());
                }
                check_undo(&entries, event)?;
                Ok(Some(Event::Undone { event }))
            }
        }
    }
}

impl Store {
    /// Gives a query a name. Gives the event, which can be undone; none if it stands so already.
    ///
    /// # Errors
    /// [`StoreError::Triage`] when the name is none, [`StoreError::KeyTaken`] and [`StoreError::Moved`] when a condition
    /// does not hold.
    pub async fn save_view(
        &self,
        owner: &Actor,
        view: &str,
        query: &Query,
        shared: bool,
        conditions: &Conditions,
    ) -> Result<Option<u64>> {
        let save = ViewChange::Save {
            view,
            query,
            shared,
        };
        self.change_view(owner, save, conditions).await
    }

    /// Drops a view. Gives the event, which can be undone.
    ///
    /// # Errors
    /// [`StoreError::NoView`] if the owner has none of that name; as [`Store::save_view`] besides.
    pub async fn drop_view(
        &self,
        owner: &Actor,
        view: &str,
        conditions: &Conditions,
    ) -> Result<u64> {
        let drop = ViewChange::Drop { view };
        let event = self.change_view(owner, drop, conditions).await?;
        Ok(event.expect("dropping changes something"))
    }

    /// Takes back an event about a view of the owner's, or an undo of one. Gives the event of that, which can be undone.
    ///
    /// # Errors
    /// [`StoreError::Triage`] when the event is none of theirs about a view, or is undone already; as
    /// [`Store::save_view`] besides.
    pub async fn undo_view(
        &self,
        owner: &Actor,
        event: u64,
        conditions: &Conditions,
    ) -> Result<u64> {
        let undo = ViewChange::Undo { event };
        let event = self.change_view(owner, undo, conditions).await?;
        Ok(event.expect("taking back changes something"))
    }

    /// Whether a change would change anything. Nothing is written.
    ///
    /// # Errors
    /// When the change would be refused, as it would be.
    pub async fn preview_view(&self, owner: &Actor, change: ViewChange<'_>) -> Result<bool> {
        let mut session = self.read().await?;
        let free = Conditions::default();
        let event = change.event(&mut session, owner, &free).await?;
        Ok(event.is_some())
    }

    /// Carries out a change. Gives the event, which can be undone; none if it stands so already.
    ///
    /// # Errors
    /// As [`Store::save_view`], [`Store::drop_view`] and [`Store::undo_view`].
    pub async fn change_view(
        &self,
        owner: &Actor,
        change: ViewChange<'_>,
        conditions: &Conditions,
    ) -> Result<Option<u64>> {
        let mut writer = self.writer().await?;
        let once = conditions.once.as_ref();
        if let Some(event) = once::answered(&mut writer.session, owner, once).await? {
            return Ok(event);
        }
        let event = change.event(&mut writer.session, owner, conditions).await?;
        let event = event.map(|event| writer.entry(0, owner, None, None, &event) as u64);
        once::keep(&mut writer.session, owner, once, writer.now, &event).await?;
        writer.commit().await?;
        Ok(event)
    }

    /// The views that somebody sees: their own and the shared ones, by name.
    pub async fn views(&self, actor: Option<&Actor>) -> Result<Vec<ViewRow>> {
        let mut session = self.read().await?;
        let board = rules::board(&mut session).await?;
        let seen = board
            .views()
            .iter()
            .filter(|((owner, _), state)| state.shared || Some(owner) == actor);
        let mut rows: Vec<ViewRow> = seen
            .map(|((owner, view), state)| ViewRow::new(owner, view, state))
            .collect();
        rows.sort_by(|a, b| (&a.view, &a.owner).cmp(&(&b.view, &b.owner)));
        Ok(rows)
    }

    /// A view of somebody's own, and the last event about it.
    pub async fn view(&self, owner: &Actor, view: &str) -> Result<Option<(ViewRow, u64)>> {
        let mut session = self.read().await?;
        let board = rules::board(&mut session).await?;
        let state = board.views().get(&(owner.clone(), view.to_owned()));
        let last = board.last_about_view(owner, view);
        Ok(state.map(|state| (ViewRow::new(owner, view, state), last)))
    }
}
