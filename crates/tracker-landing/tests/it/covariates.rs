//! Each thing that a forecast is conditioned on, alone: pipelines that differ in it and in nothing else.
//!
//! Invariant: a question is answered from what came before it; what became of it is read off the same pipeline afterwards, so
//! that forecasts of both groups are judged by their own outcomes and by those of the other group.

use crate::pipelines::Random;
use jiff::Timestamp;
use tracker_landing::answer::Eta;
use tracker_landing::archive::{HeadSeen, Segment};
use tracker_landing::eta::{self, Move, Past, Phase, PhaseSeen};
use tracker_landing::message::Mentions;
use tracker_landing::{Commit, LandingIndex, Likeness, ObjectName};

const HOUR: i64 = 3_600;
const DAY: i64 = 24 * HOUR;

/// A Monday.
const BEGIN: i64 = 1_500_249_600;

/// A change: the median of its forecast and how long it waited.
#[derive(Debug, Clone, Copy)]
struct Told {
    said: i64,
    waited: i64,
}

fn median(values: impl Iterator<Item = i64>) -> i64 {
    let mut values: Vec<i64> = values.collect();
    values.sort_unstable();
    values[values.len() / 2]
}

/// The waits of the two groups differ, the forecasts tell them apart, and each group's are better for it than the other's; the
/// figures, in words.
fn apart(what: &str, sooner: &[Told], later: &[Told]) -> String {
    assert!(
        sooner.len() >= 20 && later.len() >= 20,
        "{what}: {} and {} forecasts",
        sooner.len(),
        later.len()
    );
    let waited = |told: &[Told]| median(told.iter().map(|one| one.waited));
    let said = |told: &[Told]| median(told.iter().map(|one| one.said));
    let error = |told: &[Told], said: &dyn Fn(&Told) -> i64| {
        median(told.iter().map(|one| (said(one) - one.waited).abs()))
    };
    let (usual_sooner, usual_later) = (said(sooner), said(later));
    assert!(
        waited(sooner) * 3 < waited(later) * 2,
        "{what} makes no difference here"
    );
    assert!(
        usual_sooner * 3 < usual_later * 2,
        "{what}: {usual_sooner} s and {usual_later} s are not told apart"
    );
    for (told, other) in [(sooner, usual_later), (later, usual_sooner)] {
        let (own, swapped) = (error(told, &|one| one.said), error(told, &|_| other));
        assert!(
            own < swapped,
            "{what}: off by {own} s, by {swapped} s with the other group's forecast"
        );
    }
    format!(
        "{what}: waits of {} h and {} h are forecast as {} h and {} h",
        waited(sooner) / HOUR,
        waited(later) / HOUR,
        usual_sooner / HOUR,
        usual_later / HOUR
    )
}

/// A channel that moves after each of the waits that `gap` tells, by the time and the number of the move before.
fn channel(count: usize, mut gap: impl FnMut(i64, usize) -> i64) -> Vec<Move> {
    let mut at = BEGIN;
    (0..count)
        .map(|number| {
            at += gap(at, number);
            Move {
                at,
                contains_until: at - 600,
            }
        })
        .collect()
}

/// What is said of a change merged at a moment, and when it arrives.
fn told(past: Past<'_>, merged: i64) -> Option<Told> {
    let arrives = past
        .moves
        .iter()
        .find(|step| step.contains_until >= merged)?;
    let said = eta::forecast(past, merged, merged, 1.0).ok()?;
    Some(Told {
        said: said.median,
        waited: arrives.at - merged,
    })
}

/// The later half of the moves.
fn judged(moves: &[Move]) -> &[Move] {
    &moves[moves.len() / 2..moves.len() - 1]
}

#[test]
fn the_channels_age() {
    let mut random = Random(1);
    let moves = channel(200, |_, _| 20 * HOUR + random.around(4.0) as i64 * HOUR);
    let after = |hours: i64| -> Vec<Told> {
        let merged = judged(&moves).iter().map(|step| step.at + hours * HOUR);
        merged
            .filter_map(|merged| told(moves.as_slice().into(), merged))
            .collect()
    };
    println!("{}", apart("the channel's age", &after(18), &after(2)));
}

