//! Whether what is stored holds together: what the schema cannot enforce, asked of the data.
//!
//! Invariant: it changes nothing, and a database that this crate wrote has no problems.

use crate::Store;
use crate::blob;
use crate::error::{Result, StoreError};
use crate::session::Session;
use crate::statement::{Dialect, Statement, statements};
use crate::value::values;
use crate::writer::{Counter, Counters};
use serde::Serialize;

statements! {
    /// The file's own structure; PostgreSQL keeps its own.
    INTEGRITY = sqlite "PRAGMA integrity_check" postgres "SELECT 'ok'";

    DOCUMENT_MISSING = "SELECT count(*) FROM record WHERE NOT EXISTS (SELECT 1 FROM document WHERE document.record = record.key)";
    MEMBER_MISSING = "SELECT count(*) FROM vulnerability WHERE NOT EXISTS (SELECT 1 FROM member WHERE member.vulnerability = vulnerability.key)";
    MEMBER_DANGLES = "SELECT count(*) FROM member WHERE NOT EXISTS (SELECT 1 FROM vulnerability WHERE vulnerability.key = member.vulnerability) OR NOT EXISTS (SELECT 1 FROM record WHERE record.key = member.record)";
    LISTING_MISSING = "SELECT count(*) FROM vulnerability WHERE NOT EXISTS (SELECT 1 FROM listing WHERE listing.vulnerability = vulnerability.key AND listing.scope = 0)";
    LISTING_DANGLES = "SELECT count(*) FROM listing WHERE NOT EXISTS (SELECT 1 FROM vulnerability WHERE vulnerability.key = listing.vulnerability)";
    TALLY_DIFFERS = "SELECT count(*) FROM (SELECT scope, severity, exploited, statuses, sum(number) AS total FROM (SELECT scope, severity, exploited, statuses, vulnerabilities AS number FROM tally UNION ALL SELECT scope, severity, exploited, statuses, -count(*) FROM listing GROUP BY scope, severity, exploited, statuses) AS both_sides GROUP BY scope, severity, exploited, statuses) AS sums WHERE total <> 0";
    FACETS_DIFFER = "SELECT count(*) FROM (SELECT facet, sum(number) AS total FROM (SELECT facet, items AS number FROM triage_tally UNION ALL SELECT facet, -count(*) FROM triage_item GROUP BY facet) AS both_sides GROUP BY facet) AS sums WHERE total <> 0";
    MATCH_DANGLES = "SELECT count(*) FROM package_match WHERE NOT EXISTS (SELECT 1 FROM vulnerability WHERE vulnerability.key = package_match.vulnerability)";
    FINDING_DANGLES = "SELECT count(*) FROM finding WHERE NOT EXISTS (SELECT 1 FROM package_match WHERE package_match.key = finding.package_match) OR NOT EXISTS (SELECT 1 FROM attribute WHERE attribute.key = finding.attribute) OR NOT EXISTS (SELECT 1 FROM channel WHERE channel.key = finding.channel)";
    /// An attribute counts the matches that affect it on some channel; the status is that of `listing::status_bit`.
    AFFECTED_MISCOUNTED = "SELECT count(*) FROM attribute LEFT JOIN (SELECT attribute, count(DISTINCT package_match) AS number FROM finding WHERE status = 1 GROUP BY attribute) AS counted ON counted.attribute = attribute.key WHERE attribute.affected <> coalesce(counted.number, 0)";
    RELEASE_DANGLES = "SELECT count(*) FROM release_package WHERE NOT EXISTS (SELECT 1 FROM package WHERE package.key = release_package.package) OR NOT EXISTS (SELECT 1 FROM channel_release WHERE channel_release.key = release_package.channel_release)";
    RELEASE_MISCOUNTED = "SELECT count(*) FROM channel_release WHERE packages <> (SELECT count(*) FROM release_package WHERE release_package.channel_release = channel_release.key)";
    LATEST_DANGLES = "SELECT count(*) FROM channel WHERE latest IS NOT NULL AND NOT EXISTS (SELECT 1 FROM channel_release WHERE channel_release.key = channel.latest AND channel_release.channel = channel.key)";

    TOTAL_VULNERABILITIES = "SELECT count(*) FROM vulnerability";
    TOTAL_ATTRIBUTES = "SELECT count(*) FROM attribute";
    TOTAL_MATCHES = "SELECT count(*) FROM package_match";
    LAST_RECORD = "SELECT coalesce(max(key), 0) FROM record";
    LAST_VULNERABILITY = "SELECT coalesce(max(key), 0) FROM vulnerability";
    LAST_PACKAGE = "SELECT coalesce(max(key), 0) FROM package";

    DOCUMENTS = "SELECT document.record, document.normal, document.raw, record.raw_bytes FROM document JOIN record ON record.key = document.record WHERE document.record > $1 ORDER BY document.record LIMIT 512";
}

