//! Statements about people.
//!
//! Invariant: a key is one more than the last, taken while nobody else writes.

use crate::statement::statements;

statements! {
    IDENTITY = "SELECT identity.person, identity.login, person.handle FROM identity JOIN person ON person.key = identity.person WHERE provider = $1 AND subject = $2";
    HANDLE_TAKEN = "SELECT count(*) FROM person WHERE handle = $1 AND key < $2";
    IDENTITY_ADD = "INSERT INTO identity (provider, subject, person, login) VALUES ($1, $2, $3, $4)";
    LOGIN_PUT = "UPDATE identity SET login = $3 WHERE provider = $1 AND subject = $2";
    NEXT_PERSON = "SELECT coalesce(max(key), 0) + 1 FROM person";
    PERSON_ADD = "INSERT INTO person (key, handle, created) VALUES ($1, $2, $3)";
    PERSON_RENAME = "UPDATE person SET handle = $2 WHERE key = $1";
    PERSON = "SELECT key, handle, created, team_role, team_confirmed, team_asked, blocked, (SELECT role FROM role_grant WHERE role_grant.person = person.key ORDER BY role_grant.key DESC LIMIT 1), (SELECT min(login) FROM identity WHERE identity.person = person.key AND provider = 'github') FROM person WHERE key = $1";
    PEOPLE = "SELECT key, handle, created, team_role, team_confirmed, team_asked, blocked, (SELECT role FROM role_grant WHERE role_grant.person = person.key ORDER BY role_grant.key DESC LIMIT 1), (SELECT min(login) FROM identity WHERE identity.person = person.key AND provider = 'github') FROM person WHERE key > $1 ORDER BY key LIMIT $2";
    PEOPLE_CALLED = "SELECT key, handle, created, team_role, team_confirmed, team_asked, blocked, (SELECT role FROM role_grant WHERE role_grant.person = person.key ORDER BY role_grant.key DESC LIMIT 1), (SELECT min(login) FROM identity WHERE identity.person = person.key AND provider = 'github') FROM person WHERE handle = $1 ORDER BY key LIMIT 10";
    NEXT_GRANT = "SELECT coalesce(max(key), 0) + 1 FROM role_grant";
    GRANT_ADD = "INSERT INTO role_grant (key, person, role, giver, at, reason) VALUES ($1, $2, $3, $4, $5, $6)";
    GRANTS = "SELECT role_grant.role, giver.handle, role_grant.at, role_grant.reason FROM role_grant LEFT JOIN person AS giver ON giver.key = role_grant.giver WHERE role_grant.person = $1 ORDER BY role_grant.key DESC LIMIT 100";
    PERSON_VERSION = "SELECT 2 * coalesce((SELECT max(key) FROM role_grant WHERE person = $1), 0) + (SELECT count(*) FROM person WHERE key = $1 AND blocked IS NOT NULL)";
    BLOCK = "UPDATE person SET blocked = $2 WHERE key = $1";
    MEMBERSHIP_PUT = "UPDATE person SET team_role = $2, team_confirmed = $3, team_asked = $3 WHERE key = $1";
    CLAIM_REFRESH = "UPDATE person SET team_asked = $2 WHERE key = $1 AND coalesce(team_asked, 0) = $3";

    NEXT_SESSION = "SELECT coalesce(max(key), 0) + 1 FROM session";
    SESSION_ADD = "INSERT INTO session (key, hash, person, created, used, provider, address, agent, sealed) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
    SESSION = "SELECT key, person, created, used, revoked, provider, sealed, hash FROM session WHERE hash = $1";
    SESSIONS = "SELECT key, created, used, revoked, provider, address, agent FROM session WHERE person = $1 AND revoked IS NULL ORDER BY used DESC, key DESC LIMIT 100";
    SESSION_USED = "UPDATE session SET used = $2 WHERE key = $1 AND used < $2";
    SESSION_END = "UPDATE session SET revoked = $3 WHERE person = $1 AND key = $2 AND revoked IS NULL";
    SESSIONS_END = "UPDATE session SET revoked = $2 WHERE person = $1 AND revoked IS NULL";
    SESSIONS_VERSION = "SELECT coalesce(max(CASE WHEN revoked > created THEN revoked ELSE created END), 0) FROM session WHERE person = $1";
    SESSIONS_FORGET = "DELETE FROM session WHERE created < $1";

    NEXT_TOKEN = "SELECT coalesce(max(key), 0) + 1 FROM api_token";
    TOKEN_ADD = "INSERT INTO api_token (key, hash, person, name, scopes, created, expires, provider, sealed) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
    TOKEN = "SELECT key, person, scopes, created, expires, used, revoked, provider, sealed, hash FROM api_token WHERE hash = $1";
    TOKENS = "SELECT key, name, scopes, created, expires, used, revoked FROM api_token WHERE person = $1 ORDER BY key DESC LIMIT 100";
    TOKENS_LIVE = "SELECT count(*) FROM api_token WHERE person = $1 AND revoked IS NULL AND expires > $2";
    TOKEN_USED = "UPDATE api_token SET used = $2 WHERE key = $1";
    TOKEN_END = "UPDATE api_token SET revoked = $3 WHERE person = $1 AND key = $2 AND revoked IS NULL";
    TOKENS_END = "UPDATE api_token SET revoked = $2 WHERE person = $1 AND revoked IS NULL";
    TOKENS_VERSION = "SELECT coalesce(max(CASE WHEN revoked > created THEN revoked ELSE created END), 0) FROM api_token WHERE person = $1";

    SIGN_IN_ADD = "INSERT INTO sign_in (hash, person, expires) VALUES ($1, $2, $3)";
    SIGN_IN = "SELECT person, expires FROM sign_in WHERE hash = $1";
    SIGN_IN_TAKE = "DELETE FROM sign_in WHERE hash = $1";
    SIGN_IN_FORGET = "DELETE FROM sign_in WHERE expires <= $1";
    THROTTLE = "SELECT full_at FROM throttle WHERE counted = $1";
    THROTTLE_PUT = "INSERT INTO throttle (counted, full_at) VALUES ($1, $2) ON CONFLICT (counted) DO UPDATE SET full_at = excluded.full_at";
    THROTTLE_FORGET = "DELETE FROM throttle WHERE full_at <= $1";
}
