//! Weights: how much each feature counts, read from a committed, readable file; and the aliases learned with them.
//!
//! Format: lines of `KIND TAB …`: `weight NAME NUMBER`, `bias NUMBER`, `threshold NUMBER`, `alias VENDOR PRODUCT
//! FAMILY COUNT`, `makers NAME COUNT`; `#` begins a comment. Invariant: a file that names an unknown feature is refused; a feature that
//! it does not name weighs nothing.

use crate::feature::{Feature, Features};
use sha2::{Digest as _, Sha256};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt::Write as _;

/// The file that is fitted by `rootstock-tracker learn`.
const EMBEDDED: &str = include_str!("weights.tsv");

/// Why a weights file is refused.
#[derive(Debug, thiserror::Error)]
pub enum WeightsError {
    /// A line is none of the five kinds, or has too few fields: correct it.
    #[error("line {line}: not a weight, bias, threshold, alias or makers: `{text}`")]
    Line {
        /// Line, from 1.
        line: usize,
        /// The line.
        text: String,
    },
    /// A number is none, or not finite.
    #[error("line {line}: not a number: `{text}`")]
    Number {
        /// Line, from 1.
        line: usize,
        /// The field.
        text: String,
    },
    /// The file is for another version of the program: fit it again.
    #[error("line {line}: unknown feature `{name}`")]
    Feature {
        /// Line, from 1.
        line: usize,
        /// The name.
        name: String,
    },
}

/// A fitted model.
#[derive(Debug, Clone, PartialEq)]
pub struct Weights {
    weights: Vec<f64>,
    /// Log-odds before any feature.
    pub bias: f64,
    /// The probability from which on a match is proposed.
    pub threshold: f64,
    /// By product, then vendor.
    aliases: HashMap<String, BTreeMap<String, Vec<String>>>,
    /// Names that products of several makers have.
    makers: HashSet<String>,
}

impl Weights {
    /// The weights that the program carries.
    pub fn embedded() -> Self {
        Self::parse(EMBEDDED).expect("the embedded weights file is well formed; a test reads it")
    }

    /// Reads a weights file.
    pub fn parse(text: &str) -> Result<Self, WeightsError> {
        let mut weights = Weights {
            weights: vec![0.0; Feature::ALL.len()],
            bias: 0.0,
            threshold: 0.5,
            aliases: HashMap::new(),
            makers: HashSet::new(),
        };
        for (index, content) in text.lines().enumerate() {
            let line = index + 1;
            let content = content.trim_end();
            if content.is_empty() || content.starts_with('#') {
                continue;
            }
            let number = |text: &str| {
                text.parse()
                    .ok()
                    .filter(|number: &f64| number.is_finite())
                    .ok_or_else(|| WeightsError::Number {
                        line,
                        text: text.to_owned(),
                    })
            };
            let fields: Vec<&str> = content.split('\t').collect();
            match fields.as_slice() {
                ["weight", name, value] => {
                    let feature = Feature::ALL
                        .iter()
                        .find(|feature| feature.name() == *name)
                        .ok_or_else(|| WeightsError::Feature {
                            line,
                            name: (*name).to_owned(),
                        })?;
                    weights.weights[*feature as usize] = number(value)?;
                }
                ["bias", value] => weights.bias = number(value)?,
                ["threshold", value] => weights.threshold = number(value)?,
                ["alias", vendor, product, family, _count] => weights
                    .aliases
                    .entry((*product).to_owned())
                    .or_default()
                    .entry((*vendor).to_owned())
                    .or_default()
                    .push((*family).to_owned()),
                ["makers", name, _count] => {
                    weights.makers.insert((*name).to_owned());
                }
                _ => {
                    return Err(WeightsError::Line {
                        line,
                        text: content.chars().take(100).collect(),
                    });
                }
            }
        }
        Ok(weights)
    }

    /// The weight of a feature, in log-odds.
    pub fn of(&self, feature: Feature) -> f64 {
        self.weights[feature as usize]
    }

    /// Log-odds of a set of features.
    pub fn log_odds(&self, features: Features) -> f64 {
        self.bias + features.iter().map(|feature| self.of(feature)).sum::<f64>()
    }

    /// The families that a vendor's product was decided to be; both folded, the vendor possibly empty.
    pub fn aliases(&self, vendor: &str, product: &str) -> &[String] {
        self.aliases
            .get(product)
            .and_then(|vendors| vendors.get(vendor))
            .map_or(&[], Vec::as_slice)
    }

    /// Whether products of several makers have a folded name.
    pub fn has_several_makers(&self, name: &str) -> bool {
        self.makers.contains(name)
    }

    /// SHA-256 over everything in the model, in hexadecimal: two models of one digest match alike.
    pub fn digest(&self) -> String {
        let mut text = format!("{:e} {:e}", self.bias, self.threshold);
        for (feature, weight) in Feature::ALL.iter().zip(&self.weights) {
            // Writing to a string cannot fail.
            let _ = write!(text, "\n{} {weight:e}", feature.name());
        }
        let mut aliases: Vec<_> = self
            .aliases
            .iter()
            .flat_map(|(product, vendors)| {
                let families = vendors.iter();
                families.map(move |(vendor, families)| (vendor, product, families))
            })
            .collect();
        aliases.sort();
        for (vendor, product, families) in aliases {
            let _ = write!(text, "\n{vendor}\t{product}\t{}", families.join("\t"));
        }
        let mut makers: Vec<_> = self.makers.iter().collect();
        makers.sort();
        for name in makers {
            let _ = write!(text, "\n{name}");
        }
        hex::encode(Sha256::digest(text.as_bytes()))
    }

    /// The same model with other numbers, for fitting.
    pub fn with(mut self, bias: f64, weights: &[f64]) -> Self {
        self.bias = bias;
        self.weights.copy_from_slice(weights);
        self
    }
}

/// The probability for log-odds.
pub fn probability(log_odds: f64) -> f64 {
    1.0 / (1.0 + (-log_odds).exp())
}

#[cfg(test)]
mod tests;
