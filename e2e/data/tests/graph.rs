//! The seed auditor on both real build graphs of nixos-19.09: what dominates, its share, and what changed between
//! the two. The numbers are those of docs/seed/audit-nixos-19.09.md.

use seed_graph::content::Budget;
use seed_graph::load::Loader;
use seed_graph::{Audit, Difference, cut};

fn audit(date: &str) -> Audit {
    let mut loader = Loader::default();
    loader.path(&real_data::path(&format!(
        "nixpkgs/drvs-nixos-19.09-{date}.jsonl.zst"
    )));
    Audit::new(loader.finish(), Budget::default(), &mut |_, _| ())
}

#[test]
fn bootstrap_tools_dominate_nixos_19_09_and_the_difference_is_small() {
    let (old, new) = (audit("2019-10-03"), audit("2019-11-17"));
    for audit in [&old, &new] {
        assert!(audit.problems.is_empty(), "{:?}", audit.problems);
        let (top, freed) = audit.top_dominators(1)[0];
        assert_eq!(audit.name(top), "bootstrap-tools");
        let standing = audit.standing();
        let share = f64::from(freed) / f64::from(standing.made);
        assert!(
            share > 0.8,
            "bootstrap-tools dominate {share} of {standing:?}"
        );
        // GNU hello is freed by cutting no more than the two files that bootstrap-tools are made from.
        let hello = audit.find("hello-2.10");
        let set = cut::smallest(&audit.graph, &audit.seeds, hello[0], |_| false);
        let set: Vec<&str> = set
            .as_ref()
            .expect("nothing is kept")
            .iter()
            .map(|node| audit.name(*node))
            .collect();
        assert_eq!(set, ["bootstrap-tools"]);
    }
    let difference = Difference::new(&old, &new);
    assert!(
        difference.same > 10 * difference.changes.len(),
        "most roots are the same"
    );
}
