//! Where a match and a finding can stand, in the words of SQL, addresses, code and pages alike.
//!
//! Invariant: every state has one of the four statuses that VEX knows, so that whoever only knows those is told the truth.

use serde::{Deserialize, Serialize};
use std::fmt;
use tracker_match::FindingStatus;

/// Declares an enum whose names are stable, with `ALL`, `name` and `of`.
macro_rules! named {
    ($(#[$meta:meta])* $name:ident { $($(#[$variant_meta:meta])* $variant:ident = $text:literal,)* }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(rename_all = "kebab-case")]
        pub enum $name { $($(#[$variant_meta])* $variant,)* }

        impl $name {
            /// All of them, in order.
            pub const ALL: &[$name] = &[$($name::$variant),*];

            /// The stable name.
            pub const fn name(self) -> &'static str {
                match self { $($name::$variant => $text,)* }
            }

            /// What a stable name stands for.
            pub fn of(name: &str) -> Option<$name> {
                $name::ALL.iter().copied().find(|one| one.name() == name)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.name())
            }
        }
    };
}

named! {
    /// What people said of a match.
    MatchState {
        /// Nobody has decided.
        Proposed = "proposed",
        /// The vulnerability is one of this package.
        Confirmed = "confirmed",
        /// It is not, or does not matter to it.
        Dismissed = "dismissed",
    }
}

named! {
    /// Why a product is not affected: the five of VEX (OpenVEX 0.2.0 "Status Justifications", CSAF 2.0 section 3.2.3.5).
    Justification {
        /// The vulnerable component is not in the product.
        ComponentNotPresent = "component-not-present",
        /// The component is there without the vulnerable code.
        VulnerableCodeNotPresent = "vulnerable-code-not-present",
        /// The code is never run.
        VulnerableCodeNotInExecutePath = "vulnerable-code-not-in-execute-path",
        /// No attacker can steer what reaches the code.
        VulnerableCodeCannotBeControlledByAdversary = "vulnerable-code-cannot-be-controlled-by-adversary",
        /// The product has its own protection that cannot be switched off.
        InlineMitigationsAlreadyExist = "inline-mitigations-already-exist",
    }
}

named! {
    /// What made a finding fixed.
    FixedBy {
        /// Its version.
        Version = "version",
        /// A patch that it applies.
        Patch = "patch",
    }
}

/// Why a match was dismissed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Dismissal {
    /// The vulnerability is one of something else with a like name.
    WrongPackage,
    /// It says the same as another, which is dealt with.
    Duplicate,
    /// The record is no vulnerability, or was withdrawn.
    NotAVulnerability,
    /// It is one of the package, which is not affected.
    NotAffected(Justification),
}

impl Dismissal {
    /// All of them.
    pub fn all() -> impl Iterator<Item = Dismissal> {
        let plain = [
            Dismissal::WrongPackage,
            Dismissal::Duplicate,
            Dismissal::NotAVulnerability,
        ];
        let justified = Justification::ALL.iter().copied();
        plain
            .into_iter()
            .chain(justified.map(Dismissal::NotAffected))
    }

    /// The stable name; that of the justification where there is one.
    pub const fn name(self) -> &'static str {
        match self {
            Dismissal::WrongPackage => "wrong-package",
            Dismissal::Duplicate => "duplicate",
            Dismissal::NotAVulnerability => "not-a-vulnerability",
            Dismissal::NotAffected(justification) => justification.name(),
        }
    }

    /// What a stable name stands for.
    pub fn of(name: &str) -> Option<Dismissal> {
        Dismissal::all().find(|one| one.name() == name)
    }

    /// The justification that VEX is told.
    pub const fn justification(self) -> Justification {
        match self {
            Dismissal::NotAffected(justification) => justification,
            // The code that has the flaw is not in this package, whatever else holds.
            Dismissal::WrongPackage | Dismissal::Duplicate | Dismissal::NotAVulnerability => {
                Justification::ComponentNotPresent
            }
        }
    }
}

/// What a person may say of findings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DecidedState {
    /// Affected.
    Affected,
    /// Somebody looks into it; evidence does not count until they are done.
    UnderInvestigation,
    /// Fixed.
    Fixed(FixedBy),
    /// Not affected.
    NotAffected(Justification),
    /// Affected, and it will stay so.
    WillNotFix,
}

impl DecidedState {
    /// All of them.
    pub fn all() -> impl Iterator<Item = DecidedState> {
        let plain = [
            DecidedState::Affected,
            DecidedState::UnderInvestigation,
            DecidedState::WillNotFix,
        ];
        let fixed = FixedBy::ALL.iter().copied().map(DecidedState::Fixed);
        let justified = Justification::ALL.iter().copied();
        plain
            .into_iter()
            .chain(fixed)
            .chain(justified.map(DecidedState::NotAffected))
    }

    /// The stable name: `affected`, `fixed-by-patch`, `not-affected:component-not-present`, …
    pub fn name(self) -> String {
        match self {
            DecidedState::NotAffected(justification) => {
                format!("{}:{}", self.state().name(), justification.name())
            }
            other => other.state().name().to_owned(),
        }
    }

    /// What a stable name stands for.
    pub fn of(name: &str) -> Option<DecidedState> {
        DecidedState::all().find(|one| one.name() == name)
    }

    /// The state without its justification.
    pub const fn state(self) -> FindingState {
        match self {
            DecidedState::Affected => FindingState::Affected,
            DecidedState::UnderInvestigation => FindingState::UnderInvestigation,
            DecidedState::Fixed(FixedBy::Version) => FindingState::FixedByVersion,
            DecidedState::Fixed(FixedBy::Patch) => FindingState::FixedByPatch,
            DecidedState::NotAffected(_) => FindingState::NotAffected,
            DecidedState::WillNotFix => FindingState::WillNotFix,
        }
    }

    /// The justification, where there is one.
    pub const fn justification(self) -> Option<Justification> {
        match self {
            DecidedState::NotAffected(justification) => Some(justification),
            _ => None,
        }
    }
}

named! {
    /// Where a finding stands.
    FindingState {
        /// It is affected.
        Affected = "affected",
        /// Nobody knows yet.
        UnderInvestigation = "under-investigation",
        /// Affected, and nothing will be done about it.
        WillNotFix = "will-not-fix",
        /// Affected or unknown, on a channel that gets no fixes any more.
        EndOfLife = "end-of-life",
        /// Its version has the fix.
        FixedByVersion = "fixed-by-version",
        /// A patch of its has the fix.
        FixedByPatch = "fixed-by-patch",
        /// It never was affected.
        NotAffected = "not-affected",
        /// The package was there, and is not any more.
        Removed = "removed",
    }
}

impl FindingState {
    /// The status that VEX knows.
    pub const fn status(self) -> FindingStatus {
        match self {
            FindingState::Affected | FindingState::WillNotFix | FindingState::EndOfLife => {
                FindingStatus::Affected
            }
            FindingState::UnderInvestigation => FindingStatus::UnderInvestigation,
            FindingState::FixedByVersion | FindingState::FixedByPatch => FindingStatus::Fixed,
            FindingState::NotAffected | FindingState::Removed => FindingStatus::NotAffected,
        }
    }

    /// Whether there is something to do about it.
    pub const fn is_open(self) -> bool {
        matches!(
            self,
            FindingState::Affected | FindingState::UnderInvestigation
        )
    }

    /// Its bit in a set.
    pub const fn bit(self) -> u32 {
        1 << self as u32
    }
}
