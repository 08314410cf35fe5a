//! The stream that `nix-eval-jobs` prints: an object a line, one for each attribute.
//!
//! Shape: `{"attr": …, "name": …, "drvPath": …, "outputs": {…}, "meta"?: {…}}`, or `{"attr": …, "error": …}`.
//! Invariant: an attribute whose evaluation failed is refused with the evaluator's first line, never left out in
//! silence.

use crate::error::InventoryError;
use crate::inventory::{Header, Inventory, Sink};
use crate::lenient::{Object, URL, Words};
use crate::nixpkgs::{Entry, NAMELESS};
use crate::package::Package;
use serde::Deserialize;
use std::io::Read;

/// Longest reason of the evaluator that is kept, in characters.
const MAX_REASON: usize = 200;

/// Reader of the stream of `nix-eval-jobs`.
#[derive(Debug, Clone, Copy, Default)]
pub struct EvaluationJobs;

/// A line.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Job {
    attr: Words<URL>,
    error: Words<URL>,
    #[serde(flatten)]
    entry: Entry,
}

impl Inventory for EvaluationJobs {
    fn read(
        &self,
        input: &mut dyn Read,
        each: &mut dyn FnMut(Package),
    ) -> Result<Header, InventoryError> {
        let expected = "a stream of nix-eval-jobs";
        let mut sink = Sink::new(each);
        let lines = serde_json::Deserializer::from_reader(input).into_iter::<Object<Job>>();
        for (index, line) in lines.enumerate() {
            let Object(job) = line.map_err(|error| InventoryError::from_json(error, expected))?;
            let Some(attribute) = job.attr.first() else {
                if index == 0 {
                    let found = "an object without `attr`".to_owned();
                    return Err(InventoryError::Kind { expected, found });
                }
                let label = format!("line {}", index + 1);
                let _ = sink.put(&label, Err("it has no `attr`"));
                continue;
            };
            let failure = job.error.first();
            let reason: Option<String> = failure.map(|text| {
                let line = text.lines().next().unwrap_or_default();
                line.chars().take(MAX_REASON).collect()
            });
            let package = match &reason {
                Some(reason) => Err(reason.as_str()),
                None => job.entry.into_package(&attribute).ok_or(NAMELESS),
            };
            if !sink.put(&attribute, package) {
                return Err(InventoryError::Limit {
                    what: "packages",
                    limit: crate::inventory::MAX_PACKAGES as u64,
                });
            }
        }
        Ok(sink.header)
    }
}
