//! What holds in one package: versions, patches, known vulnerabilities, sources that disagree.
//!
//! Invariant: the first line of evidence is what decided.

use crate::facts::{affected_range, before, cpe, nvd, package, product, record, through};
use nix_version::{Bound, Range, Status};
use tracker_inventory::Package;
use tracker_match::{Finding, FindingStatus, Index, finding};
use tracker_record::Vulnerability;
use tracker_record::record::{Affected, Source};

fn find(vulnerability: &Vulnerability, package: &Package) -> Finding {
    let index = Index::new(std::slice::from_ref(package));
    let matches = index.matches(vulnerability);
    finding(vulnerability, matches.first().unwrap(), package)
}

fn musl() -> Vulnerability {
    let range = affected_range("cpe", through("0.9.12"), through("1.1.23"));
    nvd(
        "CVE-2019-14697",
        vec![cpe('a', "musl-libc", "musl", "*", vec![range])],
    )
}

#[test]
fn a_version_in_an_affected_range_is_affected() {
    let finding = find(&musl(), &package("musl", "musl", "1.1.22"));
    assert_eq!(finding.status, FindingStatus::Affected);
    assert_eq!(
        finding.evidence,
        ["affected: from 0.9.12 up to and including 1.1.23 (NVD)"]
    );
}

#[test]
fn beyond_is_fixed_and_below_never_was() {
    let beyond = find(&musl(), &package("musl", "musl", "1.1.24"));
    assert_eq!(beyond.status, FindingStatus::Fixed);
    assert!(
        beyond.evidence[0].starts_with("fixed: 1.1.24 is beyond"),
        "{beyond:?}"
    );
    let below = find(&musl(), &package("musl", "musl", "0.9.11"));
    assert_eq!(below.status, FindingStatus::NotAffected);
}

/// Sources list ranges in any order; told is the last of those that the version is past.
#[test]
fn the_range_that_ended_last_is_named() {
    let ranges = [
        ("0.9", "1.0.5"),
        ("2.0", "2.3"),
        ("1.1", "1.1.23"),
        ("3.0", "3.1"),
    ];
    let ranges = ranges.map(|(from, to)| affected_range("cpe", through(from), through(to)));
    let vulnerability = nvd(
        "CVE-2019-14697",
        vec![cpe('a', "musl-libc", "musl", "*", ranges.to_vec())],
    );
    for (version, ended) in [
        ("1.0.6", "from 0.9 up to and including 1.0.5"),
        ("1.2", "from 1.1 up to and including 1.1.23"),
        ("2.9", "from 2.0 up to and including 2.3"),
        ("4.0", "from 3.0 up to and including 3.1"),
    ] {
        let finding = find(&vulnerability, &package("musl", "musl", version));
        let told = format!("fixed: {version} is beyond: {ended} (NVD)");
        assert_eq!(finding.evidence, [told]);
    }
}

#[test]
fn what_cannot_be_compared_stays_open() {
    for version in ["unstable-2019-08-01", ""] {
        let finding = find(&musl(), &package("musl", "musl", version));
        assert_eq!(
            finding.status,
            FindingStatus::UnderInvestigation,
            "{version}"
        );
        assert!(finding.evidence[0].starts_with("open:"));
    }
}

#[test]
fn a_patch_named_after_it_fixes_an_affected_version() {
    let ranges = vec![
        Range::exact_version("cpe", "4.13b", Status::Affected),
        affected_range("cpe", Bound::Unbounded, through("4.14")),
    ];
    let vulnerability = nvd("CVE-2001-1593", vec![cpe('a', "gnu", "a2ps", "*", ranges)]);
    let mut a2ps = package("a2ps", "a2ps", "4.14");
    assert_eq!(find(&vulnerability, &a2ps).status, FindingStatus::Affected);
    a2ps.patches = vec!["09_CVE-2001-1593.diff".into()];
    let fixed = find(&vulnerability, &a2ps);
    assert_eq!(fixed.status, FindingStatus::Fixed);
    assert_eq!(
        fixed.evidence[0],
        "fixed: the patch 09_CVE-2001-1593.diff is applied"
    );
    assert_eq!(
        fixed.evidence[1],
        "affected: up to and including 4.14 (NVD)"
    );
    for (patch, applies) in [
        ("CVE-2001-15930.patch", false),
        ("CVE-2001-1593+CVE-2001-1594.patch", true),
        ("cve_2001_1593-2.patch", true),
        ("XCVE-2001-1593.patch", false),
    ] {
        a2ps.patches = vec![patch.into()];
        let status = find(&vulnerability, &a2ps).status;
        assert_eq!(status == FindingStatus::Fixed, applies, "{patch}");
    }
}

