//! The statements of embargoes: nothing else in this crate names their tables, which a test holds.
//!
//! Invariant: what gives anything of an item to a reader joins the people it names, and asks for one of them.

use crate::statement::statements;

statements! {
    MINE = "SELECT embargo.key, embargo.name, embargo.normal, embargo.created, embargo.ends, embargo.released FROM embargo_person JOIN embargo ON embargo.key = embargo_person.embargo WHERE embargo_person.person = $1 ORDER BY embargo.key DESC LIMIT $2";
    ONE = "SELECT embargo.key, embargo.name, embargo.normal, embargo.created, embargo.ends, embargo.released, embargo.families FROM embargo_person JOIN embargo ON embargo.key = embargo_person.embargo WHERE embargo_person.person = $1 AND embargo.name = $2";
    NAMED = "SELECT person.key, person.handle, (SELECT min(login) FROM identity WHERE identity.person = person.key AND provider = 'github') FROM embargo_person JOIN embargo_person AS named ON named.embargo = embargo_person.embargo JOIN person ON person.key = named.person WHERE embargo_person.person = $1 AND embargo_person.embargo = $2 ORDER BY person.handle, person.key";
    NOTES = "SELECT embargo_note.at, embargo_note.author, embargo_note.kind, embargo_note.text FROM embargo_person JOIN embargo_note ON embargo_note.embargo = embargo_person.embargo WHERE embargo_person.person = $1 AND embargo_person.embargo = $2 ORDER BY embargo_note.key DESC LIMIT 500";

    VERSION = "SELECT count(*) FROM embargo_person JOIN embargo_note ON embargo_note.embargo = embargo_person.embargo JOIN embargo ON embargo.key = embargo_person.embargo WHERE embargo_person.person = $1 AND embargo.name = $2";

    NEXT = "SELECT coalesce(max(key), 0) + 1 FROM embargo";
    ADD = "INSERT INTO embargo (key, name, digest, raw, raw_bytes, normal, families, created, ends, released) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
    NAME = "INSERT INTO embargo_person (embargo, person) VALUES ($1, $2) ON CONFLICT (embargo, person) DO NOTHING";
    UNNAME = "DELETE FROM embargo_person WHERE embargo = $1 AND person = $2";
    ENDS = "UPDATE embargo SET ends = $2 WHERE key = $1";
    NEXT_NOTE = "SELECT coalesce(max(key), 0) + 1 FROM embargo_note";
    NOTE_ADD = "INSERT INTO embargo_note (key, embargo, at, author, kind, text) VALUES ($1, $2, $3, $4, $5, $6)";

    DUE = "SELECT key FROM embargo WHERE released IS NULL AND ends <= $1 ORDER BY key LIMIT 100";
    DOCUMENT = "SELECT digest, raw, raw_bytes, normal, families FROM embargo WHERE key = $1 AND released IS NULL";
    RELEASED = "UPDATE embargo SET released = $2 WHERE key = $1 AND released IS NULL";
}

/// Those whose rows reach a reader.
#[cfg(test)]
pub(crate) const READ: [crate::statement::Statement; 5] = [MINE, ONE, NAMED, NOTES, VERSION];
