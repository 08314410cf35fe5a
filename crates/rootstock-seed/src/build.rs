//! `build`: carries out a chain and says what came of it.

use crate::print::{self, Verdict};
use crate::sandbox;
use anyhow::Context;
use clap::Args;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use seed_build::build::{BuildError, Builder, Circumstances, Event, Report, STATED, StepProblem};
use seed_build::causes::told;
use seed_build::chain::Chain;
use seed_build::input::{InputError, Sources};
use seed_build::provenance::{self, SigningKey};
use seed_build::store::Store;
use serde_json::json;
use std::fmt::Write;
use std::io::IsTerminal;
use std::num::NonZero;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

const EXAMPLES: &str = "\
Examples:
  rootstock-seed build bootstrap/amd64/chain.toml --store /var/tmp/seed
  rootstock-seed build bootstrap/amd64/chain.toml --store /var/tmp/seed \\
      --input tcc_0.9.27.orig.tar.bz2 --offline
  rootstock-seed build bootstrap/amd64/chain.toml --store /var/tmp/seed --key mine.pem
  rootstock-seed build bootstrap/amd64/chain.toml --store /var/tmp/seed --dry-run
  rootstock-seed build bootstrap/amd64/chain.toml --store /var/tmp/seed --record
      after a change of a source

Exit codes: 0 everything was built; 1 an input is not obtainable, or a step failed or made something else than stated;
2 the chain could not be carried out, for example because this machine gives no user name spaces.";

/// Which chain, which store, and where inputs come from; for every command that runs a chain.
#[derive(Debug, Args)]
pub(crate) struct Where {
    /// The chain file.
    pub(crate) chain: PathBuf,
    /// The store's directory.
    #[arg(long, value_name = "FOLDER")]
    pub(crate) store: PathBuf,
    /// A foreign input, or a folder with some; may be given more than once.
    #[arg(long, value_name = "PATH")]
    pub(crate) input: Vec<PathBuf>,
    /// Fetch nothing.
    #[arg(long)]
    pub(crate) offline: bool,
}

impl Where {
    pub(crate) fn sources(&self) -> Sources {
        Sources {
            given: self.input.clone(),
            offline: self.offline,
            ..Sources::default()
        }
    }
}

/// Carries out a chain: every input by hash, every step in a sandbox, every result in the store.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Build {
    #[command(flatten)]
    place: Where,
    /// Steps at a time; as many as there are processors if not given.
    #[arg(long, value_name = "COUNT")]
    jobs: Option<NonZero<usize>>,
    /// Sign a statement about each step with this key: a PEM file (Ed25519 or P-256) or `pkcs11:token=...;object=...`.
    #[arg(long, value_name = "KEY")]
    key: Vec<String>,
    /// A file whose first line is the token's PIN.
    #[arg(long, value_name = "FILE")]
    pin_file: Option<PathBuf>,
    /// Say what would be run, and run nothing.
    #[arg(long)]
    dry_run: bool,
    /// Write the hashes of inputs and archives that differ into the chain file, for its author.
    #[arg(long)]
    record: bool,
    /// Answer with one JSON document instead of text.
    #[arg(long)]
    json: bool,
}

impl Build {
    pub(crate) fn run(&self) -> anyhow::Result<ExitCode> {
        let chain = Chain::read(&self.place.chain)?;
        if self.dry_run {
            print::answer(&chain.items.len(), self.json, |_| list(&chain))?;
            return Ok(ExitCode::SUCCESS);
        }
        let keys: Vec<SigningKey> = self
            .key
            .iter()
            .map(|key| SigningKey::open(key, self.pin_file.as_deref()))
            .collect::<Result<_, _>>()?;
        let store = Store::open(&self.place.store)?;
        let sandbox = sandbox::for_many()?;
        let processors = std::thread::available_parallelism().map_or(1, NonZero::get);
        let builder = Builder {
            store: &store,
            sandbox: &sandbox,
            sources: self.place.sources(),
            jobs: self.jobs.map_or(processors, NonZero::get),
            circumstances: Circumstances::default(),
        };
        let begin = Instant::now();
        let result = self.carry_out(chain, &builder);
        let (chain, report) = match result {
            Ok(done) => done,
            Err(error) => match error.downcast::<BuildError>()? {
                BuildError::Step { step, problem } if !is_setup(&problem) => {
                    let problem = told(&problem);
                    let text = format!("step {step}: {problem}");
                    let document = json!({ "good": false, "step": step, "problem": problem });
                    print::answer(&document, self.json, |_| text)?;
                    return Ok(Verdict::Bad.into());
                }
                error => return Err(error.into()),
            },
        };
        if !keys.is_empty() {
            provenance::sign(&chain, &report, &store, &keys)?;
        }
        let good = report.absent.is_empty();
        let results: Vec<_> = report.results.values().collect();
        let document = json!({
            "good": good,
            "steps": results.iter().map(|(record, known)| json!({ "known": known, "record": record })).collect::<Vec<_>>(),
            "absent": report.absent.values().collect::<Vec<_>>(),
            "blocked": report.blocked.iter().map(|item| chain.items[*item].name.as_str()).collect::<Vec<_>>(),
            "milliseconds": begin.elapsed().as_millis() as u64,
        });
        print::answer(&document, self.json, |_| {
            text(&chain, &report, begin.elapsed())
        })?;
        Ok(Verdict::when(good).into())
    }

