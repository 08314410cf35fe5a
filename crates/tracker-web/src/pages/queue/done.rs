//! The line that tells what was just done, and offers to take it back.
//!
//! Invariant: told from the log, so that it is right however one came to the page.

use crate::app::App;
use crate::deciding;
use crate::error::Error;
use crate::people::Caller;
use std::fmt::Write as _;
use tracker_store::ActSummary;
use tracker_triage::Event;

/// The line.
#[derive(Debug)]
pub(crate) struct Done {
    pub(crate) act: u64,
    pub(crate) text: String,
    /// What its button says; nothing where it cannot be taken back any more.
    pub(crate) button: Option<&'static str>,
    /// Whether it is about a view of the reader's, which they take back without being of the team.
    pub(crate) own: bool,
}

impl Done {
    /// The line of an act; of none, that nothing changed.
    pub(crate) async fn of(
        app: &App,
        act: Option<u64>,
        reader: &Caller,
    ) -> Result<Option<Done>, Error> {
        let Some(act) = act else {
            return Ok(None);
        };
        if act == 0 {
            return Ok(Some(Done {
                act,
                text: "Nothing changed: it stands so already.".to_owned(),
                button: None,
                own: false,
            }));
        }
        Ok(app
            .store
            .act(act, deciding::owner(reader).as_ref())
            .await?
            .map(|told| Done::new(&told)))
    }

    fn new(told: &ActSummary) -> Done {
        let is_undo = matches!(told.first.event, Event::Undone { .. });
        let of = told
            .item
            .as_ref()
            .map_or_else(String::new, |item| format!("{}: ", item.vulnerability));
        let mut text = if is_undo {
            let family = told.item.as_ref().map_or("", |item| item.family.as_str());
            format!("Undone. {of}{family}")
                .trim_end_matches([' ', ':'])
                .to_owned()
        } else {
            let short: String = told.first.event.sentence().chars().take(120).collect();
            format!("{of}{short}")
        };
        if told.events > 1 {
            let _ = write!(text, ", and {} more", told.events - 1);
        }
        if told.undone {
            text.push_str(" (undone since)");
        }
        let button = (!told.undone).then_some(if is_undo { "Do it again" } else { "Undo" });
        Done {
            act: told.act,
            text,
            button,
            own: told.own,
        }
    }
}

/// An address with an act to tell of.
pub(crate) fn with(address: &str, act: Option<u64>) -> String {
    let sign = if address.contains('?') { '&' } else { '?' };
    format!("{address}{sign}done={}", act.unwrap_or(0))
}
