//! Which lines of the log are asked for, and a place among them.

use super::{Paging, Parts, bad, text, with_query};
use crate::error::Error;
use tracker_store::LogFilter;
use tracker_triage::EventKind;

/// A filter of the log and a place in it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct LogQuery {
    pub(crate) filter: LogFilter,
    pub(crate) paging: Paging,
}

impl LogQuery {
    /// Reads the query of an address, in which a vulnerability goes by the name given.
    pub(crate) fn read(query: &str, vulnerability: &str) -> Result<LogQuery, Error> {
        let mut list = LogQuery::default();
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            let filter = &mut list.filter;
            match (&*name, value.trim()) {
                (_, "") => {}
                (name, value) if name == vulnerability => {
                    filter.vulnerability = Some(text(name, value)?);
                }
                ("actor", value) => filter.actor = Some(text("actor", value)?),
                ("kind", value) => filter.kind = Some(kind(value)?),
                (name, value) if list.paging.read(name, value)? => {}
                (name, value) => {
                    let known =
                        format!("known are {vulnerability}, actor, kind, limit, after and before");
                    return Err(bad(name, value, &known));
                }
            }
        }
        list.paging.check()?;
        Ok(list)
    }

    /// The address of the same lines at another place.
    pub(crate) fn address_at(&self, paging: &Paging, path: &str, vulnerability: &str) -> String {
        let mut parts = Parts::default();
        let filter = &self.filter;
        for (name, value) in [
            (vulnerability, filter.vulnerability.as_deref()),
            ("actor", filter.actor.as_deref()),
            ("kind", filter.kind.map(EventKind::name)),
        ] {
            if let Some(value) = value {
                parts.add(name, value);
            }
        }
        paging.write(&mut parts);
        with_query(path, &parts.0)
    }

    /// The same as the query of an address, from the first line on.
    pub(crate) fn first(&self, vulnerability: &str) -> String {
        let address = self.address_at(&Paging::default(), "", vulnerability);
        address.trim_start_matches('?').to_owned()
    }
}

fn kind(word: &str) -> Result<EventKind, Error> {
    let known = || format!("known are {}", EventKind::list());
    word.parse().map_err(|_| bad("kind", word, &known()))
}
