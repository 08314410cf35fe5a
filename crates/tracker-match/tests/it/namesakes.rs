//! What has the name of something else, and what is the same thing under another name.
//!
//! Invariant: with the weights that the program carries, namesakes are not proposed where anything sets them apart, and
//! variants of one recipe are.

use crate::facts::{affected_range, before, cpe, nvd, package};
use nix_version::Bound;
use tracker_inventory::Package;
use tracker_match::feature::{Feature, Features};
use tracker_match::{Index, Weights};

fn at(attribute: &str, pname: &str, version: &str, home: &str) -> Package {
    Package {
        homepages: vec![home.to_owned()],
        ..package(attribute, pname, version)
    }
}

/// What was found between a CPE and a family.
fn found(packages: &[Package], vendor: &str, product: &str, family: &str) -> Features {
    let ranges = vec![affected_range("cpe", Bound::Unbounded, before("9.27"))];
    let flaw = nvd("CVE-1", vec![cpe('a', vendor, product, "*", ranges)]);
    let candidates = Index::new(packages).candidates(&flaw);
    let candidate = candidates.iter().find(|found| &*found.family == family);
    candidate.expect("it is a candidate").features
}

/// The families that are proposed for a CPE.
fn proposed(packages: &[Package], vendor: &str, product: &str) -> Vec<String> {
    let ranges = vec![affected_range("cpe", Bound::Unbounded, before("9.27"))];
    let flaw = nvd("CVE-1", vec![cpe('a', vendor, product, "*", ranges)]);
    let matches = Index::new(packages).matches(&flaw);
    matches.into_iter().map(|matched| matched.family).collect()
}

fn recipe(attribute: &str, pname: &str, position: &str) -> Package {
    Package {
        position: Some(position.to_owned()),
        ..at(attribute, pname, "9.26", "https://www.ghostscript.com/")
    }
}

#[test]
fn what_one_folder_defines_is_one_thing() {
    let mut packages = vec![
        recipe(
            "ghostscript",
            "ghostscript",
            "pkgs/misc/ghostscript/default.nix:60",
        ),
        recipe(
            "ghostscriptX",
            "ghostscript-with-X",
            "pkgs/misc/ghostscript/default.nix:60",
        ),
    ];
    let of = |packages: &[Package]| found(packages, "artifex", "ghostscript", "ghostscript-with-x");
    assert!(of(&packages).has(Feature::SameRecipe));
    let families = proposed(&packages, "artifex", "ghostscript");
    assert_eq!(families, ["ghostscript", "ghostscript-with-x"]);
    // A folder of very many packages is a list, not a recipe.
    packages.extend((0..20).map(|number| {
        let name = format!("other{}", char::from(b'a' + number));
        recipe(&name, &name, "pkgs/misc/ghostscript/list.nix:1")
    }));
    assert!(!of(&packages).has(Feature::SameRecipe));
}

#[test]
fn a_name_does_not_win_over_what_was_decided() {
    let packages = [
        at(
            "apacheHttpd",
            "apache-httpd",
            "2.4.41",
            "http://httpd.apache.org/",
        ),
        package("nodePackages.http-server", "http-server", "0.11.1"),
        package("http-server", "http-server", "14.1.1"),
    ];
    let features = found(&packages, "apache", "http_server", "http-server");
    assert!(features.has(Feature::DecidedElsewhere));
    let families = proposed(&packages, "apache", "http_server");
    assert_eq!(families.first().map(String::as_str), Some("apache-httpd"));
    // Of another maker's nothing was decided.
    let features = found(&packages, "http-party", "http_server", "http-server");
    assert!(!features.has(Feature::DecidedElsewhere));
    assert!(Weights::embedded().of(Feature::DecidedElsewhere) < -1.0);
}

#[test]
fn a_librarys_version_tells_whether_it_is_made_of_the_programs_source() {
    let home = "http://avahi.org";
    let packages = [
        at("avahi", "avahi", "0.7", home),
        at("python27Packages.avahi", "avahi", "0.7", home),
        package("postgresql", "postgresql", "17.4"),
        package("ocamlPackages.postgresql", "postgresql", "5.1.3"),
        package("consul", "consul", "1.20.5"),
        package("python313Packages.consul", "python3.13-py-consul", "1.6.0"),
    ];
    let twin = found(&packages, "avahi", "avahi", "pythonPackages.avahi");
    assert!(twin.has(Feature::TwinOfTop) && !twin.has(Feature::Binding));
    let binding = found(
        &packages,
        "postgresql",
        "postgresql",
        "ocamlPackages.postgresql",
    );
    assert!(binding.has(Feature::Binding) && !binding.has(Feature::TwinOfTop));
    assert_eq!(
        proposed(&packages, "postgresql", "postgresql"),
        ["postgresql"]
    );
    assert_eq!(proposed(&packages, "hashicorp", "consul"), ["consul"]);
}

#[test]
fn a_commit_is_no_number_of_a_version() {
    let packages = [package("avahi", "avahi", "0.8")];
    let of = |bound: &str| {
        let ranges = vec![affected_range("cpe", Bound::Unbounded, before(bound))];
        let flaw = nvd("CVE-1", vec![cpe('a', "avahi", "avahi", "*", ranges)]);
        Index::new(&packages).candidates(&flaw)[0].features
    };
    assert!(!of("78eab31128479f06e30beb8c1cbf99dd921e2524").has(Feature::VersionFar));
    assert!(of("78.1").has(Feature::VersionFar));
    assert!(of("20260801").has(Feature::VersionFar));
}

#[test]
fn a_short_name_that_nothing_bears_out_is_anybodys() {
    let packages = [at(
        "ace",
        "ace",
        "6.5.7",
        "https://www.dre.vanderbilt.edu/~schmidt/ACE.html",
    )];
    assert!(found(&packages, "vmware", "ace", "ace").has(Feature::WeakUnproved));
    assert_eq!(proposed(&packages, "vmware", "ace"), Vec::<String>::new());
    // Its own maker bears it out.
    assert!(!found(&packages, "vanderbilt", "ace", "ace").has(Feature::WeakUnproved));
}

#[test]
fn names_of_several_makers_are_told_by_the_weights_file() {
    let weights = Weights::parse("makers\tvault\t3\n").expect("it is well formed");
    assert!(weights.has_several_makers("vault") && !weights.has_several_makers("openssl"));
    assert_ne!(
        weights.digest(),
        Weights::parse("").expect("it is well formed").digest()
    );
    let packages = [at(
        "vault",
        "vault",
        "1.2.3",
        "https://www.vaultproject.io/",
    )];
    let flaw = nvd("CVE-1", vec![cpe('a', "tibco", "vault", "*", vec![])]);
    let index = Index::with_weights(&packages, weights);
    let features = index.candidates(&flaw)[0].features;
    assert!(features.has(Feature::SeveralMakers) && features.has(Feature::WeakUnproved));
}
