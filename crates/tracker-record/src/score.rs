//! CVSS statements: a vector that the specification's grammar accepts, and the base score that belongs to it.
//!
//! Invariant: no score without a valid vector; a stated score that contradicts its vector is replaced by the
//! vector's, with a warning.

use crate::json::{At, Warnings};
use crate::record::Cvss;
use std::str::FromStr;

/// How far a stated score may lie from the vector's, in tenths: implementations round differently.
const TOLERANCE_TENTHS: u8 = 1;

/// The longest vector of the specifications, version 4 with every metric, has under 300 bytes.
const MAX_VECTOR_BYTES: usize = 512;

/// Reads a vector and checks the score that the source stated for it, if it did.
///
/// `at` and `key` say where the vector stands, for warnings.
pub(crate) fn read(
    vector: &str,
    stated: Option<f64>,
    at: &At<'_, '_>,
    key: &str,
    warnings: &mut Warnings,
) -> Option<Cvss> {
    // NVD once wrote version 2 vectors in parentheses.
    let vector = vector.trim_start_matches('(').trim_end_matches(')');
    let (version, computed) = match base_score(vector) {
        Ok(read) => read,
        Err(problem) => {
            warnings.push(at, key, problem);
            return None;
        }
    };
    let mut score_tenths = computed;
    if let Some(stated) = stated {
        match tenths(stated) {
            // A version 4 vector with threat metrics has another score than its base metrics alone.
            Some(tenths) if tenths.abs_diff(computed) <= TOLERANCE_TENTHS || has_threat(vector) => {
                score_tenths = tenths;
            }
            _ => {
                let right = f64::from(computed) / 10.0;
                let problem =
                    format!("score {stated} contradicts the vector, whose score is {right:.1}");
                warnings.push(at, "baseScore", problem);
            }
        }
    }
    Some(Cvss {
        version: version.to_owned(),
        vector: vector.to_owned(),
        score_tenths,
    })
}

fn has_threat(vector: &str) -> bool {
    vector.starts_with("CVSS:4.0/") && vector.contains("/E:")
}

fn tenths(score: f64) -> Option<u8> {
    let tenths = (score * 10.0).round();
    (0.0..=100.0).contains(&tenths).then_some(tenths as u8)
}

/// The version and the base score in tenths of a vector.
fn base_score(vector: &str) -> Result<(&'static str, u8), String> {
    if vector.len() > MAX_VECTOR_BYTES {
        return Err(format!(
            "CVSS vector of {} bytes is left out; the limit is {MAX_VECTOR_BYTES}",
            vector.len()
        ));
    }
    let wrong = |reason: &dyn std::fmt::Display| {
        format!("CVSS vector {vector:?} is wrong and left out: {reason}")
    };
    let (version, score) = if vector.starts_with("CVSS:") {
        match cvss::Cvss::from_str(vector).map_err(|error| wrong(&error))? {
            cvss::Cvss::CvssV30(read) => {
                ("3.0", whole(vector, V3_BASE).then(|| read.score().value()))
            }
            cvss::Cvss::CvssV31(read) => {
                ("3.1", whole(vector, V3_BASE).then(|| read.score().value()))
            }
            cvss::Cvss::CvssV40(read) => {
                ("4.0", whole(vector, V4_BASE).then(|| read.score().value()))
            }
            _ => return Err(wrong(&"its version is not known")),
        }
    } else {
        let read = cvss::v2::Vector::from_str(vector).map_err(|error| wrong(&error))?;
        ("2.0", whole(vector, V2_BASE).then(|| read.score().value()))
    };
    let score = score.ok_or_else(|| wrong(&"a base metric is missing"))?;
    let tenths = tenths(score).ok_or_else(|| wrong(&"its score is not between 0 and 10"))?;
    Ok((version, tenths))
}

const V2_BASE: &[&str] = &["AV", "AC", "Au", "C", "I", "A"];
const V3_BASE: &[&str] = &["AV", "AC", "PR", "UI", "S", "C", "I", "A"];
const V4_BASE: &[&str] = &[
    "AV", "AC", "AT", "PR", "UI", "VC", "VI", "VA", "SC", "SI", "SA",
];

/// Whether every base metric has a value; the parsers accept partial vectors.
fn whole(vector: &str, metrics: &[&str]) -> bool {
    metrics.iter().all(|metric| {
        vector.split('/').any(|part| {
            part.split_once(':')
                .is_some_and(|(name, _)| name == *metric)
        })
    })
}

#[cfg(test)]
mod tests;
