//! One promised content under several names: a fixed output whose hash another derivation states under another
//! name or address. Harmless for mirrors, telling when a hash was copied and not updated: the store then serves
//! the old content under the new name.

use crate::{Origin, Trust};
use nix_derivation::Node;
use nix_store_path::ContentAddress;
use std::collections::{BTreeMap, BTreeSet};

/// A content that several names stand for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reuse {
    /// The content.
    pub address: ContentAddress,
    /// Who states it.
    pub nodes: Vec<Node>,
    /// Under which names.
    pub names: BTreeSet<String>,
}

/// Every content that is stated under more than one name. Graphs without hashes have none.
pub fn reused(graph: &Trust) -> Vec<Reuse> {
    let mut by_address: BTreeMap<ContentAddress, Vec<Node>> = BTreeMap::new();
    for node in graph.nodes() {
        if let Some(Origin::Fixed {
            address: Some(address),
            ..
        }) = graph.data(node).map(|item| &item.origin)
        {
            by_address.entry(*address).or_default().push(node);
        }
    }
    let named = by_address.into_iter().map(|(address, nodes)| {
        let names = nodes
            .iter()
            .filter_map(|node| graph.data(*node))
            .map(|item| item.name.clone());
        Reuse {
            address,
            names: names.collect(),
            nodes,
        }
    });
    named.filter(|reuse| reuse.names.len() > 1).collect()
}
