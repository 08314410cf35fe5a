//! The orders of registries and distributions: chains that their documents state, laws, and what ranges in their
//! languages hold.
//!
//! Invariant: each chain ascends; laws hold on generated versions and on every triple of the chains.

use crate::versions::version;
use nix_version::{
    Range, Scheme, Status, alpine, debian, evaluate, go, maven, pep440, rpm, rubygems,
};
use proptest::prelude::*;
use std::cmp::Ordering;

type Order = fn(&str, &str) -> Option<Ordering>;

fn ordered<T: Ord>(parse: fn(&str) -> Option<T>, left: &str, right: &str) -> Option<Ordering> {
    Some(parse(left)?.cmp(&parse(right)?))
}

const ORDERS: [(&str, Order, &[&str]); 7] = [
    (
        "pep440",
        |a, b| ordered(pep440::Version::parse, a, b),
        &[
            "1.dev0",
            "1.0.dev456",
            "1.0a1",
            "1.0a2.dev456",
            "1.0a12.dev456",
            "1.0a12",
            "1.0b1.dev456",
            "1.0b2",
            "1.0b2.post345.dev456",
            "1.0b2.post345",
            "1.0rc1.dev456",
            "1.0rc1",
            "1.0",
            "1.0+abc.5",
            "1.0+abc.7",
            "1.0+5",
            "1.0.post456.dev34",
            "1.0.post456",
            "1.0.15",
            "1.1.dev1",
            "1!0.1",
        ],
    ),
    (
        "debian",
        |a, b| Some(debian::compare(a, b)),
        &[
            "0~~",
            "0~~a",
            "0~",
            "0",
            "0a",
            "0+",
            "1.0~beta1~svn1245-1",
            "1.0~beta1-1",
            "1.0-1",
            "1.0-1+deb12u1",
            "1.0-1+deb12u2",
            "1.0-1.1",
            "1.0-2~bpo1",
            "1.0-2",
            "1.0a-1",
            "1.0+dfsg-1",
            "1.0.1-1",
            "1.9-1",
            "1.10-1",
            "1:0.1-1",
        ],
    ),
    (
        "rpm",
        |a, b| Some(rpm::compare(a, b)),
        &[
            "1.0~rc1-1",
            "1.0~rc2-1",
            "1.0-1",
            "1.0-1.el9",
            "1.0-2",
            "1.0^git1-1",
            "1.0^20240101-1",
            "1.0a-1",
            "1.0.1-1",
            "1.05-1",
            "1.10-1",
            "2-1",
            "1:0.5-1",
        ],
    ),
    (
        "maven",
        |a, b| ordered(maven::Version::parse, a, b),
        &[
            "1-alpha-1",
            "1-alpha2",
            "1-alpha-123",
            "1-beta-2",
            "1-beta123",
            "1-m2",
            "1-m11",
            "1-rc",
            "1-cr2",
            "1-rc123",
            "1-SNAPSHOT",
            "1",
            "1-sp",
            "1-sp2",
            "1-sp123",
            "1-abc",
            "1-def",
            "1-pom-1",
            "1-1-snapshot",
            "1-1",
            "1-2",
            "1-123",
            "1.1",
            "1.2.3",
            "2-1",
            "2.0.1",
            "2.1",
        ],
    ),
    (
        "rubygems",
        |a, b| ordered(rubygems::Version::parse, a, b),
        &[
            "0.0.1",
            "1.0.0.a",
            "1.0.0.a10",
            "1.0.0.b1",
            "1.0.0-rc1",
            "1.0.0-rc2",
            "1.0.0.rc1",
            "1.0.0",
            "1.0.1.pre",
            "1.0.1",
            "1.2.b1",
            "1.2",
            "1.10",
            "2",
        ],
    ),
    (
        "go",
        go::compare,
        &[
            "v0.0.0-20190101000000-abcdefabcdef",
            "v0.0.0-20240101000000-abcdefabcdef",
            "v0.0.1",
            "v1.0.0-alpha",
            "v1.0.0-rc.1",
            "v1",
            "v1.2.3-0.20200101000000-abcdefabcdef",
            "v1.2.3",
            "v1.2.4-0.20200101000000-abcdefabcdef",
            "v1.10.0",
            "v2.0.0+incompatible",
        ],
    ),
    (
        "alpine",
        |a, b| ordered(alpine::Version::parse, a, b),
        // Neighbours as in the package manager's own list of cases.
        &[
            "0.1.0_alpha",
            "0.1.0_alpha2",
            "0.1.3_alpha",
            "0.7-r1",
            "0.13_beta1",
            "0.13_beta2",
            "1.00_beta2",
            "1.0.2",
            "1.0.4-r3",
            "1.0.4-r4",
            "1.02",
            "1.1_alpha1",
            "1.1",
            "1.2.1",
            "1.3_pre1-r1",
            "1.3-r0",
            "1.3.1-r0",
            "1.3.2",
            "1.3.5-r8",
            "1.3.5-r10",
            "1.7",
            "1.7b",
            "1.8.5",
            "1.8.5_p2",
            "2.1_pre20",
            "2.1_pre26",
            "2.3.0b-r1",
            "2.3.0b-r2",
            "2.20.1",
            "2.34",
            "3.1_p16",
            "3.1_p17",
            "4.2.52_p2-r1",
            "4.2.52_p4-r2",
            "20050718-r1",
            "20050718-r2",
        ],
    ),
];

