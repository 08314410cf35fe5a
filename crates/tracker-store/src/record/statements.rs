//! The statements that write records and vulnerabilities.

use crate::statement::statements;

statements! {
    DIGESTS = "SELECT key, digest, source FROM record WHERE key > $1 AND withdrawn IS NULL ORDER BY key LIMIT 10000";
    RECORDS_HELD = "SELECT key, id, digest, modified, withdrawn FROM record WHERE source = $1 AND id IN ({list:1})";
    DOCUMENTS = "SELECT document.record, document.normal, document.raw, record.raw_bytes FROM document JOIN record ON record.key = document.record WHERE document.record IN ({list:0})";
    STATED = "SELECT key, id FROM record WHERE source = $1 AND key > $2 AND withdrawn IS NULL ORDER BY key LIMIT 10000";
    SIGHTINGS = "SELECT id FROM sighting WHERE feed = $1";
    SIGHTING_ADD = "INSERT INTO sighting (feed, id) VALUES {rows:2} ON CONFLICT (feed, id) DO NOTHING";
    SIGHTINGS_FORGET = "DELETE FROM sighting WHERE feed = $1";
    RECORD_PUT = "INSERT INTO record (key, source, id, digest, modified, imported, raw_bytes, withdrawn) VALUES {rows:8} ON CONFLICT (key) DO UPDATE SET digest = excluded.digest, modified = excluded.modified, imported = excluded.imported, raw_bytes = excluded.raw_bytes, withdrawn = excluded.withdrawn";
    DOCUMENT_PUT = "INSERT INTO document (record, normal, raw) VALUES {rows:3} ON CONFLICT (record) DO UPDATE SET normal = excluded.normal, raw = excluded.raw";
    FEED_GREW = "INSERT INTO feed (source, records, newest, added, changed, unchanged, superseded, rejected) VALUES ($1, $2, $3, 0, 0, 0, 0, 0) ON CONFLICT (source) DO UPDATE SET records = feed.records + excluded.records, newest = CASE WHEN feed.newest IS NULL OR excluded.newest > feed.newest THEN excluded.newest ELSE feed.newest END";
    FEED_IMPORTED = "INSERT INTO feed (source, records, imported, added, changed, unchanged, superseded, rejected) VALUES ($1, 0, $2, $3, $4, $5, $6, $7) ON CONFLICT (source) DO UPDATE SET imported = excluded.imported, added = excluded.added, changed = excluded.changed, unchanged = excluded.unchanged, superseded = excluded.superseded, rejected = excluded.rejected";

    VULNERABILITIES_BY_ID = "SELECT key, id FROM vulnerability WHERE id IN ({list:0})";
    VULNERABILITIES_BY_KEY = "SELECT key, id FROM vulnerability WHERE key IN ({list:0})";
    VULNERABILITY_PUT = "INSERT INTO vulnerability (key, id, touched, title, severity, score, exploited, epss, state, published, modified, family_count, families, channels) VALUES {rows:14} ON CONFLICT (key) DO UPDATE SET touched = excluded.touched, title = excluded.title, severity = excluded.severity, score = excluded.score, exploited = excluded.exploited, epss = excluded.epss, state = excluded.state, published = excluded.published, modified = excluded.modified";
    VULNERABILITIES_GONE = "DELETE FROM vulnerability WHERE key IN ({list:0})";

    MEMBERS_OF_RECORDS = "SELECT record, vulnerability FROM member WHERE record IN ({list:0})";
    MEMBER_ADD = "INSERT INTO member (vulnerability, record) VALUES {rows:2}";
    MEMBER_DROP = "DELETE FROM member WHERE vulnerability = $1 AND record = $2";
    RECORDS_OF_VULNERABILITIES = "SELECT member.vulnerability, member.record, document.normal FROM member JOIN document ON document.record = member.record WHERE member.vulnerability IN ({list:0})";

    ALIASES_DROP = "DELETE FROM alias WHERE vulnerability IN ({list:0})";
    ALIAS_ADD = "INSERT INTO alias (vulnerability, alias) VALUES {rows:2}";

    LISTING_ADD = "INSERT INTO listing (vulnerability, scope, urgency, published, modified, severity, exploited, statuses) VALUES {rows:8}";
    LISTING_MOVE = "UPDATE listing SET urgency = $2, published = $3, modified = $4, severity = $5, exploited = $6 WHERE vulnerability = $1";
    LISTINGS_GONE = "DELETE FROM listing WHERE vulnerability IN ({list:0})";

    /// The text indexes are of different kinds: FTS5 takes the words as text, PostgreSQL as an array.
    WORDS_ADD = sqlite "INSERT INTO vulnerability_words_text (vulnerability, words) VALUES {rows:2}"
        postgres "INSERT INTO vulnerability_words (rowid, words) SELECT CAST(key AS BIGINT), array_to_tsvector(string_to_array(words, ' ')) FROM (VALUES {rows:2}) AS given (key, words)";
    WORDS_GONE = sqlite "DELETE FROM vulnerability_words_text WHERE vulnerability IN ({list:0})"
        postgres "DELETE FROM vulnerability_words WHERE rowid IN ({list:0})";

    MATCHES_GONE = "DELETE FROM package_match WHERE vulnerability IN ({list:0})";
    FINDINGS_GONE = "DELETE FROM finding WHERE package_match IN (SELECT key FROM package_match WHERE vulnerability IN ({list:0}))";
    ITEMS_GONE = "DELETE FROM triage_item WHERE vulnerability IN ({list:0})";
    MATCHES_COUNT = "SELECT count(*) FROM package_match WHERE vulnerability IN ({list:0})";
    AFFECTED_GONE = "SELECT finding.attribute, count(DISTINCT finding.package_match) FROM package_match JOIN finding ON finding.package_match = package_match.key WHERE finding.status = 1 AND package_match.vulnerability IN ({list:0}) GROUP BY finding.attribute";
    EVENT_MOVE = "UPDATE event SET vulnerability = $2 WHERE vulnerability = $1";
}
