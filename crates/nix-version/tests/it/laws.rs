//! The laws of a total preorder, for each order; and what the partial comparison may never contradict.
//!
//! Invariant: reflexive, antisymmetric under reversal, transitive.

use crate::versions::{TRICKY, semantic, version};
use nix_version::semver::SemVer;
use nix_version::{Scheme, nix, upstream};
use proptest::prelude::*;
use std::cmp::Ordering;

type Order = fn(&str, &str) -> Ordering;

fn precedence(left: &str, right: &str) -> Ordering {
    SemVer::parse(left)
        .unwrap()
        .precedence(&SemVer::parse(right).unwrap())
}

fn check(order: Order, a: &str, b: &str, c: &str) -> Result<(), TestCaseError> {
    prop_assert_eq!(order(a, a), Ordering::Equal, "reflexive: {}", a);
    prop_assert_eq!(order(a, b), order(b, a).reverse(), "reversal: {} {}", a, b);
    if order(a, b).is_le() && order(b, c).is_le() {
        prop_assert!(order(a, c).is_le(), "transitive: {} <= {} <= {}", a, b, c);
        if order(a, b).is_lt() || order(b, c).is_lt() {
            prop_assert!(order(a, c).is_lt(), "strictly: {} {} {}", a, b, c);
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn nix_order_is_a_total_preorder(a in version(), b in version(), c in version()) {
        check(nix::compare, &a, &b, &c)?;
    }

    #[test]
    fn upstream_order_is_a_total_preorder(a in version(), b in version(), c in version()) {
        check(upstream::compare, &a, &b, &c)?;
    }

    #[test]
    fn semver_precedence_is_a_total_preorder(a in semantic(), b in semantic(), c in semantic()) {
        check(precedence, &a, &b, &c)?;
    }

    #[test]
    fn semver_agrees_with_its_peer(a in semantic(), b in semantic()) {
        let (left, right) = (semver::Version::parse(&a).unwrap(), semver::Version::parse(&b).unwrap());
        prop_assert_eq!(precedence(&a, &b), left.cmp_precedence(&right), "{} {}", a, b);
    }

    #[test]
    fn semver_grammar_agrees_with_its_peer(text in version()) {
        let peer = semver::Version::parse(&text).is_ok();
        // The peer holds numbers of 64 bits; the grammar has no limit.
        let long = text.split(|c: char| !c.is_ascii_digit()).any(|number| number.len() > 19);
        prop_assert!(SemVer::parse(&text).is_some() == peer || long, "{}", text);
    }

    #[test]
    fn partial_comparison_reverses_where_both_sides_answer(a in version(), b in version()) {
        for scheme in [Scheme::Nix, Scheme::SemVer, Scheme::Upstream, Scheme::Commit] {
            if let (Some(there), Some(back)) = (scheme.compare(&a, &b), scheme.compare(&b, &a)) {
                prop_assert_eq!(there, back.reverse(), "{:?} {} {}", scheme, a, b);
            }
        }
    }
}

#[test]
fn the_laws_hold_on_every_triple_of_tricky_versions() {
    for order in [nix::compare as Order, upstream::compare] {
        let matrix: Vec<Vec<Ordering>> = TRICKY
            .iter()
            .map(|a| TRICKY.iter().map(|b| order(a, b)).collect())
            .collect();
        for a in 0..TRICKY.len() {
            assert_eq!(matrix[a][a], Ordering::Equal);
            for b in 0..TRICKY.len() {
                assert_eq!(matrix[a][b], matrix[b][a].reverse());
                for c in 0..TRICKY.len() {
                    let (ab, bc, ac) = (matrix[a][b], matrix[b][c], matrix[a][c]);
                    let names = (TRICKY[a], TRICKY[b], TRICKY[c]);
                    assert!(ab.is_gt() || bc.is_gt() || ac.is_le(), "{names:?}");
                    assert!(!(ab.is_eq() && bc.is_eq()) || ac.is_eq(), "{names:?}");
                }
            }
        }
    }
}
