//! The statement of a step, and the statements of a whole chain in order.

use crate::archive::Packing;
use crate::build::{CLOCK, Record, USER};
use crate::chain::{Chain, Made};
use crate::plan::Planned;
use crate::store::{Object, Store};
use nix_store_path::StoreDir;
use nix_store_path::encoding::to_base16;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

/// The store's directory of envelopes.
pub const STATEMENTS: &str = "statements";

/// What is needed of each item: its object, and the result if it was made here.
pub(super) struct Items<'a> {
    pub(super) objects: BTreeMap<usize, Object>,
    pub(super) records: BTreeMap<usize, &'a Record>,
}

/// The statements of all archives and steps, by item, as the bytes that are signed.
pub fn statements(
    chain: &Chain,
    planned: &[Planned],
    records: &BTreeMap<usize, Record>,
    sources: &BTreeMap<usize, Object>,
    store: &Store,
) -> BTreeMap<usize, Vec<u8>> {
    let mut objects = sources.clone();
    for (number, record) in records {
        if let Ok(path) = nix_store_path::StorePath::new(&record.object)
            && let Ok(object) = store.check(&path)
        {
            objects.insert(*number, object);
        }
    }
    let items = Items {
        objects,
        records: records
            .iter()
            .map(|(number, record)| (*number, record))
            .collect(),
    };
    let mut all: BTreeMap<usize, Vec<u8>> = BTreeMap::new();
    for number in records.keys() {
        let statement = statement(chain, planned, *number, &items, &all);
        let bytes = serde_json::to_vec(&statement).expect("a statement is plain data");
        all.insert(*number, bytes);
    }
    all
}

/// SHA-256 of a statement, in hexadecimal.
pub(super) fn digest(statement: &[u8]) -> String {
    to_base16(&Sha256::digest(statement))
}

fn statement(
    chain: &Chain,
    planned: &[Planned],
    number: usize,
    items: &Items<'_>,
    before: &BTreeMap<usize, Vec<u8>>,
) -> Value {
    let item = &chain.items[number];
    let directory = StoreDir::default();
    let record = items.records[&number];
    let dependencies: Vec<Value> = item
        .made
        .needs()
        .iter()
        .filter_map(|need| {
            let object = items.objects.get(need)?;
            let path = planned[*need].path()?;
            let mut dependency = json!({
                "name": chain.items[*need].name.as_str(),
                "uri": format!("nix:{}", directory.join(path)),
                "digest": { "narSha256": object.nar.base16() },
            });
            // This chains the statements: a step speaks of what the step before said.
            if let Some(statement) = before.get(need) {
                dependency["annotations"] = json!({ "statementSha256": digest(statement) });
            }
            Some(dependency)
        })
        .collect();
    let parameters = match (&item.made, &planned[number]) {
        (Made::Step(step), Planned::Step(plan)) => json!({
            "chain": chain.name,
            "step": item.name.as_str(),
            "derivation": directory.join(&plan.path),
            "program": plan.program,
            "arguments": plan.arguments,
            "environment": plan.derivation.env.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect::<BTreeMap<_, _>>(),
            "systemCallsAllowed": step.calls,
            "limits": step.limits,
        }),
        (Made::Unpacked { packing, strip, .. }, _) => {
            unpacking(chain, item.name.as_str(), *packing, *strip)
        }
        _ => Value::Null,
    };
    json!({
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{ "name": record.out, "digest": { "narSha256": record.nar_sha256 } }],
        "predicateType": "https://slsa.dev/provenance/v1",
        "predicate": {
            "buildDefinition": {
                "buildType": "urn:rootstock:seed-step:1",
                "externalParameters": parameters,
                "internalParameters": { "uid": USER, "clock": CLOCK, "umask": "022" },
                "resolvedDependencies": dependencies,
            },
            "runDetails": {
                "builder": { "id": "urn:rootstock:seed-build", "version": { "seed-build": env!("CARGO_PKG_VERSION") } },
                "byproducts": [{ "name": "system-calls", "annotations": record.calls }],
            },
        },
    })
}

fn unpacking(chain: &Chain, name: &str, packing: Packing, strip: usize) -> Value {
    json!({ "chain": chain.name, "step": name, "unpack": packing, "strip": strip })
}
