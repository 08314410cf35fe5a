//! The report for a terminal.

use super::{LISTED, clean, percent};
use crate::{Audit, Class, Evidence, Verdict, reused};
use nix_derivation::Node;
use std::collections::BTreeMap;
use std::fmt::{self, Write};

/// The report as text.
pub fn text(audit: &Audit) -> String {
    let mut out = String::new();
    write(audit, &mut out).expect("writing to a string succeeds");
    out
}

fn write(audit: &Audit, out: &mut String) -> fmt::Result {
    let standing = audit.standing();
    writeln!(
        out,
        "{} derivations are made, from {} roots",
        standing.made,
        audit.roots.len()
    )?;
    writeln!(
        out,
        "{} of them ({}) stand on a seed: something that nobody can read",
        standing.on_seeds,
        percent(standing.on_seeds, standing.made)
    )?;
    let by_name = audit
        .roots
        .iter()
        .filter(|root| root.evidence == Evidence::Name)
        .count();
    if by_name > 0 {
        writeln!(
            out,
            "{by_name} roots were classified by name only: their bytes are not at hand"
        )?;
    }
    writeln!(out, "\nRoots by class")?;
    let mut classes: BTreeMap<(std::cmp::Reverse<Verdict>, Class), (usize, u64)> = BTreeMap::new();
    for root in &audit.roots {
        let entry = classes
            .entry((std::cmp::Reverse(root.verdict()), root.class))
            .or_default();
        entry.0 += 1;
        entry.1 += root
            .content
            .iter()
            .flat_map(|content| content.classes.values())
            .map(|share| share.bytes)
            .sum::<u64>();
    }
    for ((std::cmp::Reverse(verdict), class), (count, size)) in classes {
        let size = if size > 0 { bytes(size) } else { String::new() };
        writeln!(
            out,
            "  {:<11} {:<16} {count:>7}  {size}",
            word(verdict),
            class.name()
        )?;
    }
    write_seeds(audit, out)?;
    writeln!(out, "\nMost would be freed by replacing")?;
    for (node, freed) in audit.top_dominators(10) {
        writeln!(
            out,
            "  {:<50} {freed:>7}  {}",
            clean(audit.name(node)),
            percent(freed, standing.made)
        )?;
    }
    if let Some(longest) = audit.longest_of_all() {
        writeln!(
            out,
            "\nLongest chain to a seed: {} steps",
            longest.len() - 1
        )?;
        writeln!(out, "  {}", chain(audit, &longest))?;
    }
    write_remarks(audit, out)
}

fn write_seeds(audit: &Audit, out: &mut String) -> fmt::Result {
    let seeds = audit.seed_roots();
    writeln!(
        out,
        "\nSeeds: {} (needed by: what stands on it; frees: what replacing it alone would free)",
        seeds.len()
    )?;
    for root in seeds.iter().take(LISTED) {
        let size = root.opaque_bytes().map_or("size unknown".to_owned(), bytes);
        let freed = audit.dominators.freed_by(root.node) - 1;
        writeln!(
            out,
            "  {} [{}, by {}] {size}, needed by {}, frees {freed}",
            clean(audit.name(root.node)),
            root.class,
            root.evidence,
            audit.needed_by(root.node)
        )?;
        for (place, class, size) in root
            .content
            .iter()
            .flat_map(|content| &content.examples)
            .take(3)
        {
            writeln!(out, "      {} [{class}] {}", clean(place), bytes(*size))?;
        }
    }
    if seeds.len() > LISTED {
        writeln!(
            out,
            "  and {} more (--json lists all)",
            seeds.len() - LISTED
        )?;
    }
    Ok(())
}

/// Reused hashes, and what could not be read.
fn write_remarks(audit: &Audit, out: &mut String) -> fmt::Result {
    let reused = reused(&audit.graph);
    if !reused.is_empty() {
        writeln!(out, "\nOne hash under several names: {}", reused.len())?;
        for reuse in reused.iter().take(LISTED) {
            let names: Vec<String> = reuse.names.iter().map(|name| clean(name)).collect();
            writeln!(out, "  {}: {}", reuse.address.hash.sri(), names.join(", "))?;
        }
    }
    if !audit.problems.is_empty() {
        writeln!(out, "\nNot understood: {}", audit.problems.len())?;
        for problem in audit.problems.iter().take(LISTED) {
            writeln!(out, "  {}", clean(&problem.to_string()))?;
        }
    }
    Ok(())
}

/// A chain of nodes on one line; the middle of a long one is left out.
pub fn chain(audit: &Audit, nodes: &[Node]) -> String {
    let name = |node: &Node| clean(audit.name(*node));
    if nodes.len() <= 12 {
        return nodes.iter().map(name).collect::<Vec<_>>().join(" -> ");
    }
    let start: Vec<String> = nodes[..5].iter().map(name).collect();
    let end: Vec<String> = nodes[nodes.len() - 5..].iter().map(name).collect();
    format!(
        "{} -> ({} more) -> {}",
        start.join(" -> "),
        nodes.len() - 10,
        end.join(" -> ")
    )
}

fn word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Readable => "readable",
        Verdict::Unverified => "unverified",
        Verdict::Derived => "derived",
        Verdict::Opaque => "OPAQUE",
    }
}

/// A size for people.
pub fn bytes(size: u64) -> String {
    match size {
        0..1024 => format!("{size} B"),
        1024..1_048_576 => format!("{:.1} KiB", size as f64 / 1024.0),
        1_048_576..1_073_741_824 => format!("{:.1} MiB", size as f64 / 1_048_576.0),
        _ => format!("{:.2} GiB", size as f64 / 1_073_741_824.0),
    }
}
