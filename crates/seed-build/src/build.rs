//! Carrying out a chain: inputs first, then steps, as many at a time as wished, each at most once.
//!
//! Invariants: a result is recorded only after it lies whole in the store; a recorded result counts only if its object still
//! is what its name says; a step that needs something absent is reported as blocked, never left out.

use crate::causes::told;
use crate::chain::{Chain, Made, Step};
use crate::input::{self, InputError, Sources};
use crate::plan::{PlanError, Planned, PlannedStep, plan};
use crate::sandbox::{Calls, Job, Mount, Order, Outcome, Sandbox, SandboxError};
use crate::store::{Object, Store, StoreError, content_path};
use nix_store_path::{Hash, StoreDir, StorePath};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::{Condvar, Mutex};
use thiserror::Error;

/// The clock and `SOURCE_DATE_EPOCH` of every step: as in Nix' store.
pub const CLOCK: i64 = 1;
/// User and group in the sandbox, as in Nix'.
pub const USER: u32 = 1000;
/// Who says what an output must be, if the chain file does.
pub const STATED: &str = "the chain states";
/// Longest part of a step's output streams that is kept in its record.
const MAX_KEPT: usize = 64 << 10;

/// What may be different from run to run without changing a result.
#[derive(Debug, Clone)]
pub struct Circumstances {
    /// User and group in the sandbox.
    pub uid: u32,
    /// The directory in which steps start.
    pub work: PathBuf,
    /// What clocks say.
    pub clock: i64,
    /// Processors to use; empty: all.
    pub processors: Vec<usize>,
}

impl Default for Circumstances {
    fn default() -> Circumstances {
        Circumstances {
            uid: USER,
            work: PathBuf::from("/build"),
            clock: CLOCK,
            processors: Vec::new(),
        }
    }
}

/// What became of a step or of an unpacked archive; kept in the store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Record {
    /// Its name.
    pub name: String,
    /// The path of its derivation; none for an archive, which is unpacked by our own code.
    pub derivation: Option<String>,
    /// The path of its output.
    pub out: String,
    /// The object that this is, by content.
    pub object: String,
    /// SHA-256 of its NAR, in hexadecimal.
    pub nar_sha256: String,
    /// Bytes of its NAR.
    pub nar_size: u64,
    /// How often each system call was made.
    pub calls: BTreeMap<String, u64>,
    /// How long the program ran.
    pub own_microseconds: u64,
    /// How long the step took with everything around the program.
    pub microseconds: u64,
    /// The beginning of its standard output.
    pub stdout: String,
    /// The beginning of its standard error.
    pub stderr: String,
}

/// Why a chain cannot be carried out.
#[derive(Debug, Error)]
pub enum BuildError {
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// An input is there and wrong.
    #[error(transparent)]
    Input(InputError),
    /// A step cannot be planned.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// A step did not do what it should.
    #[error("step {step}")]
    Step {
        /// Which.
        step: String,
        /// What it did.
        #[source]
        problem: StepProblem,
    },
}

