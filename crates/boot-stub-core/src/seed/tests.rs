//! Every input counts, and a copied file alone is not believed.

use super::{Inputs, Seeds};

#[test]
fn every_input_changes_both_seeds_and_moving_a_byte_does_too() {
    let base = Inputs::default();
    let variants = [
        base,
        Inputs { file: b"a", ..base },
        Inputs {
            token: b"a",
            ..base
        },
        Inputs {
            random: b"a",
            ..base
        },
        Inputs { time: b"a", ..base },
        Inputs {
            file: b"ab",
            token: b"c",
            ..base
        },
        Inputs {
            file: b"a",
            token: b"bc",
            ..base
        },
    ];
    let seeds = variants.map(|inputs| inputs.mix());
    let mut all: std::vec::Vec<_> = seeds
        .iter()
        .flat_map(|s: &Seeds| [s.file, s.kernel])
        .collect();
    all.sort_unstable();
    all.dedup();
    assert_eq!(all.len(), 2 * variants.len());
}

#[test]
fn a_copied_seed_file_alone_is_not_believed() {
    let (file, token, random) = ([1; 32], [2; 32], [3; 32]);
    let base = Inputs {
        file: &file,
        ..Inputs::default()
    };
    assert!(!base.suffice());
    assert!(
        Inputs {
            token: &token,
            ..base
        }
        .suffice()
    );
    assert!(
        Inputs {
            random: &random,
            ..Inputs::default()
        }
        .suffice()
    );
    assert!(
        !Inputs {
            random: &random[1..],
            ..Inputs::default()
        }
        .suffice()
    );
}
