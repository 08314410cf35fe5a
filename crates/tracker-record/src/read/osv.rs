//! OSV records, schema 1.x, of any database.
//!
//! Invariant: `related` and `upstream` ids are never aliases; git ranges are statements of their own, because
//! no version can be compared with a commit.

use super::{ReadError, any_id, first, stated};
use crate::json::{At, Warnings};
use crate::moment;
use crate::record::{Affected, Cvss, Record, RecordState, Reference, Source, Text};
use crate::score;
use nix_version::{Bound, Range, Status};
use std::collections::HashSet;

pub(super) fn read(root: &At<'_, '_>, warnings: &mut Warnings) -> Result<Record, ReadError> {
    if let Some(version) = root.text("schema_version", warnings)
        && !version.starts_with("1.")
        && !version.starts_with("0.")
    {
        return Err(ReadError::UnsupportedVersion {
            format: "OSV",
            version: super::shorten(version),
        });
    }
    let text = root
        .text("id", warnings)
        .ok_or(ReadError::MissingId { field: "id" })?;
    let id = any_id(text).ok_or_else(|| ReadError::WrongId {
        field: "id",
        id: super::shorten(text),
    })?;
    // The database signs: the part of the id before its number (`GHSA`, `RUSTSEC`, `GO`).
    let database = id.split('-').next().unwrap_or_default().to_owned();
    let origin = format!("osv:{database}");
    let mut record = Record::new(Source::Osv, id);

    let mut aliases = HashSet::from([record.id.clone()]);
    for alias in root.texts("aliases", warnings) {
        match any_id(alias) {
            Some(alias) => record.aliases.extend(first(&mut aliases, alias)),
            None => {
                let problem = format!(
                    "{:?} is no id: the alias is left out",
                    super::shorten(alias)
                );
                warnings.push(root, "aliases", problem);
            }
        }
    }
    if root.text("withdrawn", warnings).is_some() {
        record.state = RecordState::Withdrawn;
    }
    if let Some(title) = root.text("summary", warnings) {
        record.titles.push(stated(&origin, title.to_owned()));
    }
    if let Some(text) = root.text("details", warnings) {
        let text = Text {
            language: "en".to_owned(),
            text: text.to_owned(),
        };
        record.descriptions.push(stated(&origin, text));
    }
    let mut scores = HashSet::new();
    severities(root, &origin, &mut scores, &mut record, warnings);
    for reference in root.list("references", warnings) {
        if let Some(url) = reference.text("url", warnings) {
            let kind = reference.text("type", warnings);
            let tags = kind.map(str::to_ascii_lowercase).into_iter().collect();
            let url = url.to_owned();
            record
                .references
                .push(stated(&origin, Reference { url, tags }));
        }
    }
    if let Some(specific) = root.object("database_specific", warnings)
        && specific.has("cwe_ids")
    {
        for id in specific.texts("cwe_ids", warnings) {
            record
                .weaknesses
                .extend(super::weakness(id).map(|id| stated(&origin, id)));
        }
    }
    for affected in root.list("affected", warnings) {
        severities(&affected, &origin, &mut scores, &mut record, warnings);
        for statement in read_affected(&affected, warnings) {
            record.affected.push(stated(&origin, statement));
        }
    }
    record.published = moment::instant(root, "published", warnings);
    record.modified = moment::instant(root, "modified", warnings);
    Ok(record)
}

fn severities(
    at: &At<'_, '_>,
    origin: &str,
    seen: &mut HashSet<Cvss>,
    record: &mut Record,
    warnings: &mut Warnings,
) {
    for severity in at.list("severity", warnings) {
        // Words of a distribution (`Ubuntu`: "medium") are no scores.
        let kind = severity.text("type", warnings).unwrap_or_default();
        if !kind.starts_with("CVSS_") {
            continue;
        }
        if let Some(vector) = severity.text("score", warnings)
            && let Some(cvss) = score::read(vector, None, &severity, "score", warnings)
        {
            let cvss = first(seen, cvss);
            record.cvss.extend(cvss.map(|cvss| stated(origin, cvss)));
        }
    }
}

