//! Logistic regression over sets of features, by Newton's method with a ridge: small, exact and deterministic.
//!
//! Invariant: the same examples in any order give the same weights, as sums run over sorted, aggregated examples.

use std::collections::BTreeMap;

/// Aggregated examples: the features present, and the weight of positive and of negative examples with them.
#[derive(Debug, Default, Clone)]
pub struct Examples(BTreeMap<Vec<u8>, (f64, f64)>);

/// Newton steps; the likelihood is concave, so that this many always suffice in practice.
const STEPS: usize = 60;

impl Examples {
    /// Adds an example with a weight.
    pub fn add(&mut self, features: Vec<u8>, positive: bool, weight: f64) {
        let (yes, no) = self.0.entry(features).or_default();
        *(if positive { yes } else { no }) += weight;
    }

    /// Adds other examples, each at a share of its weight.
    pub fn extend(&mut self, other: Examples, share: f64) {
        for (features, (yes, no)) in other.0 {
            let sums = self.0.entry(features).or_default();
            sums.0 += yes * share;
            sums.1 += no * share;
        }
    }

    /// Sums of the weights of positive and negative examples.
    pub fn totals(&self) -> (f64, f64) {
        self.0
            .values()
            .fold((0.0, 0.0), |(yes, no), (y, n)| (yes + y, no + n))
    }

    /// Fits bias and weights of `count` features; `ridge` pulls each weight (never the bias) towards its prior.
    pub fn fit(&self, count: usize, ridge: f64, prior: &[f64]) -> (f64, Vec<f64>) {
        let size = count + 1;
        let mut weights = vec![0.0; size];
        weights[1..].copy_from_slice(prior);
        for _ in 0..STEPS {
            let mut gradient = vec![0.0; size];
            let mut hessian = vec![vec![0.0; size]; size];
            for (features, &(yes, no)) in &self.0 {
                let indices: Vec<usize> = std::iter::once(0)
                    .chain(features.iter().map(|&f| f as usize + 1))
                    .collect();
                let log_odds: f64 = indices.iter().map(|&i| weights[i]).sum();
                let p = tracker_match::weights::probability(log_odds);
                let residual = yes * (1.0 - p) - no * p;
                let curvature = (yes + no) * p * (1.0 - p);
                for &i in &indices {
                    gradient[i] += residual;
                    for &j in &indices {
                        hessian[i][j] += curvature;
                    }
                }
            }
            for i in 0..size {
                let (pull, towards) = if i == 0 {
                    (1e-6, 0.0)
                } else {
                    (ridge, prior[i - 1])
                };
                gradient[i] -= pull * (weights[i] - towards);
                hessian[i][i] += pull;
            }
            let step = solve(hessian, gradient);
            let longest = step.iter().fold(0.0_f64, |max, s| max.max(s.abs()));
            // Long steps overshoot where classes separate; a cap keeps the method stable.
            let scale = if longest > 2.0 { 2.0 / longest } else { 1.0 };
            for (weight, step) in weights.iter_mut().zip(&step) {
                *weight += scale * step;
            }
            if longest < 1e-9 {
                break;
            }
        }
        let bias = weights.remove(0);
        (bias, weights)
    }
}

/// Solves a symmetric positive definite system by elimination with pivots.
fn solve(mut matrix: Vec<Vec<f64>>, mut right: Vec<f64>) -> Vec<f64> {
    let size = right.len();
    for column in 0..size {
        let pivot = (column..size)
            .max_by(|&a, &b| matrix[a][column].abs().total_cmp(&matrix[b][column].abs()))
            .unwrap_or(column);
        matrix.swap(column, pivot);
        right.swap(column, pivot);
        for row in column + 1..size {
            let factor = matrix[row][column] / matrix[column][column];
            let (upper, lower) = matrix.split_at_mut(row);
            for (left, above) in lower[0][column..].iter_mut().zip(&upper[column][column..]) {
                *left -= factor * above;
            }
            right[row] -= factor * right[column];
        }
    }
    for row in (0..size).rev() {
        let known: f64 = (row + 1..size)
            .map(|column| matrix[row][column] * right[column])
            .sum();
        right[row] = (right[row] - known) / matrix[row][row];
    }
    right
}

#[cfg(test)]
mod tests {
    //! Invariant checked: the fit reproduces the frequencies it was given.

    use super::*;

    #[test]
    fn frequencies_are_reproduced() {
        let mut examples = Examples::default();
        examples.add(vec![], false, 90.0);
        examples.add(vec![], true, 10.0);
        examples.add(vec![0], true, 80.0);
        examples.add(vec![0], false, 20.0);
        let (bias, weights) = examples.fit(2, 1e-9, &[0.0, 0.0]);
        let p = tracker_match::weights::probability;
        assert!((p(bias) - 0.1).abs() < 1e-6);
        assert!((p(bias + weights[0]) - 0.8).abs() < 1e-6);
        assert!(weights[1].abs() < 1e-6);
    }
}
