//! How good matching is, and the weights that make it so: `evaluate`, `learn`, `infer-cpe` as functions.
//!
//! Reading order: [`corpus`] (records into memory), [`truth`] (labels), [`report`] (proposals against labels),
//! [`evaluate`](mod@evaluate), [`baseline`], [`learn`](mod@learn), [`infer`](mod@infer).
//! Invariant: nothing here looks at patches, known vulnerabilities or decisions; the same inputs give the same
//! bytes out.

pub mod baseline;
pub mod corpus;
pub mod error;
pub mod evaluate;
pub mod infer;
mod judge;
pub mod learn;
pub mod logistic;
mod makers;
pub mod repology;
pub mod report;
pub mod standing;
pub mod truth;

pub use error::EvaluateError;
pub use evaluate::EvaluateArgs;
pub use infer::InferArgs;
pub use learn::LearnArgs;