    /// Builds; with `--record`, as often as a hash had to be corrected.
    fn carry_out(
        &self,
        mut chain: Chain,
        builder: &Builder<'_>,
    ) -> anyhow::Result<(Chain, Report)> {
        let progress = Progress::new(self.json);
        loop {
            let result = builder.build(&chain, &|event| progress.show(&event));
            let (name, stated, found) = match result {
                Err(BuildError::Input(InputError::Hash {
                    name,
                    stated,
                    found,
                    ..
                })) if self.record => (name, stated, found),
                Err(BuildError::Step {
                    step,
                    problem: StepProblem::Other { found, wanted, by },
                }) if self.record && by == STATED => (step, wanted, found),
                result => return Ok((chain, result?)),
            };
            chain = correct(&self.place.chain, &name, &stated, &found)
                .with_context(|| format!("recording the hash of {name}"))?;
        }
    }
}

/// Is it the machine that cannot, and not the step that did wrong?
fn is_setup(problem: &StepProblem) -> bool {
    use seed_build::sandbox::SandboxError;
    matches!(
        problem,
        StepProblem::Sandbox(SandboxError::NoNameSpaces(_) | SandboxError::Helper(_))
    )
}

/// Puts the right hash of one item into the chain file.
fn correct(path: &std::path::Path, name: &str, stated: &str, found: &str) -> anyhow::Result<Chain> {
    let text = std::fs::read_to_string(path).with_context(|| path.display().to_string())?;
    let start = text
        .find(&format!("name = \"{name}\""))
        .context("the item's line 'name = ...' was not found")?;
    let length = text[start..]
        .find(stated)
        .context("the item's hash was not found")?;
    let mut corrected = text;
    corrected.replace_range(start + length..start + length + stated.len(), found);
    crate::prove::write(path, corrected.as_bytes())?;
    Ok(Chain::read(path)?)
}

fn list(chain: &Chain) -> String {
    use seed_build::chain::Made;
    let mut text = String::new();
    for item in &chain.items {
        let kind = match item.made {
            Made::Input(_) => "input ",
            Made::Unpacked { .. } => "unpack",
            Made::Step(_) => "step  ",
        };
        let needs = item.made.needs();
        let needs: Vec<&str> = needs
            .iter()
            .map(|need| chain.items[*need].name.as_str())
            .collect();
        let _ = writeln!(
            text,
            "{kind} {:<16} {}",
            item.name.as_str(),
            needs.join(" ")
        );
    }
    text
}

fn text(chain: &Chain, report: &Report, time: Duration) -> String {
    let mut text = String::new();
    for (record, known) in report.results.values() {
        let how = if *known {
            "known".to_owned()
        } else {
            format!("{} ms", record.own_microseconds / 1000)
        };
        let _ = writeln!(
            text,
            "{:<16} {how:>8} {:>8} bytes  {}",
            record.name, record.nar_size, record.nar_sha256
        );
    }
    for why in report.absent.values() {
        let _ = writeln!(text, "{why}");
    }
    for item in &report.blocked {
        let _ = writeln!(
            text,
            "{:<16} blocked: it needs what is not obtainable",
            chain.items[*item].name.as_str()
        );
    }
    let _ = write!(
        text,
        "{} results in {} ms",
        report.results.len(),
        time.as_millis()
    );
    text
}

/// One line on a terminal, one line a step elsewhere, nothing with JSON.
pub(crate) struct Progress {
    bar: ProgressBar,
    lines: bool,
}

impl Progress {
    pub(crate) fn new(quiet: bool) -> Progress {
        let terminal = std::io::stderr().is_terminal();
        let bar = ProgressBar::with_draw_target(
            None,
            if quiet {
                ProgressDrawTarget::hidden()
            } else {
                ProgressDrawTarget::stderr()
            },
        );
        if let Ok(style) = ProgressStyle::with_template("{pos}/{len} {wide_msg}") {
            bar.set_style(style);
        }
        Progress {
            bar,
            lines: !terminal && !quiet,
        }
    }

    pub(crate) fn show(&self, event: &Event<'_>) {
        match event {
            Event::Planned(steps) => self.bar.set_length(*steps as u64),
            Event::Begun(name) => self.bar.set_message((*name).to_owned()),
            Event::Done(record, known) => {
                self.bar.inc(1);
                if self.lines && !known {
                    print::note(&format!("{}: done", record.name));
                }
            }
            Event::Damaged(name, why) => {
                self.bar.suspend(|| {
                    print::note(&format!(
                        "{name}: the stored result is damaged and is made again: {why}"
                    ));
                });
            }
        }
    }
}
