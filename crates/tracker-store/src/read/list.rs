//! The list of vulnerabilities: filters, three orders, seek in both directions.
//!
//! Invariant: the list's cost depends on the rows shown and on one index, not on how far the reader has walked; its total
//! without a search is exact and costs no scan.

use super::row::{self, vulnerability_columns};
use super::token::Position;
use crate::Store;
use crate::error::Result;
use crate::listing::{self, NO_FINDING, SCOPE_ALL, SCOPE_MATCHED};
use crate::session::Session;
use crate::statement::{Statement, statements};
use crate::value::{Value, values};
use crate::view::{Order, Page, PageRequest, VulnerabilityFilter, VulnerabilityRow};
use crate::words::{self, Query, Written as _};

/// Rows of a page at most.
const MAX_LIMIT: u32 = 200;

/// Up to here the hits of a search are counted.
const MAX_COUNT: i64 = 10_000;

/// From this many hits of a search on, walking the list and testing each row is faster than sorting the hits, and words
/// that hit so often as they stand are not looked for as beginnings too.
const MANY_HITS: i64 = 2_000;

/// Where words hit one in so many vulnerabilities or more, a page is full after few rows of the walk, and asking each for
/// its own words costs less than gathering all hits before.
const OFTEN: i64 = 25;

/// Vulnerabilities, evenly spread, that are asked whether they have the words: to count hits, SQLite's index reads as many
/// as are wanted of them, and PostgreSQL gathers all.
const SAMPLE: i64 = 500;

/// What narrows a list down: $1 scope, $2 severities, $3 exploitation, $4 statuses.
macro_rules! narrowed {
    ($from:literal, $where:literal) => {
        concat!(
            $from,
            " WHERE l.scope = $1 AND (l.severity & $2) <> 0 AND l.exploited >= $3 AND (l.statuses & $4) <> 0",
            $where
        )
    };
}

/// The text of a page: $5 rows at most beyond a position, whose two parameters come last. The page is chosen first,
/// then its rows are fetched.
macro_rules! page_text {
    ($from:literal, $where:literal, $position:literal, $rank:literal, $beyond:literal, $direction:literal) => {
        concat!(
            "SELECT page.rank, ",
            vulnerability_columns!(),
            " FROM (SELECT l.vulnerability AS key, l.",
            $rank,
            " AS rank FROM ",
            narrowed!($from, $where),
            " AND (l.",
            $rank,
            ", l.vulnerability) ",
            $beyond,
            " (",
            $position,
            ") ORDER BY l.",
            $rank,
            " ",
            $direction,
            ", l.vulnerability ",
            $direction,
            " LIMIT $5) AS page CROSS JOIN vulnerability AS v WHERE v.key = page.key ORDER BY page.rank ",
            $direction,
            ", page.key ",
            $direction
        )
    };
}

macro_rules! page {
    ($from:literal, $where:literal, $($rest:literal),*) => {
        Statement::portable(page_text!($from, $where, $($rest),*))
    };
    (sqlite $sqlite:literal postgres $postgres:literal, $($rest:literal),*) => {
        Statement {
            name: "page",
            sqlite: page_text!("listing AS l", $sqlite, $($rest),*),
            postgres: page_text!("listing AS l", $postgres, $($rest),*),
        }
    };
}

/// A way to the rows of a list: by order, and there forwards and backwards; and their count.
pub(crate) struct Way {
    pages: [[Statement; 2]; 3],
    total: Total,
}

/// How the number of a list's rows is found.
enum Total {
    /// It is known from the tally.
    Known(Statement),
    /// Rows are counted up to $5.
    Counted(Statement),
    /// Counting would cost more than the page does.
    Unknown,
}

/// The pages of a way, by order and direction.
macro_rules! pages {
    ([$($of:tt)*], $position:literal) => {
        [
            [
                page!($($of)*, $position, "urgency", "<", "DESC"),
                page!($($of)*, $position, "urgency", ">", "ASC"),
            ],
            [
                page!($($of)*, $position, "published", "<", "DESC"),
                page!($($of)*, $position, "published", ">", "ASC"),
            ],
            [
                page!($($of)*, $position, "modified", "<", "DESC"),
                page!($($of)*, $position, "modified", ">", "ASC"),
            ],
        ]
    };
}

macro_rules! way {
    ($from:literal, $where:literal, $position:literal) => {
        Way {
            pages: pages!([$from, $where], $position),
            total: Total::Counted(Statement::portable(concat!(
                "SELECT count(*) FROM (SELECT 1 FROM ",
                narrowed!($from, $where),
                " LIMIT $5) AS counted"
            ))),
        }
    };
}