#[test]
fn the_recent_pace() {
    // Thirty moves fast, thirty slow, and so on; nothing else tells which it is.
    let slow = |number: usize| (number / 30) % 2 == 1;
    let mut random = Random(2);
    let moves = channel(600, |_, number| {
        let mean = if slow(number) { 30.0 } else { 6.0 };
        (mean * (0.7 + 0.6 * random.next())) as i64 * HOUR
    });
    let when = |wanted: bool| -> Vec<Told> {
        let steps = moves.iter().enumerate().skip(300).take(299);
        // The pace of the last five gaps is that of the stretch.
        let inside = steps
            .filter(|(number, _)| number % 30 >= 8 && number % 30 < 29 && slow(*number) == wanted);
        inside
            .filter_map(|(_, step)| told(moves.as_slice().into(), step.at + HOUR / 2))
            .collect()
    };
    println!("{}", apart("the recent pace", &when(false), &when(true)));
}

#[test]
fn the_weekday() {
    let is_weekend = |at: i64| (at - BEGIN).div_euclid(DAY).rem_euclid(7) >= 5;
    let mut random = Random(3);
    let moves = channel(2_000, |at, _| {
        let usual = (4.0 + 4.0 * random.next()) as i64 * HOUR;
        if is_weekend(at) { usual * 4 } else { usual }
    });
    // The first move of a weekend follows moves at the pace of the week, as one of a Wednesday does.
    let begins = |day: i64| -> Vec<Told> {
        let steps = judged(&moves)
            .windows(2)
            .filter(|two| {
                let day_of = |step: &Move| (step.at - BEGIN).div_euclid(DAY).rem_euclid(7);
                day_of(&two[1]) == day && day_of(&two[0]) == day - 1
            })
            .map(|two| two[1].at + HOUR / 2);
        steps
            .filter_map(|merged| told(moves.as_slice().into(), merged))
            .collect()
    };
    println!("{}", apart("the weekday", &begins(2), &begins(5)));
}

#[test]
fn the_jobsets_state() {
    let (mut random, mut phases, mut blocked) = (Random(4), Vec::new(), Vec::new());
    let moves = channel(400, |at, number| {
        let fails = random.next() < 0.4;
        blocked.push(fails);
        let wait = if fails { 40.0 } else { 10.0 };
        let wait = (wait * (0.7 + 0.6 * random.next())) as i64 * HOUR;
        if number > 0 {
            phases.push(PhaseSeen {
                at,
                phase: Phase::Passed,
            });
        }
        phases.push(PhaseSeen {
            at: at + HOUR,
            phase: if fails {
                Phase::Blocked
            } else {
                Phase::Building
            },
        });
        wait
    });
    let watched = Past {
        moves: &moves,
        phases: &phases,
    };
    let when = |past: Past<'_>, wanted: bool| -> Vec<Told> {
        let steps = moves.iter().zip(blocked.iter().skip(1)).skip(200);
        let steps = steps.filter(|(_, fails)| **fails == wanted);
        steps
            .filter_map(|(step, _)| told(past, step.at + 2 * HOUR))
            .collect()
    };
    println!(
        "{}",
        apart(
            "the jobset's state",
            &when(watched, false),
            &when(watched, true)
        )
    );
    // And it is the state that tells: without it the same moments look alike.
    let blind = |wanted| {
        median(
            when(moves.as_slice().into(), wanted)
                .iter()
                .map(|one| one.said),
        )
    };
    let (building, failed) = (blind(false), blind(true));
    assert!(
        building * 3 > failed * 2 && failed * 3 > building * 2,
        "{building} s and {failed} s without the jobset's state"
    );
}

