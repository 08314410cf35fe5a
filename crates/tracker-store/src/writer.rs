//! A writing transaction with the counters that it moves on: keys, totals, positions and the last change.
//!
//! Invariant: a key or position is given out once, for counters commit together with what they numbered.

use crate::Store;
use crate::error::Result;
use crate::session::Session;
use crate::statement::statements;
use crate::value::{Value, values};
use jiff::Timestamp;
use tracker_triage::{Actor, Event};

statements! {
    COUNTERS = "SELECT name, value FROM counter";
    COUNTERS_PUT = "INSERT INTO counter (name, value) VALUES {rows:2} ON CONFLICT (name) DO UPDATE SET value = excluded.value";
    EVENT_ADD = "INSERT INTO event (key, vulnerability, at, kind, text, actor, reason, act, decision, data) VALUES {rows:10}";
}

/// What is counted. The names stand in the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Counter {
    /// Last key of a record, a vulnerability, an event, …
    Record,
    Vulnerability,
    Event,
    Channel,
    Release,
    Attribute,
    Package,
    Match,
    /// Last key of a match in the queue, which outlives the match.
    Item,
    /// Last position given to a vulnerability that was touched.
    Touched,
    /// Totals.
    Vulnerabilities,
    Attributes,
    Matches,
    /// Microseconds since 1970.
    LastChange,
}

impl Counter {
    const ALL: [Counter; 14] = [
        Counter::Record,
        Counter::Vulnerability,
        Counter::Event,
        Counter::Channel,
        Counter::Release,
        Counter::Attribute,
        Counter::Package,
        Counter::Match,
        Counter::Item,
        Counter::Touched,
        Counter::Vulnerabilities,
        Counter::Attributes,
        Counter::Matches,
        Counter::LastChange,
    ];

    const fn name(self) -> &'static str {
        match self {
            Counter::Record => "record",
            Counter::Vulnerability => "vulnerability",
            Counter::Event => "event",
            Counter::Channel => "channel",
            Counter::Release => "channel-release",
            Counter::Attribute => "attribute",
            Counter::Package => "package",
            Counter::Match => "package-match",
            Counter::Item => "triage-item",
            Counter::Touched => "touched",
            Counter::Vulnerabilities => "total-vulnerabilities",
            Counter::Attributes => "total-attributes",
            Counter::Matches => "total-matches",
            Counter::LastChange => "last-change",
        }
    }
}

/// The counters as they are in a transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Counters([i64; Counter::ALL.len()]);

impl Counters {
    pub(crate) async fn load(session: &mut Session) -> Result<Counters> {
        let mut counters = Counters([0; Counter::ALL.len()]);
        for row in session.rows(&COUNTERS, Vec::new()).await? {
            let name = row.text(0)?;
            if let Some(counter) = Counter::ALL.iter().find(|counter| counter.name() == name) {
                counters.0[*counter as usize] = row.integer(1)?;
            }
        }
        Ok(counters)
    }

    pub(crate) fn get(&self, counter: Counter) -> i64 {
        self.0[counter as usize]
    }
}

/// A writing transaction.
#[derive(Debug)]
pub(crate) struct Writer {
    pub(crate) session: Session,
    /// The time of everything that this transaction writes.
    pub(crate) now: Timestamp,
    counters: Counters,
    held: Counters,
    events: Vec<Value>,
}

impl Store {
    pub(crate) async fn writer(&self) -> Result<Writer> {
        let mut session = self.write().await?;
        let held = Counters::load(&mut session).await?;
        Ok(Writer {
            session,
            now: Timestamp::now(),
            counters: held.clone(),
            held,
            events: Vec::new(),
        })
    }
}

impl Writer {
    pub(crate) fn get(&self, counter: Counter) -> i64 {
        self.counters.get(counter)
    }

    /// The next key or position.
    pub(crate) fn next(&mut self, counter: Counter) -> i64 {
        self.add(counter, 1);
        self.get(counter)
    }

    pub(crate) fn add(&mut self, counter: Counter, amount: i64) {
        self.counters.0[counter as usize] += amount;
    }

    /// Notes what happened to a vulnerability by itself.
    pub(crate) fn event(&mut self, vulnerability: i64, event: &Event) {
        self.entry(vulnerability, &Actor::tracker(), None, None, event);
    }

    /// Notes what was derived about a vulnerability, and what it was derived anew for.
    pub(crate) fn derived(&mut self, vulnerability: i64, why: Option<&str>, event: &Event) {
        self.entry(vulnerability, &Actor::tracker(), why, None, event);
    }

    /// Notes what somebody did, about a vulnerability or, with 0, about none; `act` is the key of the first line of the
    /// same act. Gives the line's key.
    pub(crate) fn entry(
        &mut self,
        vulnerability: i64,
        actor: &Actor,
        reason: Option<&str>,
        act: Option<i64>,
        event: &Event,
    ) -> i64 {
        let key = self.next(Counter::Event);
        let data = match event {
            // Their sentence is all there is.
            Event::RecordAdded { .. }
            | Event::RecordChanged { .. }
            | Event::RecordWithdrawn { .. } => String::new(),
            other => other.encode(),
        };
        self.events.extend(values![
            key,
            vulnerability,
            self.now,
            event.kind(),
            event.sentence(),
            actor.text(),
            reason,
            act,
            i64::from(event.is_decision()),
            data
        ]);
        key
    }

    /// Writes the events noted so far, so that the transaction itself reads them in the log.
    pub(crate) async fn flush(&mut self) -> Result<()> {
        let events = std::mem::take(&mut self.events);
        self.session.insert(&EVENT_ADD, 10, events).await
    }

    /// Commits, if anything was written: with the events and counters.
    pub(crate) async fn commit(mut self) -> Result<()> {
        if self.counters == self.held {
            return self.session.commit().await;
        }
        self.counters.0[Counter::LastChange as usize] = self.now.as_microsecond();
        self.flush().await?;
        let moved = Counter::ALL
            .into_iter()
            .filter(|counter| self.counters.get(*counter) != self.held.get(*counter))
            .flat_map(|counter| values![counter.name(), self.counters.get(counter)])
            .collect();
        self.session.insert(&COUNTERS_PUT, 2, moved).await?;
        self.session.commit().await
    }

    /// Marks the transaction as one that changed what readers see.
    pub(crate) fn changed(&mut self) {
        self.counters.0[Counter::LastChange as usize] = self.now.as_microsecond();
    }
}