impl Way {
    /// Every statement, for the test that prepares them.
    #[cfg(test)]
    pub(crate) fn all(&self) -> impl Iterator<Item = &Statement> {
        let total = match &self.total {
            Total::Known(statement) | Total::Counted(statement) => Some(statement),
            Total::Unknown => None,
        };
        self.pages.iter().flatten().chain(total)
    }
}

/// Along an index, testing each row; their number is known from the tally.
static WALK: Way = Way {
    total: Total::Known(Statement::portable(
        "SELECT CAST(coalesce(sum(vulnerabilities), 0) AS BIGINT) FROM tally WHERE scope = $1 AND (severity & $2) <> 0 AND exploited >= $3 AND (statuses & $4) <> 0",
    )),
    ..way!("listing AS l", "", "$6, $7")
};
/// The same, testing the words $6 as well. The plus keeps SQLite on the index of the order.
static WALK_WORDS: Way = Way {
    total: Total::Unknown,
    ..way!(
        "listing AS l",
        " AND +l.vulnerability IN (SELECT rowid FROM vulnerability_words($6))",
        "$7, $8"
    )
};
/// The same, asking each row for its own words: $6 as [`words::asked`] gives them. The limit keeps PostgreSQL from making a
/// join of it.
static WALK_OFTEN: Way = Way {
    total: Total::Unknown,
    pages: pages!(
        [sqlite " AND EXISTS (SELECT 1 FROM vulnerability_words_text AS w WHERE w.vulnerability = l.vulnerability AND NOT EXISTS (SELECT 1 FROM json_each($6) AS t WHERE instr(' ' || w.words || ' ', t.value) = 0))"
            postgres " AND EXISTS (SELECT 1 FROM vulnerability_words($6) AS w WHERE w.rowid = l.vulnerability LIMIT 1 OFFSET 0)"],
        "$7, $8"
    ),
};
/// From the hits of a search for the words $6.
static HITS: Way = way!(
    "vulnerability_words($6) AS found CROSS JOIN listing AS l",
    " AND l.vulnerability = found.rowid",
    "$7, $8"
);
/// From the matches of the package or family $6, whose name has $7 characters.
static PACKAGE: Way = way!(
    "(SELECT vulnerability FROM package_match WHERE family = $6 UNION SELECT package_match.vulnerability FROM attribute JOIN package_match ON package_match.family = attribute.family AND package_match.distribution = attribute.distribution JOIN finding ON finding.package_match = package_match.key AND finding.attribute = attribute.key WHERE attribute.name = $6 AND attribute.size = $7 AND attribute.family <> $6) AS found CROSS JOIN listing AS l",
    " AND l.vulnerability = found.vulnerability",
    "$8, $9"
);
/// Along an index, asking about each row whether it is one of those.
static PACKAGE_WALK: Way = Way {
    total: Total::Unknown,
    ..way!(
        "listing AS l",
        " AND EXISTS (SELECT 1 FROM package_match AS m WHERE m.vulnerability = l.vulnerability AND (m.family = $6 OR ((SELECT count(*) FROM attribute AS b WHERE b.name = $6 AND b.size = $7 AND b.family <> $6) > 0 AND EXISTS (SELECT 1 FROM attribute AS a JOIN finding AS f ON f.attribute = a.key WHERE a.name = $6 AND a.size = $7 AND a.family <> $6 AND a.family = m.family AND a.distribution = m.distribution AND f.package_match = m.key))) LIMIT 1 OFFSET 0)",
        "$8, $9"
    )
};
/// The same, testing the words $8 as well.
static PACKAGE_WORDS: Way = way!(
    "(SELECT vulnerability FROM package_match WHERE family = $6 UNION SELECT package_match.vulnerability FROM attribute JOIN package_match ON package_match.family = attribute.family AND package_match.distribution = attribute.distribution JOIN finding ON finding.package_match = package_match.key AND finding.attribute = attribute.key WHERE attribute.name = $6 AND attribute.size = $7 AND attribute.family <> $6) AS found CROSS JOIN listing AS l",
    " AND l.vulnerability = found.vulnerability AND l.vulnerability IN (SELECT rowid FROM vulnerability_words($8))",
    "$9, $10"
);

/// Every way, for the test that prepares their statements.
#[cfg(test)]
pub(crate) static WAYS: [&Way; 7] = [
    &WALK,
    &WALK_WORDS,
    &WALK_OFTEN,
    &HITS,
    &PACKAGE,
    &PACKAGE_WALK,
    &PACKAGE_WORDS,
];

