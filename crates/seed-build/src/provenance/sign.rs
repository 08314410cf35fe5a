//! Signing what was built: an envelope for each archive and step, beside the results.
//!
//! Invariant: an envelope that is right and has all signatures already is left as it is.

use super::{Envelope, ProvenanceError, STATEMENTS, SigningKey, statements};
use crate::build::Report;
use crate::chain::Chain;
use crate::store::Store;
use std::collections::BTreeMap;

/// Signs all statements of a chain with each key; how many envelopes were written.
///
/// # Errors
/// [`ProvenanceError`].
pub fn sign(
    chain: &Chain,
    report: &Report,
    store: &Store,
    keys: &[SigningKey],
) -> Result<usize, ProvenanceError> {
    let publics: Vec<_> = keys.iter().map(SigningKey::public).collect();
    let records: BTreeMap<_, _> = report
        .results
        .iter()
        .map(|(number, (record, _))| (*number, record.clone()))
        .collect();
    let mut written = 0;
    for (number, statement) in statements(chain, &report.planned, &records, &report.sources, store)
    {
        let base = records[&number].out.rsplit('/').next().unwrap_or_default();
        // A damaged envelope is made anew.
        let old: Option<Envelope> = store.record(STATEMENTS, base).unwrap_or_default();
        let whole = old.is_some_and(|old| {
            old.payload().is_ok_and(|payload| payload == statement)
                && old
                    .signers(&publics)
                    .is_ok_and(|signers| signers.len() == publics.len())
        });
        if !whole {
            store.write_record(STATEMENTS, base, &Envelope::sign(&statement, keys)?)?;
            written += 1;
        }
    }
    Ok(written)
}
