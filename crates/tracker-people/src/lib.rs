//! Who may do what in the tracker. Layer: tracker, pure.
//!
//! Reading order: [`Role`], `permission` (what a role may, as types), [`Principal`] (who asks), [`Actor`] (who did
//! something, in the log), `standing` (where a role
//! comes from and how long it holds), `secret` (what proves who asks), `session` and `token` (how long a proof
//! holds), `embargo` and `review` (who sees, and who has to agree), `rate` (how often).
//!
//! Invariant: what needs a permission takes a [`Permit`], which only [`Principal::permit`] makes. Nothing here knows the
//! time or makes a random number: both are given.

mod actor;
mod embargo;
mod permission;
mod principal;
mod rate;
mod review;
mod role;
mod secret;
mod session;
mod standing;
mod token;

pub use actor::{Actor, ActorKind};
pub use embargo::Embargo;
pub use permission::{
    Administer, Capability, Comment, Decide, HandleEmbargo, KeepAccount, KeepViews, MakeTokens,
    Permission, Propose, SeeEmbargo, Suppress,
};
pub use principal::{Denied, Lacks, Permit, Person, PersonId, Principal, Proof};
pub use rate::{Rate, Taken, Wait};
pub use review::{Agreement, SecondPerson};
pub use role::{Role, UnknownRole};
pub use secret::{Secret, SecretError, SecretHash, SecretKind};
pub use session::{Lifetime, SessionRules, SessionState};
pub use standing::{Membership, Standing, StandingRules};
pub use token::{
    MAX_TOKEN_DAYS, NewToken, Scope, Scopes, TokenError, TokenLifetime, TokenState, UnknownScope,
};

#[cfg(test)]
mod tests;
