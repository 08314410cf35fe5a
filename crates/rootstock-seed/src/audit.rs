//! `audit`: reads derivations and says what they stand on. Reads only; needs no daemon and no root.

use anyhow::Context;
use nix_derivation::GraphBuilder;
use nix_derivation::folder::Folder;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

/// Say what the derivations in a folder stand on.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  rootstock-seed audit /nix/store")]
pub(crate) struct Audit {
    /// Folders of .drv files, such as a store.
    #[arg(required = true)]
    paths: Vec<PathBuf>,
}

impl Audit {
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        let mut builder = GraphBuilder::default();
        let mut errors = Vec::new();
        for path in &self.paths {
            let folder =
                Folder::open(path).with_context(|| format!("cannot read {}", path.display()))?;
            let (names, bad) = folder.names()?;
            errors.extend(bad);
            for (path, derivation) in
                folder.map(&names, |path, derivation| (path.clone(), derivation))
            {
                match derivation {
                    Ok(found) => {
                        let fixed = found.fixed_output().is_some();
                        builder.add(&path, fixed, found.inputs.derivations.keys());
                    }
                    Err(error) => errors.push(error),
                }
            }
        }
        let graph = builder.build();
        let fixed = graph
            .nodes()
            .filter(|node| graph.data(*node) == Some(&true))
            .count();
        let mut out = std::io::stdout().lock();
        writeln!(
            out,
            "{} derivations, {} edges, {fixed} of fixed output",
            graph.len(),
            graph.edges()
        )?;
        for error in &errors {
            writeln!(out, "unreadable: {error}")?;
        }
        Ok(ExitCode::SUCCESS)
    }
}
