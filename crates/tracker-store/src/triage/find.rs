//! The ways from a query to its matches: along the facets, from the few rows that a narrow test leads to, along the ranks
//! of some families, or along the ranks of all.
//!
//! Invariants: every way gives the same matches in the same order, the most urgent first; what a page costs does not
//! depend on how far the reader has walked; a total is exact, or absent where counting would cost more than the page.

use super::facet::Spread;
use super::sql::{self, Condition};
use crate::error::Result;
use crate::read::list::{Hits, Seek};
use crate::read::token::Position;
use crate::session::Session;
use crate::statement::Dialect;
use crate::value::{Row, Value, json, values};
use crate::words::{self, Query as Words};
use jiff::Timestamp;
use tracker_triage::query::{Expression, Query};

/// Matches that are each asked whether they answer to a query, where few have to be.
pub(super) const FEW: usize = 2000;

/// Families along each of whose ranks a page is looked for.
const FEW_FAMILIES: usize = 200;

/// Matches that are sorted, where more than a page is wanted.
const SORTED: i64 = 20_000;

/// Where a search begins and how far it goes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Span {
    /// Matches beyond this, in the direction.
    from: Position,
    backwards: bool,
    /// How many at most.
    limit: usize,
}

impl Span {
    /// The most urgent ones.
    pub(super) fn first(limit: usize) -> Span {
        Span {
            from: TOP,
            backwards: false,
            limit,
        }
    }

    /// A page, and one more to know whether there is another.
    pub(super) fn of(seek: &Seek) -> Span {
        Span {
            from: if seek.inside { seek.position } else { TOP },
            backwards: seek.backwards,
            limit: seek.limit as usize + 1,
        }
    }

    fn beyond(self) -> &'static str {
        if self.backwards { ">" } else { "<" }
    }

    fn order(self) -> &'static str {
        if self.backwards { "ASC" } else { "DESC" }
    }

    /// Sorts what is beyond, and keeps as many as are wanted.
    fn keep(self, found: &mut Vec<Position>) {
        let from = (self.from.rank, self.from.key);
        found.retain(|place| {
            let place = (place.rank, place.key);
            if self.backwards {
                place > from
            } else {
                place < from
            }
        });
        found.sort_unstable_by_key(|place| (place.rank, place.key));
        if !self.backwards {
            found.reverse();
        }
        found.truncate(self.limit);
    }
}

/// Above every match.
const TOP: Position = Position {
    rank: i64::MAX,
    key: i64::MAX,
};

/// Who asks, when, and how many matches are few.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asked<'a> {
    pub(super) query: &'a Query,
    pub(super) now: Timestamp,
    pub(super) me: Option<&'a str>,
    pub(super) few: usize,
}

/// A way to the matches of a query.
enum Way {
    /// By the facets, of which few matches have to be asked.
    Facets(Spread),
    /// Along these matches, or along the ranks of these families.
    From(From),
    /// Along the ranks, asking each.
    Ranks,
}

/// What of a query each match on the way has to be asked.
struct Rest<'a> {
    parts: Vec<&'a Expression>,
    /// Words that it must have, if any.
    words: Vec<Words>,
    /// Whether each is asked for them by itself.
    each: bool,
}

