//! The statements that write releases.

use crate::statement::statements;

statements! {
    CHANNEL_HELD = "SELECT key, distribution, latest FROM channel WHERE name = $1";
    CHANNEL_ADD = "INSERT INTO channel (key, distribution, name) VALUES ($1, $2, $3)";
    CHANNEL_SUPPORT_KNOWN = "UPDATE channel SET supported_until = $2 WHERE name = $1 AND supported_until IS NULL";
    CHANNEL_SUPPORT = "UPDATE channel SET supported_until = $2 WHERE name = $1";
    CHANNEL_LATEST = "UPDATE channel SET latest = $2 WHERE key = $1";
    /// Everything is due: the generation tells a derivation that is under way that its packages are outdated.
    DISTRIBUTION_DUE = "INSERT INTO distribution (name, generation, position) VALUES ($1, 1, 0) ON CONFLICT (name) DO UPDATE SET generation = distribution.generation + 1, position = 0";

    RELEASE_HELD = "SELECT key, packages, added, removed, moved FROM channel_release WHERE channel = $1 AND revision = $2";
    RELEASE_ADD = "INSERT INTO channel_release (key, channel, revision, released, packages) VALUES ($1, $2, $3, $4, $5)";
    RELEASE_BEFORE = "SELECT key, packages, added, removed, moved FROM channel_release WHERE channel = $1 AND (released, key) < ($2, $3) ORDER BY released DESC, key DESC LIMIT 1";
    RELEASE_AFTER = "SELECT key, packages, added, removed, moved FROM channel_release WHERE channel = $1 AND (released, key) > ($2, $3) ORDER BY released, key LIMIT 1";
    RELEASE_DIFFERS = "UPDATE channel_release SET added = $2, removed = $3, moved = $4 WHERE key = $1";
    RELEASE_PACKAGE_ADD = "INSERT INTO release_package (channel_release, package, derivation, output, dependents) VALUES {rows:5}";
    /// Contents of one release that another has not: attribute, its name, version.
    ONLY_IN_FIRST = "SELECT package.attribute, attribute.name, package.version FROM release_package AS mine JOIN package ON package.key = mine.package JOIN attribute ON attribute.key = package.attribute WHERE mine.channel_release = $1 AND NOT EXISTS (SELECT 1 FROM release_package AS other WHERE other.channel_release = $2 AND other.package = mine.package)";

    ATTRIBUTES_HELD = "SELECT key, name, pname, own_family FROM attribute WHERE distribution = $1";
    ATTRIBUTE_PUT = "INSERT INTO attribute (key, distribution, name, size, pname, family, affected, own_family) VALUES {rows:8} ON CONFLICT (key) DO UPDATE SET pname = excluded.pname, family = excluded.family, own_family = excluded.own_family";
    ATTRIBUTE_WORDS_GONE = "DELETE FROM attribute_words WHERE rowid IN ({list:0})";
    /// The text indexes are of different kinds: FTS5 takes the words as text, PostgreSQL as an array.
    ATTRIBUTE_WORDS_ADD = sqlite "INSERT INTO attribute_words (rowid, words) VALUES {rows:2}"
        postgres "INSERT INTO attribute_words (rowid, words) SELECT CAST(key AS BIGINT), array_to_tsvector(string_to_array(words, ' ')) FROM (VALUES {rows:2}) AS given (key, words)";

    PACKAGES_HELD = "SELECT key, attribute, digest FROM package WHERE attribute IN ({list:0})";
    PACKAGE_ADD = "INSERT INTO package (key, attribute, digest, version, data) VALUES {rows:5}";
    MAINTAINER_ADD = "INSERT INTO package_maintainer (package, maintainer) VALUES {rows:2}";
}
