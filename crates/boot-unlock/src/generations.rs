//! Lists of generations: the values that registers may have, one object a generation, as a policy is sealed for them.
//!
//! Invariant: a list is foreign; what it says is believed only where a sealed policy compiles to the same digest.

use crate::{Error, Result};
use boot_measure::Bank;
use boot_policy::{MAX_LEAVES, PcrSet};
use std::collections::BTreeMap;

/// Longest list that is read, in bytes: 4096 generations with eight registers each.
pub const MAX_GENERATIONS: usize = 4 << 20;

/// Reads a list: JSON, an array of objects of register numbers and hexadecimal values.
///
/// # Errors
/// [`Error::Generations`] when it is too long, not of this form, empty, or a value is none of the bank's.
pub fn read_generations(json: &[u8], bank: Bank) -> Result<Vec<PcrSet>> {
    let wrong = |what: String| Error::Generations { what };
    if json.len() > MAX_GENERATIONS {
        return Err(wrong("it is longer than 4 MiB".to_owned()));
    }
    let list: Vec<BTreeMap<u8, String>> =
        serde_json::from_slice(json).map_err(|error| wrong(error.to_string()))?;
    if list.is_empty() || list.len() > MAX_LEAVES {
        let count = list.len();
        return Err(wrong(format!(
            "{count} generations; one to {MAX_LEAVES} are possible"
        )));
    }
    let one = |(number, values): (usize, BTreeMap<u8, String>)| {
        let wrong = |what: &dyn std::fmt::Display| wrong(format!("generation {number}: {what}"));
        let values = values.into_iter().map(|(pcr, text)| {
            let value = hex::decode(&text)
                .map_err(|_| wrong(&format_args!("PCR {pcr} is not hexadecimal")))?;
            Ok((pcr, value))
        });
        let values = values.collect::<Result<Vec<_>>>()?;
        PcrSet::new(bank, values).map_err(|error| wrong(&error))
    };
    list.into_iter().enumerate().map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::read_generations;
    use boot_measure::Bank;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_list_is_read_as_it_was_written(
            values in prop::collection::vec(
                prop::collection::btree_map(0_u8..24, prop::array::uniform32(any::<u8>()), 1..4),
                1..20,
            ),
        ) {
            let text: Vec<_> = values
                .iter()
                .map(|set| set.iter().map(|(pcr, value)| (pcr.to_string(), hex::encode(value))).collect())
                .collect::<Vec<std::collections::BTreeMap<_, _>>>();
            let read = read_generations(&serde_json::to_vec(&text).unwrap(), Bank::Sha256).unwrap();
            prop_assert_eq!(read.len(), values.len());
            for (read, written) in read.iter().zip(&values) {
                let read: Vec<_> = read.iter().map(|(pcr, value)| (pcr, value.to_vec())).collect();
                let written: Vec<_> = written.iter().map(|(pcr, value)| (*pcr, value.to_vec())).collect();
                prop_assert_eq!(read, written);
            }
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = read_generations(&bytes, Bank::Sha256);
        }
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (json, said) in [
            ("[]", "0 generations; one to 4096 are possible"),
            (r#"[{"11":"0"}]"#, "generation 0: PCR 11 is not hexadecimal"),
            (r#"[{"11":"00"}]"#, "generation 0: "),
            (r#"[{"300":"00"}]"#, "list of generations: "),
            ("{}", "list of generations: "),
        ] {
            let error = read_generations(json.as_bytes(), Bank::Sha256).unwrap_err();
            assert!(error.to_string().contains(said), "{json}: {error}");
        }
    }
}
