//! Inventories and matching on real channels, derivation graphs and feeds.
//!
//! Invariant: the two acceptance cases hold end to end from the files as they are.

#![expect(
    clippy::unwrap_used,
    reason = "a test that meets the unexpected shall fail"
)]

use real_data::{open_zstd, path};
use std::collections::HashSet;
use std::io::{BufRead, Write};
use tracker_evaluate::evaluate::{self, EvaluateArgs};
use tracker_evaluate::truth;
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

/// The held-out records of labelled and judged vulnerabilities, the only ones that the figures are made of.
fn labelled_records(folder: &std::path::Path) -> std::path::PathBuf {
    let pairs = truth::read(&path("groundtruth/pairs.tsv.zst")).unwrap();
    let judged = truth::SAMPLE.or(&[]).unwrap();
    let negatives = truth::NEGATIVES.or(&[]).unwrap();
    let ids: HashSet<String> = [pairs, judged, negatives]
        .into_iter()
        .flatten()
        .map(|label| label.id)
        .filter(|id| !truth::is_training(id))
        .collect();
    let file = folder.join("labelled.jsonl");
    let mut out = std::io::BufWriter::new(std::fs::File::create(&file).unwrap());
    for year in 1999..=2019 {
        for line in open_zstd(&format!("vuln/nvd-1.1/nvd-{year}.jsonl.zst")).split(b'\n') {
            let line = line.unwrap();
            let at = memchr::memmem::find(&line, b"\"ID\"").unwrap();
            let rest = &line[at + 4..];
            let start = memchr::memmem::find(rest, b"CVE-").unwrap();
            let end = start + memchr::memchr(b'"', &rest[start..]).unwrap();
            if ids.contains(std::str::from_utf8(&rest[start..end]).unwrap()) {
                out.write_all(&line).unwrap();
                out.write_all(b"\n").unwrap();
            }
        }
    }
    out.flush().unwrap();
    file
}

/// The floor: these numbers may only rise. On the half of the vulnerabilities that no weight was fitted to.
#[test]
fn matching_is_as_good_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let arguments = EvaluateArgs {
        packages: path("nixpkgs/packages-nixos-19.09-2019-11-17.json.zst"),
        records: vec![labelled_records(folder.path())],
        truth: path("groundtruth/pairs.tsv.zst"),
        judged: Vec::new(),
        negatives: Vec::new(),
        disputed: Vec::new(),
        until: Some("2019-11-17".parse().unwrap()),
        threshold: None,
        weights: None,
        held_out: true,
        proposals: None,
        repology: None,
        calibration_svg: None,
        json: true,
    };
    let mut out = Vec::new();
    evaluate::run(&arguments, &mut out).unwrap();
    let report: serde_json::Value = serde_json::from_slice(&out).unwrap();
    let rate = |pointer: &str| report.pointer(pointer).unwrap().as_f64().unwrap();
    for (pointer, floor) in [
        ("/precision", 0.93),
        ("/recall_by_strength/1", 0.90),
        ("/recall_by_strength/2", 0.91),
        ("/recall_at_3", 0.89),
    ] {
        assert!(rate(pointer) >= floor, "{pointer}: {}", rate(pointer));
    }
    assert!(rate("/negatives_proposed") <= 0.02);
    // Better than either rule at what it is good at.
    let exact = "/baselines/cpe-equals-pname";
    for strength in ["1", "2"] {
        let ours = rate(&format!("/recall_by_strength/{strength}"));
        assert!(ours > rate(&format!("{exact}/recall_by_strength/{strength}")));
        assert!(
            ours > rate(&format!(
                "/baselines/substring/recall_by_strength/{strength}"
            ))
        );
    }
}
