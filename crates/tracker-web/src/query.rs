//! The list's filter as it stands in an address.
//!
//! Invariant: reading what [`ListQuery::address`] wrote gives the same filter; what is not understood is refused
//! by name, never ignored.

mod log;

pub(crate) use log::LogQuery;

use crate::error::Error;
use crate::path::query_value;
use tracker_match::FindingStatus;
use tracker_record::Severity;
use tracker_store::view::{Order, PageRequest, VulnerabilityFilter};

/// Rows on a page unless asked otherwise.
const DEFAULT_LIMIT: u32 = 50;
/// Rows on a page at most.
const MAX_LIMIT: u32 = 200;
/// Longest search text, in bytes: more than any title.
const MAX_TEXT: usize = 200;
/// Longest paging token, in bytes.
const MAX_TOKEN: usize = 512;

/// Severities in the order they are offered, with their word in addresses.
pub(crate) const SEVERITIES: &[(Severity, &str)] = &[
    (Severity::Critical, "critical"),
    (Severity::High, "high"),
    (Severity::Medium, "medium"),
    (Severity::Low, "low"),
    (Severity::None, "none"),
    (Severity::Unknown, "unknown"),
];

/// States in the order they are offered, with their word in addresses.
pub(crate) const STATES: &[(FindingStatus, &str)] = &[
    (FindingStatus::Affected, "affected"),
    (FindingStatus::UnderInvestigation, "under-investigation"),
    (FindingStatus::Fixed, "fixed"),
    (FindingStatus::NotAffected, "not-affected"),
];

/// Orders, with their word in addresses.
pub(crate) const ORDERS: &[(Order, &str)] = &[
    (Order::Urgency, "urgency"),
    (Order::Published, "published"),
    (Order::Modified, "modified"),
];

/// A filter and a place in its list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct ListQuery {
    pub(crate) filter: VulnerabilityFilter,
    /// `scope=all` or `scope=matched`; `None` leaves it to the page.
    pub(crate) scope: Option<Scope>,
    pub(crate) order: Order,
    pub(crate) paging: Paging,
}

/// What packages are searched for, and a place in their list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct PackageQuery {
    pub(crate) text: Option<String>,
    pub(crate) paging: Paging,
}

/// What the queue is asked for, and a place in it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct QueueQuery {
    /// The query as it was given; nothing for the plain queue.
    pub(crate) given: Option<String>,
    /// The act that was just done.
    pub(crate) done: Option<u64>,
    pub(crate) paging: Paging,
}

/// A place in a list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Paging {
    pub(crate) limit: Option<u32>,
    pub(crate) after: Option<String>,
    pub(crate) before: Option<String>,
}

/// Which vulnerabilities a list is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scope {
    /// Those matched to a package.
    Matched,
    /// Every one that a feed names.
    All,
}

impl ListQuery {
    /// Reads the query of an address.
    pub(crate) fn read(query: &str) -> Result<ListQuery, Error> {
        let mut list = ListQuery::default();
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            let value = value.trim();
            // An empty field of the form means "not filtered".
            if value.is_empty() {
                continue;
            }
            let filter = &mut list.filter;
            match &*name {
                "q" => filter.text = Some(text(&name, value)?),
                "severity" => push(&mut filter.severities, word(&name, value, SEVERITIES)?),
                "state" => push(&mut filter.states, word(&name, value, STATES)?),
                "kev" => filter.exploited = word(&name, value, &[(true, "1"), (false, "0")])?,
                "channel" => filter.channel = Some(text(&name, value)?),
                "package" => filter.package = Some(text(&name, value)?),
                "scope" => {
                    let words = &[(Scope::Matched, "matched"), (Scope::All, "all")];
                    list.scope = Some(word(&name, value, words)?);
                }
                "order" => list.order = word(&name, value, ORDERS)?,
                _ if list.paging.read(&name, value)? => {}
                _ => {
                    let known = "known are q, severity, state, kev, channel, package, scope, order, limit, after and before";
                    return Err(bad(&name, value, known));
                }
            }
        }
        list.paging.check()?;
        Ok(list)
    }

    /// The query of an address that leads here; empty for the plain list.
    pub(crate) fn query(&self) -> String {
        let mut parts = Parts::default();
        let mut add = |name: &str, value: &str| parts.add(name, value);
        let filter = &self.filter;
        if let Some(text) = &filter.text {
            add("q", text);
        }
        for severity in &filter.severities {
            add("severity", word_of(*severity, SEVERITIES));
        }
        for state in &filter.states {
            add("state", word_of(*state, STATES));
        }
        if filter.exploited {
            add("kev", "1");
        }
        if let Some(channel) = &filter.channel {
            add("channel", channel);
        }
        if let Some(package) = &filter.package {
            add("package", package);
        }
        match self.scope {
            Some(Scope::All) => add("scope", "all"),
            Some(Scope::Matched) => add("scope", "matched"),
            None => {}
        }
        if self.order != Order::default() {
            add("order", word_of(self.order, ORDERS));
        }
        self.paging.write(&mut parts);
        parts.0
    }

    /// The address of this list under a path.
    pub(crate) fn address(&self, path: &str) -> String {
        with_query(path, &self.query())
    }

    /// The same filter at another place.
    pub(crate) fn at(&self, paging: Paging) -> ListQuery {
        ListQuery {
            paging,
            ..self.clone()
        }
    }

    /// The same filter from its first row on.
    pub(crate) fn first(&self) -> ListQuery {
        self.at(self.paging.first())
    }
}