#[test]
fn known_vulnerabilities_outweigh_versions() {
    let mut package = package("musl", "musl", "1.1.24");
    package.known_vulnerabilities = vec!["https://example.org/CVE-2019-14697".into()];
    let finding = find(&musl(), &package);
    assert_eq!(finding.status, FindingStatus::Affected);
    assert!(finding.evidence[1].starts_with("fixed: 1.1.24 is beyond"));
}

#[test]
fn of_two_sources_the_better_one_wins_and_both_are_shown() {
    let nvd_says = cpe(
        'a',
        "acme",
        "tool",
        "*",
        vec![affected_range("cpe", Bound::Unbounded, before("2.0"))],
    );
    let cna_says = product(
        "Acme",
        "tool",
        vec![affected_range("semver", through("1.0.0"), before("1.4.0"))],
    );
    let with = |cna: Affected| {
        Vulnerability::merge(
            "CVE-1",
            [
                record(Source::Nvd, "nvd@nist.gov", "CVE-1", vec![nvd_says.clone()]),
                record(Source::CveList, "cna:acme", "CVE-1", vec![cna]),
            ],
        )
    };
    let decided = find(&with(cna_says), &package("tool", "tool", "1.5.0"));
    assert_eq!(decided.status, FindingStatus::Fixed);
    assert!(decided.evidence[0].ends_with("(CNA acme)"), "{decided:?}");
    assert_eq!(decided.evidence[1], "affected: before 2.0 (NVD)");
    // A CNA that names no version decides nothing.
    let silent = product(
        "Acme",
        "tool",
        vec![Range::exact_version("prose", "n/a", Status::Affected)],
    );
    let decided = find(&with(silent), &package("tool", "tool", "1.5.0"));
    assert_eq!(decided.status, FindingStatus::Affected);
    assert_eq!(decided.evidence[0], "affected: before 2.0 (NVD)");
}

#[test]
fn commits_beside_releases_do_not_decide() {
    let git = product(
        "Linux",
        "linux",
        vec![affected_range(
            "git",
            through(&"1".repeat(40)),
            before(&"2".repeat(40)),
        )],
    );
    let mut releases = product(
        "Linux",
        "linux",
        vec![
            Range::exact_version("semver", "4.2", Status::Affected),
            Range {
                status: Status::Unaffected,
                ..affected_range("semver", through("0"), before("4.2"))
            },
            Range {
                status: Status::Unaffected,
                ..affected_range("semver", through("5.10.105"), through("5.10.*"))
            },
        ],
    );
    releases.default_status = Status::Affected;
    let vulnerability = Vulnerability::merge(
        "CVE-1",
        [record(
            Source::CveList,
            "cna:Linux",
            "CVE-1",
            vec![git, releases],
        )],
    );
    for (version, status) in [
        ("5.10.100", FindingStatus::Affected),
        ("5.10.110", FindingStatus::Fixed),
        ("4.1", FindingStatus::NotAffected),
    ] {
        assert_eq!(
            find(&vulnerability, &package("linux", "linux", version)).status,
            status,
            "{version}"
        );
    }
}

#[test]
fn only_statements_about_the_package_count() {
    let vulnerability = nvd(
        "CVE-1",
        vec![
            cpe(
                'o',
                "debian",
                "debian_linux",
                "*",
                vec![Range::exact_version("cpe", "1.1.24", Status::Affected)],
            ),
            cpe(
                'a',
                "musl-libc",
                "musl",
                "*",
                vec![affected_range("cpe", Bound::Unbounded, before("1.1.24"))],
            ),
        ],
    );
    let finding = find(&vulnerability, &package("musl", "musl", "1.1.24"));
    assert_eq!(finding.status, FindingStatus::Fixed);
    assert_eq!(finding.evidence.len(), 1);
}