statements! {
    SCOPE_OF_CHANNEL = "SELECT key FROM channel WHERE name = $1";
    WORDS_COUNT = "SELECT count(*) FROM (SELECT rowid FROM vulnerability_words($1) LIMIT $2) AS counted";
    /// How many of the vulnerabilities at even distances $3 up to $2 have the words $1, as [`words::asked`] gives them.
    SAMPLED = sqlite "WITH RECURSIVE s (key) AS (SELECT $3 UNION ALL SELECT key + $3 FROM s WHERE key + $3 <= $2) SELECT count(*) FROM s CROSS JOIN vulnerability_words_text AS w WHERE w.vulnerability = s.key AND NOT EXISTS (SELECT 1 FROM json_each($1) AS t WHERE instr(' ' || w.words || ' ', t.value) = 0)"
        postgres "SELECT count(*) FROM generate_series(CAST($3 AS BIGINT), CAST($2 AS BIGINT), CAST($3 AS BIGINT)) AS s (key) WHERE EXISTS (SELECT 1 FROM vulnerability_words AS w WHERE w.rowid = s.key AND w.words @@ CAST($1 AS tsquery) LIMIT 1 OFFSET 0)";
    PACKAGE_COUNT = "SELECT count(*) FROM (SELECT vulnerability FROM package_match WHERE family = $1 UNION ALL SELECT m.vulnerability FROM attribute AS a JOIN package_match AS m ON m.family = a.family AND m.distribution = a.distribution WHERE a.name = $1 AND a.size = $2 AND a.family <> $1 LIMIT $3) AS counted";
    /// About how many vulnerabilities there are: keys are given in order.
    LAST = "SELECT coalesce(max(key), 0) FROM vulnerability";
}

impl Store {
    /// A page of the list of vulnerabilities.
    pub async fn vulnerabilities(
        &self,
        filter: &VulnerabilityFilter,
        request: &PageRequest,
    ) -> Result<Page<VulnerabilityRow>> {
        let mut session = self.read().await?;
        vulnerabilities(&mut session, filter, request).await
    }
}

/// A page of the list within a transaction of the caller.
pub(crate) async fn vulnerabilities(
    session: &mut Session,
    filter: &VulnerabilityFilter,
    request: &PageRequest,
) -> Result<Page<VulnerabilityRow>> {
    let seek = Seek::read(request)?;
    let Some((way, mut parameters, searched)) = way_to(session, filter).await? else {
        return Ok(Page {
            rows: Vec::new(),
            next: None,
            previous: None,
            total: Some(0),
        });
    };
    let total = match &way.total {
        Total::Known(statement) => Some(session.count(statement, parameters.clone()).await?),
        Total::Counted(statement) => {
            let mut counted = parameters.clone();
            counted.push(Value::from(MAX_COUNT + 1));
            counted.extend(searched.iter().cloned());
            let total = session.count(statement, counted).await?;
            Some(total).filter(|total| *total <= MAX_COUNT)
        }
        Total::Unknown => None,
    };
    parameters.push(Value::from(seek.limit + 1));
    parameters.extend(searched);
    parameters.extend(values![seek.position.rank, seek.position.key]);
    let statement = &way.pages[request.order as usize][usize::from(seek.backwards)];
    let mut rows = Vec::new();
    for row in session.rows(statement, parameters).await? {
        let position = Position {
            rank: row.integer(0)?,
            key: row.integer(1)?,
        };
        rows.push((position, row::vulnerability(&row, 1)?));
    }
    let mut page = seek.page(rows);
    page.total = total.and_then(|total| u64::try_from(total).ok());
    Ok(page)
}

