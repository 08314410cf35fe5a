//! Words of a search in the language of either database.
//!
//! Invariant: terms are letters, digits and gaps, so nothing in them needs escaping.

use crate::statement::Dialect;
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
pub(crate) fn and(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Sqlite => " AND ",
        Dialect::Postgres => " & ",
    }
}

#[cfg(test)]
mod tests;
