//! CVE JSON 5.0, 5.1 and 5.2: the CNA's container and those of the ADPs.
//!
//! Invariant: every statement carries its container (`cna:NAME`, `adp:NAME`); a container of another
//! organisation never overwrites one.

use super::versions::{self, is_placeholder};
use super::{ReadError, cve_id, legacy_state, link, stated, texts, weakness};
use crate::configuration::{NVD_20, Tree};
use crate::json::{At, Warnings};
use crate::moment;
use crate::record::{Affected, Exploitation, Record, RecordState, Source};
use crate::score;
use nix_version::Status;

const METRICS: [&str; 4] = ["cvssV4_0", "cvssV3_1", "cvssV3_0", "cvssV2_0"];

pub(super) fn read(root: &At<'_, '_>, warnings: &mut Warnings) -> Result<Record, ReadError> {
    const FIELD: &str = "cveMetadata.cveId";
    let version = root.text("dataVersion", warnings).unwrap_or("5.0");
    if version != "5" && !version.starts_with("5.") {
        return Err(ReadError::UnsupportedVersion {
            format: "CVE JSON",
            version: super::shorten(version),
        });
    }
    let metadata = root
        .object("cveMetadata", warnings)
        .ok_or(ReadError::MissingId { field: FIELD })?;
    let id = cve_id(&metadata, "cveId", FIELD, warnings)?;
    let mut record = Record::new(Source::CveList, id);
    record.published = moment::instant(&metadata, "datePublished", warnings);
    record.modified = moment::instant(&metadata, "dateUpdated", warnings);

    if let Some(containers) = root.object("containers", warnings) {
        if let Some(cna) = containers.object("cna", warnings) {
            let assigner = metadata.name("assignerShortName", warnings);
            let origin = origin("cna", &cna, assigner, warnings);
            record.titles.extend(
                cna.text("title", warnings)
                    .map(|title| stated(&origin, title.to_owned())),
            );
            container(&cna, &origin, &mut record, warnings);
        }
        for adp in containers.list("adp", warnings) {
            let origin = origin("adp", &adp, None, warnings);
            container(&adp, &origin, &mut record, warnings);
        }
    }
    let disputed = record.tags.iter().any(|tag| tag.value == "disputed");
    record.state = match metadata.text("state", warnings) {
        Some("REJECTED") => RecordState::Rejected,
        _ if disputed => RecordState::Disputed,
        Some("PUBLISHED") | None => {
            legacy_state(&record.descriptions).unwrap_or(RecordState::Published)
        }
        Some(other) => {
            let problem = format!("{other:?} is no state; read as published");
            warnings.push(&metadata, "state", problem);
            RecordState::Published
        }
    };
    Ok(record)
}

fn origin(
    kind: &str,
    container: &At<'_, '_>,
    fallback: Option<&str>,
    warnings: &mut Warnings,
) -> String {
    let provider = container.object("providerMetadata", warnings);
    let name = provider.and_then(|provider| provider.name("shortName", warnings));
    format!("{kind}:{}", name.or(fallback).unwrap_or("unknown"))
}

