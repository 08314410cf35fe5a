//! Invariant checked: what is looked up is what the definition of closeness says, pair by pair.

use super::*;
use nix_version::Status;
use tracker_record::Record;
use tracker_record::record::{Affected, Source, Stated};

const NAMES: &[&str] = &[
    "foo",
    "libfoo",
    "Foo_Bar",
    "foobar",
    "foo-bar-server",
    "acme-foo",
    "bar",
    "foo3",
    "n/a",
];

const VENDORS: &[Option<&str>] = &[None, Some("Acme"), Some("foo"), Some("n/a")];

fn vulnerability() -> Vulnerability {
    let mut record = Record::new(Source::CveList, "CVE-2026-1");
    for vendor in VENDORS {
        record.affected.extend(NAMES.iter().map(|&name| Stated {
            origin: "cna".into(),
            value: Affected {
                vendor: vendor.map(str::to_owned),
                product: Some(name.into()),
                ..Affected::new(Status::Affected)
            },
        }));
    }
    Vulnerability::merge("CVE-2026-1", [record])
}

/// How close a statement is to a package of a plain name, as the documentation defines it.
fn defined(affected: &Affected, own: &str) -> Option<u8> {
    let name = fold(affected.product.as_deref()?);
    if name == "n-a" {
        return None;
    }
    let vendor = affected.vendor.as_deref().map(fold);
    let vendor = vendor.filter(|vendor| vendor != "n-a");
    if name == own {
        Some(0)
    } else if vendor.is_some_and(|vendor| format!("{vendor}-{name}") == own)
        || squeeze(&name) == squeeze(own)
    {
        Some(1)
    } else {
        let stem = stems(&name).iter().any(|stem| stem == own);
        (stem || stems(own).contains(&name)).then_some(2)
    }
}

#[test]
fn a_package_finds_the_statements_that_speak_of_it() {
    let vulnerability = vulnerability();
    let statements = Statements::new(&vulnerability);
    let mut levels = [0; 3];
    for own in [
        "foo", "foo-bar", "foobar", "libfoo", "acme-foo", "bar", "other",
    ] {
        let package = Package {
            attribute: own.into(),
            pname: own.into(),
            ..Package::default()
        };
        let found: Vec<(u8, &Affected)> = statements
            .about(&package, &[])
            .into_iter()
            .map(|(close, told)| (close, told.statement.affected))
            .collect();
        let expected: Vec<(u8, &Affected)> = vulnerability
            .effective_affected()
            .filter_map(|statement| Some((defined(statement.affected, own)?, statement.affected)))
            .collect();
        assert_eq!(found, expected, "{own}");
        for (close, _) in found {
            levels[usize::from(close)] += 1;
        }
    }
    assert!(levels.iter().all(|&count| count > 0), "{levels:?}");
}

#[test]
fn what_only_knowledge_connects_is_the_last_choice() {
    let vulnerability = vulnerability();
    let statements = Statements::new(&vulnerability);
    let package = Package {
        attribute: "foo".into(),
        pname: "foo".into(),
        ..Package::default()
    };
    let bar = NAMES.iter().position(|&name| name == "bar").unwrap() as u32;
    let without = statements.about(&package, &[]);
    let with = statements.about(&package, &[0, bar]);
    assert_eq!(with.len(), without.len() + 1);
    assert_eq!(with[0].0, 0, "an equal name stays the closest");
    let last: Vec<_> = with.iter().filter(|(close, _)| *close == 3).collect();
    assert_eq!(last.len(), 1);
    let product = last[0].1.statement.affected.product.as_deref();
    assert_eq!(product, Some("bar"));
}
