//! The statements of derivation.

use crate::statement::statements;

statements! {
    DISTRIBUTIONS = "SELECT name FROM distribution ORDER BY name";
    GENERATION = "SELECT generation FROM distribution WHERE name = $1";
    POSITION = "SELECT position FROM distribution WHERE name = $1";
    ADVANCE = "UPDATE distribution SET position = $3 WHERE name = $1 AND generation = $2";
    BASIS = "SELECT weights, generation, cause, until FROM derivation_basis WHERE distribution = $1";
    BASIS_PUT = "INSERT INTO derivation_basis (distribution, weights, generation, cause, until) VALUES ($1, $2, $3, $4, $5) ON CONFLICT (distribution) DO UPDATE SET weights = excluded.weights, generation = excluded.generation, cause = excluded.cause, until = excluded.until";
    /// What is due stays what it is; only a derivation that is under way begins anew.
    GENERATION_NEXT = "UPDATE distribution SET generation = generation + 1 WHERE name = $1";
    BASIS_NEXT = "UPDATE derivation_basis SET generation = generation + 1 WHERE distribution = $1 AND generation = (SELECT generation FROM distribution WHERE name = $1)";
    REWIND = "UPDATE distribution SET position = 0 WHERE name = $1";
    CURRENT_RELEASES = "SELECT channel_release.key, channel.name, channel_release.revision, channel_release.released FROM channel JOIN channel_release ON channel_release.key = channel.latest WHERE channel.distribution = $1 ORDER BY channel.name";
    PACKAGES_OF_RELEASE = "SELECT release_package.package, release_package.derivation, release_package.output, release_package.dependents, package.data FROM release_package JOIN package ON package.key = release_package.package WHERE release_package.channel_release = $1 AND release_package.package > $2 ORDER BY release_package.package LIMIT 10000";
    TOUCHED_AFTER = "SELECT key, touched, id FROM vulnerability WHERE touched > $1 ORDER BY touched LIMIT $2";

    CHANNELS_OF = "SELECT channel.key, channel.name, channel_release.released FROM channel JOIN channel_release ON channel_release.key = channel.latest WHERE channel.distribution = $1";
    ENDED = "SELECT key FROM channel WHERE supported_until < $1 OR EXISTS (SELECT 1 FROM channel_support WHERE channel_support.channel = channel.name AND channel_support.ends < $1)";
    CHANNEL_NAMES = "SELECT key, name FROM channel";
    ATTRIBUTES_BY_NAME = "SELECT key, name FROM attribute WHERE distribution = $1 AND name IN ({list:1})";
    VULNERABILITIES = "SELECT vulnerability.id, vulnerability.key, listing.urgency, listing.published, listing.modified, listing.severity, listing.exploited, vulnerability.score, vulnerability.epss, vulnerability.touched FROM vulnerability JOIN listing ON listing.vulnerability = vulnerability.key AND listing.scope = 0 WHERE vulnerability.id IN ({list:0})";

    MATCHES_HELD = "SELECT key, vulnerability, distribution, family, score FROM package_match WHERE vulnerability IN ({list:0})";
    MATCH_TEXTS = "SELECT key, attributes, reasons FROM package_match WHERE key IN ({list:0})";
    MATCH_PUT = "INSERT INTO package_match (key, vulnerability, distribution, family, score, attributes, reasons) VALUES {rows:7} ON CONFLICT (key) DO UPDATE SET score = excluded.score, attributes = excluded.attributes, reasons = excluded.reasons";
    MATCHES_DROP = "DELETE FROM package_match WHERE key IN ({list:0})";
    FINDINGS_HELD = "SELECT finding.package_match, finding.channel, finding.attribute, attribute.name, finding.version, finding.status, finding.evidence, finding.since, finding.state, finding.derived, finding.decided, finding.contradicted FROM finding JOIN attribute ON attribute.key = finding.attribute WHERE finding.package_match IN ({list:0})";
    STATUSES_HELD = "SELECT package_match, channel, status FROM finding WHERE package_match IN ({list:0})";
    FINDING_PUT = "INSERT INTO finding (package_match, channel, attribute, version, status, evidence, since, state, derived, decided, contradicted) VALUES {rows:11} ON CONFLICT (package_match, attribute, channel) DO UPDATE SET version = excluded.version, status = excluded.status, evidence = excluded.evidence, since = excluded.since, state = excluded.state, derived = excluded.derived, decided = excluded.decided, contradicted = excluded.contradicted";
    FINDING_DROP = "DELETE FROM finding WHERE package_match = $1 AND channel = $2 AND attribute = $3";
    AFFECTED_ADD = "UPDATE attribute SET affected = affected + CAST(changed.column2 AS BIGINT) FROM (VALUES {rows:2}) AS changed WHERE attribute.key = CAST(changed.column1 AS BIGINT)";
    FINDINGS_DROP = "DELETE FROM finding WHERE package_match IN ({list:0})";

    LISTINGS_HELD = "SELECT vulnerability, scope, statuses FROM listing WHERE vulnerability IN ({list:0})";
    LISTING_PUT = "INSERT INTO listing (vulnerability, scope, urgency, published, modified, severity, exploited, statuses) VALUES {rows:8} ON CONFLICT (vulnerability, scope) DO UPDATE SET statuses = excluded.statuses";
    LISTING_DROP = "DELETE FROM listing WHERE vulnerability = $1 AND scope = $2";
    VULNERABILITY_MATCHED = "UPDATE vulnerability SET family_count = CAST(matched.column2 AS BIGINT), families = matched.column3, channels = matched.column4 FROM (VALUES {rows:4}) AS matched WHERE vulnerability.key = CAST(matched.column1 AS BIGINT)";
}