/// Nixpkgs in small: branches that flow into one another, and two channels.
struct Flow {
    index: LandingIndex,
    commits: u64,
    master: ObjectName,
    next: ObjectName,
    staging: ObjectName,
    release: ObjectName,
}

impl Flow {
    fn new() -> Flow {
        let none = ObjectName([0; 20]);
        let mut flow = Flow {
            index: LandingIndex::new(),
            commits: 0,
            master: none,
            next: none,
            staging: none,
            release: none,
        };
        let begin = flow.commit(&[], BEGIN, "begin");
        (flow.master, flow.next) = (begin, begin);
        (flow.staging, flow.release) = (begin, begin);
        flow
    }

    fn commit(&mut self, parents: &[ObjectName], time: i64, message: &str) -> ObjectName {
        self.commits += 1;
        let mut name = ObjectName([0; 20]);
        name.0[..8].copy_from_slice(&self.commits.to_be_bytes());
        let commit = Commit {
            name,
            parents: parents.to_vec(),
            time,
            mentions: Mentions::read(message),
            likeness: Likeness::default(),
        };
        self.index
            .take(Segment::Commits(vec![commit]))
            .expect("fresh");
        name
    }

    fn head(&mut self, line: &str, commit: ObjectName, time: i64) {
        let head = HeadSeen {
            line: line.to_owned(),
            commit,
            time,
            release: String::new(),
            observed: false,
        };
        self.index.take(Segment::Head(head)).expect("a head");
    }

    /// Brings the index up to date with where the branches are now.
    fn settle(&mut self, now: i64) {
        for (line, commit) in [
            ("trunk:master", self.master),
            ("branch:staging-next", self.next),
            ("branch:staging", self.staging),
            ("branch:release-24.05", self.release),
        ] {
            self.head(line, commit, now);
        }
        self.index.settle();
    }

    /// What the index says of a change that is merged into `base` now: when a channel has it.
    fn said(&self, base: &str, channel: &str, now: i64) -> Eta {
        let now = Timestamp::from_second(now).expect("a small number");
        let prospects = self.index.prospects(base, now);
        let of = prospects.into_iter().find(|one| one.channel == channel);
        of.expect("the channel has moved").eta
    }
}

const BASES: [&str; 3] = ["master", "staging-next", "staging"];

/// What became of it: moments at which each thing happened.
#[derive(Default)]
struct Happened {
    /// Merges of staging into staging-next, of that into master, and releases: when, and up to when commits are in it.
    staging: Vec<i64>,
    next: Vec<i64>,
    releases: Vec<Move>,
}

impl Happened {
    fn arrival(&self, base: &str, merged: i64) -> Option<i64> {
        let after = |list: &[i64], at: i64| list.iter().copied().find(|when| *when > at);
        let mut at = merged;
        if base == "staging" {
            at = after(&self.staging, at)?;
        }
        if base != "master" {
            at = after(&self.next, at)?;
        }
        let release = self.releases.iter().find(|one| one.contains_until >= at)?;
        Some(release.at)
    }
}

/// A question that was answered: seconds since 1970.
#[derive(Debug, Clone, Copy)]
struct Asked {
    base: &'static str,
    merged: i64,
    low: i64,
    median: i64,
    high: i64,
}

