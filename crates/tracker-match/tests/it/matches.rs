//! Which families are proposed, and that their reasons add up.
//!
//! Invariant: the sum of the reasons' weights is the log-odds of the score, for every match in every test.

use crate::facts::{cpe, nvd, package, product, record, reference};
use tracker_inventory::Package;
use tracker_match::feature::Feature;
use tracker_match::siblings::Siblings;
use tracker_match::{Index, Match, MatchKind, Weights};
use tracker_record::Vulnerability;
use tracker_record::record::{Source, Stated};

fn packages() -> Vec<Package> {
    let mut list = vec![
        package("musl", "musl", "1.1.22"),
        package("openssl", "openssl", "1.1.1d"),
        package("openssl_1_0_2", "openssl", "1.0.2t"),
        package("chromium", "chromium", "78.0"),
        package("curl", "curl", "7.67"),
        package("wlcs", "wlcs", "1.0"),
        package("pocket-id", "pocket-id", "1.0"),
        package("python37Packages.requests", "python3.7-requests", "2.22.0"),
        package("ansible", "ansible", "2.8"),
        package("python37Packages.ansible", "python3.7-ansible", "2.8"),
        package("akismet", "akismet", "1.0"),
    ];
    list[0].homepages = vec!["https://www.musl-libc.org".into()];
    list[4].homepages = vec!["https://curl.haxx.se/".into()];
    list
}

fn families(vulnerability: &Vulnerability) -> Vec<String> {
    let index = Index::new(&packages());
    let matches = index.matches(vulnerability);
    for Match {
        score,
        reasons,
        family,
        ..
    } in &matches
    {
        let sum: f64 = reasons.iter().map(|reason| reason.weight).sum();
        assert!(
            (1.0 / (1.0 + (-sum).exp()) - score).abs() < 1e-9,
            "{family}: {reasons:?}"
        );
        assert!(reasons.iter().all(|reason| !reason.text.is_empty()));
    }
    matches.into_iter().map(|m| m.family).collect()
}

#[test]
fn a_product_finds_its_package_and_all_of_its_family() {
    assert_eq!(
        families(&nvd(
            "CVE-1",
            vec![cpe('a', "musl-libc", "musl", "*", vec![])]
        )),
        ["musl"]
    );
    let index = Index::new(&packages());
    let matches = index.matches(&nvd(
        "CVE-2",
        vec![cpe('a', "openssl", "openssl", "*", vec![])],
    ));
    assert_eq!(matches[0].attributes, ["openssl", "openssl_1_0_2"]);
}

#[test]
fn learned_names_find_what_is_called_otherwise() {
    assert_eq!(
        families(&nvd(
            "CVE-1",
            vec![cpe('a', "google", "chrome", "*", vec![])]
        )),
        ["chromium"]
    );
    assert_eq!(
        families(&nvd(
            "CVE-2",
            vec![cpe('a', "haxx", "libcurl", "*", vec![])]
        )),
        ["curl"]
    );
}

#[test]
fn part_of_a_name_is_no_name() {
    assert!(
        families(&nvd(
            "CVE-1",
            vec![cpe('a', "wlc_project", "wlc", "*", vec![])]
        ))
        .is_empty()
    );
    assert!(
        families(&nvd(
            "CVE-2",
            vec![cpe('a', "mozilla", "pocket", "android", vec![])]
        ))
        .is_empty()
    );
}

#[test]
fn plugins_devices_and_services_are_no_packages() {
    let plugin = cpe('a', "automattic", "akismet", "wordpress", vec![]);
    assert!(families(&nvd("CVE-1", vec![plugin])).is_empty());
    assert!(families(&nvd("CVE-2", vec![cpe('h', "acme", "curl", "*", vec![])])).is_empty());
    let mut hosted = record(
        Source::CveList,
        "cna:x",
        "CVE-3",
        vec![product("acme", "musl", vec![])],
    );
    hosted.tags = vec![Stated {
        origin: "cna:x".into(),
        value: "exclusively-hosted-service".into(),
    }];
    assert!(families(&Vulnerability::merge("CVE-3", [hosted])).is_empty());
}

#[test]
fn a_library_is_found_in_its_own_world() {
    let python = cpe('a', "python", "requests", "python", vec![]);
    assert_eq!(
        families(&nvd("CVE-1", vec![python])),
        ["pythonPackages.requests"]
    );
    let node = cpe('a', "requests_project", "requests", "node.js", vec![]);
    assert!(families(&nvd("CVE-2", vec![node])).is_empty());
}

