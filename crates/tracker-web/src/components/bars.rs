//! Bars: how a total divides, how sure a match is, what speaks for and against it.
//!
//! Invariant: every bar states its figures in words too; the picture is for the eye alone.

use super::wording::percent;
use askama::Template;
use askama::filters::HtmlSafe;

/// Units across a bar.
const WIDTH: f64 = 100.0;

/// A stretch of a [`Distribution`].
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Part {
    /// Class that colours it.
    pub(crate) class: &'static str,
    /// What it counts.
    pub(crate) label: &'static str,
    /// How many.
    pub(crate) count: u64,
}

/// A total divided into parts, side by side; the figures stand in the label.
#[derive(Debug, Clone, PartialEq, Template)]
#[template(
    ext = "html",
    source = r#"<svg class="distribution" viewBox="0 0 100 6" preserveAspectRatio="none" role="img" aria-label="{{ label }}">{% for bar in bars %}<rect class="{{ bar.class }}" x="{{ bar.x }}" y="0" width="{{ bar.width }}" height="6"/>{% endfor %}</svg>"#
)]
pub(crate) struct Distribution {
    label: String,
    bars: Vec<Bar>,
}

#[derive(Debug, Clone, PartialEq)]
struct Bar {
    class: &'static str,
    x: String,
    width: String,
}

impl HtmlSafe for Distribution {}

impl Distribution {
    /// The parts in the order given; empty ones take no room.
    pub(crate) fn new(parts: &[Part]) -> Distribution {
        let present: Vec<&Part> = parts.iter().filter(|part| part.count > 0).collect();
        let total: u64 = present.iter().map(|part| part.count).sum();
        let words: Vec<String> = parts
            .iter()
            .map(|part| format!("{} {}", part.count, part.label.to_lowercase()))
            .collect();
        // A gap between parts keeps them apart without colour.
        let gap = 0.6;
        let room = WIDTH - gap * (present.len().saturating_sub(1)) as f64;
        let mut x = 0.0;
        let bars = present
            .iter()
            .map(|part| {
                let width = room * part.count as f64 / total as f64;
                let bar = Bar {
                    class: part.class,
                    x: format!("{x:.2}"),
                    width: format!("{width:.2}"),
                };
                x += width + gap;
                bar
            })
            .collect();
        Distribution {
            label: words.join(", "),
            bars,
        }
    }
}

/// A share between 0 and 1, with its number.
#[derive(Debug, Clone, PartialEq, Template)]
#[template(
    ext = "html",
    source = r#"<span class="gauge"><svg viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden="true"><rect class="track" width="100" height="6"/><rect class="fill" width="{{ width }}" height="6"/></svg><span class="number">{{ text }}</span></span>"#
)]
pub(crate) struct Gauge {
    width: String,
    text: String,
}

impl HtmlSafe for Gauge {}

impl Gauge {
    /// A bar for a share; anything outside 0 to 1 is drawn at its nearest end.
    pub(crate) fn new(share: f64) -> Gauge {
        let share = if share.is_finite() {
            share.clamp(0.0, 1.0)
        } else {
            0.0
        };
        Gauge {
            width: format!("{:.1}", share * WIDTH),
            text: percent(share),
        }
    }
}

/// A weight that speaks for (right) or against (left), on a scale shared by its neighbours.
#[derive(Debug, Clone, PartialEq, Template)]
#[template(
    ext = "html",
    source = r#"<svg class="weight" viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true"><rect class="axis" x="49.7" y="0" width="0.6" height="8"/><rect class="{{ class }}" x="{{ x }}" y="1.5" width="{{ width }}" height="5"/></svg><span class="number">{{ text }}</span>"#
)]
pub(crate) struct WeightBar {
    class: &'static str,
    x: String,
    width: String,
    text: String,
}

impl HtmlSafe for WeightBar {}

impl WeightBar {
    /// A bar for a weight in log-odds; `scale` is the largest absolute weight beside it.
    pub(crate) fn new(weight: f64, scale: f64) -> WeightBar {
        let share = if weight.is_finite() && scale > 0.0 {
            (weight / scale).clamp(-1.0, 1.0)
        } else {
            0.0
        };
        let width = share.abs() * WIDTH / 2.0;
        let x = if share < 0.0 {
            WIDTH / 2.0 - width
        } else {
            WIDTH / 2.0
        };
        // A real minus sign has the width of the plus.
        let text = format!(
            "{}{:.1}",
            if weight < 0.0 { '\u{2212}' } else { '+' },
            weight.abs()
        );
        WeightBar {
            class: if share < 0.0 { "against" } else { "for" },
            x: format!("{x:.1}"),
            width: format!("{width:.1}"),
            text,
        }
    }
}
