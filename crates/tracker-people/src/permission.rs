//! What can be permitted: one type each, so that a function says in its signature what its caller must be allowed.
//!
//! Invariant: each permission names the least role that has it and the scope a token needs for it; a permission
//! without a scope cannot be had by a token at all.

use crate::role::Role;
use crate::token::Scope;

/// A permission as a type. Implemented by the types of this module only.
pub trait Capability: sealed::Sealed + std::fmt::Debug + Clone + Copy {
    /// The permission that the type stands for.
    const PERMISSION: Permission;
}

mod sealed {
    pub trait Sealed {}
}

macro_rules! permissions {
    ($($(#[$meta:meta])* $name:ident = $word:literal, $role:ident, $scope:expr;)*) => {
        /// A permission as a value: for lists, tables and messages.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Permission {
            $($(#[$meta])* $name,)*
        }

        impl Permission {
            /// All of them.
            pub const ALL: &[Permission] = &[$(Permission::$name),*];

            /// What it allows, in words that follow "may".
            pub const fn words(self) -> &'static str {
                match self { $(Permission::$name => $word,)* }
            }

            /// The least role that has it.
            pub const fn role(self) -> Role {
                match self { $(Permission::$name => Role::$role,)* }
            }

            /// The scope that a token needs for it; a token cannot have one without.
            pub const fn scope(self) -> Option<Scope> {
                match self { $(Permission::$name => $scope,)* }
            }
        }

        $(
            $(#[$meta])*
            #[derive(Debug, Clone, Copy, PartialEq, Eq)]
            pub struct $name;
            impl sealed::Sealed for $name {}
            impl Capability for $name {
                const PERMISSION: Permission = Permission::$name;
            }
        )*
    };
}

permissions! {
    /// Suggesting a verdict, which somebody of the team confirms.
    Propose = "propose a verdict", Maintainer, Some(Scope::Propose);
    /// Writing a comment.
    Comment = "comment", Maintainer, Some(Scope::Propose);
    /// Saving queries under a name.
    KeepViews = "save views", Maintainer, Some(Scope::Propose);
    /// Seeing and ending one's own sessions and tokens.
    KeepAccount = "keep an account", Maintainer, Some(Scope::Account);
    /// Making tokens: never by a token, so that one that is stolen begets no others.
    MakeTokens = "make tokens", Maintainer, None;
    /// Seeing the items under embargo that name one.
    SeeEmbargo = "see embargoes", Maintainer, Some(Scope::Embargo);
    /// Deciding: confirming, dismissing, states, families, assigning, undoing.
    Decide = "decide", Triager, Some(Scope::Decide);
    /// Making and ending rules that hide matches.
    Suppress = "make rules", Triager, Some(Scope::Decide);
    /// Putting an item under embargo and naming who sees it.
    HandleEmbargo = "handle embargoes", Triager, Some(Scope::Embargo);
    /// Giving and taking roles, blocking, revoking sessions of others.
    Administer = "administer people", Administrator, Some(Scope::Administer);
}