fn container(at: &At<'_, '_>, origin: &str, record: &mut Record, warnings: &mut Warnings) {
    // An ADP may be newer than the record's own date says.
    if let Some(provider) = at.object("providerMetadata", warnings) {
        let updated = moment::instant(&provider, "dateUpdated", warnings);
        record.modified = record.modified.max(updated);
    }
    for key in ["descriptions", "rejectedReasons"] {
        record.descriptions.extend(texts(at, key, origin, warnings));
    }
    for id in at.texts("replacedBy", warnings) {
        let problem = format!("the record is replaced by {id}; the two are not joined");
        warnings.push(at, "replacedBy", problem);
    }
    for tag in at.texts("tags", warnings) {
        // Converters note their own work in tags that begin with x_.
        if !tag.starts_with("x_") {
            record.tags.push(stated(origin, tag.to_ascii_lowercase()));
        }
    }
    for metric in at.list("metrics", warnings) {
        read_metric(&metric, origin, record, warnings);
    }
    for problem in at.list("problemTypes", warnings) {
        for description in problem.list("descriptions", warnings) {
            let id = description.text("cweId", warnings);
            let text = description.text("description", warnings);
            if let Some(id) = id.and_then(weakness).or_else(|| text.and_then(weakness)) {
                record.weaknesses.push(stated(origin, id));
            }
        }
    }
    for reference in at.list("references", warnings) {
        record.references.extend(link(&reference, origin, warnings));
    }
    for product in at.list("affected", warnings) {
        if let Some(affected) = read_affected(&product, warnings) {
            record.affected.push(stated(origin, affected));
        }
    }
    let applicability: Vec<At<'_, '_>> = at.list("cpeApplicability", warnings).collect();
    let trees = applicability
        .iter()
        .map(|tree| Tree::read(tree, NVD_20, warnings))
        .collect();
    for affected in Tree::any_of(trees).statements(at, warnings) {
        record.affected.push(stated(origin, affected));
    }
}

fn read_metric(at: &At<'_, '_>, origin: &str, record: &mut Record, warnings: &mut Warnings) {
    for key in METRICS {
        let Some(data) = at.object(key, warnings) else {
            continue;
        };
        if let Some(vector) = data.text("vectorString", warnings) {
            let number = data.number("baseScore", warnings);
            let cvss = score::read(vector, number, &data, "vectorString", warnings);
            record.cvss.extend(cvss.map(|cvss| stated(origin, cvss)));
        }
    }
    let Some(other) = at.object("other", warnings) else {
        return;
    };
    let kind = other.text("type", warnings).unwrap_or_default();
    if !kind.eq_ignore_ascii_case("ssvc") && !kind.eq_ignore_ascii_case("kev") {
        // Free-form ratings of single organisations have no common meaning.
        return;
    }
    let Some(content) = other.object("content", warnings) else {
        return;
    };
    if kind.eq_ignore_ascii_case("kev") {
        if let Some(added) = moment::day(&content, "dateAdded", warnings) {
            let listing = Exploitation::Kev {
                added,
                due: None,
                ransomware: false,
            };
            record.exploitation.push(stated(origin, listing));
        }
        return;
    }
    let mut points = [None, None, None];
    for option in content.list("options", warnings) {
        for (slot, name) in ["Exploitation", "Automatable", "Technical Impact"]
            .into_iter()
            .enumerate()
        {
            if let Some(text) = option.text(name, warnings) {
                points[slot] = Some(text.to_ascii_lowercase());
            }
        }
    }
    if let [
        Some(exploitation),
        Some(automatable),
        Some(technical_impact),
    ] = points
    {
        let decision = Exploitation::Ssvc {
            exploitation,
            automatable,
            technical_impact,
        };
        record.exploitation.push(stated(origin, decision));
    } else {
        warnings.push(
            &content,
            "options",
            "SSVC without all three points is left out",
        );
    }
}

/// A product; `None` if only placeholders are given.
fn read_affected(at: &At<'_, '_>, warnings: &mut Warnings) -> Option<Affected> {
    let default = versions::status(at, "defaultStatus", warnings).unwrap_or(Status::Unknown);
    let mut affected = Affected::new(default);
    let mut named = |key: &str| {
        at.text(key, warnings)
            .filter(|text| !is_placeholder(text))
            .map(str::to_owned)
    };
    affected.vendor = named("vendor");
    affected.product = named("product");
    affected.package_name = named("packageName");
    affected.collection_url = named("collectionURL");
    affected.repository = named("repo");
    affected.purl = named("packageURL");
    let owned = |texts: Vec<&str>| texts.into_iter().map(str::to_owned).collect();
    affected.cpes = owned(at.texts("cpes", warnings));
    affected.platforms = owned(at.texts("platforms", warnings));
    for version in at.list("versions", warnings) {
        affected.ranges.extend(versions::read(&version, warnings));
    }
    let says_something =
        affected.vendor.is_some() || affected.names_something() || !affected.ranges.is_empty();
    says_something.then_some(affected)
}
