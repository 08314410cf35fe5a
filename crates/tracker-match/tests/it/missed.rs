//! What rules of equal names miss: one small case each, as the packages are called and as the records say it.
//!
//! Invariant: every case is proposed with the weights that the program carries, and none by an exact name alone that
//! the rule "product equals package name" would have found.

use crate::facts::{affected_range, before, cpe, nvd, package, product, record, reference};
use nix_version::Bound;
use tracker_inventory::Package;
use tracker_match::feature::Feature;
use tracker_match::{Index, Match};
use tracker_record::Vulnerability;
use tracker_record::record::{Source, Stated, Text};

/// A package with its home page.
fn at(attribute: &str, pname: &str, version: &str, home: &str) -> Package {
    Package {
        homepages: vec![home.to_owned()],
        ..package(attribute, pname, version)
    }
}

fn packages() -> Vec<Package> {
    let qemu = "http://www.qemu.org/";
    let kernel = "https://www.kernel.org/";
    vec![
        at(
            "chromium",
            "chromium",
            "78.0.3904.87",
            "http://www.chromium.org/",
        ),
        at(
            "chromiumBeta",
            "chromium-beta",
            "79.0.3945.16",
            "http://www.chromium.org/",
        ),
        at("webkitgtk", "webkitgtk", "2.26.1", "http://webkitgtk.org/"),
        at("qemu", "qemu", "4.0.1", qemu),
        at("qemu_kvm", "qemu-host-cpu-only", "4.0.1", qemu),
        at("qemu_full", "qemu-full", "4.0.1", qemu),
        at(
            "mariadb",
            "mariadb-server",
            "10.3.18",
            "https://mariadb.org/",
        ),
        at(
            "gst_all_1.gst-plugins-good",
            "gst-plugins-good",
            "1.16.0",
            "https://gstreamer.freedesktop.org",
        ),
        at("linux", "linux", "4.19.83", kernel),
        at("linux_4_14", "linux", "4.14.153", kernel),
        at("linux_latest", "linux", "5.3.10", kernel),
        at(
            "apacheHttpd",
            "apache-httpd",
            "2.4.41",
            "http://httpd.apache.org/",
        ),
        at("curl", "curl", "7.66.0", "https://curl.haxx.se/"),
        at("curlFull", "curl", "7.66.0", "https://curl.haxx.se/"),
        at("openssl", "openssl", "1.1.1d", "https://www.openssl.org/"),
        at(
            "openssl_1_0_2",
            "openssl",
            "1.0.2t",
            "https://www.openssl.org/",
        ),
        at(
            "postgresql_11",
            "postgresql",
            "11.5",
            "https://www.postgresql.org",
        ),
        at("nodejs-10_x", "nodejs", "10.17.0", "https://nodejs.org"),
        at(
            "firefox-bin",
            "firefox-release-bin",
            "70.0.1",
            "http://www.mozilla.org/firefox/",
        ),
    ]
}

/// A description.
fn text(text: &str) -> Stated<Text> {
    Stated {
        origin: "test".to_owned(),
        value: Text {
            language: "en".to_owned(),
            text: text.to_owned(),
        },
    }
}

/// The attributes that are proposed for a CPE, in order.
fn proposed(part: char, vendor: &str, product: &str) -> Vec<String> {
    let flaw = nvd("CVE-1", vec![cpe(part, vendor, product, "*", vec![])]);
    let matches = Index::new(&packages()).matches(&flaw);
    let mut attributes: Vec<String> = matches.into_iter().flat_map(|m| m.attributes).collect();
    attributes.sort();
    attributes
}

#[test]
fn chrome_is_chromium_in_all_its_channels() {
    assert_eq!(
        proposed('a', "google", "chrome"),
        ["chromium", "chromiumBeta"]
    );
}

#[test]
fn safari_is_webkitgtk() {
    assert_eq!(proposed('a', "apple", "safari"), ["webkitgtk"]);
    assert_eq!(proposed('a', "webkitgtk", "webkitgtk\\+"), ["webkitgtk"]);
}

#[test]
fn qemu_is_every_variant_of_it() {
    let found = proposed('a', "qemu", "qemu");
    assert_eq!(found, ["qemu", "qemu_full", "qemu_kvm"]);
}

#[test]
fn mariadb_is_its_server() {
    assert_eq!(proposed('a', "mariadb", "mariadb"), ["mariadb"]);
}

#[test]
fn a_plugin_of_gstreamer_is_found_in_its_set() {
    let found = proposed('a', "gstreamer_project", "gst-plugins-good");
    assert_eq!(found, ["gst_all_1.gst-plugins-good"]);
}

