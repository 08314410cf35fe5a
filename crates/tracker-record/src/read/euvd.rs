//! The European vulnerability database (ENISA): an element of `items` of an answer of its API.
//!
//! Lists of texts are lines of one text, and moments are written for people (`Apr 15, 2025, 8:30:58 PM`, UTC).
//! Invariant: what it repeats of others (EPSS) is left to them; a version text that is no comparison stays prose.

use super::versions::{self, PROSE};
use super::{ReadError, any_id, first, shorten, stated};
use crate::json::{At, Warnings};
use crate::record::{Affected, Exploitation, Record, Reference, Source, Text};
use crate::score;
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::Offset;
use nix_version::{Bound, Range, Status};
use std::collections::{HashMap, HashSet};

const ORIGIN: &str = "enisa";

/// How it writes moments.
const MOMENT: &str = "%b %d, %Y, %I:%M:%S %p";

/// Whether a document is one of this database.
pub(super) fn is_one(root: &At<'_, '_>) -> bool {
    let id = root.text("id", &mut Warnings::default());
    id.is_some_and(|id| id.starts_with("EUVD-"))
}

pub(super) fn read(root: &At<'_, '_>, warnings: &mut Warnings) -> Result<Record, ReadError> {
    let text = root.text("id", warnings);
    let text = text.ok_or(ReadError::MissingId { field: "id" })?;
    let id = any_id(text).ok_or_else(|| ReadError::WrongId {
        field: "id",
        id: shorten(text),
    })?;
    let mut record = Record::new(Source::Euvd, id);
    let mut aliases = HashSet::from([record.id.clone()]);
    for line in lines(root, "aliases", warnings) {
        match any_id(line) {
            Some(alias) => record.aliases.extend(first(&mut aliases, alias)),
            None => {
                let problem = format!("{:?} is no id: the alias is left out", shorten(line));
                warnings.push(root, "aliases", problem);
            }
        }
    }
    if let Some(text) = root.text("description", warnings) {
        let text = Text {
            language: "en".to_owned(),
            text: text.to_owned(),
        };
        record.descriptions.push(stated(ORIGIN, text));
    }
    for line in lines(root, "references", warnings) {
        let reference = Reference {
            url: line.to_owned(),
            tags: Vec::new(),
        };
        record.references.push(stated(ORIGIN, reference));
    }
    if let Some(vector) = root.text("baseScoreVector", warnings) {
        // A negative score stands for none.
        let number = root.number("baseScore", warnings).filter(|n| *n >= 0.0);
        let cvss = score::read(vector, number, root, "baseScoreVector", warnings);
        record.cvss.extend(cvss.map(|cvss| stated(ORIGIN, cvss)));
    }
    products(root, &mut record, warnings);
    if let Some(since) = moment(root, "exploitedSince", warnings) {
        let listing = Exploitation::Kev {
            added: Offset::UTC.to_datetime(since).date(),
            due: None,
            ransomware: false,
        };
        record.exploitation.push(stated(ORIGIN, listing));
    }
    record.published = moment(root, "datePublished", warnings);
    record.modified = moment(root, "dateUpdated", warnings);
    Ok(record)
}

fn lines<'n>(
    root: &At<'_, 'n>,
    key: &str,
    warnings: &mut Warnings,
) -> impl Iterator<Item = &'n str> + use<'n> {
    let text = root.text(key, warnings).unwrap_or_default();
    text.lines().map(str::trim).filter(|line| !line.is_empty())
}

fn moment(root: &At<'_, '_>, key: &str, warnings: &mut Warnings) -> Option<Timestamp> {
    let text = root.text(key, warnings)?;
    // Java writes a narrow space before the half of the day.
    let plain = text.replace('\u{202f}', " ");
    let read = DateTime::strptime(MOMENT, &plain).ok();
    let read = read.and_then(|time| Offset::UTC.to_timestamp(time).ok());
    if read.is_none() {
        warnings.push(root, key, format!("{:?} is no time", shorten(text)));
    }
    read.filter(|time| *time >= Timestamp::UNIX_EPOCH)
}

/// Products are listed apart from vendors, so a vendor is known only where there is one.
fn products(root: &At<'_, '_>, record: &mut Record, warnings: &mut Warnings) {
    let mut vendors: Vec<String> = Vec::new();
    for entry in root.list("enisaIdVendor", warnings) {
        let vendor = entry.object("vendor", warnings);
        vendors.extend(vendor.and_then(|one| Some(one.name("name", warnings)?.to_owned())));
    }
    let vendor = match &vendors[..] {
        [one] => Some(one.clone()),
        _ => None,
    };
    let mut found: Vec<Affected> = Vec::new();
    let mut known: HashMap<String, usize> = HashMap::new();
    for entry in root.list("enisaIdProduct", warnings) {
        let product = entry.object("product", warnings);
        let Some(name) = product.and_then(|one| Some(one.text("name", warnings)?.to_owned()))
        else {
            continue;
        };
        let range = entry.text("product_version", warnings).and_then(range);
        let index = *known.entry(name).or_insert_with_key(|name| {
            let mut affected = Affected::new(Status::Unknown);
            affected.vendor.clone_from(&vendor);
            affected.product = Some(name.clone());
            found.push(affected);
            found.len() - 1
        });
        found[index].ranges.extend(range);
    }
    record
        .affected
        .extend(found.into_iter().map(|affected| stated(ORIGIN, affected)));
}

/// `<3.1.7`, `1.0 <1.2`, `1.0 ≤1.2`, `1.2`; another text is kept as prose.
fn range(text: &str) -> Option<Range> {
    if versions::is_placeholder(text) {
        return None;
    }
    let plain = text.replace('≤', "<=").replace('≥', ">=");
    let (lower, upper) = versions::comparison(&plain)
        .or_else(|| {
            let (start, rest) = plain.split_once('<')?;
            let upper = versions::comparison(&format!("<{rest}"))?.1;
            let lower = match start.trim() {
                "" | "0" => Bound::Unbounded,
                start if versions::is_placeholder(start) => Bound::Unbounded,
                start => Bound::Inclusive(versions::one_word(start)?),
            };
            Some((lower, upper))
        })
        .or_else(|| {
            let exact = Bound::Inclusive(versions::one_word(&plain)?);
            Some((exact.clone(), exact))
        })
        .unzip();
    let prose = || Bound::Inclusive(text.to_owned());
    Some(Range {
        scheme: if lower.is_some() {
            versions::CUSTOM
        } else {
            PROSE
        }
        .to_owned(),
        lower: lower.unwrap_or_else(prose),
        upper: upper.unwrap_or_else(prose),
        status: Status::Affected,
        changes: Vec::new(),
    })
}
