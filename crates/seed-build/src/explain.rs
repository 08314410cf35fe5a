//! Why two runs of a chain, or two things that should be equal, are not: the first item that differs, and where in it.
//!
//! Invariant: items are looked at in the chain's order, so what is named first is a cause and not a consequence.

use crate::build::Record;
use crate::chain::{Chain, Made};
use crate::difference::{Difference, difference};
use crate::input::{InputError, Sources, obtain};
use crate::plan::{PlanError, Planned, plan};
use crate::store::{Object, Store, StoreError, content_path};
use nix_store_path::StorePath;
use serde::Serialize;
use std::collections::BTreeMap;
use std::io;
use thiserror::Error;

/// Why nothing can be explained.
#[derive(Debug, Error)]
pub enum ExplainError {
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// An input that cannot be read.
    #[error(transparent)]
    Input(#[from] InputError),
    /// A step that cannot be planned.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// Two things that cannot be compared.
    #[error("comparing")]
    Compare(#[from] io::Error),
}

/// What is different, and in which item.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Explained {
    /// Name of the item.
    pub item: String,
    /// `input`, `unpack` or `step`.
    pub kind: &'static str,
    /// Which two things were compared.
    pub compared: String,
    /// Where they differ; nothing if one of them is not there.
    pub difference: Option<Difference>,
}

/// The things of one run, by item.
pub type Objects = BTreeMap<usize, Object>;

/// What a store has of a chain, and which inputs are not what the chain states.
///
/// # Errors
/// [`ExplainError`].
pub fn objects(
    chain: &Chain,
    store: &Store,
    sources: &Sources,
) -> Result<(Objects, Vec<Explained>), ExplainError> {
    let (mut found, mut wrong) = (Objects::new(), Vec::new());
    for (number, item) in chain.items.iter().enumerate() {
        match &item.made {
            Made::Input(input) => match obtain(chain, item, input, store, sources) {
                Ok(object) => drop(found.insert(number, object)),
                Err(InputError::Hash { object, .. }) => {
                    let stated = store
                        .stated(&item.name, input)?
                        .and_then(|path| store.whole(&path));
                    let now = store.object(&object.path);
                    let compared = match stated {
                        Some(_) => "what the chain states and what is there",
                        None => {
                            "the store has nothing with the hash that the chain states, so no byte can be named"
                        }
                    };
                    let difference =
                        stated.map(|stated| difference(&store.object(&stated.path), &now));
                    wrong.push(explained(
                        chain,
                        number,
                        compared,
                        difference.transpose()?.flatten(),
                    ));
                }
                Err(InputError::NotObtainable { .. }) => {}
                Err(error) => return Err(error.into()),
            },
            Made::Unpacked { sha256, .. } => {
                let whole = store.whole(&content_path(&item.name, *sha256));
                found.extend(whole.map(|object| (number, object)));
            }
            Made::Step(_) => {}
        }
    }
    let paths = found
        .iter()
        .map(|(number, object)| (*number, object.path.clone()))
        .collect();
    for (number, planned) in plan(chain, &paths, store)?.iter().enumerate() {
        let Planned::Step(step) = planned else {
            continue;
        };
        let record: Option<Record> = store.record("results", &step.out.to_string())?;
        let path = record.and_then(|record| StorePath::new(&record.object).ok());
        found.extend(
            path.and_then(|path| store.whole(&path))
                .map(|object| (number, object)),
        );
    }
    Ok((found, wrong))
}

/// The first item in which two runs differ.
///
/// # Errors
/// What cannot be read.
pub fn runs(
    chain: &Chain,
    left: (&Store, &Objects),
    right: (&Store, &Objects),
) -> io::Result<Option<Explained>> {
    for number in 0..chain.items.len() {
        let (one, other) = (left.1.get(&number), right.1.get(&number));
        let (Some(one), Some(other)) = (one, other) else {
            if one.is_some() != other.is_some() {
                return Ok(Some(explained(
                    chain,
                    number,
                    "only one of the runs has it",
                    None,
                )));
            }
            continue;
        };
        let (one, other) = (left.0.object(&one.path), right.0.object(&other.path));
        if let Some(found) = difference(&one, &other)? {
            let compared = format!("{} and {}", one.display(), other.display());
            return Ok(Some(explained(chain, number, &compared, Some(found))));
        }
    }
    Ok(None)
}

/// Items of one run that are not what the chain says: not equal to the item that they must equal.
///
/// # Errors
/// What cannot be read.
pub fn within(chain: &Chain, store: &Store, objects: &Objects) -> io::Result<Vec<Explained>> {
    let mut all = Vec::new();
    for (number, item) in chain.items.iter().enumerate() {
        let Made::Step(step) = &item.made else {
            continue;
        };
        let other = step
            .same_as
            .and_then(|other| Some((other, objects.get(&other)?)));
        if let (Some(object), Some((same, other))) = (objects.get(&number), other)
            && let Some(found) =
                difference(&store.object(&other.path), &store.object(&object.path))?
        {
            let compared = format!("{} and {}", chain.items[same].name, item.name);
            all.push(explained(chain, number, &compared, Some(found)));
        }
        if let (Some(object), Some(stated)) = (objects.get(&number), step.sha256)
            && object.nar != stated
        {
            let wanted = store.whole(&content_path(&item.name, stated));
            let found = wanted
                .map(|wanted| difference(&store.object(&wanted.path), &store.object(&object.path)));
            let compared = format!(
                "the output with the NAR SHA-256 {} that the chain states, and {}",
                stated.base16(),
                object.nar.base16()
            );
            all.push(explained(
                chain,
                number,
                &compared,
                found.transpose()?.flatten(),
            ));
        }
    }
    Ok(all)
}

fn explained(
    chain: &Chain,
    number: usize,
    compared: &str,
    difference: Option<Difference>,
) -> Explained {
    let item = &chain.items[number];
    Explained {
        item: item.name.to_string(),
        kind: match item.made {
            Made::Input(_) => "input",
            Made::Unpacked { .. } => "unpack",
            Made::Step(_) => "step",
        },
        compared: compared.to_owned(),
        difference,
    }
}
