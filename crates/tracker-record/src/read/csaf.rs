//! CSAF 2.x advisories and VEX statements (OASIS): one document about some vulnerabilities in some products.
//!
//! A record speaks of all the vulnerabilities of its document, so what the document says of only some of them is
//! not said: a product's status that differs between them is unknown, and scores and weaknesses are taken where
//! there is one vulnerability or all have the same. `products` reads the tree of products.
//! Invariant: "fixed" is said of the version that is named, never of those beside it.

mod products;

use super::{ReadError, any_id, first, shorten, stated, weakness};
use crate::json::{At, Warnings};
use crate::moment;
use crate::record::{Affected, Cvss, Record, Reference, Source, Text};
use crate::score;
use nix_version::Status;
use products::{Name, Products};
use std::collections::{BTreeMap, HashSet};

/// The most statuses of products that are read of one document.
const MAX_STATUSES: usize = 200_000;

/// The most statements that a record makes.
const MAX_STATEMENTS: usize = 5_000;

/// The lists of a vulnerability's `product_status`, and what they say (section 3.2.3.9).
const STATUSES: [(&str, Status); 7] = [
    ("known_affected", Status::Affected),
    ("first_affected", Status::Affected),
    ("last_affected", Status::Affected),
    ("fixed", Status::Unaffected),
    ("first_fixed", Status::Unaffected),
    ("known_not_affected", Status::Unaffected),
    ("under_investigation", Status::Unknown),
];

pub(super) fn read(root: &At<'_, '_>, warnings: &mut Warnings) -> Result<Record, ReadError> {
    const FIELD: &str = "document.tracking.id";
    let missing = || ReadError::MissingId { field: FIELD };
    let document = root.object("document", warnings).ok_or_else(missing)?;
    let version = document.text("csaf_version", warnings).unwrap_or_default();
    if !version.starts_with("2.") {
        return Err(ReadError::UnsupportedVersion {
            format: "CSAF",
            version: shorten(version),
        });
    }
    let tracking = document.object("tracking", warnings).ok_or_else(missing)?;
    let text = tracking.text("id", warnings).ok_or_else(missing)?;
    let id = any_id(&text.replace(' ', "-")).ok_or_else(|| ReadError::WrongId {
        field: FIELD,
        id: shorten(text),
    })?;
    let publisher = document
        .object("publisher", warnings)
        .and_then(|publisher| publisher.text("name", warnings));
    let origin = format!(
        "csaf:{}",
        publisher.map_or_else(|| "unknown".to_owned(), shorten)
    );
    let mut record = Record::new(Source::Csaf, id);
    if let Some(title) = document.text("title", warnings) {
        record.titles.push(stated(&origin, title.to_owned()));
    }
    let language = document.text("lang", warnings).unwrap_or("en").to_owned();
    notes(&document, &origin, &language, &mut record, warnings);
    let mut links = HashSet::new();
    references(&document, &origin, &mut links, &mut record, warnings);
    record.published = moment::instant(&tracking, "initial_release_date", warnings);
    record.modified = moment::instant(&tracking, "current_release_date", warnings);
    let products = Products::read(root, warnings);
    let vulnerabilities: Vec<At<'_, '_>> = root.list("vulnerabilities", warnings).collect();
    let mut aliases = HashSet::from([record.id.clone()]);
    for one in &vulnerabilities {
        let mut ids: Vec<&str> = one.text("cve", warnings).into_iter().collect();
        for other in one.list("ids", warnings) {
            ids.extend(other.text("text", warnings));
        }
        for alias in ids.into_iter().filter_map(any_id) {
            record.aliases.extend(first(&mut aliases, alias));
        }
        references(one, &origin, &mut links, &mut record, warnings);
        if vulnerabilities.len() == 1 {
            notes(one, &origin, &language, &mut record, warnings);
        }
    }
    shared(root, &vulnerabilities, &origin, &mut record, warnings);
    statuses(
        root,
        &vulnerabilities,
        &products,
        &origin,
        &mut record,
        warnings,
    );
    Ok(record)
}

/// Summaries and descriptions; other notes (legal, general) say nothing of the vulnerability.
fn notes(
    at: &At<'_, '_>,
    origin: &str,
    language: &str,
    record: &mut Record,
    warnings: &mut Warnings,
) {
    for note in at.list("notes", warnings) {
        let category = note.text("category", warnings).unwrap_or_default();
        if let ("summary" | "description", Some(text)) = (category, note.text("text", warnings)) {
            let text = Text {
                language: language.to_owned(),
                text: text.to_owned(),
            };
            record.descriptions.push(stated(origin, text));
        }
    }
}

