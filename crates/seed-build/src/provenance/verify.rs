//! Checking a whole chain without building it: every input, result and statement, and every signature.
//!
//! Invariant: what is wrong is named with the item it belongs to; a chain with anything missing is not good.

use super::statement::{STATEMENTS, digest, statements};
use super::{Envelope, ProvenanceError, PublicKey};
use crate::build::Record;
use crate::causes::told;
use crate::chain::{Chain, Made};
use crate::plan::{Planned, plan};
use crate::store::{Object, Store, content_path};
use nix_store_path::{StoreDir, StorePath};
use serde_json::Value;
use std::collections::BTreeMap;

/// What was found wrong, and with which item.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Finding {
    /// Its name.
    pub item: String,
    /// What is wrong.
    pub problem: String,
}

/// All that was checked.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct Verified {
    /// Items whose content, statement and signatures are right.
    pub good: Vec<String>,
    /// What is wrong.
    pub findings: Vec<Finding>,
}

struct Verifying<'v> {
    chain: &'v Chain,
    store: &'v Store,
    verified: Verified,
}

/// Verifies a chain; each statement needs signatures of `enough` of the keys.
///
/// # Errors
/// [`ProvenanceError::Envelope`] when no keys could ever be enough.
pub fn verify(
    chain: &Chain,
    store: &Store,
    keys: &[PublicKey],
    enough: usize,
) -> Result<Verified, ProvenanceError> {
    let mut distinct: Vec<PublicKey> = Vec::new();
    for key in keys {
        if !distinct.contains(key) {
            distinct.push(key.clone());
        }
    }
    if enough == 0 || enough > distinct.len() {
        return Err(ProvenanceError::Envelope(format!(
            "{enough} of {} keys can never be enough",
            distinct.len()
        )));
    }
    let mut verifying = Verifying {
        chain,
        store,
        verified: Verified::default(),
    };
    let sources = verifying.sources();
    let paths = sources
        .iter()
        .map(|(number, object)| (*number, object.path.clone()))
        .collect();
    let planned = match plan(chain, &paths, store) {
        Ok(planned) => planned,
        Err(error) => {
            verifying.wrong("chain", told(&error));
            return Ok(verifying.verified);
        }
    };
    let records = verifying.records(&planned, &sources);
    let expected = statements(chain, &planned, &records, &sources, store);
    for (number, item) in chain.items.iter().enumerate() {
        let name = item.name.as_str();
        match (&item.made, expected.get(&number)) {
            (Made::Input(_), _) if sources.contains_key(&number) => {
                verifying.verified.good.push(name.to_owned());
            }
            (Made::Input(_), _) => {}
            (_, None) => {
                if matches!(planned[number], Planned::Blocked) {
                    verifying.wrong(name, "it needs what is missing or wrong".to_owned());
                }
            }
            (_, Some(statement)) => {
                match signed(store, &records[&number], statement, &distinct, enough) {
                    Ok(()) => verifying.verified.good.push(name.to_owned()),
                    Err(problem) => verifying.wrong(name, problem),
                }
            }
        }
    }
    Ok(verifying.verified)
}

