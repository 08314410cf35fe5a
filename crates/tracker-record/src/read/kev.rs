//! CISA's catalogue of known exploited vulnerabilities: an element of `vulnerabilities`.
//!
//! Invariant: an entry without a day of listing is still an entry; without its id it is none.

use super::{ReadError, cve_id, stated, weakness};
use crate::json::{At, Warnings};
use crate::moment;
use crate::record::{Affected, Exploitation, Record, Reference, Source, Text};
use nix_version::Status;

const ORIGIN: &str = "cisa-kev";

pub(super) fn read(root: &At<'_, '_>, warnings: &mut Warnings) -> Result<Record, ReadError> {
    let id = cve_id(root, "cveID", "cveID", warnings)?;
    let mut record = Record::new(Source::Kev, id);

    if let Some(title) = root.text("vulnerabilityName", warnings) {
        record.titles.push(stated(ORIGIN, title.to_owned()));
    }
    if let Some(text) = root.text("shortDescription", warnings) {
        let text = Text {
            language: "en".to_owned(),
            text: text.to_owned(),
        };
        record.descriptions.push(stated(ORIGIN, text));
    }
    for id in root
        .texts("cwes", warnings)
        .into_iter()
        .filter_map(weakness)
    {
        record.weaknesses.push(stated(ORIGIN, id));
    }
    let mut affected = Affected::new(Status::Unknown);
    affected.vendor = root.text("vendorProject", warnings).map(str::to_owned);
    affected.product = root.text("product", warnings).map(str::to_owned);
    if affected.names_something() {
        record.affected.push(stated(ORIGIN, affected));
    }
    // Free text with addresses between semicolons.
    for word in root
        .text("notes", warnings)
        .unwrap_or_default()
        .split([';', ' ', '\n'])
    {
        if word.starts_with("https://") || word.starts_with("http://") {
            let reference = Reference {
                url: word.to_owned(),
                tags: Vec::new(),
            };
            record.references.push(stated(ORIGIN, reference));
        }
    }
    if let Some(added) = moment::day(root, "dateAdded", warnings) {
        let listing = Exploitation::Kev {
            added,
            due: moment::day(root, "dueDate", warnings),
            ransomware: root.text("knownRansomwareCampaignUse", warnings) == Some("Known"),
        };
        record.exploitation.push(stated(ORIGIN, listing));
    } else {
        warnings.push(
            root,
            "dateAdded",
            "without it the entry is not marked as exploited",
        );
    }
    Ok(record)
}