/// Something that does not hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// What is wrong.
    pub what: String,
    /// How many rows are.
    pub rows: u64,
}

/// Counts that are zero if all is well.
const NONE: &[(&str, Statement)] = &[
    ("records without their document", DOCUMENT_MISSING),
    ("vulnerabilities without a record", MEMBER_MISSING),
    ("members of what is not there", MEMBER_DANGLES),
    ("vulnerabilities that no list shows", LISTING_MISSING),
    ("places in lists of what is not there", LISTING_DANGLES),
    ("counts of lists that are wrong", TALLY_DIFFERS),
    ("counts of the queue that are wrong", FACETS_DIFFER),
    ("matches of what is not there", MATCH_DANGLES),
    ("findings of what is not there", FINDING_DANGLES),
    (
        "attributes that count what affects them wrong",
        AFFECTED_MISCOUNTED,
    ),
    ("packages of releases that are not there", RELEASE_DANGLES),
    (
        "releases that count their packages wrong",
        RELEASE_MISCOUNTED,
    ),
    (
        "channels whose latest release is not theirs",
        LATEST_DANGLES,
    ),
];

/// Counters that must equal a count, and those that no key may have passed.
const TOTALS: &[(Counter, Statement)] = &[
    (Counter::Vulnerabilities, TOTAL_VULNERABILITIES),
    (Counter::Attributes, TOTAL_ATTRIBUTES),
    (Counter::Matches, TOTAL_MATCHES),
];
const KEYS: &[(Counter, Statement)] = &[
    (Counter::Record, LAST_RECORD),
    (Counter::Vulnerability, LAST_VULNERABILITY),
    (Counter::Package, LAST_PACKAGE),
];

impl Store {
    /// Looks at everything, and at every stored document if `documents` is set; `each` hears of each document read.
    ///
    /// # Errors
    /// When the database does not answer. What is wrong in it is the result.
    pub async fn check(
        &self,
        documents: bool,
        each: &mut (dyn FnMut() + Send),
    ) -> Result<Vec<Problem>> {
        let mut session = self.read().await?;
        let mut problems = Vec::new();
        if session.dialect() == Dialect::Sqlite {
            for row in session.rows(&INTEGRITY, Vec::new()).await? {
                let what = row.text(0)?;
                if what != "ok" {
                    problems.push(Problem { what, rows: 1 });
                }
            }
        }
        for (what, statement) in NONE {
            let rows = session.count(statement, Vec::new()).await? as u64;
            if rows > 0 {
                let what = (*what).to_owned();
                problems.push(Problem { what, rows });
            }
        }
        let counters = Counters::load(&mut session).await?;
        for (counter, statement) in TOTALS {
            let (held, counted) = (
                counters.get(*counter),
                session.count(statement, Vec::new()).await?,
            );
            if held != counted {
                let what = format!("{counter:?} are counted as {held}, and are {counted}");
                problems.push(Problem { what, rows: 1 });
            }
        }
        for (counter, statement) in KEYS {
            let (given, last) = (
                counters.get(*counter),
                session.count(statement, Vec::new()).await?,
            );
            if last > given {
                let what = format!("{counter:?} {last} has a key that was not given out yet");
                problems.push(Problem { what, rows: 1 });
            }
        }
        if documents {
            check_documents(&mut session, &mut problems, each).await?;
        }
        Ok(problems)
    }
}

async fn check_documents(
    session: &mut Session,
    problems: &mut Vec<Problem>,
    each: &mut (dyn FnMut() + Send),
) -> Result<()> {
    let mut after = 0;
    loop {
        let rows = session.rows(&DOCUMENTS, values![after]).await?;
        if rows.is_empty() {
            return Ok(());
        }
        for row in rows {
            after = row.integer(0)?;
            let size = row.integer(3)? as u64;
            let normal = blob::decode(after, &row.bytes(1)?).map(drop);
            let raw = blob::raw(&format!("document {after}"), &row.bytes(2)?, size).map(drop);
            for error in [normal, raw].into_iter().filter_map(Result::err) {
                let what = match error {
                    StoreError::Damaged { .. } => error.to_string(),
                    other => return Err(other),
                };
                problems.push(Problem { what, rows: 1 });
            }
            each();
        }
    }
}