/// Fourteen months, and what was said on the way; with or without a robot that merges master down, as Nixpkgs' does. Without it
/// little is added to staging-next but what the merges bring.
fn fourteen_months(robot: bool) -> (Flow, Happened, Vec<Asked>) {
    let (mut flow, mut random, mut happened) = (Flow::new(), Random(5), Happened::default());
    let mut asked = Vec::new();
    let (mut to_next, mut to_master) = (BEGIN + 6 * DAY, BEGIN + 11 * DAY);
    let (mut to_channel, mut to_stable) = (BEGIN + DAY, BEGIN + DAY);
    for step in 1..=420 * 6 {
        let now = BEGIN + step * 4 * HOUR;
        flow.master = flow.commit(&[flow.master], now, "a: 1 -> 2");
        if step % 3 == 0 {
            flow.staging = flow.commit(&[flow.staging], now, "b: 1 -> 2");
            flow.release = flow.commit(&[flow.release], now, "c: 1 -> 2");
        }
        if robot && step % 2 == 0 {
            flow.next = flow.commit(
                &[flow.next, flow.master],
                now,
                "Merge master into staging-next",
            );
            flow.staging = flow.commit(
                &[flow.staging, flow.next],
                now,
                "Merge staging-next into staging",
            );
        }
        if now >= to_next {
            let parents = [flow.next, flow.staging];
            flow.next = flow.commit(&parents, now, "Merge staging into staging-next");
            happened.staging.push(now);
            to_next = now + (6.0 + 4.0 * random.next()) as i64 * DAY;
        }
        if now >= to_master {
            let parents = [flow.master, flow.next];
            flow.master = flow.commit(&parents, now, "Merge staging-next into master");
            happened.next.push(now);
            to_master = now + (6.0 + 4.0 * random.next()) as i64 * DAY;
        }
        if now >= to_channel {
            flow.head("channel:nixos-unstable", flow.master, now);
            happened.releases.push(Move {
                at: now,
                contains_until: now,
            });
            to_channel = now + (14.0 + 20.0 * random.next()) as i64 * HOUR;
        }
        if now >= to_stable {
            flow.head("channel:nixos-24.05", flow.release, now);
            to_stable = now + (40.0 + 30.0 * random.next()) as i64 * HOUR;
        }
        if step > 180 * 6 && step < 390 * 6 && step % 37 == 0 {
            let merged = now + HOUR;
            flow.settle(merged);
            for base in BASES {
                if let Eta::Forecast {
                    low, median, high, ..
                } = flow.said(base, "nixos-unstable", merged)
                {
                    let high = high.map_or(i64::MAX, Timestamp::as_second);
                    let (low, median) = (low.as_second(), median.as_second());
                    asked.push(Asked {
                        base,
                        merged,
                        low,
                        median,
                        high,
                    });
                }
            }
        }
    }
    (flow, happened, asked)
}

#[test]
fn the_target_branch() {
    println!("{}", target_branch(true));
}

#[test]
fn the_target_branch_where_little_is_added_to_it() {
    println!("{}", target_branch(false));
}

fn target_branch(robot: bool) -> String {
    let (mut flow, happened, asked) = fourteen_months(robot);
    let arrived = |base: &'static str| {
        let of_base = asked.iter().filter(move |asked| asked.base == base);
        of_base.filter_map(|asked| Some((asked, happened.arrival(base, asked.merged)?)))
    };
    let of = |base| -> Vec<Told> {
        let told = arrived(base).map(|(asked, arrival)| Told {
            said: asked.median - asked.merged,
            waited: arrival - asked.merged,
        });
        told.collect()
    };
    let what = "the target branch";
    let mut told = vec![
        apart(what, &of("master"), &of("staging-next")),
        apart(what, &of("staging-next"), &of("staging")),
    ];
    for base in BASES {
        let all = arrived(base).count();
        let inside = arrived(base).filter(|(asked, at)| (asked.low..=asked.high).contains(at));
        let inside = inside.count();
        assert!(inside * 4 >= all * 3, "{base}: {inside} of {all}");
        told.push(format!("{base}: {inside} of {all} within the interval"));
    }
    // A release branch leads to its own channel, and to no other; and the trunk not to that of a release.
    let now = BEGIN + 420 * DAY + HOUR;
    flow.settle(now);
    for (base, channel, known) in [
        ("release-24.05", "nixos-24.05", true),
        ("release-24.05", "nixos-unstable", false),
        ("master", "nixos-24.05", false),
        ("master", "nixos-unstable", true),
    ] {
        let said = flow.said(base, channel, now);
        assert_eq!(
            matches!(said, Eta::Forecast { .. }),
            known,
            "{base} to {channel}: {said:?}"
        );
    }
    told.join("\n")
}
