//! Inventories and matching on real channels, derivation graphs and feeds.
//!
//! Invariant: the two acceptance cases hold end to end from the files as they are.

#![expect(
    clippy::unwrap_used,
    reason = "a test that meets the unexpected shall fail"
)]

use real_data::open_zstd;
use std::io::BufRead;
use tracker_inventory::{Derivations, Inventory, Nixpkgs, Package, difference};
use tracker_match::{Finding, FindingStatus, Index, finding};
use tracker_record::{Vulnerability, read_document};

fn packages(file: &str) -> Vec<Package> {
    let (header, packages) = Nixpkgs.read_all(&mut open_zstd(file)).unwrap();
    assert_eq!(header.rejected_count, 0, "{file}: {:?}", header.rejected);
    packages
}

fn release() -> Vec<Package> {
    let mut packages = packages("nixpkgs/packages-nixos-19.09-2019-11-17.json.zst");
    let graph =
        Derivations::read(open_zstd("nixpkgs/drvs-nixos-19.09-2019-11-17.jsonl.zst")).unwrap();
    assert!(graph.join(&mut packages) > 20_000);
    packages
}

fn vulnerability(file: &str, id: &str) -> Vulnerability {
    let line = open_zstd(file)
        .lines()
        .map(Result::unwrap)
        .find(|line| line.contains(&format!("\"{id}\"")))
        .unwrap();
    let record = read_document(line.as_bytes()).unwrap().record;
    assert_eq!(record.id, id);
    Vulnerability::merge(id, [record])
}

fn find(packages: &[Package], vulnerability: &Vulnerability, attribute: &str) -> Finding {
    let matches = Index::new(packages).matches(vulnerability);
    let matched = matches
        .iter()
        .find(|matched| matched.attributes.iter().any(|a| a == attribute))
        .unwrap_or_else(|| panic!("{attribute} is not proposed: {matches:?}"));
    let package = packages.iter().find(|p| p.attribute == attribute).unwrap();
    finding(vulnerability, matched, package)
}

#[test]
fn the_acceptance_cases_hold() {
    let packages = release();
    let musl = find(
        &packages,
        &vulnerability("vuln/nvd-1.1/nvd-2019.jsonl.zst", "CVE-2019-14697"),
        "musl",
    );
    assert_eq!(musl.version.as_deref(), Some("1.1.22"));
    assert_eq!(musl.status, FindingStatus::Affected);
    assert_eq!(
        musl.evidence,
        ["affected: from 0.9.12 up to and including 1.1.23 (NVD)"]
    );
    let a2ps = find(
        &packages,
        &vulnerability("vuln/nvd-1.1/nvd-2001.jsonl.zst", "CVE-2001-1593"),
        "a2ps",
    );
    assert_eq!(a2ps.version.as_deref(), Some("4.14"));
    assert_eq!(a2ps.status, FindingStatus::Fixed);
    assert_eq!(
        a2ps.evidence[0],
        "fixed: the patch 09_CVE-2001-1593.diff is applied"
    );
    assert!(
        a2ps.evidence
            .iter()
            .any(|line| line.starts_with("affected: up to and including 4.14"))
    );
}

#[test]
fn a_graph_tells_sources_and_dependents() {
    let packages = release();
    let of = |attribute: &str| packages.iter().find(|p| p.attribute == attribute).unwrap();
    assert!(of("zlib").dependents.unwrap() > 5_000);
    assert_eq!(
        of("a2ps").source_urls,
        ["mirror://gnu/a2ps/a2ps-4.14.tar.gz"]
    );
    assert!(of("AMB-plugins").dependents.unwrap() < 5);
}

#[test]
fn every_list_is_read_whole() {
    for (file, count) in [
        (
            "nixpkgs/packages-nixos-19.03-2019-07-11.json.zst",
            19_000..24_000,
        ),
        (
            "nixpkgs/packages-nixos-unstable-2019-09-25.json.zst",
            19_000..24_000,
        ),
        (
            "nixpkgs/packages-nix-index-2026-05-03.json.zst",
            72_821..72_822,
        ),
    ] {
        assert!(count.contains(&packages(file).len()), "{file}");
    }
}

#[test]
fn two_releases_differ_by_what_moved_between_them() {
    let before = packages("nixpkgs/packages-nixos-19.09-2019-11-17.json.zst");
    let after = packages("nixpkgs/packages-nixos-19.09-2019-11-22.json.zst");
    let changes = difference(&before, &after);
    assert!(
        !changes.moved.is_empty() && changes.moved.len() < 500,
        "{}",
        changes.moved.len()
    );
    assert!(changes.moved.iter().all(|change| change.from != change.to));
}