#[test]
fn a_reference_to_the_packages_repository_counts() {
    let mut list = packages();
    list.push(package("weird", "weird-name", "1.0"));
    list.last_mut().unwrap().homepages = vec!["https://github.com/acme/weird".into()];
    let index = Index::new(&list);
    let score = |url: &str| {
        let mut record = record(
            Source::CveList,
            "cna:x",
            "CVE-1",
            vec![product("acme", "weird", vec![])],
        );
        record.references = vec![reference(url)];
        let found = index.candidates(&Vulnerability::merge("CVE-1", [record]));
        found
            .iter()
            .find(|c| &*c.family == "weird-name")
            .map(|c| c.log_odds)
            .unwrap()
    };
    assert!(
        score("https://github.com/acme/weird/issues/1")
            > score("https://github.com/other/weird/issues/1")
    );
}

#[test]
fn without_cpes_the_cna_is_believed() {
    let record = record(
        Source::CveList,
        "cna:x",
        "CVE-1",
        vec![product("OpenSSL", "OpenSSL", vec![])],
    );
    assert_eq!(
        families(&Vulnerability::merge("CVE-1", [record])),
        ["openssl"]
    );
}

#[test]
fn patches_and_known_vulnerabilities_do_not_identify() {
    let mut list = packages();
    let vulnerability = nvd("CVE-2001-0001", vec![cpe('a', "acme", "curl", "*", vec![])]);
    let before = Index::new(&list).matches(&vulnerability);
    for package in &mut list {
        package.patches = vec!["CVE-2001-0001.patch".into()];
        package.known_vulnerabilities = vec!["CVE-2001-0001".into()];
    }
    assert_eq!(Index::new(&list).matches(&vulnerability), before);
}

#[test]
fn who_makes_a_system_and_what_binds_a_library_is_told_apart() {
    let mut list = packages();
    list.push(package("linux", "linux", "5.4"));
    list.last_mut().unwrap().homepages = vec!["https://www.kernel.org/".into()];
    list.push(package("cairo", "cairo", "1.16"));
    list.push(package(
        "rubyPackages_2_6.cairo",
        "ruby2.6.5-cairo",
        "1.16.5",
    ));
    list.push(package("poppler_data", "poppler-data", "0.4"));
    let index = Index::new(&list);
    let features = |part, vendor: &str, product: &str, family: &str| -> Vec<&str> {
        let found = index.candidates(&nvd("CVE-1", vec![cpe(part, vendor, product, "*", vec![])]));
        let candidate = found.iter().find(|c| &*c.family == family).unwrap();
        candidate.features.iter().map(Feature::name).collect()
    };
    assert!(!features('o', "linux", "linux_kernel", "linux").contains(&"system-of-other"));
    assert!(features('o', "redhat", "linux", "linux").contains(&"system-of-other"));
    let binding = features('a', "cairographics", "cairo", "rubyPackages.cairo");
    assert!(binding.contains(&"binding"), "{binding:?}");
    assert!(!features('a', "cairographics", "cairo", "cairo").contains(&"binding"));
    let data = features('a', "freedesktop", "poppler", "poppler-data");
    assert!(data.contains(&"companion"), "{data:?}");
}

#[test]
fn a_fork_of_what_has_a_package_of_its_own_is_a_match_of_its_own_kind() {
    let list = vec![
        package("ffmpeg", "ffmpeg", "4.2"),
        package("libav", "libav", "12.3"),
    ];
    let flaw = nvd("CVE-1", vec![cpe('a', "ffmpeg", "ffmpeg", "*", vec![])]);
    let matches = Index::new(&list).matches(&flaw);
    let kind = |family: &str| {
        let found = matches.iter().find(|m| m.family == family);
        found.map(Match::kind)
    };
    assert_eq!(kind("ffmpeg"), Some(MatchKind::Product));
    assert_eq!(kind("libav"), Some(MatchKind::Component));
    // Without the package that has the name, the alias is all there is.
    let matches = Index::new(&list[1..]).matches(&flaw);
    assert_eq!(matches[0].kind(), MatchKind::Product);
}

