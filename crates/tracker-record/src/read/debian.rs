//! Debian's security tracker: what it says of one vulnerability in one source package, release by release.
//!
//! Shape: `{"debian_package", "id", "tracker": {"description"?, "scope"?, "releases": {"bookworm": {"status":
//! "open|resolved|undetermined", "fixed_version"?, "urgency"?, "nodsa"?}}}}`. Fixed version `0` means never affected.
//! Invariant: versions are Debian's, and stay under the release that they belong to.

use super::{ReadError, any_id, shorten, stated};
use crate::json::{At, Warnings};
use crate::record::{Affected, Record, Source, Text};
use nix_version::{Bound, Range, Status};
use std::collections::BTreeSet;

const ORIGIN: &str = "debian";

/// The scheme of its versions, and what its ecosystems begin with.
const DEBIAN: &str = "Debian";

pub(super) fn read(root: &At<'_, '_>, warnings: &mut Warnings) -> Result<Record, ReadError> {
    let (package, id) = statement(root, "debian_package", warnings)?;
    let mut record = Record::new(Source::Debian, format!("{package}/{id}"));
    record.aliases.push(id);
    let Some(tracker) = root.object("tracker", warnings) else {
        return Ok(record);
    };
    if let Some(text) = tracker.text("description", warnings) {
        let text = Text {
            language: "en".to_owned(),
            text: text.to_owned(),
        };
        record.descriptions.push(stated(ORIGIN, text));
    }
    let mut tags = BTreeSet::new();
    if let Some(scope) = tracker.text("scope", warnings) {
        tags.insert(format!("scope-{}", scope.to_ascii_lowercase()));
    }
    if let Some(releases) = tracker.object("releases", warnings) {
        for (name, release) in releases.members(warnings) {
            if let Some(urgency) = release.text("urgency", warnings)
                && urgency != "not yet assigned"
            {
                tags.insert(format!("urgency-{}", shorten(urgency).to_ascii_lowercase()));
            }
            if release.has("nodsa") {
                tags.insert("no-dsa".to_owned());
            }
            let mut affected = of_release(&release, warnings);
            affected.package_name = Some(package.clone());
            affected.ecosystem = Some(format!("{DEBIAN}:{}", shorten(name)));
            record.affected.push(stated(ORIGIN, affected));
        }
    }
    record.tags = tags.into_iter().map(|tag| stated(ORIGIN, tag)).collect();
    Ok(record)
}

/// Package and vulnerability of a distribution's statement.
pub(super) fn statement(
    root: &At<'_, '_>,
    package: &'static str,
    warnings: &mut Warnings,
) -> Result<(String, String), ReadError> {
    let mut named = |field: &'static str| {
        let text = root.text(field, warnings);
        let text = text.ok_or(ReadError::MissingId { field })?;
        any_id(text).ok_or_else(|| ReadError::WrongId {
            field,
            id: shorten(text),
        })
    };
    Ok((named(package)?, named("id")?))
}

fn of_release(release: &At<'_, '_>, warnings: &mut Warnings) -> Affected {
    match release.text("status", warnings) {
        Some("open") => Affected::new(Status::Affected),
        Some("resolved") => match release.text("fixed_version", warnings) {
            Some("0") => Affected::new(Status::Unaffected),
            Some(version) => fixed_since(DEBIAN, version),
            None => {
                warnings.push(release, "fixed_version", "resolved without a version");
                Affected::new(Status::Unknown)
            }
        },
        Some("undetermined") => Affected::new(Status::Unknown),
        other => {
            let other = other.map_or("no status".to_owned(), |word| format!("{word:?}"));
            warnings.push(release, "status", format!("{other} is not known"));
            Affected::new(Status::Unknown)
        }
    }
}

/// Affected below a version, and no longer from there on.
pub(super) fn fixed_since(scheme: &str, version: &str) -> Affected {
    let mut affected = Affected::new(Status::Unaffected);
    affected.ranges.push(Range {
        scheme: scheme.to_owned(),
        lower: Bound::Unbounded,
        upper: Bound::Exclusive(version.to_owned()),
        status: Status::Affected,
        changes: Vec::new(),
    });
    affected
}
