//! The same chain for Nix: an expression of raw derivations and the inputs beside it.
//!
//! Invariant: the expression names every input by the SHA-256 of its NAR, and nothing of nixpkgs, so that Nix makes of it exactly
//! the derivations that [`crate::plan`] made.

use crate::build::Report;
use crate::chain::{Chain, Made, Step, Text};
use crate::plan::{Planned, PlannedStep};
use crate::store::{Store, StoreError};
use nix_archive::tree::{self, Case};
use std::fmt::Write;
use std::fs;
use std::path::Path;

/// Name of the expression's file.
pub const EXPRESSION: &str = "chain.nix";
/// Name of the folder with the inputs.
const INPUTS: &str = "inputs";

/// Writes the expression and the inputs into a new folder.
///
/// # Errors
/// [`StoreError::File`], [`StoreError::Archive`].
pub fn export(chain: &Chain, report: &Report, store: &Store, to: &Path) -> Result<(), StoreError> {
    let failed = |source| StoreError::File {
        path: to.to_owned(),
        source,
    };
    fs::create_dir(to).map_err(failed)?;
    fs::create_dir(to.join(INPUTS)).map_err(failed)?;
    for object in report.sources.values() {
        let (from, copy) = (
            store.object(&object.path),
            to.join(INPUTS).join(object.path.name().as_str()),
        );
        let archive = |source| StoreError::Archive {
            path: from.clone(),
            source,
        };
        let nar = tree::dump(&from, Vec::new(), Case::Kept).map_err(archive)?;
        let mut reader = nix_archive::Reader::new(nar.as_slice());
        tree::restore(&mut reader, &copy, Case::Kept).map_err(archive)?;
    }
    fs::write(to.join(EXPRESSION), expression(chain, report)).map_err(failed)
}

/// The expression: an attribute set of all steps.
pub fn expression(chain: &Chain, report: &Report) -> String {
    let mut text = format!(
        "# The chain {} as raw derivations: nix-build chain.nix. Written by `rootstock-seed nix-export`.\nlet\n",
        quoted(&chain.name)
    );
    let mut names = Vec::new();
    for (number, item) in chain.items.iter().enumerate() {
        let name = quoted(item.name.as_str());
        match (&item.made, &report.planned[number]) {
            (Made::Step(step), Planned::Step(plan)) => {
                names.push(name.clone());
                let arguments = arguments(step, plan);
                let _ = writeln!(
                    text,
                    "  v{number} = derivation {{\n    name = {name};\n    system = {};",
                    quoted(&chain.system)
                );
                let _ = writeln!(text, "    builder = {};", resolved(&step.program));
                let _ = writeln!(
                    text,
                    "    args = [\n      {}\n    ];",
                    arguments.join("\n      ")
                );
                for (variable, value) in &chain.environment {
                    let _ = writeln!(text, "    {} = {};", quoted(variable), quoted(value));
                }
                text.push_str("  };\n");
            }
            (_, Planned::Source(_)) => {
                let sha256 = &report.sources[&number].nar.base16();
                let _ = writeln!(
                    text,
                    "  v{number} = builtins.path {{ name = {name}; path = ./{INPUTS} + {}; recursive = true; sha256 = \"{sha256}\"; }};",
                    quoted(&format!("/{}", item.name.as_str()))
                );
            }
            _ => {}
        }
    }
    text.push_str("in {\n");
    for (number, item) in chain.items.iter().enumerate() {
        if matches!(report.planned[number], Planned::Step(_)) {
            let _ = writeln!(text, "  {} = v{number};", quoted(item.name.as_str()));
        }
    }
    text.push_str("}\n");
    text
}

/// The arguments as expressions; patterns are written out, as the plan found them.
fn arguments(step: &Step, plan: &PlannedStep) -> Vec<String> {
    let mut fitting = plan.fitting.iter();
    let mut all = Vec::new();
    for text in &step.arguments {
        match text.pattern() {
            None => all.push(resolved(text)),
            Some((item, _, _)) => {
                let files = fitting.next().into_iter().flatten();
                all.extend(files.map(|file| format!("\"${{v{item}}}{}\"", escaped(file))));
            }
        }
    }
    all
}

fn resolved(text: &Text) -> String {
    use crate::chain::Part;
    let parts = text.parts.iter().map(|part| match part {
        Part::Plain(plain) => escaped(plain),
        Part::Item(item) => format!("${{v{item}}}"),
        Part::Out => "${placeholder \"out\"}".to_owned(),
    });
    format!("\"{}\"", parts.collect::<String>())
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", escaped(text))
}

/// A text within a Nix string.
fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace("${", "\\${")
        .replace('\n', "\\n")
        .replace('\r', "\\r")
        .replace('\t', "\\t")
}
