//! Why a match is likely: each reason with its weight.
//!
//! Invariant: bars that stand together have one scale, that of the heaviest among them.

use super::{Marked, WeightBar};
use askama::Template;
use askama::filters::HtmlSafe;
use tracker_match::Reason;

/// The reasons of one match.
#[derive(Debug, Template)]
#[template(
    ext = "html",
    source = r#"<ul class="reasons">{% for line in lines %}
<li title="{{ line.feature }}"><span class="reason">{{ line.text }}</span><span class="bar">{{ line.bar }}</span></li>{% endfor %}
</ul>"#
)]
pub(crate) struct Reasons {
    lines: Vec<Line>,
}

#[derive(Debug)]
struct Line {
    feature: String,
    text: Marked,
    bar: WeightBar,
}

impl HtmlSafe for Reasons {}

impl Reasons {
    pub(crate) fn new(reasons: &[Reason]) -> Reasons {
        let weights = reasons.iter().map(|reason| reason.weight.abs());
        let scale = weights.fold(0.0, f64::max);
        let lines = reasons.iter().map(|reason| Line {
            feature: reason.feature.clone(),
            text: Marked::new(&reason.text),
            bar: WeightBar::new(reason.weight, scale),
        });
        Reasons {
            lines: lines.collect(),
        }
    }

    /// Whether there is none, as of a package that somebody added.
    pub(crate) fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }
}
