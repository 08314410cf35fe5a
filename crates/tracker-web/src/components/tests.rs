//! Components by their output: what is escaped, what is read out, what is drawn.

use super::day::distance;
use super::icon::ICONS;
use super::wording::{percent, score};
use super::{
    Day, Distribution, External, Gauge, Marked, Part, SOURCES, SeverityBadge, StatusBadge,
    WeightBar, count, icon, percent_ppm, range_text,
};
use crate::query::{SEVERITIES, STATES};
use askama::Template;
use jiff::Timestamp;
use nix_version::{Bound, Range, Status};
use tracker_match::FindingStatus;
use tracker_record::Severity;

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

#[test]
fn icons_exist() {
    let names = SEVERITIES
        .iter()
        .map(|(_, word)| *word)
        .chain(STATES.iter().map(|(_, word)| *word));
    for name in names.chain(["exploited", "search", "previous", "next", "remove", "root"]) {
        assert!(ICONS.iter().any(|(known, _)| *known == name), "{name}");
        assert!(icon(name).to_string().contains("aria-hidden"), "{name}");
    }
}

#[test]
fn severities_differ_in_shape_and_word() {
    let badges: Vec<String> = SEVERITIES
        .iter()
        .map(|(severity, _)| SeverityBadge::new(*severity, None).render().unwrap())
        .collect();
    for (index, badge) in badges.iter().enumerate() {
        assert!(!badges[..index].contains(badge), "{badge}");
    }
    let badge = SeverityBadge::new(Severity::Critical, Some(98))
        .render()
        .unwrap();
    assert!(
        badge.contains(r#"<span class="word">Critical</span><span class="number">9.8</span>"#),
        "{badge}"
    );
}

#[test]
fn a_named_status_is_read_out_and_escaped() {
    let badge = StatusBadge::named(FindingStatus::Affected, "<b>")
        .render()
        .unwrap();
    assert!(
        badge.contains("&#60;b&#62;</span><span class=\"unseen\">: Affected"),
        "{badge}"
    );
    assert!(!badge.contains("<b>"));
}

#[test]
fn days_tell_the_instant_and_the_distance() {
    let day = Day::new(at("2026-01-03T10:20:30.5Z"), at("2026-04-05T00:00:00Z"))
        .render()
        .unwrap();
    assert_eq!(
        day,
        r#"<time datetime="2026-01-03T10:20:30Z" title="2026-01-03 10:20:30 UTC, 3 months ago">2026-01-03</time>"#
    );
    for (from, expected) in [
        ("2026-04-05T00:00:00Z", "just now"),
        ("2026-04-04T23:58:00Z", "2 minutes ago"),
        ("2026-04-04T23:00:00Z", "1 hour ago"),
        ("2026-04-04T00:00:00Z", "1 day ago"),
        ("2020-04-04T00:00:00Z", "6 years ago"),
        ("2026-04-07T00:00:00Z", "in 2 days"),
    ] {
        assert_eq!(distance(at(from), at("2026-04-05T00:00:00Z")), expected);
    }
}

#[test]
fn only_web_addresses_become_links() {
    let link = External::new("https://example.org/a/?x=1&y=\"2\"")
        .render()
        .unwrap();
    assert_eq!(
        link,
        r#"<a class="out" href="https://example.org/a/?x=1&#38;y=&#34;2&#34;" rel="noopener nofollow ugc">example.org/a/?x=1&#38;y=&#34;2&#34;</a>"#
    );
    let plain = External::new("javascript:alert(1)").render().unwrap();
    assert_eq!(plain, r#"<span class="out">javascript:alert(1)</span>"#);
}

#[test]
fn backticks_become_code() {
    for (text, expected) in [
        ("name `a<b` equals", "name <code>a&#60;b</code> equals"),
        ("plain", "plain"),
        ("odd ` one", "odd ` one"),
        ("`a` and ` b", "<code>a</code> and ` b"),
        ("", ""),
    ] {
        assert_eq!(Marked::new(text).render().unwrap(), expected, "{text}");
    }
}

#[test]
fn bars_divide_their_width() {
    let parts = [
        Part {
            class: "critical",
            label: "Critical",
            count: 1,
        },
        Part {
            class: "high",
            label: "High",
            count: 0,
        },
        Part {
            class: "low",
            label: "Low",
            count: 3,
        },
    ];
    let bar = Distribution::new(&parts).render().unwrap();
    assert!(
        bar.contains(r#"aria-label="1 critical, 0 high, 3 low""#),
        "{bar}"
    );
    assert!(
        bar.contains(r#"class="low" x="25.45" y="0" width="74.55""#),
        "{bar}"
    );
    assert!(Distribution::new(&[]).render().unwrap().contains("<svg"));
    assert!(
        Gauge::new(f64::NAN)
            .render()
            .unwrap()
            .contains(r#"width="0.0""#)
    );
    assert!(
        WeightBar::new(-2.0, 4.0)
            .render()
            .unwrap()
            .contains(r#"class="against" x="25.0" y="1.5" width="25.0""#)
    );
    assert!(
        WeightBar::new(1.0, 0.0)
            .render()
            .unwrap()
            .contains(r#"width="0.0""#)
    );
}

#[test]
fn a_source_has_the_word_of_its_json_form() {
    for (source, word, _) in SOURCES {
        assert_eq!(serde_json::to_value(source).unwrap(), *word);
    }
}

#[test]
fn numbers_are_worded() {
    assert_eq!(
        [0, 999, 1_000, 268_178, 1_234_567].map(|n: u32| count(n)),
        ["0", "999", "1,000", "268,178", "1,234,567"]
    );
    assert_eq!([0, 98, 100].map(score), ["0.0", "9.8", "10.0"]);
    assert_eq!(
        [0.0, 0.001, 0.5, 0.999, 1.0].map(percent),
        [
            "0\u{a0}%",
            "< 1\u{a0}%",
            "50\u{a0}%",
            "99\u{a0}%",
            "100\u{a0}%"
        ]
    );
    assert_eq!(
        [0, 100, 976_000].map(percent_ppm),
        ["0\u{a0}%", "< 0.1\u{a0}%", "97.6\u{a0}%"]
    );
}

#[test]
fn ranges_are_sentences() {
    let range = |lower, upper| {
        range_text(&Range {
            scheme: "custom".to_owned(),
            lower,
            upper,
            status: Status::Affected,
            changes: Vec::new(),
        })
    };
    let version = || "1.2".to_owned();
    assert_eq!(range(Bound::Unbounded, Bound::Unbounded), "all versions");
    assert_eq!(
        range(Bound::Inclusive(version()), Bound::Inclusive(version())),
        "exactly 1.2"
    );
    assert_eq!(
        range(Bound::Inclusive("1".into()), Bound::Exclusive(version())),
        "from 1 before 1.2"
    );
    assert_eq!(
        range(Bound::Unbounded, Bound::Inclusive(version())),
        "up to and including 1.2"
    );
    assert_eq!(
        range(Bound::Exclusive(version()), Bound::Unbounded),
        "after 1.2 on"
    );
}
