//! The statements of the pages, except for the lists that are built from parts.

use super::row::vulnerability_columns;
use crate::statement::{Statement, statements};

/// A vulnerability's columns by a condition.
macro_rules! vulnerabilities {
    ($rest:literal) => {
        Statement::portable(concat!("SELECT ", vulnerability_columns!(), $rest))
    };
}

pub(crate) const VULNERABILITY: Statement =
    vulnerabilities!(" FROM vulnerability AS v WHERE v.id = $1");
pub(crate) const VULNERABILITY_BY_ALIAS: Statement = vulnerabilities!(
    " FROM alias CROSS JOIN vulnerability AS v WHERE alias.alias = $1 AND v.key = alias.vulnerability ORDER BY v.id LIMIT 1"
);
pub(crate) const VULNERABILITIES_OF_ATTRIBUTE: Statement = vulnerabilities!(
    ", package_match.score, channel.name, finding.version, finding.status, finding.evidence, finding.since, listing.urgency FROM attribute JOIN package_match ON package_match.family = attribute.family AND package_match.distribution = attribute.distribution JOIN finding ON finding.package_match = package_match.key AND finding.attribute = attribute.key JOIN vulnerability AS v ON v.key = package_match.vulnerability JOIN channel ON channel.key = finding.channel JOIN listing ON listing.vulnerability = v.key AND listing.scope = 0 WHERE attribute.key = $1"
);

/// The statements above, for the test that prepares them.
#[cfg(test)]
pub(crate) const BUILT: [Statement; 3] = [
    VULNERABILITY,
    VULNERABILITY_BY_ALIAS,
    VULNERABILITIES_OF_ATTRIBUTE,
];