/// The statements of one `affected` element: one for its versions, one for each git range.
fn read_affected(at: &At<'_, '_>, warnings: &mut Warnings) -> Vec<Affected> {
    // OSV: a version that no event and no list names is not affected.
    let mut package = Affected::new(Status::Unaffected);
    let mut ecosystem = "osv".to_owned();
    if let Some(named) = at.object("package", warnings) {
        package.package_name = named.name("name", warnings).map(str::to_owned);
        package.purl = named.name("purl", warnings).map(str::to_owned);
        package.ecosystem = named.name("ecosystem", warnings).map(str::to_owned);
        if let Some(name) = &package.ecosystem {
            ecosystem.clone_from(name);
        }
    }
    let mut versions = package.clone();
    let mut statements = Vec::new();
    for range in at.list("ranges", warnings) {
        let repository = range.text("repo", warnings).map(str::to_owned);
        let scheme = match range.text("type", warnings) {
            Some("SEMVER") => "semver",
            Some("ECOSYSTEM") => &ecosystem,
            Some("GIT") => {
                let mut git = package.clone();
                git.repository.clone_from(&repository);
                git.ranges = events(&range, "git", warnings);
                statements.push(git);
                versions.repository = versions.repository.or(repository);
                continue;
            }
            other => {
                let other = other.unwrap_or("no type");
                let problem = format!("{other}: the kind of range is not known, so it is left out");
                warnings.push(&range, "type", problem);
                continue;
            }
        };
        versions.ranges.extend(events(&range, scheme, warnings));
    }
    for version in at.texts("versions", warnings) {
        let exact = Bound::Inclusive(version.to_owned());
        versions.ranges.push(Range {
            scheme: ecosystem.clone(),
            lower: exact.clone(),
            upper: exact,
            status: Status::Affected,
            changes: Vec::new(),
        });
    }
    // Without any range, the package is named but nothing is said of its versions.
    if versions.ranges.is_empty() {
        versions.default_status = Status::Unknown;
    }
    if !versions.ranges.is_empty() || statements.is_empty() {
        statements.insert(0, versions);
    }
    statements.retain(Affected::names_something);
    statements
}

/// The stretches between `introduced` and what ends it, in the listed order, which OSV's exporters sort.
///
/// In git a commit on each branch may end the same stretch; elsewhere a second end has no effect.
fn events(range: &At<'_, '_>, scheme: &str, warnings: &mut Warnings) -> Vec<Range> {
    let mut found: Vec<Range> = Vec::new();
    let mut open: Option<Bound> = None;
    let mut last_start = Bound::Unbounded;
    let stretch = |lower: Bound, upper: Bound| Range {
        scheme: scheme.to_owned(),
        lower,
        upper,
        status: Status::Affected,
        changes: Vec::new(),
    };
    for event in range.list("events", warnings) {
        if let Some(version) = event.name("introduced", warnings) {
            let start = match version {
                "0" => Bound::Unbounded,
                _ => Bound::Inclusive(version.to_owned()),
            };
            last_start = start.clone();
            open.get_or_insert(start);
            continue;
        }
        let end = if let Some(version) = event.text("fixed", warnings) {
            Bound::Exclusive(version.to_owned())
        } else if let Some(version) = event.text("last_affected", warnings) {
            Bound::Inclusive(version.to_owned())
        } else if let Some(version) = event.text("limit", warnings) {
            if version == "*" {
                continue;
            }
            Bound::Exclusive(version.to_owned())
        } else {
            warnings.push(&event, "", "an event of an unknown kind is left out");
            continue;
        };
        match open.take() {
            Some(start) => found.push(stretch(start, end)),
            None if scheme == "git" => found.push(stretch(last_start.clone(), end)),
            None => {}
        }
    }
    if let Some(start) = open {
        found.push(stretch(start, Bound::Unbounded));
    }
    found
}
