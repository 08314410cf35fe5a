//! Sessions: how long a browser stays signed in.
//!
//! Invariant: a session that has ended in any way never holds again.

use jiff::{SignedDuration, Timestamp};

/// How long sessions hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SessionRules {
    /// The longest time without a request.
    pub idle: SignedDuration,
    /// The longest time at all.
    pub absolute: SignedDuration,
}

impl Default for SessionRules {
    fn default() -> SessionRules {
        SessionRules {
            idle: SignedDuration::from_hours(24 * 3),
            absolute: SignedDuration::from_hours(24 * 30),
        }
    }
}

/// The life of a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lifetime {
    /// When it began.
    pub created: Timestamp,
    /// When it was last noted to be used.
    pub used: Timestamp,
    /// When it was revoked.
    pub revoked: Option<Timestamp>,
}

/// How a session stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SessionState {
    /// It holds.
    Live,
    /// Nobody used it for too long.
    Idle,
    /// It is too old.
    Expired,
    /// It was revoked.
    Revoked,
}

/// Uses are noted this many times in the idle time at most: each is a write.
const NOTES: i32 = 200;

impl SessionRules {
    /// How a session stands.
    pub fn state(&self, life: &Lifetime, now: Timestamp) -> SessionState {
        if life.revoked.is_some() {
            SessionState::Revoked
        } else if now.duration_since(life.created) >= self.absolute {
            SessionState::Expired
        } else if now.duration_since(life.used) >= self.idle {
            SessionState::Idle
        } else {
            SessionState::Live
        }
    }

    /// Whether a use now has to be noted.
    pub fn is_note_due(&self, life: &Lifetime, now: Timestamp) -> bool {
        now.duration_since(life.used) >= self.idle / NOTES
    }

    /// Until when a cookie is of use.
    pub fn cookie_seconds(&self) -> i64 {
        self.absolute.as_secs()
    }
}