#[test]
fn the_kernel_is_every_kernel() {
    let range = affected_range("cpe", Bound::Unbounded, before("5.3.11"));
    let kernel = cpe('o', "linux", "linux_kernel", "*", vec![range]);
    let mut record = record(Source::Nvd, "nvd@nist.gov", "CVE-1", vec![kernel]);
    record.descriptions = vec![text("The Linux kernel before 5.3.11 reads too far")];
    let matches = Index::new(&packages()).matches(&Vulnerability::merge("CVE-1", [record]));
    let mut found = matches[0].attributes.clone();
    found.sort();
    assert_eq!(found, ["linux", "linux_4_14", "linux_latest"]);
}

#[test]
fn the_http_server_of_apache_is_apache_httpd() {
    assert_eq!(proposed('a', "apache", "http_server"), ["apacheHttpd"]);
}

#[test]
fn libcurl_is_curl() {
    assert_eq!(proposed('a', "haxx", "libcurl"), ["curl", "curlFull"]);
}

#[test]
fn versioned_and_binary_attributes_are_of_their_family() {
    assert_eq!(
        proposed('a', "openssl", "openssl"),
        ["openssl", "openssl_1_0_2"]
    );
    assert_eq!(proposed('a', "postgresql", "postgresql"), ["postgresql_11"]);
    assert_eq!(proposed('a', "nodejs", "node.js"), ["nodejs-10_x"]);
    assert_eq!(proposed('a', "mozilla", "firefox"), ["firefox-bin"]);
}

#[test]
fn without_a_cpe_the_repository_leads_to_a_package_of_another_name() {
    let mut list = packages();
    list.push(at(
        "hexpat",
        "hexpat-tool",
        "1.0",
        "https://github.com/acme/xml-scan",
    ));
    let mut statement = product("Acme", "Scanner for XML", vec![]);
    statement.repository = Some("https://github.com/acme/xml-scan".to_owned());
    let mut record = record(Source::CveList, "cna:acme", "CVE-1", vec![statement]);
    record.references = vec![reference("https://github.com/acme/xml-scan/security")];
    let flaw = Vulnerability::merge("CVE-1", [record]);
    let matches = Index::new(&list).matches(&flaw);
    assert_eq!(matches[0].attributes, ["hexpat"]);
}

/// A candidate's features, for a family that the vulnerability leads to.
fn features(list: &[Package], flaw: &Vulnerability, family: &str) -> Vec<&'static str> {
    let found = Index::new(list).candidates(flaw);
    let candidate = found.iter().find(|found| &*found.family == family).unwrap();
    candidate.features.iter().map(Feature::name).collect()
}

#[test]
fn only_a_better_name_stands_against_one_that_differs_in_separators() {
    let flaw = nvd("CVE-1", vec![cpe('a', "acme", "web_thing", "*", vec![])]);
    let alone = [package("webthing", "webthing", "1.0")];
    assert!(!features(&alone, &flaw, "webthing").contains(&"better-elsewhere"));
    let beside = [alone[0].clone(), package("web-thing", "web-thing", "1.0")];
    assert!(features(&beside, &flaw, "webthing").contains(&"better-elsewhere"));
    assert!(!features(&beside, &flaw, "web-thing").contains(&"better-elsewhere"));
}

#[test]
fn an_equal_name_that_no_address_bears_out_counts_less() {
    let flaw = nvd("CVE-1", vec![cpe('a', "iceworks", "argus", "*", vec![])]);
    let at = |home: &str| [at("argus", "argus", "1.0", home)];
    let unproved = |list: &[Package]| features(list, &flaw, "argus").contains(&"exact-unproved");
    assert!(unproved(&at("http://example.net/argus")));
    assert!(!unproved(&at("https://www.iceworks.io/argus")));
    assert!(!unproved(&[package("argus", "argus", "1.0")]));
}

#[test]
fn an_overlays_description_speaks_where_no_other_is() {
    let mut record = record(
        Source::CpeOverlay,
        "overlay",
        "CVE-1",
        vec![cpe('a', "acme", "curl", "*", vec![])],
    );
    record.descriptions = vec![
        text("added configurations"),
        text("A flaw in curl lets servers write files"),
    ];
    let flaw = Vulnerability::merge("CVE-1", [record]);
    assert!(features(&packages(), &flaw, "curl").contains(&"text-names"));
    let matches: Vec<Match> = Index::new(&packages()).matches(&flaw);
    assert!(matches.iter().any(|found| found.family == "curl"));
}