#[test]
fn names_that_are_only_near_need_an_address() {
    let near = |homepage: Option<&str>| {
        let mut theme = package("widget-studio", "widget-studio", "1.0");
        theme.homepages = homepage.into_iter().map(str::to_owned).collect();
        let flaw = nvd("CVE-1", vec![cpe('a', "acme", "widget", "*", vec![])]);
        let found = Index::new(&[theme]).candidates(&flaw);
        (
            found[0].features.has(Feature::NearUnproved),
            found[0].log_odds,
        )
    };
    let (unproved, low) = near(Some("https://studio.example.net"));
    let (proved, high) = near(Some("https://acme.example.org/widget"));
    let (vendor, higher) = near(Some("https://www.acme.io"));
    assert!(unproved && proved && !vendor);
    assert!(low <= high && high < higher);
}

#[test]
fn initials_ends_and_bindings_are_told() {
    let mut binding = package("python37Packages.libvirt", "python3.7-libvirt", "5.4.0");
    binding.description = Some("libvirt Python bindings".into());
    let list = vec![
        package("gdm", "gdm", "3.32"),
        package("libmad", "libmad", "0.15"),
        package("libvirt", "libvirt", "5.4.0"),
        binding,
    ];
    let index = Index::new(&list);
    let has = |vendor: &str, product: &str, family: &str, feature: Feature| {
        let flaw = nvd("CVE-1", vec![cpe('a', vendor, product, "*", vec![])]);
        let found = index.candidates(&flaw);
        let found = found.iter().find(|c| &*c.family == family).unwrap();
        found.features.has(feature)
    };
    assert!(has(
        "gnome",
        "gnome_display_manager",
        "gdm",
        Feature::Initials
    ));
    assert!(has("underbit", "mad_libmad", "libmad", Feature::NameEnds));
    let python = "pythonPackages.libvirt";
    assert!(has("redhat", "libvirt", python, Feature::DescribedBinding));
    assert!(!has(
        "redhat",
        "libvirt",
        "libvirt",
        Feature::DescribedBinding
    ));
}

#[test]
fn rules_of_other_distributions_lead_to_siblings_only_where_they_are_given() {
    let list = [package("apache-httpd", "apache-httpd", "2.4")];
    let flaw = nvd("CVE-1", vec![cpe('a', "acme", "webthing", "*", vec![])]);
    assert!(Index::new(&list).candidates(&flaw).is_empty());
    let rules = Siblings::parse(["- { setname: apache-httpd, name: webthing }"]);
    let found = Index::new(&list).with_siblings(rules).candidates(&flaw);
    assert!(found[0].features.has(Feature::Sibling));
}

/// Matches by family, with score and members.
fn counted(
    vulnerability: &Vulnerability,
    count: impl Fn(&Package, String) -> String,
) -> Vec<(String, f64, Vec<String>)> {
    let index = Index::counted(&packages(), Weights::embedded(), count);
    let matches = index.matches(vulnerability).into_iter();
    let all: Vec<_> = matches
        .map(|one| (one.family, one.score, one.attributes))
        .collect();
    for (family, _, members) in &all {
        assert_eq!(index.members(family), members);
    }
    all
}

#[test]
fn a_family_that_people_split_is_matched_in_all_its_parts_as_surely_as_before() {
    let openssl = nvd("CVE-1", vec![cpe('a', "openssl", "openssl", "*", vec![])]);
    let whole = counted(&openssl, |_, own| own);
    assert_eq!(whole.len(), 1);
    let parts = counted(&openssl, |package, own| match package.attribute.as_str() {
        "openssl_1_0_2" => "old-openssl".to_owned(),
        _ => own,
    });
    let expected = [("old-openssl", "openssl_1_0_2"), ("openssl", "openssl")];
    assert_eq!(parts.len(), 2);
    for ((family, score, members), (name, member)) in parts.into_iter().zip(expected) {
        assert_eq!(
            (family.as_str(), members.as_slice()),
            (name, &[member.to_owned()][..])
        );
        assert!((score - whole[0].1).abs() < 1e-12, "{score}");
    }
}

#[test]
fn families_that_people_merged_are_one_match_by_either_name() {
    let merged = |_: &Package, own: String| match own.as_str() {
        "musl" => "curl".to_owned(),
        _ => own,
    };
    for (vendor, product) in [("musl-libc", "musl"), ("haxx", "curl")] {
        let record = nvd("CVE-1", vec![cpe('a', vendor, product, "*", vec![])]);
        let apart = counted(&record, |_, own| own);
        let joined = counted(&record, merged);
        assert_eq!(joined.len(), 1);
        assert_eq!(joined[0].0, "curl");
        assert_eq!(joined[0].2, ["musl", "curl"]);
        assert!((joined[0].1 - apart[0].1).abs() < 1e-12);
    }
}
