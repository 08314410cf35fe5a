//! The small parts that pages are set from: badges, dates, links, bars.
//!
//! Invariant: a component is safe markup whatever it is given, because each is a template of its own and
//! escapes what it shows; colour never carries a meaning that shape and word do not carry too.

mod bars;
mod day;
mod icon;
mod link;
mod marked;
mod prose;
mod reasons;
mod severity;
mod status;
mod wording;

use bars::WeightBar;
pub(crate) use bars::{Distribution, Gauge, Part};
pub(crate) use day::{Day, Moment};
pub(crate) use icon::{Icon, icon};
pub(crate) use link::External;
pub(crate) use marked::Marked;
pub(crate) use prose::{Prose, Words};
pub(crate) use reasons::Reasons;
pub(crate) use severity::{SeverityBadge, severity_class, severity_icon, severity_label};
pub(crate) use status::{StatusBadge, status_class, status_icon, status_label};
pub(crate) use wording::{
    SOURCES, bytes, count, order_label, percent_ppm, range_text, record_state_label, source_label,
    source_word,
};

#[cfg(test)]
mod tests;