statements! {
    RECORDS = "SELECT record.key, document.normal, record.imported, record.raw_bytes, record.withdrawn FROM member JOIN record ON record.key = member.record JOIN document ON document.record = record.key WHERE member.vulnerability = $1 ORDER BY record.key";
    RAW = "SELECT record.raw_bytes, document.raw FROM record JOIN document ON document.record = record.key WHERE record.source = $1 AND record.id = $2";
    MATCHES = "SELECT key, distribution, family, score, reasons FROM package_match WHERE vulnerability = $1 ORDER BY score DESC, distribution, family";
    FINDINGS = "SELECT finding.package_match, channel.name, attribute.name, finding.version, finding.status, finding.evidence, finding.since FROM package_match JOIN finding ON finding.package_match = package_match.key JOIN channel ON channel.key = finding.channel JOIN attribute ON attribute.key = finding.attribute WHERE package_match.vulnerability = $1 ORDER BY attribute.name, channel.name";
    HISTORY = "SELECT at, kind, text FROM event WHERE vulnerability = $1 ORDER BY key DESC LIMIT 500";
    SIMILAR_IDS = "SELECT id FROM vulnerability WHERE id >= $1 ORDER BY id LIMIT $2";

    CHANNELS = "SELECT channel.key, channel.distribution, channel.name, channel_release.revision, channel_release.released, channel_release.packages, (SELECT count(*) FROM channel_release AS held WHERE held.channel = channel.key), channel.supported_until FROM channel JOIN channel_release ON channel_release.key = channel.latest ORDER BY channel.distribution, channel.name";
    STATUSES_OF_SCOPE = "SELECT statuses, CAST(sum(vulnerabilities) AS BIGINT) FROM tally WHERE scope = $1 GROUP BY statuses";
    RELEASES_OF_ALL = "SELECT channel.name, channel_release.revision, channel_release.released FROM channel JOIN channel_release ON channel_release.channel = channel.key ORDER BY channel.name, channel_release.released, channel_release.key";
    RELEASES = "SELECT revision, released, packages, added, removed, moved FROM channel_release WHERE channel = $1 ORDER BY released DESC, key DESC LIMIT 1000";
    RELEASE_OF_CHANNEL = "SELECT channel_release.key FROM channel JOIN channel_release ON channel_release.channel = channel.key WHERE channel.name = $1 AND channel_release.revision = $2";

    AFFECTED_OF_CHANNEL = "SELECT attribute.name, attribute.pname, finding.version, v.id, v.severity, v.exploited FROM channel CROSS JOIN attribute CROSS JOIN package_match CROSS JOIN finding CROSS JOIN vulnerability AS v WHERE channel.key = $1 AND attribute.distribution = channel.distribution AND attribute.affected > 0 AND package_match.family = attribute.family AND package_match.distribution = attribute.distribution AND finding.package_match = package_match.key AND finding.attribute = attribute.key AND finding.channel = channel.key AND finding.status = $2 AND v.key = package_match.vulnerability ORDER BY attribute.name, v.id LIMIT $3";
    ATTRIBUTE = "SELECT key, pname, family FROM attribute WHERE distribution = $1 AND name = $2";
    RELATIVES = "SELECT name FROM attribute WHERE distribution = $1 AND family = $2 AND name <> $3 ORDER BY name LIMIT 200";
    VERSIONS = "SELECT channel.name, channel_release.revision, channel_release.released, package.key FROM package CROSS JOIN release_package CROSS JOIN channel_release CROSS JOIN channel WHERE package.attribute = $2 AND release_package.package = package.key AND channel_release.key = release_package.channel_release AND channel.key = channel_release.channel AND channel.distribution = $1 ORDER BY channel_release.released DESC, channel_release.key DESC LIMIT 500";
    CONTENTS = "SELECT key, data FROM package WHERE attribute = $1";

    PACKAGES_FIRST = "SELECT CAST(0 AS BIGINT), key, distribution, name, pname, family, affected FROM attribute ORDER BY distribution, name LIMIT $1";
    PACKAGES_AFTER = "SELECT CAST(0 AS BIGINT), key, distribution, name, pname, family, affected FROM attribute WHERE (distribution, name) > (SELECT distribution, name FROM attribute WHERE key = $2) ORDER BY distribution, name LIMIT $1";
    PACKAGES_BEFORE = "SELECT CAST(0 AS BIGINT), key, distribution, name, pname, family, affected FROM attribute WHERE (distribution, name) < (SELECT distribution, name FROM attribute WHERE key = $2) ORDER BY distribution DESC, name DESC LIMIT $1";
    NAMED_FIRST = "SELECT attribute.size, attribute.key, attribute.distribution, attribute.name, attribute.pname, attribute.family, attribute.affected FROM attribute_words($2) AS found CROSS JOIN attribute WHERE attribute.key = found.rowid ORDER BY attribute.size, attribute.name, attribute.distribution LIMIT $1";
    NAMED_AFTER = "SELECT attribute.size, attribute.key, attribute.distribution, attribute.name, attribute.pname, attribute.family, attribute.affected FROM attribute_words($2) AS found CROSS JOIN attribute WHERE attribute.key = found.rowid AND (attribute.size, attribute.name, attribute.distribution) > (SELECT size, name, distribution FROM attribute WHERE key = $3) ORDER BY attribute.size, attribute.name, attribute.distribution LIMIT $1";
    NAMED_BEFORE = "SELECT attribute.size, attribute.key, attribute.distribution, attribute.name, attribute.pname, attribute.family, attribute.affected FROM attribute_words($2) AS found CROSS JOIN attribute WHERE attribute.key = found.rowid AND (attribute.size, attribute.name, attribute.distribution) < (SELECT size, name, distribution FROM attribute WHERE key = $3) ORDER BY attribute.size DESC, attribute.name DESC, attribute.distribution DESC LIMIT $1";
    NAMED_COUNT = "SELECT count(*) FROM (SELECT rowid FROM attribute_words($1) LIMIT $2) AS counted";
    CURRENT_VERSIONS = "SELECT package.attribute, channel.name, package.version, package.data FROM package CROSS JOIN release_package CROSS JOIN channel WHERE release_package.package = package.key AND channel.latest = release_package.channel_release AND package.attribute IN ({list:0}) ORDER BY channel.name";

    AFFECTED_BY_SEVERITY = "SELECT severity, CAST(sum(vulnerabilities) AS BIGINT) FROM tally WHERE scope = -1 AND (statuses & 1) <> 0 GROUP BY severity HAVING sum(vulnerabilities) > 0";
    FEEDS = "SELECT source, records, imported, newest, rejected FROM feed ORDER BY source";
}
