//! Measures `landing index` on a generated clone of Nixpkgs' shape, and its answers beside `git` on the same clone.
//!
//! `cargo build --release -p rootstock-tracker && cargo run --release -p rootstock-tracker --example landing-scale -- [COMMITS]`
//! (default 1,000,000) writes a bare repository, runs the program on it, fetches 500 more commits and runs it again, then asks
//! the index and `git merge-base --is-ancestor` and `git branch --contains` the same questions. Invariant: every answer that is
//! timed against git is also compared with git's.

#![expect(clippy::print_stdout, reason = "a measurement prints its figures")]
#![expect(
    clippy::unwrap_used,
    reason = "a measurement stops at the first surprise"
)]

#[path = "../../tracker-landing/examples/ancestry/shape.rs"]
mod shape;

use shape::Shape;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use tracker_jobs::landing::LandingFolder;

/// Commits of the fetch.
const FETCHED: usize = 500;

/// Questions that git is asked too.
const BESIDE: usize = 60;

fn main() {
    let count: usize = std::env::args()
        .nth(1)
        .map_or(1_000_000, |text| text.parse().unwrap());
    let program = std::env::current_exe().unwrap();
    let program = program
        .parent()
        .unwrap()
        .with_file_name("rootstock-tracker");
    assert!(
        program.exists(),
        "build the program first: {}",
        program.display()
    );
    let shape = Shape::new(count);
    let folder = tempfile::tempdir().unwrap();
    let repository = folder.path().join("nixpkgs.git");
    git(
        folder.path(),
        &[
            "init",
            "--quiet",
            "--bare",
            "--initial-branch=master",
            "nixpkgs.git",
        ],
    );
    let before = count - FETCHED;
    write(&repository, &shape, 0, before);
    git(&repository, &["commit-graph", "write", "--reachable"]);
    println!(
        "history: {before} commits, {} branches, then {FETCHED} more",
        shape.heads.len() + 1
    );
    let index = folder.path().join("landing");
    let (took, peak) = run(&program, &repository, &index);
    println!(
        "landing index, all: {:.1} s, peak {} MB",
        took.as_secs_f64(),
        peak / 1000
    );
    write(&repository, &shape, before, count);
    let (took, peak) = run(&program, &repository, &index);
    println!(
        "landing index, {FETCHED} new commits: {:.2} s (limit 1 s), peak {} MB",
        took.as_secs_f64(),
        peak / 1000
    );
    let size = std::fs::metadata(index.join("index")).unwrap().len();
    println!("index on disk: {} MB", size / 1_000_000);

    let started = Instant::now();
    let opened = LandingFolder::open(&index).unwrap();
    println!("opened in {:.2} s", started.elapsed().as_secs_f64());
    ask(&opened, &repository);
}

