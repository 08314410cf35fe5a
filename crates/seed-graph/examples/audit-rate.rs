//! Prints how long it takes to parse 100,000 generated `.drv` files from a warm cache, make their graph, classify
//! the roots and find all dominators; and how much memory that took at most.
//!
//! `cargo run --release -p seed-graph --example audit-rate [COUNT]`
#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a measuring program for the terminal"
)]

use nix_derivation::{Derivation, InputNode, Inputs, Output};
use nix_store_path::computed::References;
use nix_store_path::{Algorithm, ContentAddress, Hash, Method, Name, StoreDir, StorePath};
use seed_graph::Audit;
use seed_graph::content::Budget;
use seed_graph::load::Loader;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::time::Instant;

fn main() {
    let count = std::env::args()
        .nth(1)
        .map_or(100_000, |text| text.parse().unwrap());
    let folder = tempfile::tempdir().unwrap();
    make(folder.path(), count);
    let mut best = f64::MAX;
    for _ in 0..3 {
        let start = Instant::now();
        let mut loader = Loader::default();
        loader.path(folder.path());
        let audit = Audit::new(loader.finish(), Budget::default(), &mut |_, _| ());
        assert_eq!(audit.roots.len(), count / 3 + 1);
        best = best.min(start.elapsed().as_secs_f64());
    }
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let peak = status
        .lines()
        .find(|line| line.starts_with("VmHWM"))
        .unwrap_or("VmHWM unknown");
    println!("{count} .drv files: parsed, roots and dominators found in {best:.3} s; {peak}");
}

/// A third are downloads, one of them prebuilt; the others have 12 inputs each and 30 variables.
fn make(folder: &Path, count: usize) {
    let name = |text: &str| Name::new(text).unwrap();
    let store = StoreDir::default();
    let out = InputNode {
        outputs: [name("out")].into(),
        dynamic: BTreeMap::new(),
    };
    let text = "a value \"quoted\" of a variable\n".repeat(3);
    let mut paths: Vec<StorePath> = Vec::new();
    for i in 0..count {
        let fixed = i % 3 == 0;
        let label = if i == 0 {
            "bootstrap-tools.tar.xz".to_owned()
        } else {
            format!("package-{i}{}", if fixed { ".tar.gz" } else { "" })
        };
        let output = if fixed {
            let address = ContentAddress {
                method: Method::Flat,
                hash: Hash::of(Algorithm::Sha256, label.as_bytes()),
            };
            let path = store
                .content_path(name(&label), &address, &References::none())
                .unwrap();
            Output::Fixed { path, address }
        } else {
            Output::InputAddressed(StorePath::from_digest([i as u8; 20], name(&label)))
        };
        let inputs = (1..=12).filter_map(|step| paths.get(i.checked_sub(step * step)?).cloned());
        let derivation = Derivation {
            name: name(&label),
            outputs: [(name("out"), output)].into(),
            inputs: Inputs {
                derivations: inputs.map(|path| (path, out.clone())).collect(),
                sources: BTreeSet::new(),
            },
            system: "x86_64-linux".into(),
            builder: "/nix/store/1b8m03r63zqhnjf7l5wnldhh7c134ap5-bash/bin/bash".into(),
            args: vec!["-e".into(), "builder.sh".into()],
            env: (0..30)
                .map(|v| (format!("variable{v:02}").into(), text.as_str().into()))
                .collect(),
        };
        let path = derivation.store_path(&store).unwrap();
        fs::write(folder.join(path.to_string()), derivation.to_aterm(&store)).unwrap();
        paths.push(path);
    }
}
