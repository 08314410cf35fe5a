//! Changes that name a vulnerability, for the vulnerability's page: usually its fix, and how far it is.
//!
//! Invariant: a change is listed once, by the commit or pull request that brought it first; its backports are within it.

use super::tree::{Node, tree};
use super::{address, title};
use crate::app::App;
use crate::components::Day;
use crate::landings;
use jiff::Timestamp;
use std::collections::HashSet;
use tracker_landing::LandingIndex;
use tracker_landing::answer::Answer;

/// Changes that are listed.
const LISTED: usize = 10;

/// A change as a card.
#[derive(Debug)]
pub(crate) struct ChangeCard {
    pub(crate) href: String,
    pub(crate) title: String,
    pub(crate) made: Day,
    pub(crate) nodes: Vec<Node>,
}

impl ChangeCard {
    pub(crate) fn new(answer: &Answer, now: Timestamp) -> ChangeCard {
        ChangeCard {
            href: address(answer),
            title: title(answer),
            made: Day::new(answer.time, now),
            nodes: tree(answer, now).0,
        }
    }
}

/// The changes that name one of these ids, oldest first.
pub(crate) fn naming(app: &App, ids: &[String], now: Timestamp) -> Vec<Answer> {
    let asked = |index: &LandingIndex| {
        let mut answers: Vec<Answer> = Vec::new();
        let mut told: HashSet<_> = HashSet::new();
        let commits = ids.iter().flat_map(|id| index.naming(id)).copied();
        let noted = ids.iter().flat_map(|id| index.requests_naming(id));
        let noted = noted.filter_map(|(_, commit)| commit);
        for commit in commits.chain(noted).take(LISTED * 10) {
            if answers.len() >= LISTED || told.contains(&index.graph().name(commit)) {
                continue;
            }
            if let Ok(answer) = index.answer_for(commit, None, now) {
                told.insert(answer.commit);
                told.extend(answer.backports.iter().map(|backport| backport.commit));
                answers.push(answer);
            }
        }
        answers
    };
    let index = app.landings.as_deref();
    index
        .and_then(|index| landings::ask(index, asked))
        .unwrap_or_default()
}
