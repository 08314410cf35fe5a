//! The statements of triage, except for those that a query is written into.

use crate::statement::statements;

statements! {
    DECISIONS = "SELECT key, vulnerability, at, actor, reason, act, kind, text, data FROM event WHERE decision = 1 AND vulnerability IN ({list:0}) ORDER BY key";
    /// What concerns no vulnerability: rules and views.
    GENERAL = "SELECT key, vulnerability, at, actor, reason, act, kind, text, data FROM event WHERE vulnerability = 0 ORDER BY key";
    SECOND_PERSON = "SELECT key, vulnerability, at, actor, reason, act, kind, text, data FROM event WHERE kind = 'second-person-asked' OR (kind = 'undone' AND vulnerability = 0) ORDER BY key";
    MAINTAINED_ON = "SELECT DISTINCT channel.name FROM package_maintainer JOIN release_package ON release_package.package = package_maintainer.package JOIN channel ON channel.latest = release_package.channel_release WHERE package_maintainer.maintainer = $1";
    MAINTAINED_BY = "SELECT DISTINCT attribute.distribution, attribute.name, attribute.family FROM package_maintainer JOIN package ON package.key = package_maintainer.package JOIN release_package ON release_package.package = package.key JOIN channel ON channel.latest = release_package.channel_release JOIN attribute ON attribute.key = package.attribute WHERE package_maintainer.maintainer = $1 ORDER BY attribute.distribution, attribute.name LIMIT $2";
    LOG_OF = "SELECT key, vulnerability, at, actor, reason, act, kind, text, data FROM event WHERE vulnerability = $1 AND key > $2 ORDER BY key LIMIT $3";
    EVENT = "SELECT key, vulnerability, at, actor, reason, act, kind, text, data FROM event WHERE key = $1";
    ACT = "SELECT key, vulnerability, at, actor, reason, act, kind, text, data FROM event WHERE act = $1 ORDER BY key";
    ACT_SIZE = "SELECT count(*) FROM event WHERE act = $1";

    ANSWER = "SELECT digest, answer FROM answer WHERE actor = $1 AND key = $2";
    ANSWERS_DROP = "DELETE FROM answer WHERE at < $1";
    ANSWER_PUT = "INSERT INTO answer (actor, key, digest, at, answer) VALUES {rows:5}";

    MATCHED_VULNERABILITIES = "SELECT DISTINCT package_match.vulnerability, vulnerability.id FROM package_match JOIN vulnerability ON vulnerability.key = package_match.vulnerability WHERE package_match.vulnerability > $1 ORDER BY package_match.vulnerability LIMIT $2";
    DERIVED_LOG = "SELECT key, vulnerability, at, actor, reason, act, kind, text, data FROM event WHERE kind IN ('matched', 'unmatched', 'finding-changed') AND vulnerability IN ({list:0}) ORDER BY key";

    VULNERABILITIES_BY_ID = "SELECT id, key, id FROM vulnerability WHERE id IN ({list:0})";
    VULNERABILITIES_BY_ALIAS = "SELECT alias.alias, vulnerability.key, vulnerability.id FROM alias JOIN vulnerability ON vulnerability.key = alias.vulnerability WHERE alias.alias IN ({list:0}) ORDER BY vulnerability.id";
    VULNERABILITY_IDS = "SELECT key, id FROM vulnerability WHERE key IN ({list:0})";
    FAMILY_HELD = "SELECT count(*) FROM attribute WHERE distribution = $1 AND family = $2";
    FAMILY_PLACES = "SELECT channel.name, attribute.name, package.version FROM attribute JOIN package ON package.attribute = attribute.key JOIN release_package ON release_package.package = package.key JOIN channel ON channel.latest = release_package.channel_release WHERE attribute.distribution = $1 AND attribute.family = $2 ORDER BY channel.name, attribute.name";
    FAMILY_TAKEN = "SELECT count(*) FROM attribute WHERE distribution = $1 AND (family = $2 OR own_family = $2)";
    FAMILY_MEMBERS = "SELECT name, pname, own_family, affected FROM attribute WHERE distribution = $1 AND family = $2 ORDER BY name";
    FAMILY_CHANGES = "SELECT event, distribution, kind, family, members, target, last, holds FROM family_change ORDER BY event";
    FAMILY_CHANGES_DROP = "DELETE FROM family_change";
    FAMILY_CHANGE_PUT = "INSERT INTO family_change (event, distribution, kind, family, members, target, last, holds) VALUES {rows:8} ON CONFLICT (event) DO UPDATE SET last = excluded.last, holds = excluded.holds";
    FAMILY_STEPS = "SELECT family_change.event, family_change.distribution, family_change.kind, family_change.family, family_change.members, family_change.target, family_change.last, family_change.holds, event.at, event.actor, event.reason, event.text FROM family_change JOIN event ON event.key = family_change.event WHERE family_change.distribution = $1 AND (family_change.family = $2 OR family_change.target = $2) ORDER BY family_change.event";
    /// Attributes about which people may have said something: key, distribution, name, own family, family.
    ATTRIBUTES_CHANGED = "SELECT key, distribution, name, own_family, family FROM attribute WHERE family <> own_family OR distribution IN (SELECT distribution FROM family_change) ORDER BY key";
    ATTRIBUTES_OF_FAMILIES = "SELECT key, name, own_family, family FROM attribute WHERE distribution = $1 AND family IN ({list:1})";
    ATTRIBUTES_COUNTED = "UPDATE attribute SET family = $1 WHERE key IN ({list:1})";
    MATCHED_TO_FAMILIES = "SELECT DISTINCT vulnerability.key, vulnerability.id FROM triage_item JOIN vulnerability ON vulnerability.key = triage_item.vulnerability WHERE triage_item.distribution = $1 AND triage_item.family IN ({list:1}) ORDER BY vulnerability.key";
    TOUCH = "UPDATE vulnerability SET touched = $2 WHERE key = $1";

    ITEMS_HELD = "SELECT key, vulnerability, distribution, family, package_match, state, severity, score, exploited, epss, confidence, dependents, default_install, since, states, contradicted, added, open, rank, assignee, snoozed, suggested FROM triage_item WHERE vulnerability IN ({list:0})";
    ITEM_PUT = "INSERT INTO triage_item (key, vulnerability, distribution, family, package_match, state, severity, score, exploited, epss, confidence, dependents, default_install, since, states, contradicted, added, open, rank, assignee, snoozed, suppressed, suggested) VALUES {rows:23} ON CONFLICT (key) DO UPDATE SET package_match = excluded.package_match, state = excluded.state, severity = excluded.severity, score = excluded.score, exploited = excluded.exploited, epss = excluded.epss, confidence = excluded.confidence, dependents = excluded.dependents, default_install = excluded.default_install, since = excluded.since, states = excluded.states, contradicted = excluded.contradicted, added = excluded.added, open = excluded.open, rank = excluded.rank, assignee = excluded.assignee, snoozed = excluded.snoozed, suppressed = excluded.suppressed, suggested = excluded.suggested";
    ITEMS_DROP = "DELETE FROM triage_item WHERE key IN ({list:0})";
    SHOWN_AGAIN = "UPDATE triage_item SET suppressed = 0 WHERE suppressed <> 0";
    ITEM = "SELECT triage_item.key FROM triage_item JOIN vulnerability ON vulnerability.key = triage_item.vulnerability WHERE vulnerability.id = $1 AND triage_item.distribution = $2 AND triage_item.family = $3";
    ITEMS_OF = "SELECT distribution, family FROM triage_item WHERE vulnerability = $1 ORDER BY distribution, family";
    ENDED_OPEN = "SELECT DISTINCT package_match.vulnerability, vulnerability.id FROM finding JOIN package_match ON package_match.key = finding.package_match JOIN vulnerability ON vulnerability.key = package_match.vulnerability WHERE finding.channel IN ({list:0}) AND finding.state IN (1, 2)";
    ADDED = "SELECT vulnerability.id, triage_item.family FROM triage_item JOIN vulnerability ON vulnerability.key = triage_item.vulnerability WHERE triage_item.distribution = $1 AND triage_item.added = 1 AND vulnerability.id IN ({list:1})";
    FINDINGS_OF_ITEM = "SELECT channel.name, attribute.name, finding.version, finding.status, finding.evidence, finding.since, finding.state, finding.derived, finding.decided, finding.contradicted FROM triage_item JOIN finding ON finding.package_match = triage_item.package_match JOIN channel ON channel.key = finding.channel JOIN attribute ON attribute.key = finding.attribute WHERE triage_item.key = $1 ORDER BY channel.name, attribute.name";
    REASONS_OF_ITEM = "SELECT package_match.reasons FROM triage_item JOIN package_match ON package_match.key = triage_item.package_match WHERE triage_item.key = $1";

    FACETS = "SELECT facet, items FROM triage_tally WHERE items > 0";

    /// What completion offers.
    CHANNEL_NAMES_LIKE = "SELECT name FROM channel WHERE name >= $1 ORDER BY name LIMIT $2";
    MAINTAINERS_LIKE = "SELECT DISTINCT maintainer FROM package_maintainer WHERE maintainer >= $1 ORDER BY maintainer LIMIT $2";
    ASSIGNEES_LIKE = "SELECT DISTINCT assignee FROM triage_item WHERE assignee >= $1 AND assignee <> '' ORDER BY assignee LIMIT $2";
    FAMILIES_LIKE = "SELECT DISTINCT family FROM package_match WHERE family >= $1 ORDER BY family LIMIT $2";
}
