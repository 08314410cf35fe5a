//! NVD JSON 1.1: an element of `CVE_Items` of the retired yearly feeds.
//!
//! Invariant: every statement of such a record is NVD's own, for the feed names no other author.

use super::{ReadError, cve_id, legacy_state, link, stated, texts, weakness};
use crate::NVD_ORIGIN;
use crate::configuration::{NVD_11, Tree};
use crate::json::{At, Warnings};
use crate::moment;
use crate::record::{Record, RecordState, Source};
use crate::score;

pub(super) fn read(root: &At<'_, '_>, warnings: &mut Warnings) -> Result<Record, ReadError> {
    const FIELD: &str = "cve.CVE_data_meta.ID";
    let missing = || ReadError::MissingId { field: FIELD };
    let cve = root.object("cve", warnings).ok_or_else(missing)?;
    let meta = cve.object("CVE_data_meta", warnings).ok_or_else(missing)?;
    let mut record = Record::new(Source::Nvd, cve_id(&meta, "ID", FIELD, warnings)?);

    if let Some(description) = cve.object("description", warnings) {
        record.descriptions = texts(&description, "description_data", NVD_ORIGIN, warnings);
    }
    record.state = legacy_state(&record.descriptions).unwrap_or(RecordState::Published);
    if let Some(problems) = cve.object("problemtype", warnings) {
        for problem in problems.list("problemtype_data", warnings) {
            for description in problem.list("description", warnings) {
                if let Some(id) = description.text("value", warnings).and_then(weakness) {
                    record.weaknesses.push(stated(NVD_ORIGIN, id));
                }
            }
        }
    }
    if let Some(references) = cve.object("references", warnings) {
        for reference in references.list("reference_data", warnings) {
            record
                .references
                .extend(link(&reference, NVD_ORIGIN, warnings));
        }
    }
    if let Some(impact) = root.object("impact", warnings) {
        for (outer, inner) in [("baseMetricV3", "cvssV3"), ("baseMetricV2", "cvssV2")] {
            let Some(metric) = impact.object(outer, warnings) else {
                continue;
            };
            let Some(data) = metric.object(inner, warnings) else {
                continue;
            };
            if let Some(vector) = data.text("vectorString", warnings) {
                let number = data.number("baseScore", warnings);
                let cvss = score::read(vector, number, &data, "vectorString", warnings);
                record
                    .cvss
                    .extend(cvss.map(|cvss| stated(NVD_ORIGIN, cvss)));
            }
        }
    }
    if let Some(configurations) = root.object("configurations", warnings) {
        let statements = {
            let tree = Tree::read(&configurations, NVD_11, warnings);
            tree.statements(&configurations, warnings)
        };
        record.affected = statements
            .into_iter()
            .map(|affected| stated(NVD_ORIGIN, affected))
            .collect();
    }
    record.published = moment::instant(root, "publishedDate", warnings);
    record.modified = moment::instant(root, "lastModifiedDate", warnings);
    Ok(record)
}