/// The way that a filter is answered by, with the parameters before and after the limit; `None` if the
/// filter can match nothing.
async fn way_to(
    session: &mut Session,
    filter: &VulnerabilityFilter,
) -> Result<Option<(&'static Way, Vec<Value>, Vec<Value>)>> {
    let scope = match &filter.channel {
        Some(channel) => {
            let found = session
                .row(&SCOPE_OF_CHANNEL, values![channel.as_str()])
                .await?;
            match found {
                Some(row) => row.integer(0)?,
                None => return Ok(None),
            }
        }
        None if filter.matched || filter.package.is_some() => SCOPE_MATCHED,
        None => SCOPE_ALL,
    };
    let bits = |bits: i64, all: i64| if bits == 0 { all } else { bits };
    let severities = filter
        .severities
        .iter()
        .fold(0, |mask, severity| mask | listing::severity_bit(*severity));
    let statuses = filter
        .states
        .iter()
        .fold(0, |mask, status| mask | listing::status_bit(*status));
    let parameters = values![
        scope,
        bits(severities, i64::MAX),
        i64::from(filter.exploited),
        bits(statuses, NO_FINDING * 2 - 1),
    ];
    let dialect = session.dialect();
    let text = filter.text.as_deref().map(str::trim);
    let words = match text.filter(|text| !text.is_empty()) {
        None => None,
        // Nothing but punctuation occurs nowhere.
        Some(text) => match Query::words(text) {
            None => return Ok(None),
            Some(query) => Some(query),
        },
    };
    let package = filter.package.as_deref();
    Ok(Some(match (package, words) {
        (None, None) => (&WALK, parameters, Vec::new()),
        (Some(package), None) => {
            let searched = values![package, package.chars().count() as i64];
            let mut few = searched.clone();
            few.push(Value::from(MANY_HITS + 1));
            let many = session.count(&PACKAGE_COUNT, few).await? > MANY_HITS;
            let way = if many { &PACKAGE_WALK } else { &PACKAGE };
            (way, parameters, searched)
        }
        (Some(package), Some(words)) => {
            let words = words.text(dialect);
            let searched = values![package, package.chars().count() as i64, words];
            (&PACKAGE_WORDS, parameters, searched)
        }
        (None, Some(words)) => {
            let mut either = [words.closed(), words];
            let mut hits = Hits::of(session, &either[..1]).await?;
            if hits == Hits::Few {
                either.swap(0, 1);
                hits = Hits::of(session, &either[..1]).await?;
            }
            let text = either[0].text(dialect);
            let (way, text) = match hits {
                Hits::Few => (&HITS, text),
                Hits::Many => (&WALK_WORDS, text),
                Hits::Often => (&WALK_OFTEN, words::asked(&either[..1], dialect)),
            };
            (way, parameters, values![text])
        }
    }))
}

/// How often words hit, as far as it matters to how they are looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Hits {
    /// Few vulnerabilities have them.
    Few,
    /// Too many to sort.
    Many,
    /// So many that a walk better asks about each row.
    Often,
}

impl Hits {
    /// How often words hit, all of them.
    pub(crate) async fn of(session: &mut Session, words: &[Query]) -> Result<Hits> {
        Hits::beyond(MANY_HITS, session, words).await
    }

    /// The same, where more than so many are many.
    async fn beyond(few: i64, session: &mut Session, words: &[Query]) -> Result<Hits> {
        let dialect = session.dialect();
        let last = session.count(&LAST, Vec::new()).await?;
        // Often is many, too.
        if last >= few * OFTEN {
            let asked = words::asked(words, dialect);
            let spread = values![asked, last, (last / SAMPLE).max(1)];
            if session.count(&SAMPLED, spread).await? >= SAMPLE / OFTEN {
                return Ok(Hits::Often);
            }
        }
        let counted = values![words::all(words, dialect), few + 1];
        let many = session.count(&WORDS_COUNT, counted).await? > few;
        Ok(if many { Hits::Many } else { Hits::Few })
    }
}

/// Where a page begins and which way it goes.
pub(crate) struct Seek {
    pub(crate) limit: u32,
    pub(crate) position: Position,
    pub(crate) backwards: bool,
    /// Whether a position was given, so that there are rows on its other side.
    pub(crate) inside: bool,
    list: char,
}

impl Seek {
    fn read(request: &PageRequest) -> Result<Seek> {
        let list = match request.order {
            Order::Urgency => 'u',
            Order::Published => 'p',
            Order::Modified => 'm',
        };
        let mut seek = Seek::at(request, list)?;
        if !seek.inside {
            seek.position = Position {
                rank: i64::MAX,
                key: i64::MAX,
            };
        }
        Ok(seek)
    }

    /// Reads the request of a list that the letter names. Without a token the position is the lowest.
    pub(crate) fn at(request: &PageRequest, list: char) -> Result<Seek> {
        let (token, backwards) = match (&request.after, &request.before) {
            (Some(after), _) => (Some(after), false),
            (None, Some(before)) => (Some(before), true),
            (None, None) => (None, false),
        };
        let position = match token {
            Some(token) => Position::read(token, list)?,
            None => Position { rank: 0, key: 0 },
        };
        Ok(Seek {
            limit: request.limit.clamp(1, MAX_LIMIT),
            position,
            backwards,
            inside: token.is_some(),
            list,
        })
    }

    /// The page of the rows that were read, one more than wanted if there are any beyond.
    pub(crate) fn page<T>(&self, mut rows: Vec<(Position, T)>) -> Page<T> {
        let more = rows.len() > self.limit as usize;
        rows.truncate(self.limit as usize);
        if self.backwards {
            rows.reverse();
        }
        let token =
            |row: Option<&(Position, T)>| row.map(|(position, _)| position.token(self.list));
        let next = token(rows.last()).filter(|_| more || self.backwards);
        let previous =
            token(rows.first()).filter(|_| if self.backwards { more } else { self.inside });
        Page {
            next,
            previous,
            total: None,
            rows: rows.into_iter().map(|(_, row)| row).collect(),
        }
    }
}

#[cfg(test)]
mod tests;