/// A package of Debian's `bookworm`.
fn of_debian(version: &str) -> Package {
    Package {
        ecosystem: Some("Debian:bookworm".into()),
        ..package("bash", "bash", version)
    }
}

/// A shell that NVD says is fixed in 5.2, and Debian in a revision of 5.1.
fn shell() -> Vulnerability {
    let range = affected_range("cpe", Bound::Unbounded, before("5.2"));
    let tracker = |release: &str, fixed: &str| Affected {
        package_name: Some("bash".into()),
        ecosystem: Some(format!("Debian:{release}")),
        ranges: vec![affected_range("Debian", Bound::Unbounded, before(fixed))],
        ..Affected::new(Status::Unaffected)
    };
    let id = "CVE-2026-0001";
    let mut debian = record(
        Source::Debian,
        "debian",
        "bash/CVE-2026-0001",
        vec![
            tracker("bookworm", "1:5.1-2+deb12u1"),
            tracker("trixie", "1:5.2-9"),
        ],
    );
    debian.aliases.push(id.into());
    let nvd = record(
        Source::Nvd,
        "nvd@nist.gov",
        id,
        vec![cpe('a', "gnu", "bash", "*", vec![range])],
    );
    Vulnerability::merge(id, [nvd, debian])
}

#[test]
fn a_distributions_own_tracker_decides_in_its_order_of_versions() {
    for (version, status) in [
        ("1:5.1-2+deb12u1", FindingStatus::Fixed),
        ("1:5.1-2+deb12u1~rc1", FindingStatus::Affected),
        ("1:5.1-2", FindingStatus::Affected),
    ] {
        let finding = find(&shell(), &of_debian(version));
        assert_eq!(finding.status, status, "{version}: {finding:?}");
        assert!(
            finding.evidence[0].ends_with("(Debian's tracker)"),
            "{finding:?}"
        );
    }
    // The other release's word is not heard, and the upstream's is compared with the upstream part.
    let finding = find(&shell(), &of_debian("1:5.2.15+dfsg-1"));
    assert_eq!(finding.evidence.len(), 2, "{finding:?}");
    assert!(
        finding.evidence[1].starts_with("fixed: 5.2.15 is beyond"),
        "{finding:?}"
    );
}

#[test]
fn a_distributions_tracker_says_nothing_of_another() {
    let finding = find(&shell(), &package("bash", "bash", "5.1"));
    assert_eq!(finding.status, FindingStatus::Affected);
    assert_eq!(finding.evidence, ["affected: before 5.2 (NVD)"]);
    let mut alone = shell();
    alone
        .records
        .retain(|record| record.source == Source::Debian);
    let index = Index::new(&[package("bash", "bash", "5.1")]);
    assert_eq!(index.matches(&alone), []);
    let index = Index::new(&[of_debian("1:5.1-2")]);
    assert_eq!(index.matches(&alone).len(), 1);
}

#[test]
fn what_holds_only_on_other_systems_is_not_affected() {
    let range = affected_range("cpe", Bound::Unbounded, before("1.1.24"));
    let limited = |system: &str| Affected {
        running_on: vec![format!("cpe:2.3:o:acme:{system}:-:*:*:*:*:*:*:*")],
        ..cpe('a', "musl-libc", "musl", "*", vec![range.clone()])
    };
    let musl = package("musl", "musl", "1.1.22");
    let elsewhere = find(&nvd("CVE-1", vec![limited("android")]), &musl);
    assert_eq!(elsewhere.status, FindingStatus::NotAffected);
    assert_eq!(
        elsewhere.evidence,
        ["not affected: only where it runs on android (NVD)"]
    );
    for statements in [
        vec![limited("linux_kernel")],
        vec![limited("android"), limited("linux_kernel")],
    ] {
        let here = find(&nvd("CVE-1", statements), &musl);
        assert_eq!(here.status, FindingStatus::Affected);
    }
}
