//! Builders of packages and vulnerabilities for the tests.
//!
//! Invariant: what is not named is absent.

use nix_version::{Bound, Range, Status};
use tracker_inventory::Package;
use tracker_record::record::{Affected, Record, Source, Stated};
use tracker_record::{Vulnerability, record::Reference};

pub(crate) fn package(attribute: &str, pname: &str, version: &str) -> Package {
    Package {
        attribute: attribute.into(),
        pname: pname.into(),
        version: (!version.is_empty()).then(|| version.into()),
        ..Package::default()
    }
}

/// `musl 1.1.22 1.1.24`-like bounds: from, and up to and including.
pub(crate) fn affected_range(scheme: &str, lower: Bound, upper: Bound) -> Range {
    Range {
        scheme: scheme.into(),
        lower,
        upper,
        status: Status::Affected,
        changes: Vec::new(),
    }
}

pub(crate) fn through(version: &str) -> Bound {
    Bound::Inclusive(version.into())
}

pub(crate) fn before(version: &str) -> Bound {
    Bound::Exclusive(version.into())
}

/// A statement by CPE without version.
pub(crate) fn cpe(
    part: char,
    vendor: &str,
    product: &str,
    target: &str,
    ranges: Vec<Range>,
) -> Affected {
    Affected {
        vendor: Some(vendor.into()),
        product: Some(product.into()),
        cpes: vec![format!(
            "cpe:2.3:{part}:{vendor}:{product}:*:*:*:*:*:{target}:*:*"
        )],
        ranges,
        ..Affected::new(Status::Unaffected)
    }
}

/// A statement of a CNA.
pub(crate) fn product(vendor: &str, product: &str, ranges: Vec<Range>) -> Affected {
    Affected {
        vendor: Some(vendor.into()),
        product: Some(product.into()),
        ranges,
        ..Affected::new(Status::Unknown)
    }
}

pub(crate) fn record(source: Source, origin: &str, id: &str, affected: Vec<Affected>) -> Record {
    let mut record = Record::new(source, id);
    record.affected = affected
        .into_iter()
        .map(|value| Stated {
            origin: origin.into(),
            value,
        })
        .collect();
    record
}

pub(crate) fn nvd(id: &str, affected: Vec<Affected>) -> Vulnerability {
    Vulnerability::merge(id, [record(Source::Nvd, "nvd@nist.gov", id, affected)])
}

pub(crate) fn reference(url: &str) -> Stated<Reference> {
    Stated {
        origin: "test".into(),
        value: Reference {
            url: url.into(),
            tags: Vec::new(),
        },
    }
}
