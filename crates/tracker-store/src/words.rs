//! Words of a search in the language of either database.
//!
//! Invariant: terms are letters, digits and gaps, so nothing in them needs escaping.

use crate::statement::Dialect;
use crate::value::json;
pub(crate) use tracker_triage::words::{Query, index, name_pieces};

/// Writes a search.
pub(crate) trait Written {
    /// In the language of FTS5 or of `tsquery`.
    fn text(&self, dialect: Dialect) -> String;
}

impl Written for Query {
    fn text(&self, dialect: Dialect) -> String {
        let (quote, prefix) = match dialect {
            Dialect::Sqlite => ('"', "*"),
            Dialect::Postgres => ('\'', ":*"),
        };
        let last = self.terms().len() - 1;
        let terms = self.terms().iter().enumerate().map(|(index, term)| {
            let begins = self.is_open() && index == last;
            let prefix = if begins { prefix } else { "" };
            format!("{quote}{term}{quote}{prefix}")
        });
        terms.collect::<Vec<_>>().join(and(dialect))
    }
}

/// What stands between two searches of which both must hit.
fn and(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Sqlite => " AND ",
        Dialect::Postgres => " & ",
    }
}

/// Searches of which all must hit, as one.
pub(crate) fn all(queries: &[Query], dialect: Dialect) -> String {
    let texts: Vec<String> = queries.iter().map(|query| query.text(dialect)).collect();
    texts.join(and(dialect))
}

/// The same, for asking a row's own words: on SQLite a JSON list of what must stand in them, with a space at each end
/// of the words.
pub(crate) fn asked(queries: &[Query], dialect: Dialect) -> String {
    if dialect == Dialect::Postgres {
        return all(queries, dialect);
    }
    let needles = queries.iter().flat_map(|query| {
        let last = query.terms().len() - 1;
        query.terms().iter().enumerate().map(move |(index, term)| {
            let begins = query.is_open() && index == last;
            format!(" {term}{}", if begins { "" } else { " " })
        })
    });
    json(&needles.collect::<Vec<_>>())
}

#[cfg(test)]
mod tests;
