//! The report for programs. The shape is versioned: `version` changes when a field changes its meaning.

use crate::{Audit, Key, Origin, Root, reused};
use nix_derivation::Node;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// The report as JSON.
pub fn json(audit: &Audit) -> Value {
    let standing = audit.standing();
    let mut classes: BTreeMap<&str, usize> = BTreeMap::new();
    for root in &audit.roots {
        *classes.entry(root.class.name()).or_default() += 1;
    }
    let dominators = audit.top_dominators(100);
    let reused = reused(&audit.graph);
    json!({
        "version": 1,
        "store": audit.store.as_str(),
        "summary": {
            "made": standing.made,
            "onSeeds": standing.on_seeds,
            "roots": audit.roots.len(),
            "seeds": audit.seed_roots().len(),
            "rootsByClass": classes,
        },
        "seeds": audit.seed_roots().into_iter().map(|seed| root(audit, seed)).collect::<Vec<_>>(),
        "dominators": dominators.into_iter().map(|(node, freed)| json!({ "name": audit.name(node), "path": path(audit, node), "frees": freed })).collect::<Vec<_>>(),
        "longestChain": audit.longest_of_all().map(|chain| chain.into_iter().map(|node| path(audit, node)).collect::<Vec<_>>()),
        "reusedHashes": reused.iter().map(|reuse| json!({ "hash": reuse.address.hash.sri(), "names": reuse.names })).collect::<Vec<_>>(),
        "problems": audit.problems.iter().map(|problem| json!({ "place": problem.place, "message": problem.message })).collect::<Vec<_>>(),
    })
}

/// One root.
fn root(audit: &Audit, root: &Root) -> Value {
    let item = audit.graph.data(root.node);
    let hash = match item.map(|item| &item.origin) {
        Some(Origin::Fixed {
            address: Some(address),
            ..
        }) => Some(address.hash.sri()),
        _ => None,
    };
    let content = root.content.as_ref().map(|content| {
        let classes: BTreeMap<_, _> = content
            .classes
            .iter()
            .map(|(class, share)| {
                (
                    class.name(),
                    json!({ "files": share.files, "bytes": share.bytes }),
                )
            })
            .collect();
        let examples = content
            .examples
            .iter()
            .map(|(place, class, bytes)| json!({ "place": place, "class": class, "bytes": bytes }));
        json!({ "classes": classes, "examples": examples.collect::<Vec<_>>() })
    });
    json!({
        "name": audit.name(root.node),
        "path": path(audit, root.node),
        "output": item.and_then(|item| item.output.as_ref()).map(ToString::to_string),
        "hash": hash,
        "url": item.and_then(|item| item.url.as_ref()),
        "class": root.class,
        "verdict": root.verdict(),
        "evidence": root.evidence,
        "reason": root.reason,
        "opaqueBytes": root.opaque_bytes(),
        "neededBy": audit.needed_by(root.node),
        "frees": audit.dominators.freed_by(root.node).saturating_sub(1),
        "content": content,
    })
}

/// What names a node: a store path's base name, or a path of the host.
pub(super) fn path(audit: &Audit, node: Node) -> String {
    match audit.graph.path(node) {
        Key::Object(path) => path.to_string(),
        Key::Host(path) => path.clone(),
    }
}
