//! `verify`: a whole chain, its results, statements and signatures, without building anything.

use crate::print::{self, Verdict};
use clap::Args;
use seed_build::chain::Chain;
use seed_build::provenance::{self, PublicKey};
use seed_build::store::Store;
use std::fmt::Write;
use std::num::NonZero;
use std::path::PathBuf;
use std::process::ExitCode;

const EXAMPLES: &str = "\
Examples:
  rootstock-seed verify bootstrap/amd64/chain.toml --store /var/tmp/seed \\
      --key first.pub --key second.pub --enough 2

Exit codes: 0 everything is right; 1 something is wrong or missing, and it is named; 2 nothing could be checked.";

/// Checks every input, result, statement and signature of a chain, offline.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Verify {
    /// The chain file.
    chain: PathBuf,
    /// The store's directory.
    #[arg(long, value_name = "FOLDER")]
    store: PathBuf,
    /// A public key, in PEM, that counts.
    #[arg(long, value_name = "FILE", required = true)]
    key: Vec<PathBuf>,
    /// How many of the keys must have signed each statement.
    #[arg(long, default_value = "1", value_name = "COUNT")]
    enough: NonZero<usize>,
    /// Answer with one JSON document instead of text.
    #[arg(long)]
    json: bool,
}

impl Verify {
    pub(crate) fn run(&self) -> anyhow::Result<ExitCode> {
        let chain = Chain::read(&self.chain)?;
        let keys: Vec<PublicKey> = self
            .key
            .iter()
            .map(|path| PublicKey::read(path))
            .collect::<Result<_, _>>()?;
        let store = Store::existing(&self.store)?;
        let verified = provenance::verify(&chain, &store, &keys, self.enough.get())?;
        print::answer(&verified, self.json, |verified| {
            let mut text = String::new();
            for finding in &verified.findings {
                let _ = writeln!(text, "{}: {}", finding.item, finding.problem);
            }
            let _ = write!(
                text,
                "{} of {} items are right",
                verified.good.len(),
                chain.items.len()
            );
            text
        })?;
        let good = verified.findings.is_empty() && verified.good.len() == chain.items.len();
        Ok(Verdict::when(good).into())
    }
}