impl PackageQuery {
    /// Reads the query of an address.
    pub(crate) fn read(query: &str) -> Result<PackageQuery, Error> {
        let mut list = PackageQuery::default();
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            match (&*name, value.trim()) {
                (_, "") => {}
                ("q", value) => list.text = Some(text("q", value)?),
                (name, value) if list.paging.read(name, value)? => {}
                (name, value) => {
                    return Err(bad(name, value, "known are q, limit, after and before"));
                }
            }
        }
        list.paging.check()?;
        Ok(list)
    }

    /// The address of this list at another place.
    pub(crate) fn address_at(&self, paging: &Paging, path: &str) -> String {
        let mut parts = Parts::default();
        if let Some(text) = &self.text {
            parts.add("q", text);
        }
        paging.write(&mut parts);
        with_query(path, &parts.0)
    }
}

impl QueueQuery {
    /// What is asked for where nothing is given.
    pub(crate) const PLAIN: &str = "is:open";

    /// Reads the query of an address.
    pub(crate) fn read(query: &str) -> Result<QueueQuery, Error> {
        let mut list = QueueQuery::default();
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            match (&*name, value.trim()) {
                // An empty query is one, too: it finds everything.
                ("q", value) if value.contains('\0') => {
                    return Err(bad("q", value, "text without zero bytes is asked for"));
                }
                ("q", value) => list.given = Some(value.to_owned()),
                (_, "") => {}
                ("done", value) => {
                    let act = value.parse();
                    let act =
                        act.map_err(|_| bad("done", value, "the number of an act is expected"));
                    list.done = Some(act?);
                }
                (name, value) if list.paging.read(name, value)? => {}
                (name, value) => {
                    return Err(bad(
                        name,
                        value,
                        "known are q, limit, after, before and done",
                    ));
                }
            }
        }
        list.paging.check()?;
        Ok(list)
    }

    /// The text of the query.
    pub(crate) fn text(&self) -> &str {
        self.given.as_deref().unwrap_or(QueueQuery::PLAIN)
    }

    /// The address of this list at another place; what was just done is not part of it.
    pub(crate) fn address_at(&self, paging: &Paging, path: &str) -> String {
        let mut parts = Parts::default();
        if let Some(text) = &self.given {
            parts.add("q", text);
        }
        paging.write(&mut parts);
        with_query(path, &parts.0)
    }
}

/// The first value of a parameter; empty if there is none.
pub(crate) fn parameter(query: &str, name: &str) -> String {
    let mut pairs = form_urlencoded::parse(query.as_bytes());
    let found = pairs.find(|(key, _)| key == name);
    found.map_or_else(String::new, |(_, value)| value.into_owned())
}

impl Paging {
    /// The page that the store is asked for.
    pub(crate) fn request(&self, order: Order) -> PageRequest {
        PageRequest {
            limit: self.limit.unwrap_or(DEFAULT_LIMIT),
            after: self.after.clone(),
            before: self.before.clone(),
            order,
        }
    }

