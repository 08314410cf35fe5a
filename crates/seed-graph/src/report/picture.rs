//! The picture: who stands on what, as bars within bars. The first row is everything that is made: free of
//! seeds, or standing on them. Below, each bar is a node all of whose span would be freed by replacing it.
//!
//! Invariant: widths are proportional to numbers of packages, and a bar lies within the one that dominates it.

use super::{clean, percent};
use crate::Audit;
use nix_derivation::Node;
use std::collections::BTreeMap;
use std::fmt::Write;

const WIDTH: f64 = 1160.0;
const ROW: f64 = 46.0;
const ROWS: usize = 6;
/// Narrower bars are not drawn.
const NARROW: f64 = 3.0;
const COLOURS: [&str; 6] = [
    "#b4472f", "#c2643a", "#cd8148", "#d59b5c", "#dbb277", "#e0c797",
];

/// The picture as SVG.
pub(super) fn picture(audit: &Audit) -> String {
    let standing = audit.standing();
    let mut picture = Picture {
        audit,
        out: String::new(),
        scale: 0.0,
        lowest: 0,
        children: children(audit),
    };
    let total: u32 = audit
        .graph
        .nodes()
        .filter(|node| audit.dominators.stands_on_seed(*node))
        .count() as u32;
    let free = standing.made - standing.on_seeds;
    picture.scale = WIDTH / f64::from((total + free).max(1));
    let split = f64::from(total) * picture.scale;
    picture.bar(
        0.0,
        0,
        split,
        "#6d3327",
        &format!(
            "stand on seeds: {} ({})",
            standing.on_seeds,
            percent(standing.on_seeds, standing.made)
        ),
        "",
    );
    picture.bar(
        split,
        0,
        WIDTH - split,
        "#3d7a57",
        &format!("free of seeds: {free}"),
        "",
    );
    picture.row(None, 0.0, 1);
    format!(
        "<svg viewBox=\"0 0 {WIDTH} {}\" role=\"img\" aria-labelledby=\"picture-title\" xmlns=\"http://www.w3.org/2000/svg\">\
         <title id=\"picture-title\">What stands on which seed: each bar is as wide as what replacing it would free</title>{}</svg>",
        ROW * (picture.lowest + 1) as f64,
        picture.out
    )
}

/// Who is dominated next by whom, most first.
fn children(audit: &Audit) -> BTreeMap<Option<Node>, Vec<Node>> {
    let mut children: BTreeMap<Option<Node>, Vec<Node>> = BTreeMap::new();
    for node in audit
        .graph
        .nodes()
        .filter(|node| audit.dominators.stands_on_seed(*node))
    {
        children
            .entry(audit.dominators.nearest(node))
            .or_default()
            .push(node);
    }
    for nodes in children.values_mut() {
        nodes.sort_by_key(|node| (std::cmp::Reverse(audit.dominators.freed_by(*node)), *node));
    }
    children
}

struct Picture<'a> {
    audit: &'a Audit,
    out: String,
    scale: f64,
    /// The lowest row that was drawn.
    lowest: usize,
    children: BTreeMap<Option<Node>, Vec<Node>>,
}

impl Picture<'_> {
    fn row(&mut self, above: Option<Node>, mut x: f64, depth: usize) {
        let nodes = self.children.get(&above).cloned().unwrap_or_default();
        for node in nodes {
            let freed = self.audit.dominators.freed_by(node);
            let width = f64::from(freed) * self.scale;
            if width < NARROW || depth >= ROWS {
                break;
            }
            let name = clean(self.audit.name(node));
            let title = format!("{name}: replacing it would free {freed}");
            self.bar(
                x,
                depth,
                width,
                COLOURS[depth.min(COLOURS.len()) - 1],
                &name,
                &title,
            );
            self.row(Some(node), x, depth + 1);
            x += width;
        }
    }

    fn bar(&mut self, x: f64, row: usize, width: f64, colour: &str, label: &str, title: &str) {
        self.lowest = self.lowest.max(row);
        let y = row as f64 * ROW;
        let title = if title.is_empty() { label } else { title };
        let fits = (width / 7.4) as usize;
        let shown: String = if label.chars().count() <= fits {
            label.to_owned()
        } else {
            label
                .chars()
                .take(fits.saturating_sub(1))
                .chain(['…'])
                .collect()
        };
        let shown = if fits < 4 { String::new() } else { shown };
        write!(
            self.out,
            "<g><title>{}</title><rect x=\"{x:.2}\" y=\"{y}\" width=\"{:.2}\" height=\"{}\" rx=\"3\" fill=\"{colour}\"/>\
             <text x=\"{:.2}\" y=\"{}\" fill=\"{}\">{}</text></g>",
            escape(title),
            (width - 1.0).max(0.5),
            ROW - 4.0,
            x + 6.0,
            y + 26.0,
            if row > 3 { "#2b1b12" } else { "#fff" },
            escape(&shown)
        )
        .expect("writing to a string succeeds");
    }
}

/// Text for HTML and SVG.
pub(super) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            _ => out.push(character),
        }
    }
    out
}
