//! The tidy rules hold for the tree, and each rule catches what it is there for.

use super::{dependencies, files};

#[test]
fn the_house_is_tidy() {
    let problems = super::problems().expect("git and cargo answer");
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

#[test]
fn a_file_without_header_too_long_or_tied_to_a_machine_is_named() {
    assert_eq!(
        files::check("a.rs", "//! A header.\nfn f() {}\n"),
        Vec::<String>::new()
    );
    assert!(files::check("a.rs", "fn f() {}\n")[0].contains("module header"));
    assert!(
        files::check("a.rs", &format!("//! A header.\n{}", "x\n".repeat(800)))[0]
            .contains("801 lines")
    );
    assert!(files::check("a.rs", "//! A header. \n")[0].contains("a.rs:1: trailing space"));
    let path = ["/wo", "rk/main"].concat();
    assert!(files::check("README.md", &path)[0].contains("belongs to one machine"));
}

#[test]
fn a_pure_crate_with_a_runtime_and_a_product_that_reaches_another_are_named() {
    let mut graph = dependencies::Graph::default();
    for name in ["boot-pe", "tracker-match", "nix-version"] {
        graph.ours.insert(name.to_owned());
    }
    let edge = |graph: &mut dependencies::Graph, from: &str, to: &str| {
        graph
            .edges
            .entry(from.to_owned())
            .or_default()
            .insert(to.to_owned());
    };
    edge(&mut graph, "tracker-match", "nix-version");
    assert!(dependencies::check(&graph).is_empty());
    edge(&mut graph, "tracker-match", "helper");
    edge(&mut graph, "helper", "tokio");
    edge(&mut graph, "boot-pe", "tracker-match");
    let problems = dependencies::check(&graph);
    assert!(
        problems
            .iter()
            .any(|p| p.starts_with("tracker-match: is pure but reaches `tokio`"))
    );
    assert!(
        problems
            .iter()
            .any(|p| p.starts_with("boot-pe: depends on `tracker-match` of another product"))
    );
}