#[test]
fn chains_ascend() {
    for (name, order, chain) in ORDERS {
        for (index, left) in chain.iter().enumerate() {
            for right in &chain[index + 1..] {
                assert_eq!(
                    order(left, right),
                    Some(Ordering::Less),
                    "{name}: {left} < {right}"
                );
            }
        }
    }
}

#[test]
fn equal_spellings_are_equal() {
    let equal = |name: &str, a: &str, b: &str| {
        let (_, order, _) = ORDERS.into_iter().find(|(word, ..)| *word == name).unwrap();
        assert_eq!(order(a, b), Some(Ordering::Equal), "{name}: {a} = {b}");
    };
    equal("pep440", "1.0alpha1", "1.0a1");
    equal("pep440", "v1.0-1", "1.post1");
    equal("debian", "0:1.0-1", "1.0-1");
    equal("debian", "1.0", "1.0-0");
    equal("rpm", "1.0.0-1", "1.00.0-1");
    equal("rpm", "1_0-1", "1.0-1");
    equal("maven", "1.0.0", "1-ga");
    equal("maven", "1-a1", "1-alpha-1");
    equal("maven", "1.x", "1-x");
    equal("maven", "1.x.alpha", "1-x.alpha");
    equal("rubygems", "1.0.0", "1");
    equal("go", "v1.2.0", "1.2");
    equal("alpine", "0.6", "0.6");
}

/// By Maven's own code the first is below the second, which is below the third, which is below the first.
#[test]
fn words_behind_dots_are_in_one_order() {
    let (_, order, _) = ORDERS
        .into_iter()
        .find(|(word, ..)| *word == "maven")
        .unwrap();
    for (less, more) in [
        ("1-SNAPSHOT", "1"),
        ("1", "1.x.alpha"),
        ("1-SNAPSHOT", "1.x.alpha"),
    ] {
        assert_eq!(order(less, more), Some(Ordering::Less), "{less} < {more}");
    }
}

#[test]
fn what_is_no_version_is_not_read() {
    for bad in ["", "1.0-", "a", "1..0", "1.0+", "1.0+a_", "1!2!3"] {
        assert!(pep440::Version::parse(bad).is_none(), "{bad:?}");
    }
    for bad in ["", "a1", "1.0bc", "1_foo", "1.", "1-2", "1.0-r", "1.0~xyz"] {
        assert!(alpine::Version::parse(bad).is_none(), "{bad:?}");
    }
    for bad in ["", "a", "1.", "1..2", "1 2", "1.0-"] {
        assert!(rubygems::Version::parse(bad).is_none(), "{bad:?}");
    }
    for bad in ["", "v1-rc", "master", "v1.2.3.4"] {
        assert_eq!(go::compare(bad, "v1.0.0"), None, "{bad:?}");
    }
}

fn check(name: &str, order: Order, [a, b, c]: [&str; 3]) -> Result<(), TestCaseError> {
    let (Some(ab), Some(bc), Some(ac)) = (order(a, b), order(b, c), order(a, c)) else {
        return Ok(());
    };
    prop_assert_eq!(
        order(a, a),
        Some(Ordering::Equal),
        "{} reflexive: {}",
        name,
        a
    );
    prop_assert_eq!(
        order(b, a),
        Some(ab.reverse()),
        "{} reversal: {} {}",
        name,
        a,
        b
    );
    if ab.is_le() && bc.is_le() {
        prop_assert!(ac.is_le(), "{}: {} <= {} <= {}", name, a, b, c);
        prop_assert!(
            ac.is_lt() || (ab.is_eq() && bc.is_eq()),
            "{} strictly: {} {} {}",
            name,
            a,
            b,
            c
        );
    }
    Ok(())
}