impl Asked<'_> {
    /// What there is to ask of a match of which nothing is known.
    fn whole(&self) -> Rest<'_> {
        let (mut words, mut parts) = (Vec::new(), Vec::new());
        for part in self.query.parts() {
            match sql::words(part) {
                Some(found) => words.push(found),
                None => parts.push(part),
            }
        }
        Rest {
            parts,
            words,
            each: true,
        }
    }

    fn condition(&self, rest: &Rest<'_>, dialect: Dialect) -> Condition {
        let mut condition = Condition::of(rest.parts.iter().copied(), dialect, self.now, self.me);
        if !rest.words.is_empty() {
            condition.search(&rest.words, rest.each);
        }
        condition
    }

    async fn way(&self, session: &mut Session) -> Result<(Way, Rest<'_>)> {
        let dialect = session.dialect();
        let mut rest = self.whole();
        let spread = Spread::of(session, self.query).await?;
        if spread.unsure_items <= self.few as i64 {
            return Ok((Way::Facets(spread), rest));
        }
        let mut families = None;
        for (index, part) in rest.parts.iter().enumerate() {
            let Some(lead) = sql::lead(part, dialect, self.now, self.me) else {
                continue;
            };
            if let Some(keys) = self.keys(session, lead).await? {
                rest.parts.remove(index);
                return Ok((Way::From(From::Keys(keys)), rest));
            }
            if families.is_none() {
                let found = self.families(session, part).await?;
                families = found.map(|found| (index, found));
            }
        }
        if !rest.words.is_empty() {
            rest.each = Hits::of(session, &rest.words).await? == Hits::Often;
            let words = words::all(&rest.words, dialect);
            if !rest.each
                && let Some(keys) = self.keys(session, sql::lead_of_words(words)).await?
            {
                rest.words.clear();
                return Ok((Way::From(From::Keys(keys)), rest));
            }
        }
        Ok(match families {
            Some((index, families)) => {
                rest.parts.remove(index);
                (Way::From(From::Families(families)), rest)
            }
            None => (Way::Ranks, rest),
        })
    }

    /// The keys that a statement finds, as a JSON list, if they are few.
    async fn keys(
        &self,
        session: &mut Session,
        (text, values): (String, Vec<Value>),
    ) -> Result<Option<String>> {
        let rows = session.select(format!("{text} LIMIT {}", self.few + 1), values);
        let rows = rows.await?;
        let keys = rows.iter().map(|row| row.integer(0));
        let keys: Vec<i64> = keys.collect::<Result<_>>()?;
        Ok((keys.len() <= self.few).then(|| json(&keys)))
    }

    /// The families that a part is about, as a JSON list of pairs, if they are few.
    async fn families(&self, session: &mut Session, part: &Expression) -> Result<Option<String>> {
        let Some((text, values)) = sql::families(part, self.me) else {
            return Ok(None);
        };
        let few = self.few.min(FEW_FAMILIES);
        let rows = session.select(format!("{text} LIMIT {}", few + 1), values);
        let rows = rows.await?;
        let pairs = rows.iter().map(|row| Ok((row.text(0)?, row.text(1)?)));
        let pairs: Vec<(String, String)> = pairs.collect::<Result<_>>()?;
        Ok((pairs.len() <= few).then(|| json(&pairs)))
    }

    /// Places of the matches in a span, and how many there are in all where that is known.
    pub(super) async fn page(
        &self,
        session: &mut Session,
        span: Span,
    ) -> Result<(Vec<Position>, Option<u64>)> {
        let (way, rest) = self.way(session).await?;
        let (mut found, total) = match way {
            Way::Facets(spread) => {
                let mut found = sure(session, spread.sure, span).await?;
                let mut total = spread.sure_items as u64;
                if !spread.unsure.is_empty() {
                    let from = From::Facets(json(&spread.unsure));
                    let asked = self.asked(session, &from, &rest).await?;
                    total += asked.len() as u64;
                    found.extend(asked);
                }
                (found, Some(total))
            }
            Way::From(from @ From::Families(_)) => {
                (self.along(session, &from, &rest, span).await?, None)
            }
            Way::From(from) => {
                let found = self.asked(session, &from, &rest).await?;
                let total = found.len() as u64;
                (found, Some(total))
            }
            Way::Ranks => (self.ranks(session, &rest, span).await?, None),
        };
        span.keep(&mut found);
        Ok((found, total))
    }

    /// The most urgent matches, for acts upon many.
    pub(super) async fn all(&self, session: &mut Session, limit: usize) -> Result<Vec<Position>> {
        let span = Span::first(limit);
        let (way, mut rest) = self.way(session).await?;
        let mut found = match way {
            Way::Facets(spread) if spread.sure_items + spread.unsure_items <= SORTED => {
                let facets = From::Facets(json(&[spread.sure, spread.unsure].concat()));
                self.asked(session, &facets, &rest).await?
            }
            Way::From(from @ From::Families(_)) => self.along(session, &from, &rest, span).await?,
            Way::From(from) => self.asked(session, &from, &rest).await?,
            // So many are read that whatever hits often is better gathered first.
            _ => {
                rest.each = false;
                self.ranks(session, &rest, span).await?
            }
        };
        span.keep(&mut found);
        Ok(found)
    }

    /// How many there are in all, however long it takes to count them.
    pub(super) async fn total(&self, session: &mut Session) -> Result<u64> {
        let (way, mut rest) = self.way(session).await?;
        let total = match way {
            Way::Facets(spread) => {
                let unsure = From::Facets(json(&spread.unsure));
                spread.sure_items as u64 + self.asked(session, &unsure, &rest).await?.len() as u64
            }
            Way::From(from) => self.asked(session, &from, &rest).await?.len() as u64,
            Way::Ranks => {
                rest.each = false;
                let condition = self.condition(&rest, session.dialect());
                let text = format!(
                    "SELECT count(*) FROM triage_item AS i WHERE {}",
                    condition.text
                );
                let rows = session.select(text, condition.values).await?;
                rows.first().map_or(Ok(0), |row| row.integer(0))? as u64
            }
        };
        Ok(total)
    }

    /// Those of some matches that answer, in no order.
    async fn asked(
        &self,
        session: &mut Session,
        from: &From,
        rest: &Rest<'_>,
    ) -> Result<Vec<Position>> {
        let mut condition = self.condition(rest, session.dialect());
        let (list, is) = from.list(&mut condition);
        let text = match session.dialect() {
            // Which joins in this order.
            Dialect::Sqlite => format!(
                "SELECT i.rank, i.key FROM {list} AS l CROSS JOIN triage_item AS i {} WHERE {is} AND ({})",
                from.index(),
                condition.text
            ),
            // The limit inside keeps the server from reading all matches to join them.
            Dialect::Postgres => format!(
                "SELECT i.rank, i.key FROM {list} AS l CROSS JOIN LATERAL (SELECT i.rank, i.key FROM triage_item AS i WHERE {is} AND ({}) LIMIT {ALL}) AS i",
                condition.text
            ),
        };
        places(&session.select(text, condition.values).await?)
    }

    /// The first of each of some families that answer and are in a span, and of those the first.
    async fn along(
        &self,
        session: &mut Session,
        from: &From,
        rest: &Rest<'_>,
        span: Span,
    ) -> Result<Vec<Position>> {
        let mut condition = self.condition(rest, session.dialect());
        let (order, limit) = (span.order(), span.limit);
        let beyond = condition.beyond(span);
        let (list, is) = from.list(&mut condition);
        let own = |columns: &str, index: &str| {
            format!(
                "SELECT {columns} FROM triage_item AS i {index} WHERE {is} AND ({}) AND {beyond} ORDER BY i.rank {order}, i.key {order} LIMIT {limit}",
                condition.text
            )
        };
        let of = match session.dialect() {
            Dialect::Sqlite => format!(
                "triage_item AS o WHERE o.key IN ({})",
                own("i.key", from.index())
            ),
            Dialect::Postgres => format!("LATERAL ({}) AS o", own("i.rank, i.key", "")),
        };
        let text = format!(
            "SELECT o.rank, o.key FROM {list} AS l CROSS JOIN {of} ORDER BY o.rank {order}, o.key {order} LIMIT {limit}"
        );
        places(&session.select(text, condition.values).await?)
    }

    /// The matches of a span, found along the ranks.
    async fn ranks(
        &self,
        session: &mut Session,
        rest: &Rest<'_>,
        span: Span,
    ) -> Result<Vec<Position>> {
        let mut condition = self.condition(rest, session.dialect());
        let beyond = condition.beyond(span);
        let (order, limit) = (span.order(), span.limit);
        let text = format!(
            "SELECT i.rank, i.key FROM triage_item AS i WHERE ({}) AND {beyond} ORDER BY i.rank {order}, i.key {order} LIMIT {limit}",
            condition.text
        );
        places(&session.select(text, condition.values).await?)
    }
}