fn references(
    at: &At<'_, '_>,
    origin: &str,
    seen: &mut HashSet<Reference>,
    record: &mut Record,
    warnings: &mut Warnings,
) {
    for reference in at.list("references", warnings) {
        if let Some(url) = reference.text("url", warnings) {
            let kind = reference.text("category", warnings);
            let reference = Reference {
                url: url.to_owned(),
                tags: kind.map(str::to_ascii_lowercase).into_iter().collect(),
            };
            let reference = first(seen, reference);
            record
                .references
                .extend(reference.map(|reference| stated(origin, reference)));
        }
    }
}

/// Scores and weaknesses that hold for every vulnerability of the document.
fn shared(
    root: &At<'_, '_>,
    vulnerabilities: &[At<'_, '_>],
    origin: &str,
    record: &mut Record,
    warnings: &mut Warnings,
) {
    let of_each: Vec<(Vec<Cvss>, Option<String>)> = vulnerabilities
        .iter()
        .map(|one| (scores(one, warnings), cwe(one, warnings)))
        .collect();
    let Some((first, rest)) = of_each.split_first() else {
        return;
    };
    if rest.iter().all(|other| other.0 == first.0) {
        let scores = first.0.iter().cloned();
        record.cvss.extend(scores.map(|one| stated(origin, one)));
    } else {
        let problem = "scores differ between its vulnerabilities and are left out";
        warnings.push(root, "vulnerabilities", problem);
    }
    if rest.iter().all(|other| other.1 == first.1) {
        let id = first.1.clone();
        record.weaknesses.extend(id.map(|id| stated(origin, id)));
    }
}

fn cwe(at: &At<'_, '_>, warnings: &mut Warnings) -> Option<String> {
    let cwe = at.object("cwe", warnings)?;
    cwe.text("id", warnings).and_then(weakness)
}

fn scores(at: &At<'_, '_>, warnings: &mut Warnings) -> Vec<Cvss> {
    let (mut found, mut seen) = (Vec::new(), HashSet::new());
    for score in at.list("scores", warnings) {
        for key in ["cvss_v4", "cvss_v3", "cvss_v2"] {
            let Some(data) = score.object(key, warnings) else {
                continue;
            };
            let Some(vector) = data.text("vectorString", warnings) else {
                continue;
            };
            let number = data.number("baseScore", warnings);
            let cvss = score::read(vector, number, &data, "vectorString", warnings);
            found.extend(cvss.and_then(|cvss| first(&mut seen, cvss)));
        }
    }
    found
}

/// What holds of the products: the status that all vulnerabilities which speak of one agree on.
fn statuses(
    root: &At<'_, '_>,
    vulnerabilities: &[At<'_, '_>],
    products: &Products,
    origin: &str,
    record: &mut Record,
    warnings: &mut Warnings,
) {
    let mut agreed: BTreeMap<&str, Status> = BTreeMap::new();
    let mut differing = false;
    for one in vulnerabilities {
        let Some(lists) = one.object("product_status", warnings) else {
            continue;
        };
        let mut own: BTreeMap<&str, Status> = BTreeMap::new();
        for (list, status) in STATUSES {
            for id in lists.texts(list, warnings) {
                own.entry(id).or_insert(status);
            }
        }
        for (id, status) in own {
            let held = agreed.entry(id).or_insert(status);
            if *held != status {
                differing = true;
                *held = Status::Unknown;
            }
        }
        if agreed.len() > MAX_STATUSES {
            warnings.push(root, "vulnerabilities", "more products than are read");
            break;
        }
    }
    if differing {
        let problem =
            "a product's status differs between its vulnerabilities and is taken as unknown";
        warnings.push(root, "vulnerabilities", problem);
    }
    let mut found: Vec<Affected> = Vec::new();
    let mut known: BTreeMap<Name<'_>, usize> = BTreeMap::new();
    let mut ranges = HashSet::new();
    let mut unknown = 0_usize;
    for (id, status) in agreed {
        let Some(product) = products.get(id) else {
            unknown += 1;
            continue;
        };
        let index = *known.entry(product.name()).or_insert_with(|| {
            found.push(product.statement());
            found.len() - 1
        });
        if found.len() > MAX_STATEMENTS {
            found.pop();
            warnings.push(root, "product_tree", "more products than are kept");
            break;
        }
        let affected = &mut found[index];
        match product.range(status) {
            Some(range) => {
                let range = first(&mut ranges, (index, range));
                affected.ranges.extend(range.map(|(_, range)| range));
            }
            // The product as a whole.
            None => affected.default_status = status,
        }
    }
    if unknown > 0 {
        let problem = format!("{unknown} products are not in the product tree");
        warnings.push(root, "product_tree", problem);
    }
    let statements = found.into_iter().map(|affected| stated(origin, affected));
    record.affected.extend(statements);
}
