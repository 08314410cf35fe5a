//! Anchore's CPE overlay: curated configurations in NVD 2.0 shape, under an annotation that names the CVE.
//!
//! Invariant: it is a source of its own; that it takes NVD's place is a rule of the vulnerability, not of the
//! record. The placeholder product `null` (nothing worth matching) makes no statement.

use super::nvd2::read_configurations;
use super::{ReadError, cve_id, stated};
use crate::json::{At, Warnings};
use crate::moment;
use crate::record::{Record, Reference, Source, Text};

const ORIGIN: &str = "anchore";

pub(super) fn read(root: &At<'_, '_>, warnings: &mut Warnings) -> Result<Record, ReadError> {
    const FIELD: &str = "_annotation.cve_id";
    let missing = || ReadError::MissingId { field: FIELD };
    let annotation = root.object("_annotation", warnings).ok_or_else(missing)?;
    let id = cve_id(&annotation, "cve_id", FIELD, warnings)?;
    let mut record = Record::new(Source::CpeOverlay, id);

    // Why there is an override comes first, the vulnerability's own description second.
    for key in ["reason", "description"] {
        if let Some(text) = annotation.text(key, warnings) {
            let text = Text {
                language: "en".to_owned(),
                text: text.to_owned(),
            };
            record.descriptions.push(stated(ORIGIN, text));
        }
    }
    for url in annotation.texts("references", warnings) {
        let reference = Reference {
            url: url.to_owned(),
            tags: Vec::new(),
        };
        record.references.push(stated(ORIGIN, reference));
    }
    if let Some(cve) = root.object("cve", warnings) {
        read_configurations(&cve, &mut record, ORIGIN, warnings);
    }
    record
        .affected
        .retain(|stated| stated.value.product.as_deref() != Some("null"));
    record.published = moment::instant(&annotation, "published", warnings);
    record.modified = moment::instant(&annotation, "modified", warnings);
    Ok(record)
}