/// More matches than there are.
const ALL: i64 = i64::MAX;

/// Matches that are asked one by one.
enum From {
    /// Those of some facets, as a JSON list.
    Facets(String),
    /// Those of some keys, as a JSON list.
    Keys(String),
    /// Those of some families, as a JSON list of distribution and name.
    Families(String),
}

impl From {
    /// The index by which SQLite finds the matches of an element; left to itself it may take another for better.
    fn index(&self) -> &'static str {
        match self {
            From::Facets(_) => "INDEXED BY triage_item_facet",
            From::Keys(_) => "",
            From::Families(_) => "INDEXED BY triage_item_family",
        }
    }

    /// The list, and what says that match `i` is of its element.
    fn list(&self, condition: &mut Condition) -> (String, &'static str) {
        let (elements, is) = match self {
            From::Facets(facets) => (facets, "i.facet = l.item"),
            From::Keys(keys) => (keys, "i.key = l.item"),
            From::Families(families) => (
                families,
                "i.distribution = l.distribution AND i.family = l.family",
            ),
        };
        let place = condition.bind(elements.as_str());
        let list = match self {
            From::Families(_) => pairs(condition.dialect, &place),
            _ => list(condition.dialect, &place),
        };
        (list, is)
    }
}

impl Condition {
    /// That a match is beyond where a span begins.
    fn beyond(&mut self, span: Span) -> String {
        let (rank, key) = (self.bind(span.from.rank), self.bind(span.from.key));
        format!("(i.rank, i.key) {} ({rank}, {key})", span.beyond())
    }
}

