//! `prove double-compile`: S4 and TinyCC from every host, generation after generation, and a verdict file.

use super::hosts::{self, Host};
use super::recipe::{self, Built, Recipe};
use crate::print::{self, Verdict};
use anyhow::{Context, ensure};
use clap::Args;
use seed_proof::lineage::{Lineage, Subject};
use serde::Serialize;
use std::fmt::Write;
use std::path::{Path, PathBuf};

const EXAMPLES: &str = "\
Examples:
  bootstrap/amd64/fetch-tcc /var/tmp/tcc
  rootstock-seed prove double-compile --tcc /var/tmp/tcc --verdict verdict.json
  rootstock-seed prove double-compile --tcc /var/tmp/tcc \\
      --with-s4 s3=build/s4 --with-tcc suspect=build/tcc";

/// Builds S4 from every C compiler present and TinyCC from those and from S4, each generation by the one before, until a generation
/// equals the one before it; all lineages must end in the same bytes.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// TinyCC's source: the archive of Debian's source package (its SHA-256 is checked), the folder that holds it, or an unpacked tree.
    #[arg(long, value_name = "PATH")]
    tcc: PathBuf,
    /// The folder bootstrap/amd64; found upwards from the working directory if not given.
    #[arg(long, value_name = "FOLDER")]
    chain: Option<PathBuf>,
    /// Write the verdict to this file too, as JSON.
    #[arg(long, value_name = "FILE")]
    verdict: Option<PathBuf>,
    /// Write the programs that all agree on to this folder, as `s4` and `tcc`.
    #[arg(long, value_name = "FOLDER")]
    results: Option<PathBuf>,
    /// An S4 that is there already, for instance the one S3 built; may be given more than once.
    #[arg(long, value_name = "NAME=FILE", value_parser = named)]
    with_s4: Vec<(String, PathBuf)>,
    /// A TinyCC that is there already; may be given more than once.
    #[arg(long, value_name = "NAME=FILE", value_parser = named)]
    with_tcc: Vec<(String, PathBuf)>,
    /// Fail if fewer hosts than this take part, S4 itself not counted.
    #[arg(long, value_name = "COUNT", default_value_t = 3)]
    least: usize,
}

fn named(text: &str) -> Result<(String, PathBuf), String> {
    let (name, path) = text.split_once('=').ok_or("expected NAME=FILE")?;
    Ok((name.to_owned(), path.into()))
}

/// The verdict file.
#[derive(Debug, Serialize)]
struct Report {
    good: bool,
    hosts: usize,
    subjects: Vec<Subject>,
}

/// A lineage and its last program.
type Grown = (Lineage, Vec<u8>);

/// Grows the lineages of one program: from each host, and from programs that are there already.
fn grow(
    recipe: &Recipe,
    hosts: &[Host],
    given: &[(String, PathBuf)],
    by_itself: fn(&Recipe, &[u8]) -> anyhow::Result<Built>,
) -> anyhow::Result<Vec<Grown>> {
    let own = |program: &[u8]| by_itself(recipe, program).map_err(|error| format!("{error:#}"));
    let mut grown: Vec<Grown> = hosts
        .iter()
        .map(|host| {
            Lineage::grow(&host.name, &host.version, |compiler| match compiler {
                Some(program) => own(program),
                None => recipe.by_host(host).map_err(|error| format!("{error:#}")),
            })
        })
        .collect();
    for (name, path) in given {
        let program = std::fs::read(path).with_context(|| path.display().to_string())?;
        grown.push(Lineage::grow(name, "given", |compiler| match compiler {
            Some(compiler) => own(compiler),
            None => Ok((program.clone(), 0)),
        }));
    }
    Ok(grown)
}

