//! What of a closure is affected: its store paths held against the list of what is affected in a channel's release.
//!
//! Invariant: a path counts as a package only by its whole name and version, so that nothing is guessed of another version;
//! whoever asks does so where the closure is, and tells it to nobody.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Length of the hash at the beginning of a store path's last part.
const HASH: usize = 32;

/// What is affected in a channel's current release, as `/api/v1/channels/NAME/affected` answers it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AffectedRelease {
    /// Channel.
    pub channel: String,
    /// Revision of its release.
    pub revision: String,
    /// When it was released.
    pub released: Timestamp,
    /// Whether the list holds all that is affected.
    pub complete: bool,
    /// Packages with a vulnerability.
    pub packages: Vec<AffectedPackage>,
}

/// A package with what affects it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AffectedPackage {
    /// Attribute.
    pub attribute: String,
    /// Name without version.
    pub pname: String,
    /// Version, where it has one.
    pub version: Option<String>,
    /// What affects it.
    pub vulnerabilities: Vec<AffectedBy>,
}

/// A vulnerability in few words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AffectedBy {
    /// Public id.
    pub id: String,
    /// Band of its score.
    pub severity: String,
    /// In the catalogue of exploited vulnerabilities.
    pub exploited: bool,
}

/// A path of a closure that is affected.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct AffectedPath<'a> {
    /// The path, as it was given.
    pub path: &'a str,
    /// The package that it is.
    pub package: &'a AffectedPackage,
}

/// A closure held against a list.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Checked<'a> {
    /// Store paths that were given.
    pub paths: usize,
    /// Those that are affected, in their order; a path that several attributes stand for comes once, with the first.
    pub affected: Vec<AffectedPath<'a>>,
    /// Lines that are no store path.
    pub refused: Vec<&'a str>,
}

/// Holds the paths of a closure, one a line, against what is affected.
#[must_use]
pub fn check<'a>(closure: &'a str, release: &'a AffectedRelease) -> Checked<'a> {
    let mut named: BTreeMap<String, &AffectedPackage> = BTreeMap::new();
    for package in &release.packages {
        let name = match &package.version {
            Some(version) => format!("{}-{version}", package.pname),
            None => package.pname.clone(),
        };
        named.entry(name).or_insert(package);
    }
    let mut checked = Checked {
        paths: 0,
        affected: Vec::new(),
        refused: Vec::new(),
    };
    for path in closure
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
    {
        let Some(name) = name_of(path) else {
            checked.refused.push(path);
            continue;
        };
        checked.paths += 1;
        let found = named
            .get(name)
            .or_else(|| without_output(name).and_then(|name| named.get(name)));
        checked
            .affected
            .extend(found.map(|package| AffectedPath { path, package }));
    }
    checked
}

/// The name in a store path: what follows the hash of its last part.
fn name_of(path: &str) -> Option<&str> {
    let last = path.starts_with('/').then(|| path.rsplit('/').next())??;
    let (hash, name) = last.split_once('-')?;
    let whole = hash.len() == HASH && hash.bytes().all(|c| c.is_ascii_alphanumeric());
    (whole && !name.is_empty()).then_some(name)
}

/// A name without the output that it ends with, such as `bin` or `dev`: a last part of letters alone.
fn without_output(name: &str) -> Option<&str> {
    let (name, output) = name.rsplit_once('-')?;
    let letters = !output.is_empty() && output.bytes().all(|c| c.is_ascii_alphabetic());
    letters.then_some(name)
}

#[cfg(test)]
mod tests {
    use super::{AffectedBy, AffectedPackage, AffectedRelease, check};
    use jiff::Timestamp;

    fn release() -> AffectedRelease {
        let package = |attribute: &str, pname: &str, version: Option<&str>| AffectedPackage {
            attribute: attribute.to_owned(),
            pname: pname.to_owned(),
            version: version.map(str::to_owned),
            vulnerabilities: vec![AffectedBy {
                id: "CVE-2024-0001".to_owned(),
                severity: "high".to_owned(),
                exploited: false,
            }],
        };
        AffectedRelease {
            channel: "nixos-25.11".to_owned(),
            revision: "abc".to_owned(),
            released: Timestamp::UNIX_EPOCH,
            complete: true,
            packages: vec![
                package("openssl", "openssl", Some("3.0.5")),
                package("libressl", "libressl", Some("3.0.5-1")),
                package("plain", "plain", None),
            ],
        }
    }

    const HASH: &str = "0123456789abcdfghijklmnpqrsvwxyz";

    #[test]
    fn a_path_is_affected_by_its_name_and_version_and_by_nothing_less() {
        let release = release();
        for (name, expected) in [
            ("openssl-3.0.5", Some("openssl")),
            ("openssl-3.0.5-bin", Some("openssl")),
            ("openssl-3.0.6", None),
            ("openssl-3.0.5-1", None),
            ("openssl-3.0.50", None),
            ("my-openssl-3.0.5", None),
            ("libressl-3.0.5-1-dev", Some("libressl")),
            ("plain", Some("plain")),
            ("openssl", None),
        ] {
            let closure = format!("/nix/store/{HASH}-{name}\n");
            let checked = check(&closure, &release);
            let found = checked.affected.first();
            let found = found.map(|one| one.package.attribute.as_str());
            assert_eq!(
                (checked.paths, found, checked.refused.len()),
                (1, expected, 0),
                "{name}"
            );
        }
    }

    #[test]
    fn what_is_no_store_path_is_told() {
        let closure = format!(
            "openssl-3.0.5\n\n/nix/store/short-openssl-3.0.5\n/gnu/store/{HASH}-openssl-3.0.5\n/\n"
        );
        let release = release();
        let checked = check(&closure, &release);
        assert_eq!(
            checked.refused,
            ["openssl-3.0.5", "/nix/store/short-openssl-3.0.5", "/"]
        );
        assert_eq!((checked.paths, checked.affected.len()), (1, 1));
    }
}
