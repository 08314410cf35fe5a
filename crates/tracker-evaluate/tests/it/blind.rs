//! What labels come from identifies nothing: patch names, `knownVulnerabilities`, stored decisions.
//!
//! Invariant: a list that tells them and one that does not give the same weights and the same proposals.

use crate::facts::{Files, write};
use tracker_evaluate::evaluate::{self, EvaluateArgs};
use tracker_evaluate::learn::{self, LearnArgs};

/// Fits weights, then proposes with them: the weights without their digests, the proposals, the report.
fn run(files: &Files) -> (String, String, serde_json::Value) {
    let weights = files.folder.join("weights.tsv");
    let proposals = files.folder.join("proposals.jsonl");
    learn::run(
        &LearnArgs {
            packages: files.packages.clone(),
            records: vec![files.records.clone()],
            truth: files.truth.clone(),
            judged: vec![files.judged.clone()],
            negatives: vec![files.negatives.clone()],
            aliases_from: Vec::new(),
            until: None,
            later_packages: None,
            threshold: 0.65,
            output: weights.clone(),
        },
        &mut Vec::new(),
    )
    .unwrap();
    let mut report = Vec::new();
    evaluate::run(
        &EvaluateArgs {
            packages: files.packages.clone(),
            records: vec![files.records.clone()],
            truth: files.truth.clone(),
            judged: vec![files.judged.clone()],
            negatives: vec![files.negatives.clone()],
            disputed: Vec::new(),
            until: None,
            threshold: None,
            weights: Some(weights.clone()),
            held_out: false,
            proposals: Some(proposals.clone()),
            repology: None,
            calibration_svg: None,
            json: true,
        },
        &mut report,
    )
    .unwrap();
    let weights = std::fs::read_to_string(weights).unwrap();
    let model = weights.lines().filter(|line| !line.starts_with('#'));
    (
        model.collect::<Vec<_>>().join("\n"),
        std::fs::read_to_string(proposals).unwrap(),
        serde_json::from_slice(&report).unwrap(),
    )
}

#[test]
fn what_labels_come_from_is_no_evidence() {
    let (silent, telling) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (weights, proposals, report) = run(&write(silent.path(), false));
    let told = write(telling.path(), true);
    // The other list does tell: matching would see it, if it looked.
    let packages = tracker_evaluate::corpus::read_packages(&told.packages).unwrap();
    assert!(
        packages
            .iter()
            .all(|package| package.known_vulnerabilities.len() == 2)
    );
    let (weights_told, proposals_told, report_told) = run(&told);
    assert_eq!(weights_told, weights);
    assert_eq!(proposals_told, proposals);
    for key in [
        "precision",
        "recall",
        "recall_by_strength",
        "version_verdicts",
        "years",
    ] {
        assert_eq!(report_told[key], report[key], "{key}");
    }
    // Every tool is found, no plugin of its name is: the run itself is a real one.
    assert_eq!(proposals.lines().count(), 240);
    assert_eq!(report["recall_by_strength"]["1"], 1.0);
    assert_eq!(report["negatives_proposed"], 0.0);
}

#[test]
fn no_decision_can_be_read_for_nothing_here_knows_a_store() {
    let manifest = include_str!("../../Cargo.toml");
    for name in ["tracker-store", "tracker-triage", "tracker-jobs", "sqlx"] {
        assert!(!manifest.contains(name), "{name}");
    }
}

#[test]
fn the_report_has_every_figure_for_ours_and_for_both_rules() {
    let folder = tempfile::tempdir().unwrap();
    let (_, proposals, report) = run(&write(folder.path(), false));
    let keys = [
        "precision",
        "recall",
        "recall_by_strength",
        "recall_at_1",
        "recall_at_3",
        "candidates_per_vulnerability",
        "negatives_proposed",
        "calibration",
    ];
    for place in ["", "/baselines/substring", "/baselines/cpe-equals-pname"] {
        for key in keys {
            let pointer = format!("{place}/{key}");
            assert!(report.pointer(&pointer).is_some(), "{pointer}");
        }
        for strength in ["1", "2", "3"] {
            let pointer = format!("{place}/recall_by_strength/{strength}");
            assert!(report.pointer(&pointer).is_some(), "{pointer}");
        }
    }
    for line in proposals.lines() {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        let sum: f64 = line["reasons"]
            .as_array()
            .unwrap()
            .iter()
            .map(|reason| reason["weight"].as_f64().unwrap())
            .sum();
        let score = line["score"].as_f64().unwrap();
        assert!((1.0 / (1.0 + (-sum).exp()) - score).abs() < 1e-9);
    }
}
