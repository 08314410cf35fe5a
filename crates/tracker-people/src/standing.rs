//! Where a role comes from: a grant by an administrator, or the membership in a team that is asked about again.
//!
//! Invariant: a membership that nobody confirmed for [`StandingRules::hold`] gives nothing, so that who is removed
//! from a team loses its role even while the team's server is silent.

use crate::role::Role;
use jiff::{SignedDuration, Timestamp};

/// How long a membership is taken as said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StandingRules {
    /// It is asked about again after this time.
    pub refresh: SignedDuration,
    /// It gives nothing after this time without an answer.
    pub hold: SignedDuration,
}

impl Default for StandingRules {
    fn default() -> StandingRules {
        StandingRules {
            refresh: SignedDuration::from_mins(10),
            hold: SignedDuration::from_hours(24),
        }
    }
}

/// What a provider said of somebody's teams.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Membership {
    /// The role that the teams give.
    pub role: Role,
    /// When it said so.
    pub confirmed: Timestamp,
}

/// All that decides about somebody's role.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Standing {
    /// An administrator keeps them out.
    pub blocked: bool,
    /// The role that an administrator gave.
    pub granted: Option<Role>,
    /// What the provider said.
    pub membership: Option<Membership>,
}

impl StandingRules {
    /// The role that holds now. Who is signed in is a maintainer, without any grant.
    pub fn role(&self, standing: &Standing, now: Timestamp) -> Role {
        if standing.blocked {
            return Role::Anonymous;
        }
        let member = standing.membership.filter(|held| {
            let age = now.duration_since(held.confirmed);
            age < self.hold
        });
        Role::Maintainer
            .max(standing.granted.unwrap_or_default())
            .max(member.map_or(Role::Anonymous, |member| member.role))
    }

    /// Whether the provider has to be asked again, given when that was last tried.
    pub fn is_refresh_due(&self, asked: Option<Timestamp>, now: Timestamp) -> bool {
        asked.is_none_or(|asked| now.duration_since(asked) >= self.refresh)
    }
}
