//! Graphs: orders, closures and cycles, against their definitions on random graphs.

use crate::{Graph, GraphBuilder};
use nix_store_path::{Name, StorePath};
use proptest::prelude::*;

fn path(i: u8) -> StorePath {
    StorePath::from_digest([i; 20], Name::new("n.drv").unwrap())
}

/// Nodes 0..count, with these edges.
fn graph(count: u8, edges: &[(u8, u8)]) -> Graph<u8> {
    let mut builder = GraphBuilder::default();
    for i in 0..count {
        builder.number(&path(i));
    }
    for i in 0..count {
        let inputs: Vec<_> = edges
            .iter()
            .filter(|(from, _)| *from == i)
            .map(|(_, to)| path(*to))
            .collect();
        assert!(builder.add(&path(i), i, &inputs));
        assert!(!builder.add(&path(i), 99, &inputs));
    }
    builder.build()
}

#[test]
fn a_cycle_names_those_that_wait() {
    let graph = graph(4, &[(0, 1), (1, 2), (2, 1)]);
    let cycle = graph.in_build_order().unwrap_err();
    assert_eq!(cycle.0, [0, 1, 2]);
    assert_eq!(graph.find(&path(3)), Some(3));
    assert_eq!(graph.data(3), Some(&3));
    assert_eq!(graph.tops().collect::<Vec<_>>(), [0, 3]);
}

proptest! {
    #[test]
    fn orders_and_closures_agree_with_the_edges(edges in proptest::collection::vec((0u8..12, 0u8..12), 0..40)) {
        let edges: Vec<_> = edges.into_iter().filter(|(from, to)| from > to).collect();
        let graph = graph(12, &edges);
        let order = graph.in_build_order().unwrap();
        let place = |node: u32| order.iter().position(|other| *other == node).unwrap();
        for &(from, to) in &edges {
            let (from, to) = (u32::from(from), u32::from(to));
            prop_assert!(place(to) < place(from));
            prop_assert!(graph.inputs(from).contains(&to) && graph.dependents(to).contains(&from));
        }
        for node in graph.nodes() {
            let closure = graph.closure(&[node]);
            for other in graph.nodes() {
                prop_assert_eq!(closure[other as usize], graph.needing(&[other])[node as usize]);
            }
        }
        let distinct: std::collections::BTreeSet<_> = edges.iter().collect();
        prop_assert_eq!(graph.edges(), distinct.len());
    }
}
