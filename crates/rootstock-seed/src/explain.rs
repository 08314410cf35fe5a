//! `explain`: why a hash is not what it should be.

use crate::build::Where;
use crate::print::{self, Verdict};
use clap::Args;
use seed_build::chain::{Chain, Made};
use seed_build::explain::{self, Explained};
use seed_build::input::Sources;
use seed_build::store::Store;
use std::fmt::Write;
use std::path::PathBuf;
use std::process::ExitCode;

const EXAMPLES: &str = "\
Examples:
  rootstock-seed explain chain.toml --store /var/tmp/seed
      what is not as the chain states
  rootstock-seed explain chain.toml --store /var/tmp/seed --other /mnt/other/seed
      what differs from another run

Exit codes: 0 nothing differs; 1 something differs, and it is named; 2 nothing could be compared.";

/// Names the first input, step, file and byte that differ, and what usually makes such a difference.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Explain {
    #[command(flatten)]
    place: Where,
    /// The store of another run of the same chain.
    #[arg(long, value_name = "FOLDER")]
    other: Option<PathBuf>,
    /// Answer with one JSON document instead of text.
    #[arg(long)]
    json: bool,
}

impl Explain {
    pub(crate) fn run(&self) -> anyhow::Result<ExitCode> {
        let chain = Chain::read(&self.place.chain)?;
        let sources = Sources {
            offline: true,
            ..self.place.sources()
        };
        let store = Store::existing(&self.place.store)?;
        let (objects, mut found) = explain::objects(&chain, &store, &sources)?;
        let is_step = |number: &usize| matches!(chain.items[*number].made, Made::Step(_));
        anyhow::ensure!(
            !found.is_empty() || objects.keys().any(is_step),
            "{}: nothing can be compared: no step of the chain was built there",
            self.place.store.display()
        );
        found.extend(explain::within(&chain, &store, &objects)?);
        if let Some(other) = &self.other {
            let other = Store::existing(other)?;
            let (theirs, _) = explain::objects(&chain, &other, &sources)?;
            found.extend(explain::runs(
                &chain,
                (&store, &objects),
                (&other, &theirs),
            )?);
        }
        print::answer(&found, self.json, |found| text(found))?;
        Ok(Verdict::when(found.is_empty()).into())
    }
}

/// One line for each, or that there is none.
pub(crate) fn text(found: &[Explained]) -> String {
    let mut text = String::new();
    for explained in found {
        let _ = write!(
            text,
            "{} {}: comparing {}",
            explained.kind, explained.item, explained.compared
        );
        let _ = match &explained.difference {
            Some(difference) => writeln!(text, ": {difference}"),
            None => writeln!(text),
        };
    }
    if found.is_empty() {
        text.push_str("nothing differs");
    }
    text
}
