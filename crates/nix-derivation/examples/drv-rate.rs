//! Prints how long it takes to read and parse 60,000 generated `.drv` files from a warm cache on all cores.
//!
//! `cargo run --release -p nix-derivation --example drv-rate [COUNT]`
#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a measuring program for the terminal"
)]

use nix_derivation::folder::Folder;
use nix_derivation::{Derivation, InputNode, Inputs, Output};
use nix_store_path::{Name, StoreDir, StorePath};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::time::Instant;

fn main() {
    let count = std::env::args()
        .nth(1)
        .map_or(60_000, |text| text.parse().unwrap());
    let folder = tempfile::tempdir().unwrap();
    let bytes = make(folder.path(), count);
    let folder = Folder::new(folder.path(), StoreDir::default());
    let mut best = f64::MAX;
    for _ in 0..3 {
        let start = Instant::now();
        let (names, errors) = folder.names().unwrap();
        let inputs = folder.map(&names, |_, derivation: Result<Derivation, _>| {
            derivation.unwrap().inputs.derivations.len()
        });
        assert!(errors.is_empty() && inputs.len() == count);
        best = best.min(start.elapsed().as_secs_f64());
    }
    println!(
        "{count} .drv files of {} bytes on average: {best:.3} s",
        bytes / count
    );
}

/// Derivations like those of Nixpkgs: 12 inputs, 30 variables, about 4 KB each.
fn make(folder: &Path, count: usize) -> usize {
    let name = |text: &str| Name::new(text).unwrap();
    let out = InputNode {
        outputs: [name("out")].into(),
        dynamic: BTreeMap::new(),
    };
    let mut paths: Vec<StorePath> = Vec::new();
    let mut total = 0;
    for i in 0..count {
        let inputs = (1..=12).filter_map(|step| paths.get(i.checked_sub(step * step)?).cloned());
        let output = StorePath::from_digest([i as u8; 20], name(&format!("package-{i}")));
        let text = format!("a value \"quoted\" of variable {i}\n").repeat(3);
        let env = (0..30).map(|v| (format!("variable{v:02}").into(), text.as_str().into()));
        let derivation = Derivation {
            name: name(&format!("package-{i}")),
            outputs: [(name("out"), Output::InputAddressed(output))].into(),
            inputs: Inputs {
                derivations: inputs.map(|path| (path, out.clone())).collect(),
                sources: BTreeSet::new(),
            },
            system: "x86_64-linux".into(),
            builder: "/nix/store/bash/bin/bash".into(),
            args: vec!["-e".into(), "builder.sh".into()],
            env: env.collect(),
        };
        let store = StoreDir::default();
        let bytes = derivation.to_aterm(&store);
        let path = derivation.store_path(&store).unwrap();
        fs::write(folder.join(path.to_string()), &bytes).unwrap();
        total += bytes.len();
        paths.push(path);
    }
    total
}
