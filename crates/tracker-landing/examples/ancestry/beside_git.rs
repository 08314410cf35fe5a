//! The same history as a git repository, and the same questions asked of git.
//!
//! Invariant: an answer that differs from git's stops the measurement.

use crate::number;
use crate::shape::Shape;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;
use tracker_landing::{Ancestry, Graph};

fn run(folder: &Path, arguments: &[&str]) -> (bool, String) {
    let output = Command::new("git")
        .arg("-C")
        .arg(folder)
        .args(arguments)
        .output()
        .unwrap();
    (
        output.status.success(),
        String::from_utf8(output.stdout).unwrap(),
    )
}

/// Writes the history into a bare repository; gives git's name of each commit.
fn repository(folder: &Path, shape: &Shape) -> Vec<String> {
    run(folder, &["init", "--quiet", "--bare"]);
    let mut import = Command::new("git")
        .arg("-C")
        .arg(folder)
        .args(["fast-import", "--quiet", "--export-marks=marks"])
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stream = std::io::BufWriter::new(import.stdin.take().unwrap());
    for (index, parents) in shape.parents.iter().enumerate() {
        let mut text = format!(
            "commit refs/heads/tip\nmark :{}\ncommitter a <a@example.org> {} +0000\ndata 1\nx\n",
            index + 1,
            1_500_000_000 + index * 60
        );
        for (place, parent) in parents.iter().enumerate() {
            writeln!(
                text,
                "{} :{}",
                if place == 0 { "from" } else { "merge" },
                parent + 1
            )
            .unwrap();
        }
        stream.write_all(text.as_bytes()).unwrap();
    }
    for (branch, head) in &shape.heads {
        writeln!(stream, "reset refs/heads/{branch}\nfrom :{}\n", head + 1).unwrap();
    }
    drop(stream);
    assert!(import.wait().unwrap().success());
    run(folder, &["commit-graph", "write", "--reachable"]);
    let marks = std::fs::read_to_string(folder.join("marks")).unwrap();
    let mut names = vec![String::new(); shape.parents.len()];
    for line in marks.lines() {
        let (mark, object) = line.split_once(' ').unwrap();
        object.clone_into(&mut names[mark[1..].parse::<usize>().unwrap() - 1]);
    }
    names
}

/// Asks both, compares the answers and prints the times.
pub(crate) fn compare(shape: &Shape, graph: &Graph, ancestry: &Ancestry) {
    let folder = tempfile::tempdir().unwrap();
    let names = repository(folder.path(), shape);
    let git = |arguments: &[&str]| run(folder.path(), arguments);
    let questions: Vec<(usize, usize)> = (0..100_usize)
        .map(|round| {
            (
                round * 7_919 * 131 % shape.parents.len(),
                shape.heads[round % shape.heads.len()].1,
            )
        })
        .collect();
    let started = Instant::now();
    let theirs: Vec<bool> = questions
        .iter()
        .map(|(commit, head)| {
            git(&[
                "merge-base",
                "--is-ancestor",
                &names[*commit],
                &names[*head],
            ])
            .0
        })
        .collect();
    let git_time = started.elapsed().as_secs_f64() / 100.0;
    let started = Instant::now();
    let ours: Vec<bool> = questions
        .iter()
        .map(|(commit, head)| {
            ancestry.contains(graph, number(graph, *head), number(graph, *commit))
        })
        .collect();
    let our_time = started.elapsed().as_secs_f64() / 100.0;
    assert_eq!(ours, theirs, "an answer differs from git's");
    println!(
        "100 questions: ours {:.1} us, git merge-base {:.1} ms each ({:.0}x), answers equal",
        our_time * 1e6,
        git_time * 1e3,
        git_time / our_time
    );
    let started = Instant::now();
    for (commit, _) in questions.iter().take(10) {
        let listing = git(&[
            "branch",
            "--contains",
            &names[*commit],
            "--format=%(refname:short)",
        ])
        .1;
        for (branch, head) in &shape.heads {
            let contained = ancestry.contains(graph, number(graph, *head), number(graph, *commit));
            assert_eq!(
                contained,
                listing.lines().any(|line| line == branch),
                "{branch} and {commit}"
            );
        }
    }
    println!(
        "all branches of a commit: git branch --contains {:.1} ms",
        started.elapsed().as_secs_f64() * 100.0
    );
}