impl Verifying<'_> {
    fn wrong(&mut self, item: &str, problem: String) {
        self.verified.findings.push(Finding {
            item: item.to_owned(),
            problem,
        });
    }

    /// Inputs and unpacked trees, by the hashes that the chain states.
    fn sources(&mut self) -> BTreeMap<usize, Object> {
        let mut sources = BTreeMap::new();
        for (number, item) in self.chain.items.iter().enumerate() {
            let path = match &item.made {
                Made::Unpacked { sha256, .. } => content_path(&item.name, *sha256),
                Made::Input(input) => match self.store.stated(&item.name, input) {
                    Ok(Some(path)) => path,
                    Ok(None) => {
                        let hash = input.sha256.base16();
                        self.wrong(
                            item.name.as_str(),
                            format!("no file with the SHA-256 {hash} that the chain states is in the store"),
                        );
                        continue;
                    }
                    Err(error) => {
                        self.wrong(item.name.as_str(), told(&error));
                        continue;
                    }
                },
                Made::Step(_) => continue,
            };
            match self.store.check(&path) {
                Ok(object) => drop(sources.insert(number, object)),
                Err(error) => self.wrong(item.name.as_str(), told(&error)),
            }
        }
        sources
    }

    /// The records of archives and steps whose objects are whole.
    fn records(
        &mut self,
        planned: &[Planned],
        sources: &BTreeMap<usize, Object>,
    ) -> BTreeMap<usize, Record> {
        let mut records = BTreeMap::new();
        for (number, item) in self.chain.items.iter().enumerate() {
            let (out, derivation) = match (&item.made, &planned[number]) {
                (Made::Unpacked { .. }, Planned::Source(path)) if sources.contains_key(&number) => {
                    (path, None)
                }
                (Made::Step(_), Planned::Step(step)) => (&step.out, Some(&step.path)),
                _ => continue,
            };
            match self.record(number, out, derivation) {
                Ok(record) => drop(records.insert(number, record)),
                Err(problem) => self.wrong(item.name.as_str(), problem),
            }
        }
        records
    }

    fn record(
        &self,
        number: usize,
        out: &StorePath,
        derivation: Option<&StorePath>,
    ) -> Result<Record, String> {
        let record: Option<Record> = self
            .store
            .record("results", &out.to_string())
            .map_err(|error| told(&error))?;
        let record = record.ok_or("there is no result of it")?;
        let path = StorePath::new(&record.object).map_err(|error| told(&error))?;
        let object = self.store.check(&path).map_err(|error| told(&error))?;
        if object.nar.base16() != record.nar_sha256 {
            return Err("its record names another object than it has".to_owned());
        }
        let directory = StoreDir::default();
        if record.name != self.chain.items[number].name.as_str()
            || record.out != directory.join(out)
            || record.derivation != derivation.map(|path| directory.join(path))
        {
            return Err("its record is about something else".to_owned());
        }
        if let Made::Step(step) = &self.chain.items[number].made
            && step.sha256.is_some_and(|stated| stated != object.nar)
        {
            return Err("its output is not what the chain states".to_owned());
        }
        Ok(record)
    }
}

/// The envelope of a result: the expected statement, signed by enough keys.
fn signed(
    store: &Store,
    record: &Record,
    expected: &[u8],
    keys: &[PublicKey],
    enough: usize,
) -> Result<(), String> {
    let base = record.out.rsplit('/').next().unwrap_or_default();
    let envelope: Option<Envelope> = store
        .record(STATEMENTS, base)
        .map_err(|error| told(&error))?;
    let envelope = envelope.ok_or("there is no statement about it")?;
    let payload = envelope.payload().map_err(|error| told(&error))?;
    if payload != expected {
        return Err(differs(&payload, expected));
    }
    let signers = envelope.signers(keys).map_err(|error| told(&error))?;
    if signers.len() < enough {
        return Err(format!(
            "its statement is signed by {} of the keys, {enough} are needed",
            signers.len()
        ));
    }
    Ok(())
}

/// Where a statement differs from the one that chain and store give.
fn differs(found: &[u8], expected: &[u8]) -> String {
    let (Ok(found_value), Ok(expected_value)) = (
        serde_json::from_slice::<Value>(found),
        serde_json::from_slice::<Value>(expected),
    ) else {
        return "its statement is no JSON".to_owned();
    };
    let mut path = String::new();
    if first_difference(&found_value, &expected_value, &mut path) {
        return format!("its statement differs at {path}");
    }
    let (found, expected) = (digest(found), digest(expected));
    format!("its statement has other bytes (SHA-256 {found}, expected {expected})")
}

fn first_difference(left: &Value, right: &Value, path: &mut String) -> bool {
    let length = path.len();
    match (left, right) {
        (Value::Object(left), Value::Object(right)) => {
            let keys = left.keys().chain(right.keys());
            for key in keys {
                path.push('/');
                path.push_str(key);
                let (left, right) = (left.get(key), right.get(key));
                if first_difference(
                    left.unwrap_or(&Value::Null),
                    right.unwrap_or(&Value::Null),
                    path,
                ) {
                    return true;
                }
                path.truncate(length);
            }
            false
        }
        (Value::Array(left), Value::Array(right)) if left.len() == right.len() => {
            for (index, (left, right)) in left.iter().zip(right).enumerate() {
                path.push('/');
                path.push_str(&index.to_string());
                if first_difference(left, right, path) {
                    return true;
                }
                path.truncate(length);
            }
            false
        }
        _ => left != right,
    }
}
