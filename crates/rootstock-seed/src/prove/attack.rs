//! `prove attack`: plants an attack that survives the cleaning of its source in S4 and in TinyCC, and shows that it
//! works, that double compilation catches it, and where it sits.

use super::recipe::{self, Recipe};
use super::{chain, from_seed};
use crate::print::{self, Verdict};
use crate::sandbox::{self, Files};
use anyhow::{Context, ensure};
use clap::Args;
use seed_proof::attack;
use seed_proof::compare::{What, compare};
use seed_proof::lineage::{Lineage, Subject};
use serde::Serialize;
use std::fmt::Write;
use std::path::{Path, PathBuf};

const EXAMPLES: &str = "\
Examples:
  bootstrap/amd64/fetch-tcc /var/tmp/tcc
  rootstock-seed prove attack --tcc /var/tmp/tcc";

/// The file that is attacked.
const ATTACKED: &str = "L0/system.c";

/// The status with which the victim ends if the attack let it be entered.
const ENTERED: i32 = 7;

/// An S4 and a TinyCC are built once with the attack and then from clean sources again and again.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// The folder bootstrap/amd64; found upwards from the working directory if not given.
    #[arg(long, value_name = "FOLDER")]
    chain: Option<PathBuf>,
    /// TinyCC's source, as for `prove double-compile`.
    #[arg(long, value_name = "PATH")]
    tcc: PathBuf,
}

#[derive(Debug, Serialize)]
struct Report {
    good: bool,
    attacks: Vec<Attack>,
}

/// What became of the attack on one program.
#[derive(Debug, Serialize)]
struct Attack {
    program: String,
    /// Generations built from clean sources after the attacked one.
    clean_generations: usize,
    /// The last one still attacks the victim, and the program from the seed does not.
    survives: bool,
    /// The lineages end in different bytes.
    caught: bool,
    /// Functions and variables that only one side has, or that have another size.
    places: Vec<String>,
    /// They are the attacked function and nothing outside its file.
    located: bool,
}

type ByItself = fn(&Recipe, &[u8]) -> anyhow::Result<recipe::Built>;

pub(crate) fn run(arguments: &Arguments, json: bool) -> anyhow::Result<Verdict> {
    let folder = recipe::chain(arguments.chain.as_ref())?;
    let tcc_files = recipe::tinycc_sources(&arguments.tcc)?;
    let s3 = chain::s3(&folder)?;
    let (by_s3, _) = from_seed::s4_by_s3(&folder, &s3)?;
    let s4_recipe = recipe::s4(&folder, &Files::default())?;
    let (s4, _) = s4_recipe.by_s4(&by_s3)?;
    let victim = recipe::with_run_time(
        recipe::program(&folder, "victim.c", &attack::victim())?,
        &tcc_files,
    );
    let tcc_recipe = recipe::tcc(&folder, &tcc_files)?;
    let attacks = vec![
        attack_on("s4", &folder, &s4_recipe, &s4, Recipe::by_s4, &victim)?,
        attack_on("tcc", &folder, &tcc_recipe, &s4, Recipe::by_tcc, &victim)?,
    ];
    let good = attacks
        .iter()
        .all(|found| found.survives && found.caught && found.located);
    let report = Report { good, attacks };
    print::answer(&report, json, text)?;
    Ok(Verdict::when(good))
}

/// Attacks one program: its first generation is built by S4 from attacked sources.
fn attack_on(
    name: &str,
    folder: &Path,
    recipe: &Recipe,
    s4: &[u8],
    by_itself: ByItself,
    victim: &Recipe,
) -> anyhow::Result<Attack> {
    let source = std::fs::read_to_string(folder.join(ATTACKED)).context(ATTACKED)?;
    let mut attacked = recipe.clone();
    attacked
        .files
        .add(ATTACKED, attack::plant(&source)?.into_bytes());
    let grow = |host: &str, first: &Recipe| {
        Lineage::grow(host, "built by S4", |compiler| {
            let built = match compiler {
                Some(program) => by_itself(recipe, program),
                None => first.by_s4(s4),
            };
            built.map_err(|error| format!("{error:#}"))
        })
    };
    let (clean, suspect) = (grow("seed", recipe), grow("suspect", &attacked));
    let entered = |compiler: &[u8]| -> anyhow::Result<bool> {
        let (program, _) = by_itself(victim, compiler).context("compiling the victim")?;
        let status = sandbox::run(&program, &[], &Files::default(), None)?.status;
        ensure!(
            [0, ENTERED].contains(&status),
            "the victim ended with status {status}"
        );
        Ok(status == ENTERED)
    };
    let survives = !entered(&clean.1)? && entered(&suspect.1)?;
    let (clean_program, suspect_program) = (clean.1.clone(), suspect.1.clone());
    let clean_generations = suspect.0.generations.len().saturating_sub(1);
    let subject = Subject::judge(name, &recipe.files.sha256(), vec![clean, suspect]);
    let places = if subject.disagreements.is_empty() {
        Vec::new()
    } else {
        locate(recipe, &clean_program, &suspect_program)?
    };
    let located = ["l0_swap", "read"]
        .iter()
        .all(|name| places.iter().any(|p| symbol(p) == *name))
        && places
            .iter()
            .all(|p| p.starts_with(ATTACKED) || attack::PLACES.contains(&p.as_str()));
    Ok(Attack {
        program: name.to_owned(),
        clean_generations,
        survives,
        caught: !subject.is_good(2),
        places,
        located,
    })
}

/// The name behind the file's.
fn symbol(place: &str) -> &str {
    place.rsplit_once(": ").map_or(place, |(_, symbol)| symbol)
}

/// Where two programs differ by more than addresses. A program that has no symbols is a compiler whose outputs
/// have: each of its own sources is compiled by both, and the objects are compared.
fn locate(recipe: &Recipe, clean: &[u8], suspect: &[u8]) -> anyhow::Result<Vec<String>> {
    let places = unlike("", clean, suspect)?;
    if !places.is_empty() {
        return Ok(places);
    }
    let (clean, suspect) = (
        recipe.objects_by_tcc(clean)?,
        recipe.objects_by_tcc(suspect)?,
    );
    let mut places = Vec::new();
    for ((source, clean), (_, suspect)) in clean.iter().zip(&suspect) {
        places.extend(unlike(&format!("{source}: "), clean, suspect)?);
    }
    Ok(places)
}

fn unlike(prefix: &str, clean: &[u8], suspect: &[u8]) -> anyhow::Result<Vec<String>> {
    let comparison = compare(clean, suspect)?;
    let unlike = comparison
        .differences
        .into_iter()
        .filter(|found| found.what != What::Content);
    let mut places: Vec<String> = unlike
        .filter_map(|found| found.symbol)
        .map(|symbol| format!("{prefix}{symbol}"))
        .collect();
    places.sort();
    places.dedup();
    Ok(places)
}

fn text(report: &Report) -> String {
    let mut text = String::new();
    for found in &report.attacks {
        let yes = |holds: bool| if holds { "yes" } else { "NO" };
        let _ = writeln!(
            text,
            "{}: attack alive after {} generations of clean sources: {}; caught: {}; located: {} ({})",
            found.program,
            found.clean_generations,
            yes(found.survives),
            yes(found.caught),
            yes(found.located),
            found.places.join(", ")
        );
    }
    text
}