/// A bound JSON list of numbers as a table of one column, `item`: one text whatever their number.
pub(super) fn list(dialect: Dialect, place: &str) -> String {
    match dialect {
        Dialect::Sqlite => format!("(SELECT value AS item FROM json_each({place}))"),
        Dialect::Postgres => format!(
            "(SELECT CAST(value AS BIGINT) AS item FROM json_array_elements_text(CAST({place} AS JSON)) AS one (value))"
        ),
    }
}

/// A bound JSON list of pairs as a table of two columns.
fn pairs(dialect: Dialect, place: &str) -> String {
    match dialect {
        Dialect::Sqlite => format!(
            "(SELECT json_extract(value, '$[0]') AS distribution, json_extract(value, '$[1]') AS family FROM json_each({place}))"
        ),
        Dialect::Postgres => format!(
            "(SELECT value ->> 0 AS distribution, value ->> 1 AS family FROM json_array_elements(CAST({place} AS JSON)) AS one (value))"
        ),
    }
}

fn places(rows: &[Row]) -> Result<Vec<Position>> {
    let place = |row: &Row| {
        Ok(Position {
            rank: row.integer(0)?,
            key: row.integer(1)?,
        })
    };
    rows.iter().map(place).collect()
}

/// The matches of a span in facets all of whose matches answer. Only the facets whose own first match is among the first
/// can have any of the first, and none of those is behind the last such match.
async fn sure(session: &mut Session, mut facets: Vec<i64>, span: Span) -> Result<Vec<Position>> {
    let mut last = None;
    if facets.len() > span.limit {
        let mut heads = heads(session, &facets, span, 1, None).await?;
        heads.sort_unstable_by_key(|(place, _)| (place.rank, place.key));
        if !span.backwards {
            heads.reverse();
        }
        heads.truncate(span.limit);
        last = heads
            .last()
            .map(|(place, _)| *place)
            .filter(|_| heads.len() == span.limit);
        facets = heads.into_iter().map(|(_, facet)| facet).collect();
    }
    if facets.is_empty() {
        return Ok(Vec::new());
    }
    let found = heads(session, &facets, span, span.limit, last).await?;
    Ok(found.into_iter().map(|(place, _)| place).collect())
}

/// The first matches of each of some facets, down to a last place, with their facet.
async fn heads(
    session: &mut Session,
    facets: &[i64],
    span: Span,
    each: usize,
    last: Option<Position>,
) -> Result<Vec<(Position, i64)>> {
    let dialect = session.dialect();
    let last = last.unwrap_or(Position {
        rank: if span.backwards { i64::MAX } else { i64::MIN },
        key: if span.backwards { i64::MAX } else { i64::MIN },
    });
    let list = list(dialect, "$1");
    let (beyond, order) = (span.beyond(), span.order());
    let within = if span.backwards { "<=" } else { ">=" };
    let own = |columns: &str, index: &str| {
        format!(
            "SELECT {columns} FROM triage_item AS i {index} WHERE i.facet = l.item AND (i.rank, i.key) {beyond} ($2, $3) AND (i.rank, i.key) {within} ($4, $5) ORDER BY i.rank {order}, i.key {order} LIMIT {each}"
        )
    };
    let text = match dialect {
        Dialect::Sqlite => format!(
            "SELECT o.rank, o.key, l.item FROM {list} AS l CROSS JOIN triage_item AS o WHERE o.key IN ({})",
            own("i.key", "INDEXED BY triage_item_facet")
        ),
        Dialect::Postgres => format!(
            "SELECT o.rank, o.key, l.item FROM {list} AS l CROSS JOIN LATERAL ({}) AS o",
            own("i.rank, i.key", "")
        ),
    };
    let values: Vec<Value> = values![
        json(&facets),
        span.from.rank,
        span.from.key,
        last.rank,
        last.key
    ];
    let rows = session.select(text, values).await?;
    let facets = rows.iter().map(|row| row.integer(2));
    let places = places(&rows)?.into_iter();
    places
        .zip(facets)
        .map(|(place, facet)| Ok((place, facet?)))
        .collect()
}

/// The keys of places as a JSON list, and the table of it.
pub(super) fn keys(dialect: Dialect, found: &[Position]) -> (String, String) {
    let keys: Vec<i64> = found.iter().map(|place| place.key).collect();
    (json(&keys), list(dialect, "$1"))
}

#[cfg(test)]
mod tests;