    /// As many rows from the first on.
    pub(crate) fn first(&self) -> Paging {
        Paging {
            limit: self.limit,
            after: None,
            before: None,
        }
    }

    /// As many rows after a place.
    pub(crate) fn after(&self, token: &str) -> Paging {
        Paging {
            after: Some(token.to_owned()),
            ..self.first()
        }
    }

    /// As many rows before a place.
    pub(crate) fn before(&self, token: &str) -> Paging {
        Paging {
            before: Some(token.to_owned()),
            ..self.first()
        }
    }

    /// Takes a parameter if it is one of paging.
    fn read(&mut self, name: &str, value: &str) -> Result<bool, Error> {
        match name {
            "limit" => self.limit = Some(limit(name, value)?),
            "after" => self.after = Some(token(value)?),
            "before" => self.before = Some(token(value)?),
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn check(&self) -> Result<(), Error> {
        match (&self.after, &self.before) {
            (Some(_), Some(_)) => Err(bad(
                "before",
                "…",
                "a page is either after or before a place, not both",
            )),
            _ => Ok(()),
        }
    }

    fn write(&self, parts: &mut Parts) {
        if let Some(limit) = self.limit {
            parts.add("limit", &limit.to_string());
        }
        if let Some(token) = &self.after {
            parts.add("after", token);
        }
        if let Some(token) = &self.before {
            parts.add("before", token);
        }
    }
}

/// A query under construction.
#[derive(Debug, Default)]
struct Parts(String);

impl Parts {
    fn add(&mut self, name: &str, value: &str) {
        if !self.0.is_empty() {
            self.0.push('&');
        }
        self.0.push_str(name);
        self.0.push('=');
        self.0.push_str(&query_value(value));
    }
}

fn with_query(path: &str, query: &str) -> String {
    if query.is_empty() {
        path.to_owned()
    } else {
        format!("{path}?{query}")
    }
}

/// The word of a value; every value has one.
pub(crate) fn word_of<T: PartialEq>(value: T, words: &'static [(T, &'static str)]) -> &'static str {
    words
        .iter()
        .find(|(known, _)| *known == value)
        .map_or("", |(_, word)| word)
}

fn word<T: Copy>(name: &str, value: &str, words: &[(T, &str)]) -> Result<T, Error> {
    words
        .iter()
        .find(|(_, word)| *word == value)
        .map(|(known, _)| *known)
        .ok_or_else(|| {
            let all: Vec<&str> = words.iter().map(|(_, word)| *word).collect();
            bad(name, value, &format!("known are {}", all.join(", ")))
        })
}

fn push<T: PartialEq>(list: &mut Vec<T>, value: T) {
    if !list.contains(&value) {
        list.push(value);
    }
}

fn text(name: &str, value: &str) -> Result<String, Error> {
    if value.len() > MAX_TEXT {
        return Err(bad(
            name,
            value,
            &format!("at most {MAX_TEXT} bytes are searched for"),
        ));
    }
    if value.contains('\0') {
        return Err(bad(name, value, "text without zero bytes is searched for"));
    }
    Ok(value.to_owned())
}

fn token(value: &str) -> Result<String, Error> {
    if value.len() > MAX_TOKEN || value.contains('\0') {
        Err(Error::BadToken)
    } else {
        Ok(value.to_owned())
    }
}

fn limit(name: &str, value: &str) -> Result<u32, Error> {
    match value.parse() {
        Ok(limit) if (1..=MAX_LIMIT).contains(&limit) => Ok(limit),
        _ => Err(bad(
            name,
            value,
            &format!("a number from 1 to {MAX_LIMIT} is expected"),
        )),
    }
}

fn bad(name: &str, value: &str, expected: &str) -> Error {
    let short = |text: &str| -> String {
        if text.chars().count() > 60 {
            text.chars().take(59).chain(['…']).collect()
        } else {
            text.to_owned()
        }
    };
    Error::BadParameter {
        name: short(name),
        value: short(value),
        expected: expected.to_owned(),
    }
}

#[cfg(test)]
#[path = "query/tests.rs"]
mod tests;