/// What is wrong with a step.
#[derive(Debug, Error)]
pub enum StepProblem {
    /// The sandbox.
    #[error(transparent)]
    Sandbox(#[from] SandboxError),
    /// It was refused something.
    #[error("refused: {0}")]
    Refused(String),
    /// It failed.
    #[error("it ended with status {status}{}", after_colon(.said))]
    Failed {
        /// Exit status, or 128 + the signal that ended it.
        status: i32,
        /// What it said.
        said: String,
    },
    /// It left nothing.
    #[error("it made no output")]
    NoOutput,
    /// It made something else than the chain states, or than an item it must equal.
    #[error("its output's NAR has the SHA-256 {found}, not {wanted} as {by}; `explain` says more")]
    Other {
        /// What it is.
        found: String,
        /// What it should be.
        wanted: String,
        /// Who says so.
        by: String,
    },
}

fn after_colon(text: &str) -> String {
    let text = text.trim();
    if text.is_empty() {
        String::new()
    } else {
        format!(": {text}")
    }
}

/// What happens, as it happens.
#[derive(Debug)]
pub enum Event<'e> {
    /// How many steps there are.
    Planned(usize),
    /// A step begins.
    Begun(&'e str),
    /// A step is done; `true`: its result was there already.
    Done(&'e Record, bool),
    /// A stored result was damaged and is made again.
    Damaged(&'e str, String),
}

/// All that came of a chain.
#[derive(Debug)]
pub struct Report {
    /// The plan.
    pub planned: Vec<Planned>,
    /// Objects of inputs and unpacked archives, by item.
    pub sources: BTreeMap<usize, Object>,
    /// Results of archives and steps, in the chain's order, and whether each was there already.
    pub results: BTreeMap<usize, (Record, bool)>,
    /// Why something is not obtainable, by item.
    pub absent: BTreeMap<usize, String>,
    /// Items that need something absent.
    pub blocked: Vec<usize>,
}

/// Carries out chains.
#[derive(Debug)]
pub struct Builder<'b> {
    /// Where results are.
    pub store: &'b Store,
    /// Where steps run.
    pub sandbox: &'b Sandbox,
    /// Where inputs come from.
    pub sources: Sources,
    /// Steps at a time.
    pub jobs: usize,
    /// Circumstances.
    pub circumstances: Circumstances,
}

/// An object, what is known of it, and whether it was there already.
type Finished = (Object, (Record, bool));

type Listener<'l> = &'l (dyn Fn(Event<'_>) + Sync);

impl Builder<'_> {
    /// Carries out a chain.
    ///
    /// # Errors
    /// [`BuildError`]; what is absent is no error but in the [`Report`].
    pub fn build(&self, chain: &Chain, listener: Listener<'_>) -> Result<Report, BuildError> {
        let mut report = Report {
            planned: Vec::new(),
            sources: BTreeMap::new(),
            results: BTreeMap::new(),
            absent: BTreeMap::new(),
            blocked: Vec::new(),
        };
        for (number, item) in chain.items.iter().enumerate() {
            match &item.made {
                Made::Input(input) => {
                    match input::obtain(chain, item, input, self.store, &self.sources) {
                        Ok(object) => drop(report.sources.insert(number, object)),
                        Err(error @ InputError::NotObtainable { .. }) => {
                            report.absent.insert(number, told(&error));
                        }
                        Err(error) => return Err(BuildError::Input(error)),
                    }
                }
                Made::Unpacked { archive, .. } => {
                    if let Some(from) = report.sources.get(archive).cloned() {
                        let (object, result) = self.unpack(chain, number, &from, listener)?;
                        report.sources.insert(number, object);
                        report.results.insert(number, result);
                    }
                }
                Made::Step(_) => {}
            }
        }
        let paths = report
            .sources
            .iter()
            .map(|(number, object)| (*number, object.path.clone()));
        report.planned = plan(chain, &paths.collect(), self.store)?;
        let all = report.planned.iter().enumerate();
        let blocked = all.filter(|(number, planned)| {
            matches!(planned, Planned::Blocked) && !report.absent.contains_key(number)
        });
        report.blocked = blocked.map(|(number, _)| number).collect();
        self.steps(chain, &mut report, listener)?;
        Ok(report)
    }

    /// Unpacks an archive, unless the tree is there already.
    fn unpack(
        &self,
        chain: &Chain,
        number: usize,
        from: &Object,
        listener: Listener<'_>,
    ) -> Result<Finished, BuildError> {
        let item = &chain.items[number];
        let Made::Unpacked {
            packing,
            strip,
            sha256,
            ..
        } = &item.made
        else {
            unreachable!("the caller looked");
        };
        let failed = |problem| BuildError::Step {
            step: item.name.to_string(),
            problem,
        };
        let path = content_path(&item.name, *sha256);
        if let Some(found) = self.known(&path, item.name.as_str(), None, listener)? {
            return Ok(found);
        }
        listener(Event::Begun(item.name.as_str()));
        let inside = self.circumstances.work.join("archive");
        let mounts = vec![Mount {
            outside: self.store.object(&from.path),
            inside: inside.clone(),
        }];
        let job = Job::Unpack {
            archive: inside,
            packing: *packing,
            strip: *strip,
            limits: crate::archive::UnpackLimits::default(),
            to: PathBuf::from("/nix/store/tree"),
        };
        let limits = crate::sandbox::Limits {
            output_mib: 1024,
            ..Default::default()
        };
        let order = self.order(job, mounts, PathBuf::from("/nix/store/tree"), limits);
        let (object, outcome) = self.run(&item.name, order).map_err(failed)?;
        same(&object, sha256, STATED).map_err(failed)?;
        let record = record(item.name.as_str(), None, &path, &object, &outcome);
        self.store
            .write_record("results", &path.to_string(), &record)?;
        listener(Event::Done(&record, false));
        Ok((object, (record, false)))
    }

    /// A result that is there already and whole.
    fn known(
        &self,
        out: &StorePath,
        name: &str,
        calls: Option<&Calls>,
        listener: Listener<'_>,
    ) -> Result<Option<Finished>, BuildError> {
        let record = match self.store.record::<Record>("results", &out.to_string()) {
            Ok(Some(record)) => record,
            Ok(None) => return Ok(None),
            Err(error @ StoreError::Record { .. }) => {
                listener(Event::Damaged(name, told(&error)));
                return Ok(None);
            }
            Err(error) => return Err(error.into()),
        };
        let checked = StorePath::new(&record.object).map_err(|error| error.to_string());
        let checked =
            checked.and_then(|path| self.store.check(&path).map_err(|error| told(&error)));
        match checked {
            // A narrower list than it was made with: it must show that it can do with that.
            Ok(_) if !calls.is_none_or(|calls| calls.cover(record.calls.keys())) => Ok(None),
            Ok(object) if object.nar.base16() == record.nar_sha256 => {
                listener(Event::Done(&record, true));
                Ok(Some((object, (record, true))))
            }
            Ok(_) => {
                listener(Event::Damaged(
                    name,
                    "its record names another object".to_owned(),
                ));
                Ok(None)
            }
            Err(why) => {
                listener(Event::Damaged(name, why));
                Ok(None)
            }
        }
    }

    /// Runs all planned steps, each as soon as what it needs is there.
    fn steps(
        &self,
        chain: &Chain,
        report: &mut Report,
        listener: Listener<'_>,
    ) -> Result<(), BuildError> {
        let planned = &report.planned;
        let steps: BTreeSet<usize> = (0..planned.len())
            .filter(|number| matches!(planned[*number], Planned::Step(_)))
            .collect();
        listener(Event::Planned(steps.len()));
        let state = Mutex::new(State {
            waiting: steps.clone(),
            done: BTreeMap::new(),
            failed: None,
        });
        let changed = Condvar::new();
        let sources = &report.sources;
        let work = || {
            let mut now = state.lock().expect("no worker panics");
            loop {
                if now.failed.is_some() || now.waiting.is_empty() {
                    return;
                }
                let ready = now.waiting.iter().copied().find(|number| {
                    let needs = chain.items[*number].made.needs();
                    needs
                        .iter()
                        .all(|need| !steps.contains(need) || now.done.contains_key(need))
                });
                let Some(number) = ready else {
                    now = changed.wait(now).expect("no worker panics");
                    continue;
                };
                now.waiting.remove(&number);
                let objects: BTreeMap<usize, Object> = chain.items[number]
                    .made
                    .needs()
                    .iter()
                    .filter_map(|need| {
                        let done = now.done.get(need).map(|(object, _)| object);
                        Some((*need, done.or_else(|| sources.get(need))?.clone()))
                    })
                    .collect();
                drop(now);
                let result = self.step(chain, number, planned, &objects, listener);
                now = state.lock().expect("no worker panics");
                match result {
                    Ok(done) => drop(now.done.insert(number, done)),
                    Err(error) => now.failed = now.failed.take().or(Some(error)),
                }
                changed.notify_all();
            }
        };
        std::thread::scope(|scope| {
            for _ in 0..self.jobs.max(1) {
                scope.spawn(work);
            }
        });
        let state = state.into_inner().expect("no worker panics");
        if let Some(error) = state.failed {
            return Err(error);
        }
        let results = state.done.into_iter();
        report
            .results
            .extend(results.map(|(number, (_, result))| (number, result)));
        Ok(())
    }

    fn step(
        &self,
        chain: &Chain,
        number: usize,
        planned: &[Planned],
        objects: &BTreeMap<usize, Object>,
        listener: Listener<'_>,
    ) -> Result<Finished, BuildError> {
        let item = &chain.items[number];
        let (Made::Step(step), Planned::Step(plan)) = (&item.made, &planned[number]) else {
            unreachable!("only steps are scheduled");
        };
        let failed = |problem| BuildError::Step {
            step: item.name.to_string(),
            problem,
        };
        let found = self.known(&plan.out, item.name.as_str(), Some(&step.calls), listener)?;
        let (object, result) = match found {
            Some(found) => found,
            None => {
                listener(Event::Begun(item.name.as_str()));
                let order = self.step_order(step, plan, planned, objects);
                let (object, outcome) = self.run(&item.name, order).map_err(failed)?;
                let own = StoreDir::default().join(&plan.path);
                let record = record(item.name.as_str(), Some(own), &plan.out, &object, &outcome);
                self.store
                    .write_record("results", &plan.out.to_string(), &record)?;
                listener(Event::Done(&record, false));
                (object, (record, false))
            }
        };
        if let Some(sha256) = &step.sha256 {
            same(&object, sha256, STATED).map_err(failed)?;
        }
        if let Some(other) = step
            .same_as
            .and_then(|other| Some((other, objects.get(&other)?)))
        {
            let by = format!("{} has", chain.items[other.0].name);
            same(&object, &other.1.nar, &by).map_err(failed)?;
        }
        Ok((object, result))
    }

    fn step_order(
        &self,
        step: &Step,
        plan: &PlannedStep,
        planned: &[Planned],
        objects: &BTreeMap<usize, Object>,
    ) -> Order {
        let directory = StoreDir::default();
        let mounts = objects.iter().filter_map(|(need, object)| {
            Some(Mount {
                outside: self.store.object(&object.path),
                inside: directory.join(planned[*need].path()?).into(),
            })
        });
        // An item may be there only to be compared with.
        let mounts: BTreeMap<PathBuf, Mount> =
            mounts.map(|mount| (mount.inside.clone(), mount)).collect();
        let job = Job::Run {
            program: plan.program.clone(),
            arguments: plan.arguments.clone(),
            environment: environment(plan, &self.circumstances),
        };
        let mut order = self.order(
            job,
            mounts.into_values().collect(),
            directory.join(&plan.out).into(),
            step.limits,
        );
        order.calls = step.calls.clone();
        order
    }

    fn order(
        &self,
        job: Job,
        mounts: Vec<Mount>,
        output: PathBuf,
        limits: crate::sandbox::Limits,
    ) -> Order {
        Order {
            job,
            mounts,
            root: self.store.tmp(),
            work: self.circumstances.work.clone(),
            store: PathBuf::from(StoreDir::default().as_str()),
            outputs: vec![output],
            calls: Calls::default(),
            limits,
            uid: self.circumstances.uid,
            clock: self.circumstances.clock,
            processors: self.circumstances.processors.clone(),
        }
    }

    fn run(
        &self,
        name: &nix_store_path::Name,
        order: Order,
    ) -> Result<(Object, Outcome), StepProblem> {
        let mut received = None;
        let outcome = self.sandbox.run(&order, &mut |_, nar| {
            received = Some(self.store.receive(nar).map_err(std::io::Error::other)?);
            Ok(())
        })?;
        if let Some(what) = &outcome.watched.refused {
            return Err(StepProblem::Refused(what.clone()));
        }
        if outcome.watched.status != 0 {
            return Err(StepProblem::Failed {
                status: outcome.watched.status,
                said: kept(&outcome.stderr) + &kept(&outcome.stdout),
            });
        }
        let received = received.ok_or(StepProblem::NoOutput)?;
        let kept = self.store.keep(name, &received);
        let object = kept.map_err(|error| SandboxError::Setup(told(&error)))?;
        Ok((object, outcome))
    }
}

struct State {
    waiting: BTreeSet<usize>,
    done: BTreeMap<usize, Finished>,
    failed: Option<BuildError>,
}

/// The whole environment of a step: its derivation's, and what Nix' own sandbox adds.
fn environment(plan: &PlannedStep, circumstances: &Circumstances) -> Vec<String> {
    let work = circumstances.work.display().to_string();
    let folders = ["NIX_BUILD_TOP", "PWD", "TEMP", "TEMPDIR", "TMP", "TMPDIR"];
    let own = [
        ("HOME", "/homeless-shelter"),
        ("NIX_BUILD_CORES", "1"),
        ("NIX_LOG_FD", "2"),
        ("NIX_STORE", "/nix/store"),
        ("PATH", "/path-not-set"),
        ("TERM", "xterm-256color"),
    ];
    let own = own.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let folders = folders.map(|name| (name.to_owned(), work.clone()));
    let given = plan.derivation.env.iter();
    let given = given.map(|(name, value)| (name.to_string(), value.to_string()));
    let all: BTreeMap<String, String> = own.into_iter().chain(folders).chain(given).collect();
    all.into_iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect()
}

fn same(object: &Object, wanted: &Hash, by: &str) -> Result<(), StepProblem> {
    if object.nar == *wanted {
        return Ok(());
    }
    Err(StepProblem::Other {
        found: object.nar.base16(),
        wanted: wanted.base16(),
        by: by.to_owned(),
    })
}

fn kept(bytes: &[u8]) -> String {
    String::from_utf8_lossy(&bytes[..bytes.len().min(MAX_KEPT)]).into_owned()
}

fn record(
    name: &str,
    derivation: Option<String>,
    out: &StorePath,
    object: &Object,
    outcome: &Outcome,
) -> Record {
    Record {
        name: name.to_owned(),
        derivation,
        out: StoreDir::default().join(out),
        object: object.path.to_string(),
        nar_sha256: object.nar.base16(),
        nar_size: object.size,
        calls: outcome.watched.calls.clone(),
        own_microseconds: outcome.own_time.as_micros() as u64,
        microseconds: outcome.time.as_micros() as u64,
        stdout: kept(&outcome.stdout),
        stderr: kept(&outcome.stderr),
    }
}
