//! NVD JSON 2.0: the `cve` object of an API answer, in its wrapping or bare.
//!
//! Invariant: scores and weaknesses keep the author that NVD names for them (`source`).

use super::{ReadError, cve_id, legacy_state, link, stated, texts, weakness};
use crate::NVD_ORIGIN;
use crate::configuration::{NVD_20, Tree};
use crate::json::{At, Warnings};
use crate::moment;
use crate::record::{Exploitation, Record, RecordState, Source};
use crate::score;

const METRICS: [&str; 4] = [
    "cvssMetricV40",
    "cvssMetricV31",
    "cvssMetricV30",
    "cvssMetricV2",
];

pub(super) fn read(cve: &At<'_, '_>, warnings: &mut Warnings) -> Result<Record, ReadError> {
    let id = cve_id(cve, "id", "id", warnings)?;
    let mut record = Record::new(Source::Nvd, id);
    let author = cve.name("sourceIdentifier", warnings).unwrap_or(NVD_ORIGIN);

    record.descriptions = texts(cve, "descriptions", author, warnings);
    for tagged in cve.list("cveTags", warnings) {
        let origin = tagged.name("sourceIdentifier", warnings).unwrap_or(author);
        for tag in tagged.texts("tags", warnings) {
            record.tags.push(stated(origin, tag.to_ascii_lowercase()));
        }
    }
    let rejected = cve.text("vulnStatus", warnings) == Some("Rejected");
    let disputed = record.tags.iter().any(|tag| tag.value == "disputed");
    record.state = match legacy_state(&record.descriptions) {
        _ if rejected => RecordState::Rejected,
        _ if disputed => RecordState::Disputed,
        Some(state) => state,
        None => RecordState::Published,
    };
    if let Some(metrics) = cve.object("metrics", warnings) {
        for key in METRICS {
            for metric in metrics.list(key, warnings) {
                read_metric(&metric, &mut record, warnings);
            }
        }
    }
    for group in cve.list("weaknesses", warnings) {
        let origin = group.text("source", warnings).unwrap_or(NVD_ORIGIN);
        for description in group.list("description", warnings) {
            if let Some(id) = description.text("value", warnings).and_then(weakness) {
                record.weaknesses.push(stated(origin, id));
            }
        }
    }
    for reference in cve.list("references", warnings) {
        let origin = reference.text("source", warnings).unwrap_or(author);
        record.references.extend(link(&reference, origin, warnings));
    }
    read_configurations(cve, &mut record, NVD_ORIGIN, warnings);
    if let Some(added) = moment::day(cve, "cisaExploitAdd", warnings) {
        let listing = Exploitation::Kev {
            added,
            due: moment::day(cve, "cisaActionDue", warnings),
            ransomware: false,
        };
        record.exploitation.push(stated(NVD_ORIGIN, listing));
    }
    record.published = moment::instant(cve, "published", warnings);
    record.modified = moment::instant(cve, "lastModified", warnings);
    Ok(record)
}

fn read_metric(metric: &At<'_, '_>, record: &mut Record, warnings: &mut Warnings) {
    let origin = metric.text("source", warnings).unwrap_or(NVD_ORIGIN);
    let Some(data) = metric.object("cvssData", warnings) else {
        return;
    };
    if let Some(vector) = data.text("vectorString", warnings) {
        let number = data.number("baseScore", warnings);
        let cvss = score::read(vector, number, &data, "vectorString", warnings);
        record.cvss.extend(cvss.map(|cvss| stated(origin, cvss)));
    }
}

/// The `configurations` of a `cve` object, also used by the CPE overlay.
pub(super) fn read_configurations(
    cve: &At<'_, '_>,
    record: &mut Record,
    origin: &str,
    warnings: &mut Warnings,
) {
    let configurations: Vec<At<'_, '_>> = cve.list("configurations", warnings).collect();
    let trees = configurations
        .iter()
        .map(|configuration| Tree::read(configuration, NVD_20, warnings))
        .collect();
    let statements = Tree::any_of(trees).statements(cve, warnings);
    record.affected.extend(
        statements
            .into_iter()
            .map(|affected| stated(origin, affected)),
    );
}
