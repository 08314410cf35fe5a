//! Which events are asked for: by channel, package, maintainer and severity, as parameters of the address or as terms of `?q=`, and by
//! words.
//!
//! In `?q=` a term is `channel:NAME`, `package:NAME`, `maintainer:NAME` or `severity:WORD`; everything else is a word, as is a term
//! of another kind. Terms of one kind are alternatives; of each kind that is there one must hold, and every word.
//! Invariant: an event without a vulnerability has no severity.

use super::Event;
use crate::error::Error;
use crate::query::SEVERITIES;
use std::collections::{BTreeMap, BTreeSet};
use tracker_landing::message::is_about;
use tracker_record::Severity;
use tracker_store::Concerned;

/// What events must have, all of it.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Wanted {
    pub(super) channels: Vec<String>,
    packages: Vec<String>,
    maintainers: Vec<String>,
    severities: Vec<Severity>,
    /// Lower case.
    words: Vec<String>,
}

/// What is known beside the events themselves.
#[derive(Debug, Default)]
pub(super) struct Known {
    /// What vulnerabilities concern.
    pub(super) concerned: BTreeMap<String, Concerned>,
    /// Of each package that is asked for, the channels whose newest release has it.
    pub(super) having: BTreeMap<String, BTreeSet<String>>,
    /// Of each maintainer who is asked for, the channels whose newest release has a package of theirs.
    pub(super) maintaining: BTreeMap<String, BTreeSet<String>>,
}

impl Wanted {
    /// What the parameters of an address ask for.
    pub(super) fn of_parameters(
        channel: Option<&String>,
        package: Option<&String>,
        maintainer: Option<&String>,
    ) -> Wanted {
        let list = |value: Option<&String>| value.cloned().into_iter().collect();
        Wanted {
            channels: list(channel),
            packages: list(package),
            maintainers: list(maintainer),
            ..Wanted::default()
        }
    }

    /// What a text asks for.
    ///
    /// # Errors
    /// For a severity that is none.
    pub(super) fn read(text: &str) -> Result<Wanted, Error> {
        let mut wanted = Wanted::default();
        for part in text.split_whitespace() {
            match part.split_once(':').filter(|(_, value)| !value.is_empty()) {
                Some(("channel", name)) => wanted.channels.push(name.to_owned()),
                Some(("package", name)) => wanted.packages.push(name.to_owned()),
                Some(("maintainer", name)) => wanted.maintainers.push(name.to_owned()),
                Some(("severity", word)) => wanted.severities.push(severity(word)?),
                _ => wanted.words.push(part.to_lowercase()),
            }
        }
        Ok(wanted)
    }

    /// The packages and the maintainers that are asked for.
    pub(super) fn names(wanted: &[Wanted]) -> [BTreeSet<String>; 2] {
        let all = |list: fn(&Wanted) -> &Vec<String>| {
            let names = wanted.iter().flat_map(list);
            names.cloned().collect()
        };
        [
            all(|wanted| &wanted.packages),
            all(|wanted| &wanted.maintainers),
        ]
    }

    /// Whether what vulnerabilities concern decides.
    pub(super) fn needs_concerned(&self) -> bool {
        !(self.channels.is_empty()
            && self.packages.is_empty()
            && self.maintainers.is_empty()
            && self.severities.is_empty())
    }

    pub(super) fn holds(&self, event: &Event, known: &Known) -> bool {
        let concerns = |test: &dyn Fn(&Concerned) -> bool| {
            let ids = event.vulnerabilities.iter();
            ids.filter_map(|id| known.concerned.get(id)).any(test)
        };
        // The end of a channel concerns those who have something there.
        let ends = |places: &BTreeMap<String, BTreeSet<String>>, name: &str| {
            let channel = event.channel.as_ref();
            let channel = channel.filter(|_| event.vulnerabilities.is_empty());
            channel.is_some_and(|own| places.get(name).is_some_and(|there| there.contains(own)))
        };
        let any = |list: &[String], test: &dyn Fn(&String) -> bool| {
            list.is_empty() || list.iter().any(test)
        };
        let channel = any(&self.channels, &|name| match &event.channel {
            Some(own) => own == name,
            None => concerns(&|one| one.channels.contains(name)),
        });
        let package = any(&self.packages, &|name| {
            let topic = event.topic.as_deref();
            topic.is_some_and(|topic| is_about(topic, name))
                || concerns(&|one| one.packages.contains(name))
                || ends(&known.having, name)
        });
        let maintainer = any(&self.maintainers, &|name| {
            ends(&known.maintaining, name) || concerns(&|one| one.maintainers.contains(name))
        });
        let severity =
            self.severities.is_empty() || concerns(&|one| self.severities.contains(&one.severity));
        let text = format!("{} {}", event.title, event.text).to_lowercase();
        let words = self.words.iter().all(|word| text.contains(word));
        channel && package && maintainer && severity && words
    }
}

fn severity(word: &str) -> Result<Severity, Error> {
    let known = SEVERITIES
        .iter()
        .find(|(_, known)| *known == word.to_lowercase());
    known.map(|(severity, _)| *severity).ok_or_else(|| {
        let words: Vec<&str> = SEVERITIES.iter().map(|(_, word)| *word).collect();
        Error::BadParameter {
            name: "q".to_owned(),
            value: format!("severity:{}", word.chars().take(40).collect::<String>()),
            expected: format!("severity: and one of {}", words.join(", ")),
        }
    })
}
