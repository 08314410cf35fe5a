//! How far a job is: a bar on a terminal, a line now and then elsewhere.
//!
//! Invariant: it goes to standard error, and a screen that cannot be written to stops no job.

use crate::output;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::IsTerminal;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};
use tracker_jobs::{Phase, Progress, Step};

/// Pause between two lines where there is no terminal.
const PAUSE: Duration = Duration::from_secs(5);

/// Where a job's steps are shown.
#[derive(Debug)]
pub(crate) struct Display {
    bar: Option<ProgressBar>,
    shown: Mutex<Shown>,
}

#[derive(Debug)]
struct Shown {
    phase: Option<Phase>,
    at: Instant,
    line: String,
}

impl Display {
    /// A display that fits standard error.
    pub(crate) fn new() -> Display {
        let bar = std::io::stderr()
            .is_terminal()
            .then(|| ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr_with_hz(10)));
        Display {
            bar,
            shown: Mutex::new(Shown {
                phase: None,
                at: Instant::now(),
                line: String::new(),
            }),
        }
    }

    /// Takes the bar away, so that what follows stands on a clean line.
    pub(crate) fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

impl Progress for Display {
    fn step(&self, step: Step) {
        // The value is plain data: whoever panicked while holding it left nothing half done.
        let mut shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
        let begins = shown.phase != Some(step.phase);
        shown.phase = Some(step.phase);
        match &self.bar {
            Some(bar) => {
                if begins {
                    bar.reset();
                    bar.set_style(style(step.phase));
                    bar.set_prefix(title(step.phase));
                }
                bar.set_length(step.total);
                bar.set_position(step.done);
                bar.set_message(format!("{} {}", step.records, noun(step.phase)));
            }
            None if step.done >= step.total || shown.at.elapsed() >= PAUSE => {
                shown.at = Instant::now();
                let share = (step.done * 100).checked_div(step.total).unwrap_or(100);
                let (title, noun) = (title(step.phase), noun(step.phase));
                let line = format!("{title}: {share} %, {} {noun}", step.records);
                // A job's last steps may all be its end.
                if line != shown.line {
                    output::note(&line);
                    shown.line = line;
                }
            }
            None => {}
        }
    }
}

fn style(phase: Phase) -> ProgressStyle {
    let template = match phase {
        Phase::Import | Phase::Channel => {
            "{prefix} {bar:30} {percent:>3} %  {bytes}/{total_bytes}  {binary_bytes_per_sec}  {msg}  {eta} left"
        }
        _ => "{prefix} {bar:30} {percent:>3} %  {pos}/{len}  {per_sec}  {msg}  {eta} left",
    };
    ProgressStyle::with_template(template)
        .expect("the template is valid")
        .progress_chars("━━╌")
}

fn title(phase: Phase) -> &'static str {
    match phase {
        Phase::Import => "reading feeds",
        Phase::Channel => "reading channel",
        Phase::Derive => "matching",
        Phase::Landing => "reading history",
        Phase::Copy => "copying",
        Phase::Words => "indexing words",
        Phase::Verify => "comparing",
        Phase::Check => "reading documents",
    }
}

fn noun(phase: Phase) -> &'static str {
    match phase {
        Phase::Import => "records",
        Phase::Channel => "packages",
        Phase::Derive => "matches",
        Phase::Landing => "commits",
        Phase::Copy | Phase::Verify => "rows",
        Phase::Words => "texts",
        Phase::Check => "documents",
    }
}