/// Texts near the grammars, packaged ones with a release, so that most are read.
fn near(chain: &'static [&'static str]) -> impl Strategy<Value = String> {
    prop_oneof![
        3 => prop::sample::select(chain).prop_map(str::to_owned),
        2 => (prop::sample::select(chain), "[0-9a-c.~^+_-]{0,3}").prop_map(|(v, tail)| format!("{v}{tail}")),
        1 => version(),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn orders_are_total_preorders(which in 0..ORDERS.len(), seed in any::<u64>()) {
        let (name, order, chain) = ORDERS[which];
        let _ = seed;
        let mut runner = proptest::test_runner::TestRunner::new_with_rng(
            ProptestConfig::default(),
            proptest::test_runner::TestRng::from_seed(
                proptest::test_runner::RngAlgorithm::XorShift,
                &[seed.to_le_bytes(), (!seed).to_le_bytes()].concat(),
            ),
        );
        use proptest::strategy::ValueTree;
        let texts: Vec<String> = (0..8)
            .map(|_| near(chain).new_tree(&mut runner).unwrap().current())
            // A missing release means all of them, which is no order; and Maven's own is none on `-.`.
            .filter(|text| name != "rpm" || text.contains('-'))
            .filter(|text| name != "maven" || !text.contains(['+', '_', '~', '^']))
            .collect();
        for a in &texts {
            for b in &texts {
                for c in &texts {
                    check(name, order, [a, b, c])?;
                }
            }
        }
    }
}

fn verdict(scheme: &str, constraint: &str, version: &str) -> Status {
    let range = Range::exact_version(scheme, constraint, Status::Affected);
    evaluate(version, &[range], Status::Unaffected).status
}

#[test]
fn requirements_are_evaluated_in_their_language() {
    use Status::{Affected, Unaffected, Unknown};
    for (scheme, constraint, version, status) in [
        ("npm", "^1.2.0 || 3.x", "1.9.3", Affected),
        ("npm", "^1.2.0 || 3.x", "2.0.0", Unaffected),
        ("npm", ">=1.0.0 <1.4.2", "1.4.2-rc.1", Affected),
        ("npm", "^1.2.0", "2024-01-01", Unknown),
        ("PyPI", "~=1.4.2", "1.4.9", Affected),
        ("PyPI", "~=1.4.2", "1.5", Unaffected),
        ("python", "==1.4.*, !=1.4.3", "1.4.3", Unaffected),
        ("Maven", "[1.0,2.0),(2.1,]", "2.1", Unaffected),
        ("maven", "[1.0,2.0),(2.1,]", "2.1.1", Affected),
        ("maven", "(,1.5]", "1.5-rc1", Affected),
        ("RubyGems", "~> 2.2.0, != 2.2.3", "2.2.9", Affected),
        ("RubyGems", "~> 2.2.0, != 2.2.3", "2.3.0", Unaffected),
        ("gem", "~> 2.2", "2.9", Affected),
    ] {
        assert_eq!(
            verdict(scheme, constraint, version),
            status,
            "{scheme} {constraint} {version}"
        );
    }
}

#[test]
fn the_software_is_compared_with_a_distributions_package_as_far_as_it_goes() {
    let debian = |a: &str, b: &str| Scheme::of("Debian:12").compare(a, b);
    // Nixpkgs' version against Debian's: the package may hold the fix, the software alone cannot tell.
    assert_eq!(debian("1.1.1n", "1.1.1n-0+deb11u4"), None);
    assert_eq!(debian("1.1.1k", "1.1.1n-0+deb11u4"), Some(Ordering::Less));
    assert_eq!(debian("3.0", "1:2.9-4"), Some(Ordering::Greater));
    assert_eq!(debian("2.9-5", "1:2.9-4"), Some(Ordering::Less));
    assert_eq!(
        Scheme::of("Alpine:v3.18").compare("3.0.8", "3.0.8-r1"),
        None
    );
    assert_eq!(
        Scheme::of("Alpine:v3.18").compare("3.0.8-r0", "3.0.8-r1"),
        Some(Ordering::Less)
    );
    assert_eq!(
        Scheme::of("rpm").compare("4.18", "0:4.19.1-3.el9"),
        Some(Ordering::Less)
    );
    assert_eq!(
        Scheme::of("Red Hat:enterprise_linux:9").compare("20230311-1", "20240101-1"),
        Some(Ordering::Less)
    );
}

#[test]
fn moments_are_compared_with_moments() {
    let go = |a: &str, b: &str| Scheme::of("Go").compare(a, b);
    let named = "v0.0.0-20240601120000-abcdefabcdef";
    assert_eq!(go("0-unstable-2024-05-31", named), Some(Ordering::Less));
    assert_eq!(go("0-unstable-2024-06-02", named), Some(Ordering::Greater));
    assert_eq!(go("0-unstable-2024-06-01", named), None);
    assert_eq!(go("1.2.3", "v1.2.4"), Some(Ordering::Less));
    let python = |a: &str, b: &str| Scheme::of("PyPI").compare(a, b);
    assert_eq!(python("2023.07.22", "2024.2.2"), Some(Ordering::Less));
    assert_eq!(python("1.2.3-unstable-2024-01-01", "1.3"), None);
    assert_eq!(python("2024-01-01", "1.3"), None);
}
