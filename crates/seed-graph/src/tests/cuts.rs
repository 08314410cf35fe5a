//! Dominators and minimum cuts, against their definitions on random graphs.

use crate::dominators::Dominators;
use crate::{Item, Key, Origin, Trust, cut};
use nix_derivation::{GraphBuilder, Node};
use proptest::prelude::*;

const COUNT: u8 = 9;

fn key(i: u8) -> Key {
    Key::Host(format!("/{i}"))
}

/// A graph of nodes 0..COUNT in which each may be made from lower ones.
pub(super) fn graph(edges: &[(u8, u8)]) -> Trust {
    let mut builder = GraphBuilder::default();
    for i in 0..COUNT {
        let item = Item {
            name: i.to_string(),
            origin: Origin::Made,
            output: None,
            url: None,
        };
        let inputs: Vec<Key> = edges
            .iter()
            .filter(|(from, _)| *from == i)
            .map(|(_, to)| key(*to))
            .collect();
        builder.number(&key(i));
        builder.add(&key(i), item, &inputs);
    }
    builder.build()
}

fn number(graph: &Trust, i: u8) -> Node {
    graph.find(&key(i)).unwrap()
}

/// Does a chain lead from the node to a seed, without the removed nodes?
fn stands(graph: &Trust, seeds: &[bool], removed: u32, node: Node) -> bool {
    if removed >> node & 1 == 1 {
        return false;
    }
    seeds[node as usize]
        || graph
            .inputs(node)
            .iter()
            .any(|input| stands(graph, seeds, removed, *input))
}

fn graphs() -> impl Strategy<Value = (Trust, Vec<bool>)> {
    let edges = proptest::collection::vec((0..COUNT, 0..COUNT), 0..26);
    let seeds = proptest::collection::vec(proptest::bool::weighted(0.3), COUNT as usize);
    (edges, seeds).prop_map(|(edges, wanted)| {
        let edges: Vec<_> = edges.into_iter().filter(|(from, to)| from > to).collect();
        let graph = graph(&edges);
        let mut seeds = vec![false; graph.len()];
        for i in 0..COUNT {
            let node = number(&graph, i);
            // Seeds are made from nothing.
            seeds[node as usize] = wanted[i as usize] && graph.inputs(node).is_empty();
        }
        (graph, seeds)
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn dominators_are_those_whose_removal_frees((graph, seeds) in graphs()) {
        let order = graph.in_build_order().unwrap();
        let dominators = Dominators::new(&graph, &order, &seeds);
        for node in graph.nodes() {
            prop_assert_eq!(dominators.stands_on_seed(node), stands(&graph, &seeds, 0, node));
            let found: Vec<Node> = dominators.of(node).collect();
            let freed = graph.nodes().filter(|other| stands(&graph, &seeds, 0, *other) && !stands(&graph, &seeds, 1 << node, *other));
            prop_assert_eq!(dominators.freed_by(node) as usize, freed.count());
            for other in graph.nodes().filter(|other| *other != node) {
                let by_removal = stands(&graph, &seeds, 0, node) && !stands(&graph, &seeds, 1 << other, node);
                prop_assert_eq!(found.contains(&other), by_removal);
            }
        }
    }

    #[test]
    fn cuts_are_smallest_of_all_sets((graph, seeds) in graphs(), target in 0..COUNT, kept in 0u32..1 << COUNT) {
        let target = number(&graph, target);
        let kept = kept & !(1 << target);
        let found = cut::smallest(&graph, &seeds, target, |node| kept >> node & 1 == 1);
        let sets = (0u32..1 << COUNT).filter(|set| {
            let target_only_as_seed = set >> target & 1 == 0 || seeds[target as usize];
            set & kept == 0 && target_only_as_seed && !stands(&graph, &seeds, *set, target)
        });
        let best = sets.map(u32::count_ones).min();
        prop_assert_eq!(found.as_ref().map(|cut| cut.len() as u32), best);
        if let Some(cut) = found {
            let removed = cut.iter().fold(0, |set, node| set | 1 << node);
            prop_assert!(!stands(&graph, &seeds, removed, target));
            let order = graph.in_build_order().unwrap();
            let freed = graph.nodes().filter(|node| stands(&graph, &seeds, 0, *node) && !stands(&graph, &seeds, removed, *node));
            prop_assert_eq!(cut::freed(&graph, &order, &seeds, &cut) as usize, freed.count());
        }
    }
}
