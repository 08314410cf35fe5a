//! Constraints in the language of a scheme: npm's ranges, Python's specifiers, Maven's intervals, RubyGems'
//! requirements.
//!
//! Invariant: a plain version is no requirement, and a requirement that is not wholly understood is not read.

use crate::evaluate::Membership;
use crate::scheme::Scheme;
use crate::semver::SemVer;
use crate::{maven, npm, pep440, rubygems};

/// A requirement that was read.
#[derive(Debug)]
enum Requirement {
    Npm(npm::Range),
    Python(pep440::Specifiers),
    Maven(maven::Intervals),
    Ruby(rubygems::Requirement),
}

impl Requirement {
    fn parse(scheme: Scheme, text: &str) -> Option<Requirement> {
        match scheme {
            // A bare `1.2` is a version that was shortened before it is a range.
            Scheme::SemVer
                if text.contains(['^', '~', '|', '<', '>', '=']) || text.contains(" - ") =>
            {
                npm::Range::parse(text, npm::PreReleases::All).map(Requirement::Npm)
            }
            Scheme::Pep440 => pep440::Specifiers::parse(text).map(Requirement::Python),
            Scheme::Maven => maven::Intervals::parse(text).map(Requirement::Maven),
            Scheme::RubyGems => rubygems::Requirement::parse(text).map(Requirement::Ruby),
            _ => None,
        }
    }

    /// Whether a version satisfies it; `None` if the version is none of the scheme.
    fn holds(&self, version: &str) -> Option<bool> {
        Some(match self {
            Requirement::Npm(range) => range.holds(&SemVer::parse(version)?),
            Requirement::Python(specifiers) => specifiers.hold(&pep440::Version::parse(version)?),
            Requirement::Maven(intervals) => intervals.hold(&maven::Version::parse(version)?),
            Requirement::Ruby(requirement) => {
                requirement.holds(&rubygems::Version::parse(version)?)
            }
        })
    }
}

/// Whether a text is a requirement in the scheme's language.
pub fn is_requirement(scheme: Scheme, text: &str) -> bool {
    Requirement::parse(scheme, text).is_some()
}

/// Whether a version satisfies a requirement; `None` if the text is none in the scheme's language.
pub(crate) fn membership(scheme: Scheme, version: &str, text: &str) -> Option<Membership> {
    let requirement = Requirement::parse(scheme, text)?;
    let version = version.trim();
    // A moment between releases lies on no line of versions.
    let moment = crate::snapshot::parse(version).is_some() || !crate::scheme::is_version(version);
    let answer = if moment {
        None
    } else {
        requirement.holds(version)
    };
    Some(match answer {
        Some(true) => Membership::Inside,
        Some(false) => Membership::Outside,
        None => Membership::Undecided,
    })
}
