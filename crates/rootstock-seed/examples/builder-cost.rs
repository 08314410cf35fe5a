//! What the builder costs: the overhead of one step, and the check of a thousand known ones.
//!
//! `cargo run --release --package rootstock-seed --example builder-cost -- target/release/rootstock-seed [STEPS]`

use seed_build::build::{Builder, Circumstances, Record};
use seed_build::chain::Chain;
use seed_build::input::Sources;
use seed_build::sandbox::Sandbox;
use seed_build::store::Store;
use std::fmt::Write;
use std::os::unix::fs::PermissionsExt;
use std::time::Instant;

/// Each step copies three bytes with the seed.
fn chain(steps: usize, seed: &str) -> String {
    let sum = |bytes: &[u8]| seed_proof::lineage::sha256(bytes);
    let program = seed_proof::hex::decode(seed.as_bytes()).expect("the seed is its language");
    let mut text = format!(
        "chain = \"cost\"\nsystem = \"x86_64-linux\"\n[[input]]\nname = \"seed\"\nhexadecimal = \"seed.hex0\"\nsha256 = \"{}\"\n\
         [[input]]\nname = \"abc\"\nfile = \"abc\"\nsha256 = \"{}\"\n",
        sum(&program),
        sum(b"61 62 63")
    );
    for step in 0..steps {
        let _ = writeln!(
            text,
            "[[step]]\nname = \"step-{step}\"\nprogram = \"{{seed}}\"\narguments = [\"{{abc}}\", \"{{out}}\"]\ncalls = [\"creat\", \"exit\", \"open\", \"read\", \"write\"]"
        );
    }
    text
}

#[expect(
    clippy::print_stdout,
    reason = "the figures are what this program is for"
)]
fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let helper = arguments
        .next()
        .unwrap_or_else(|| "target/release/rootstock-seed".to_owned());
    let steps = arguments.next().map_or(Ok(1000), |text| text.parse())?;
    let folder = tempfile::Builder::new()
        .permissions(std::fs::Permissions::from_mode(0o755))
        .tempdir()?;
    let seed = std::fs::read_to_string("bootstrap/amd64/S0/seed.hex0")?;
    std::fs::write(folder.path().join("seed.hex0"), &seed)?;
    std::fs::write(folder.path().join("abc"), "61 62 63")?;
    let chain = Chain::parse(&chain(steps, &seed), &folder.path().join("chain.toml"))?;
    let store = Store::open(&folder.path().join("store"))?;
    let sandbox = Sandbox::for_many(std::path::absolute(helper)?);
    let builder = Builder {
        store: &store,
        sandbox: &sandbox,
        sources: Sources::default(),
        jobs: 1,
        circumstances: Circumstances::default(),
    };
    let begin = Instant::now();
    let report = builder.build(&chain, &|_| ())?;
    let all = begin.elapsed();
    let sum =
        |part: &dyn Fn(&Record) -> u64| report.results.values().map(|(r, _)| part(r)).sum::<u64>();
    let (own, sandboxed) = (
        sum(&|record| record.own_microseconds),
        sum(&|record| record.microseconds),
    );
    let each = |microseconds: u64| microseconds / steps as u64;
    println!(
        "{steps} steps: {} us each, of which the program ran for {} us and the sandbox took {} us more; overhead {} us",
        each(all.as_micros() as u64),
        each(own),
        each(sandboxed - own),
        each(all.as_micros() as u64 - own)
    );
    let begin = Instant::now();
    let report = builder.build(&chain, &|_| ())?;
    anyhow::ensure!(
        report.results.values().all(|(_, known)| *known),
        "every step is known"
    );
    println!(
        "{steps} known steps checked in {} ms",
        begin.elapsed().as_millis()
    );
    Ok(())
}