pub(crate) fn run(arguments: &Arguments, json: bool) -> anyhow::Result<Verdict> {
    let chain = recipe::chain(arguments.chain.as_ref())?;
    let tcc_files = recipe::tinycc_sources(&arguments.tcc)?;
    let hosts = hosts::present();
    ensure!(
        hosts.len() >= arguments.least,
        "only {} hosts are present ({}), not {}: install some of gcc, clang, pcc, tcc",
        hosts.len(),
        hosts
            .iter()
            .map(|host| host.name.as_str())
            .collect::<Vec<_>>()
            .join(", "),
        arguments.least
    );
    let s4_recipe = recipe::s4(&chain, &tcc_files)?;
    let s4_grown = grow(&s4_recipe, &hosts, &arguments.with_s4, Recipe::by_s4)?;
    let s4_program = s4_grown
        .first()
        .map(|(_, program)| program.clone())
        .unwrap_or_default();
    let s4 = Subject::judge("s4", &s4_recipe.files.sha256(), s4_grown);

    let tcc_recipe = recipe::tcc(&chain, &tcc_files)?;
    let from_s4 = Lineage::grow("s4", "the program all lineages of S4 end in", |compiler| {
        let built = match compiler {
            Some(program) => tcc_recipe.by_tcc(program),
            None => tcc_recipe.by_s4(&s4_program),
        };
        built.map_err(|error| format!("{error:#}"))
    });
    let mut tcc_grown = vec![from_s4];
    tcc_grown.extend(grow(
        &tcc_recipe,
        &hosts,
        &arguments.with_tcc,
        Recipe::by_tcc,
    )?);
    let tcc_program = tcc_grown[0].1.clone();
    let tcc = Subject::judge("tcc", &tcc_recipe.files.sha256(), tcc_grown);

    let report = Report {
        good: s4.is_good(arguments.least) && tcc.is_good(arguments.least + 1),
        hosts: hosts.len(),
        subjects: vec![s4, tcc],
    };
    if let Some(path) = &arguments.verdict {
        write(
            path,
            serde_json::to_string_pretty(&report)?.as_bytes(),
            0o644,
        )?;
    }
    if let Some(folder) = arguments.results.as_ref().filter(|_| report.good) {
        std::fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
        write(&folder.join("s4"), &s4_program, 0o755)?;
        write(&folder.join("tcc"), &tcc_program, 0o755)?;
    }
    print::answer(&report, json, text)?;
    Ok(Verdict::when(report.good))
}

/// Writes beside the target and renames: the old content or the new one is there at any moment.
fn write(path: &Path, bytes: &[u8], mode: u32) -> anyhow::Result<()> {
    use std::io::Write as _;
    use std::os::unix::fs::PermissionsExt;
    crate::input::replaceable(path)?;
    let name = || format!("writing {}", path.display());
    let folder = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    // The mode is narrowed by the umask when the file is created.
    let mut file = tempfile::Builder::new()
        .prefix(".rootstock-seed.")
        .permissions(std::fs::Permissions::from_mode(mode))
        .tempfile_in(folder)
        .with_context(name)?;
    file.write_all(bytes).with_context(name)?;
    file.as_file().sync_all().with_context(name)?;
    file.persist(path).with_context(name)?;
    Ok(())
}

fn text(report: &Report) -> String {
    let mut text = String::new();
    for subject in &report.subjects {
        let _ = writeln!(
            text,
            "{} from source {}",
            subject.name,
            &subject.source[..16]
        );
        for lineage in &subject.lineages {
            let _ = write!(text, "  {:<8}", lineage.host);
            for generation in &lineage.generations {
                let _ = write!(
                    text,
                    " {} {} B {} ms",
                    &generation.sha256[..12],
                    generation.size,
                    generation.milliseconds
                );
            }
            let _ = match (&lineage.error, lineage.fixpoint) {
                (Some(error), _) => writeln!(text, "\n    failed: {error}"),
                (None, Some(fixpoint)) => writeln!(text, ", fixpoint at generation {fixpoint}"),
                (None, None) => writeln!(text),
            };
        }
        for disagreement in &subject.disagreements {
            let _ = writeln!(
                text,
                "  {} and {} end in different programs",
                disagreement.left, disagreement.right
            );
            for d in disagreement
                .comparison
                .iter()
                .flat_map(|comparison| &comparison.differences)
                .take(8)
            {
                let symbol = d.symbol.as_deref().unwrap_or("-");
                let _ = writeln!(
                    text,
                    "    {} {symbol}+{:#x} {:?}: {} | {}",
                    d.section, d.offset, d.what, d.left, d.right
                );
            }
        }
        let _ = match &subject.agreed {
            Some(generation) => writeln!(
                text,
                "  all agree on {} bytes, sha256 {}",
                generation.size, generation.sha256
            ),
            None => writeln!(text, "  no agreement"),
        };
    }
    let _ = writeln!(text, "{}", if report.good { "good" } else { "NOT good" });
    text
}