/// Asks the index many questions, and git some of them.
fn ask(opened: &LandingFolder, repository: &Path) {
    let index = opened.index();
    let (graph, ancestry) = (index.graph(), index.ancestry().unwrap());
    let commits: Vec<_> = graph.commits().collect();
    let heads: Vec<_> = index.branches().iter().collect();
    let chosen = |round: usize| {
        let spread = (round as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 20;
        commits[spread as usize % commits.len()]
    };
    let mut contains: Vec<u128> = (0..200_000)
        .map(|round| {
            let started = Instant::now();
            let head = *heads[round % heads.len()].1;
            std::hint::black_box(ancestry.contains(graph, head, chosen(round)));
            started.elapsed().as_nanos()
        })
        .collect();
    let now = jiff::Timestamp::now();
    let mut answers: Vec<u128> = (0..5_000)
        .map(|round| {
            let started = Instant::now();
            std::hint::black_box(index.answer_for(chosen(round), None, now).unwrap());
            started.elapsed().as_nanos()
        })
        .collect();
    tell("is the commit in the branch", &mut contains);
    tell("where is the commit (every branch, its way)", &mut answers);

    let (mut ours, mut merge_base, mut branches) = (Duration::ZERO, Duration::ZERO, Duration::ZERO);
    for round in 0..BESIDE {
        let commit = chosen(round * 7 + 1);
        let name = graph.name(commit).to_string();
        let started = Instant::now();
        let mut held: Vec<&str> = heads
            .iter()
            .filter(|(_, head)| ancestry.contains(graph, **head, commit))
            .map(|(branch, _)| branch.as_str())
            .collect();
        ours += started.elapsed();
        held.sort_unstable();
        let started = Instant::now();
        let listing = git(
            repository,
            &["branch", "--contains", &name, "--format=%(refname:short)"],
        );
        branches += started.elapsed();
        let mut theirs: Vec<&str> = listing.lines().collect();
        theirs.sort_unstable();
        assert_eq!(held, theirs, "{name}");
        let (branch, head) = heads[round % heads.len()];
        let started = Instant::now();
        let asked = ["merge-base", "--is-ancestor", &name, branch];
        let status = Command::new("git")
            .arg("-C")
            .arg(repository)
            .args(asked)
            .status();
        merge_base += started.elapsed();
        assert_eq!(
            status.unwrap().success(),
            ancestry.contains(graph, *head, commit),
            "{name}"
        );
    }
    let mean = |time: Duration| time.as_secs_f64() * 1e3 / BESIDE as f64;
    println!(
        "beside git, mean of {BESIDE}: all branches {:.4} ms, `git branch --contains` {:.1} ms ({:.0} times as long), \
         `git merge-base --is-ancestor` (one branch) {:.1} ms ({:.0} times as long)",
        mean(ours),
        mean(branches),
        mean(branches) / mean(ours),
        mean(merge_base),
        mean(merge_base) / mean(ours),
    );
}

fn tell(what: &str, times: &mut [u128]) {
    times.sort_unstable();
    let at = |share: usize| times[times.len() * share / 1000] as f64 / 1e3;
    println!(
        "{what}: median {:.1} us, P99 {:.1} us, P99.9 {:.1} us",
        at(500),
        at(990),
        at(999)
    );
}

/// Runs `landing index`; the time it took and its peak of memory in kB.
fn run(program: &Path, repository: &Path, index: &Path) -> (Duration, u64) {
    let started = Instant::now();
    let mut child = Command::new(program)
        .args(["landing", "index", "--branch", "*", "--repository"])
        .arg(repository)
        .arg("--index")
        .arg(index)
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let status = PathBuf::from(format!("/proc/{}/status", child.id()));
    let mut peak = 0;
    loop {
        if let Some(ended) = child.try_wait().unwrap() {
            assert!(ended.success(), "{ended}");
            return (started.elapsed(), peak);
        }
        let text = std::fs::read_to_string(&status).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let held = line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok());
        peak = peak.max(held.unwrap_or(0));
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Writes commits `from..to` of the shape, and every branch as far as it goes then.
fn write(repository: &Path, shape: &Shape, from: usize, to: usize) {
    let mut import = Command::new("git");
    import.arg("-C").arg(repository).args([
        "fast-import",
        "--quiet",
        "--force",
        "--import-marks-if-exists=marks",
        "--export-marks=marks",
    ]);
    let mut import = import.stdin(Stdio::piped()).spawn().unwrap();
    let mut stream = BufWriter::new(import.stdin.take().unwrap());
    for number in from..to {
        let (mark, time) = (number + 1, 1_100_000_000 + number * 600);
        let message = match shape.parents[number].len() {
            2 => format!(
                "Merge pull request #{mark} from someone/branch\n\npackage-{}: update\n",
                number % 9_000
            ),
            _ if number.is_multiple_of(97) => {
                format!(
                    "package-{}: fix CVE-2024-{:05}\n",
                    number % 9_000,
                    number % 90_000
                )
            }
            _ => format!("package-{}: 1.{number} -> 1.{mark}\n", number % 9_000),
        };
        write!(
            stream,
            "reset refs/heads/writing\ncommit refs/heads/writing\nmark :{mark}\ncommitter a <a{}@example.org> {time} +0000\ndata {}\n{message}",
            number % 3_000,
            message.len()
        )
        .unwrap();
        for (place, parent) in shape.parents[number].iter().enumerate() {
            let verb = if place == 0 { "from" } else { "merge" };
            writeln!(stream, "{verb} :{}", parent + 1).unwrap();
        }
        writeln!(stream).unwrap();
    }
    let trunk = *shape
        .trunk
        .iter()
        .rev()
        .find(|number| **number < to)
        .unwrap();
    let master = ("master".to_owned(), trunk);
    for (name, head) in shape
        .heads
        .iter()
        .filter(|(name, _)| name != "master")
        .chain([&master])
    {
        if *head < to {
            writeln!(stream, "reset refs/heads/{name}\nfrom :{}\n", head + 1).unwrap();
        }
    }
    drop(stream);
    assert!(import.wait().unwrap().success());
    git(repository, &["update-ref", "-d", "refs/heads/writing"]);
}

fn git(folder: &Path, arguments: &[&str]) -> String {
    let output = Command::new("git")
        .arg("-C")
        .arg(folder)
        .args(arguments)
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "git {arguments:?}: {errors}");
    String::from_utf8(output.stdout).unwrap()
}
