//! What can be asked of a match, and how the values of each field are written.
//!
//! Invariant: a field's name, kind and explanation stand here once; parser, printer, completion and help read them.

/// What is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[expect(
    missing_docs,
    reason = "each is explained by `about`, which pages show"
)]
pub enum Field {
    Severity,
    Score,
    Kev,
    Epss,
    Confidence,
    Dependents,
    Default,
    Age,
    State,
    Status,
    Is,
    Channel,
    Affected,
    Fixed,
    Id,
    Distribution,
    Family,
    Package,
    Pname,
    Maintainer,
    Assignee,
    Text,
}

/// How a field's values are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// One of a list, in order, so that `>=` means something.
    Ordered(&'static [&'static str]),
    /// One of a list without order.
    OneOf(&'static [&'static str]),
    /// A decimal number with at most so many digits behind the point, and its largest value.
    Decimal {
        /// Digits behind the point; the unit is the last of them.
        digits: u32,
        /// The largest value, in that unit.
        most: i64,
    },
    /// A time: `12h`, `7d`, `2w`; the unit is a second.
    Age,
    /// A name, as it is written.
    Name,
    /// Somebody's name, or `@me`.
    Person,
    /// Somebody's name, `@me`, or `none`.
    PersonOrNone,
    /// Words.
    Words,
}

const YES: &[&str] = &["no", "yes"];
const SEVERITIES: &[&str] = &["unknown", "none", "low", "medium", "high", "critical"];
const STATES: &[&str] = &["proposed", "confirmed", "dismissed"];
const STATUSES: &[&str] = &[
    "affected",
    "under-investigation",
    "will-not-fix",
    "end-of-life",
    "fixed-by-version",
    "fixed-by-patch",
    "not-affected",
    "removed",
];

/// Questions without a value of their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Is {
    /// There is something to do about it now.
    Open,
    /// It is out of sight for a while.
    Snoozed,
    /// A rule hides it.
    Suppressed,
    /// Evidence speaks against a decision.
    Contradicted,
    /// It was added by hand.
    Added,
    /// Somebody suggested a verdict, and nobody answered yet.
    Suggested,
}

const IS: &[&str] = &[
    "open",
    "snoozed",
    "suppressed",
    "contradicted",
    "added",
    "suggested",
];

impl Is {
    /// All, in the order of their names' list.
    pub const ALL: [Is; 6] = [
        Is::Open,
        Is::Snoozed,
        Is::Suppressed,
        Is::Contradicted,
        Is::Added,
        Is::Suggested,
    ];

    /// Whether the answer depends neither on the time nor on rules.
    pub const fn is_stable(self) -> bool {
        matches!(self, Is::Contradicted | Is::Added | Is::Suggested)
    }
}

impl Field {
    /// All fields, the most asked first.
    pub const ALL: [Field; 22] = [
        Field::Is,
        Field::Severity,
        Field::Kev,
        Field::State,
        Field::Status,
        Field::Channel,
        Field::Affected,
        Field::Fixed,
        Field::Maintainer,
        Field::Assignee,
        Field::Package,
        Field::Pname,
        Field::Family,
        Field::Id,
        Field::Age,
        Field::Epss,
        Field::Score,
        Field::Confidence,
        Field::Dependents,
        Field::Default,
        Field::Distribution,
        Field::Text,
    ];

    /// Its name in a query.
    pub const fn name(self) -> &'static str {
        match self {
            Field::Severity => "severity",
            Field::Score => "score",
            Field::Kev => "kev",
            Field::Epss => "epss",
            Field::Confidence => "confidence",
            Field::Dependents => "dependents",
            Field::Default => "default",
            Field::Age => "age",
            Field::State => "state",
            Field::Status => "status",
            Field::Is => "is",
            Field::Channel => "channel",
            Field::Affected => "affected",
            Field::Fixed => "fixed",
            Field::Id => "id",
            Field::Distribution => "distribution",
            Field::Family => "family",
            Field::Package => "package",
            Field::Pname => "pname",
            Field::Maintainer => "maintainer",
            Field::Assignee => "assignee",
            Field::Text => "text",
        }
    }

    /// The field of a name.
    pub fn of(name: &str) -> Option<Field> {
        Field::ALL.into_iter().find(|field| field.name() == name)
    }

    /// How its values are written.
    pub const fn kind(self) -> Kind {
        match self {
            Field::Severity => Kind::Ordered(SEVERITIES),
            Field::Score => Kind::Decimal {
                digits: 1,
                most: 100,
            },
            Field::Epss | Field::Confidence => Kind::Decimal {
                digits: 6,
                most: 1_000_000,
            },
            Field::Dependents => Kind::Decimal {
                digits: 0,
                most: 1_000_000_000,
            },
            Field::Kev | Field::Default => Kind::OneOf(YES),
            Field::Age => Kind::Age,
            Field::State => Kind::OneOf(STATES),
            Field::Status => Kind::OneOf(STATUSES),
            Field::Is => Kind::OneOf(IS),
            Field::Maintainer => Kind::Person,
            Field::Assignee => Kind::PersonOrNone,
            Field::Text => Kind::Words,
            Field::Channel
            | Field::Affected
            | Field::Fixed
            | Field::Id
            | Field::Distribution
            | Field::Family
            | Field::Package
            | Field::Pname => Kind::Name,
        }
    }

    /// What it asks, as help shows it.
    pub const fn about(self) -> &'static str {
        match self {
            Field::Severity => "band of the leading CVSS score",
            Field::Score => "the leading CVSS base score, 0 to 10",
            Field::Kev => "whether it is known to be exploited",
            Field::Epss => "predicted probability of exploitation, 0 to 1",
            Field::Confidence => "probability that the match is right, 0 to 1",
            Field::Dependents => "how many packages depend on it, directly or not",
            Field::Default => "whether every installation has it",
            Field::Age => "how long ago it was first matched (`age<7d`)",
            Field::State => "what people said of the match",
            Field::Status => "where a finding of it stands on any channel",
            Field::Is => "open: something is to be done now; and other questions",
            Field::Channel => "a channel that has a finding of it",
            Field::Affected => "a channel that is affected",
            Field::Fixed => "a channel that has a fix",
            Field::Id => "public id of the vulnerability",
            Field::Distribution => "distribution",
            Field::Family => "package family",
            Field::Package => "attribute of a member of the family",
            Field::Pname => "name, without version, of a member of the family",
            Field::Maintainer => "handle of a maintainer, or `@me`",
            Field::Assignee => "who deals with it, `@me`, or `none`",
            Field::Text => "words of its id, aliases, title or description",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Field, IS, Is, Kind, SEVERITIES, STATES, STATUSES};
    use crate::state::{FindingState, MatchState};
    use tracker_record::Severity;

    #[test]
    fn lists_name_what_the_enums_do() {
        let states: Vec<&str> = MatchState::ALL.iter().map(|state| state.name()).collect();
        let statuses: Vec<&str> = FindingState::ALL.iter().map(|state| state.name()).collect();
        assert_eq!((states.as_slice(), statuses.as_slice()), (STATES, STATUSES));
        assert_eq!(SEVERITIES[Severity::Critical as usize], "critical");
        assert_eq!(SEVERITIES[Severity::None as usize], "none");
        assert_eq!(IS[Is::Contradicted as usize], "contradicted");
        for field in Field::ALL {
            assert_eq!(Field::of(field.name()), Some(field));
            if let Kind::OneOf(names) | Kind::Ordered(names) = field.kind() {
                assert!(names.len() > 1, "{field:?}");
            }
        }
    }
}
