//! `prove twice`: the chain built twice under different circumstances, and the same hashes.

use crate::build::Progress;
use crate::explain;
use crate::print::{self, Verdict};
use crate::sandbox;
use anyhow::Context;
use clap::Args;
use seed_build::build::{Builder, Circumstances};
use seed_build::chain::Chain;
use seed_build::explain::{Objects, runs};
use seed_build::input::Sources;
use seed_build::store::Store;
use serde_json::json;
use std::fmt::Write;
use std::num::NonZero;
use std::path::PathBuf;

const EXAMPLES: &str = "\
Examples:
  rootstock-seed prove twice bootstrap/amd64/chain.toml --input /var/tmp/tcc --offline";

/// Builds a chain twice: in another directory, as another user, at another time, on another number of processors.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// The chain file.
    chain: PathBuf,
    /// A foreign input, or a folder with some; may be given more than once.
    #[arg(long, value_name = "PATH")]
    input: Vec<PathBuf>,
    /// Fetch nothing.
    #[arg(long)]
    offline: bool,
}

pub(crate) fn run(arguments: &Arguments, json: bool) -> anyhow::Result<Verdict> {
    let chain = Chain::read(&arguments.chain)?;
    let folder = tempfile::Builder::new()
        .prefix("rootstock-twice.")
        .permissions(std::os::unix::fs::PermissionsExt::from_mode(0o755))
        .tempdir()
        .context("a folder for two stores")?;
    let stores = [
        Store::open(&folder.path().join("one"))?,
        Store::open(&folder.path().join("an/other"))?,
    ];
    let processors = std::thread::available_parallelism().map_or(1, NonZero::get);
    let circumstances = [
        (
            1,
            Circumstances {
                processors: vec![0],
                ..Circumstances::default()
            },
        ),
        (
            processors.max(2),
            Circumstances {
                uid: 30_017,
                work: PathBuf::from("/another/directory"),
                clock: 1_767_225_599,
                processors: Vec::new(),
            },
        ),
    ];
    let sandbox = sandbox::for_many()?;
    let mut all: Vec<Objects> = Vec::new();
    let mut absent = Vec::new();
    for (store, (jobs, circumstances)) in stores.iter().zip(circumstances) {
        let builder = Builder {
            store,
            sandbox: &sandbox,
            sources: Sources {
                given: arguments.input.clone(),
                offline: arguments.offline,
                ..Sources::default()
            },
            jobs,
            circumstances,
        };
        let progress = Progress::new(json);
        let report = builder.build(&chain, &|event| progress.show(&event))?;
        absent = report.absent.into_values().collect();
        let mut objects = report.sources;
        for (number, (record, _)) in &report.results {
            let path = nix_store_path::StorePath::new(&record.object)?;
            objects.insert(*number, store.check(&path)?);
        }
        all.push(objects);
    }
    let found = runs(&chain, (&stores[0], &all[0]), (&stores[1], &all[1]))?;
    let good = found.is_none() && absent.is_empty();
    let report =
        json!({ "good": good, "compared": all[0].len(), "difference": found, "absent": absent });
    print::answer(&report, json, |_| {
        let mut text = String::new();
        match &found {
            None => {
                let _ = writeln!(
                    text,
                    "{} items are the same from another directory, user, time and number of processors",
                    all[0].len()
                );
            }
            Some(found) => text.push_str(&explain::text(std::slice::from_ref(found))),
        }
        text + &absent.join("\n")
    })?;
    Ok(Verdict::when(good))
}
