//! Lists: every filter in every order gives what a plain loop over all rows gives, page by page, both ways.

use crate::{first_page, ids};
use tracker_match::FindingStatus::{self, Affected, Fixed, NotAffected, UnderInvestigation};
use tracker_record::{RecordState, Severity, Source};
use tracker_store::view::{Order, PageRequest, VulnerabilityFilter, VulnerabilityRow};
use tracker_store::{Store, StoreError};
use tracker_testkit::fixture::{
    self, at, derived, finding, incoming, matched, package, record, release,
};
use tracker_testkit::on_both_databases;

/// A vulnerability as the plain loop sees it: its row, its words, its packages.
pub(crate) struct Known {
    row: VulnerabilityRow,
    words: Vec<String>,
    packages: Vec<&'static str>,
    /// Channel and status of each finding.
    findings: Vec<(String, FindingStatus)>,
}

const CHANNELS: [&str; 2] = ["nixos-24.05", "nixos-24.11"];
const PACKAGES: [&str; 3] = ["linux", "musl", "zlib"];
const STATUSES: [FindingStatus; 4] = [Affected, UnderInvestigation, Fixed, NotAffected];
const WORDS: [&str; 4] = ["overflow", "heap", "parser", "remote"];
const COUNT: usize = 60;

fn id(number: usize) -> String {
    format!("CVE-2024-{number:04}")
}

/// Fills a database with all sorts and gives back what is in it.
pub(crate) async fn filled(store: &Store) -> Vec<Known> {
    let mut batch = Vec::new();
    let mut words = Vec::new();
    for number in 0..COUNT {
        let title = format!("{} in {}", WORDS[number % 4], WORDS[number / 4 % 4]);
        words.push(title.split(' ').map(str::to_owned).collect());
        let mut record = record(Source::Nvd, &id(number), &title);
        if number % 6 > 0 {
            record
                .cvss
                .push(fixture::cvss([0, 20, 50, 80, 95][number % 5]));
        }
        if number % 7 == 0 {
            record.exploitation.push(fixture::kev());
        }
        if number % 11 == 0 {
            record.state = RecordState::Rejected;
        }
        // Several share an instant and some have none, so that the key decides.
        let day = number % 9 + 1;
        record.published = (number % 8 > 0).then(|| at(&format!("2024-01-0{day}T00:00:00Z")));
        record.modified = (number % 10 > 0).then(|| at(&format!("2024-02-0{day}T00:00:00Z")));
        batch.push(incoming(record));
    }
    store
        .put_records(batch)
        .await
        .expect("the records are kept");
    for channel in CHANNELS {
        let packages = PACKAGES.map(|name| package(name, name, "1")).to_vec();
        let release = release(channel, "aaa", "2024-01-01T00:00:00Z");
        store
            .put_release(&release, packages)
            .await
            .expect("the release is kept");
    }
    let inventory = store
        .current_packages("nixpkgs")
        .await
        .expect("the packages can be read");
    let due = store
        .due(&inventory, 1000)
        .await
        .expect("what is due can be read");
    let mut packages = Vec::new();
    let mut found = Vec::new();
    for number in 0..COUNT {
        let mine: Vec<&str> = PACKAGES
            .into_iter()
            .enumerate()
            .filter(|(index, _)| number % (index + 2) == 0)
            .map(|(_, name)| name)
            .collect();
        let matches = mine.iter().enumerate().map(|(index, name)| {
            let channels = &CHANNELS[..=(number + index) % 2];
            let findings = channels.iter().enumerate().map(|(channel, text)| {
                finding(
                    text,
                    name,
                    "1",
                    STATUSES[(number / 2 + channel + index) % 4],
                )
            });
            matched(&id(number), name, 0.9, findings.collect())
        });
        found.push(derived(&id(number), matches.collect()));
        packages.push(mine);
    }
    store
        .put_derivation("nixpkgs", found, due.mark)
        .await
        .expect("the matches are kept");
    let mut known = Vec::new();
    for (number, (words, packages)) in words.into_iter().zip(packages).enumerate() {
        let detail = store
            .vulnerability(&id(number))
            .await
            .expect("it can be read");
        let detail = detail.expect("it is held");
        let findings = detail.matches.iter().flat_map(|view| &view.findings);
        known.push(Known {
            findings: findings
                .map(|found| (found.channel.clone(), found.status))
                .collect(),
            row: detail.summary,
            words,
            packages,
        });
    }
    known
}

fn filters() -> Vec<VulnerabilityFilter> {
    let mut filters = Vec::new();
    for severities in [
        vec![],
        vec![Severity::Critical],
        vec![Severity::Unknown, Severity::Low],
    ] {
        for states in [vec![], vec![Affected], vec![Fixed, NotAffected]] {
            for channel in [None, Some(CHANNELS[1])] {
                for (text, package) in [
                    (None, None),
                    (Some("heap"), None),
                    (Some("overflow par"), None),
                    (None, Some("musl")),
                    (Some("heap"), Some("linux")),
                ] {
                    for (exploited, matched) in [(false, false), (true, false), (false, true)] {
                        filters.push(VulnerabilityFilter {
                            text: text.map(str::to_owned),
                            severities: severities.clone(),
                            exploited,
                            channel: channel.map(str::to_owned),
                            package: package.map(str::to_owned),
                            states: states.clone(),
                            matched,
                        });
                    }
                }
            }
        }
    }
    filters
}

fn passes(known: &Known, filter: &VulnerabilityFilter) -> bool {
    let row = &known.row;
    let severity = filter.severities.is_empty() || filter.severities.contains(&row.severity);
    let channel = filter
        .channel
        .as_ref()
        .is_none_or(|name| row.channels.iter().any(|status| status.channel == *name));
    let package = filter
        .package
        .as_ref()
        .is_none_or(|name| known.packages.contains(&name.as_str()));
    let words = filter.text.as_ref().is_none_or(|text| {
        let wanted: Vec<&str> = text.split(' ').collect();
        let (last, whole) = wanted.split_last().expect("there is a word");
        whole
            .iter()
            .all(|word| known.words.iter().any(|held| held == word))
            && known.words.iter().any(|held| held.starts_with(last))
    });
    let state = filter.states.is_empty()
        || known.findings.iter().any(|(channel, status)| {
            let there = filter.channel.as_ref().is_none_or(|name| name == channel);
            there && filter.states.contains(status)
        });
    severity
        && channel
        && package
        && state
        && words
        && (!filter.exploited || row.exploited)
        && (!filter.matched || row.family_count > 0)
}

/// What the plain loop sorts by; the number is the order of import, which settles what is equal.
fn rank(row: &VulnerabilityRow, order: Order) -> (i64, i64, i64, i64, String) {
    let instant = |instant: Option<jiff::Timestamp>| {
        instant.map_or(i64::MIN, jiff::Timestamp::as_microsecond)
    };
    let published = instant(row.published.or(Some(jiff::Timestamp::UNIX_EPOCH)));
    match order {
        Order::Urgency => (
            i64::from(row.state != RecordState::Rejected),
            i64::from(row.exploited),
            row.severity as i64,
            published,
            row.id.clone(),
        ),
        Order::Published => (instant(row.published), 0, 0, 0, row.id.clone()),
        Order::Modified => (instant(row.modified), 0, 0, 0, row.id.clone()),
    }
}

on_both_databases! {
    async fn every_filter_gives_what_a_plain_loop_gives(database) {
        let store = database.open().await;
        let known = filled(&store).await;
        let mut nonempty = 0;
        for filter in filters() {
            let wanted = known.iter().filter(|known| passes(known, &filter));
            let mut wanted: Vec<_> = wanted.map(|known| known.row.clone()).collect();
            nonempty += usize::from(!wanted.is_empty());
            for order in [Order::Urgency, Order::Published, Order::Modified] {
                wanted.sort_by_key(|row| std::cmp::Reverse(rank(row, order)));
                let request = PageRequest { limit: 100, order, ..PageRequest::default() };
                let page = store.vulnerabilities(&filter, &request).await.unwrap();
                assert_eq!(page.rows, wanted, "{filter:?} {order:?}");
                assert_eq!(page.total, Some(wanted.len() as u64));
            }
        }
        assert!(nonempty > 100, "{nonempty} filters match something");
    }

    async fn pages_join_without_gap_or_overlap_in_both_directions(database) {
        let store = database.open().await;
        let known = filled(&store).await;
        for order in [Order::Urgency, Order::Published, Order::Modified] {
            for text in [None, Some("heap".to_owned())] {
                let filter = VulnerabilityFilter { text, ..VulnerabilityFilter::default() };
                let mut request = PageRequest { limit: 7, order, ..PageRequest::default() };
                let mut pages = Vec::new();
                loop {
                    let page = store.vulnerabilities(&filter, &request).await.unwrap();
                    request.after.clone_from(&page.next);
                    let last = page.next.is_none();
                    pages.push(page);
                    if last {
                        break;
                    }
                }
                assert_eq!(pages[0].previous, None);
                let mut all: Vec<String> = pages.iter().flat_map(ids).collect();
                let mut request = PageRequest { limit: 7, order, ..PageRequest::default() };
                for (index, page) in pages.iter().enumerate().skip(1).rev() {
                    request.before.clone_from(&page.previous);
                    let back = store.vulnerabilities(&filter, &request).await.unwrap();
                    assert_eq!(back.rows, pages[index - 1].rows);
                    assert_eq!(back.next, pages[index - 1].next);
                    assert_eq!(back.previous, pages[index - 1].previous);
                }
                let count = all.len();
                all.sort();
                all.dedup();
                assert_eq!(all.len(), count);
                assert!(filter.text.is_some() || count == known.len());
            }
        }
    }

    async fn hostile_requests_are_refused_or_find_nothing(database) {
        let store = database.open().await;
        filled(&store).await;
        for token in ["", "u", "u1.2.3", "p1.1", "u1.1; DROP TABLE record", "u\u{0}1.1"] {
            let request = PageRequest { limit: 5, after: Some(token.to_owned()), ..PageRequest::default() };
            let error = store.vulnerabilities(&VulnerabilityFilter::default(), &request).await.unwrap_err();
            assert!(matches!(error, StoreError::Token { .. }), "{token}: {error}");
            let error = store.packages(None, &request).await.unwrap_err();
            assert!(matches!(error, StoreError::Token { .. }), "{token}: {error}");
        }
        for text in ["\" OR 1=1", "a' | 'b", "NEAR(", "***", "-", "heap\u{0}", "\\", "{words}: x", "heap:* & !x"] {
            let filter = VulnerabilityFilter { text: Some(text.to_owned()), ..VulnerabilityFilter::default() };
            store.vulnerabilities(&filter, &PageRequest::default()).await.unwrap();
            store.packages(Some(text), &PageRequest::default()).await.unwrap();
        }
        let nowhere = VulnerabilityFilter { channel: Some("nixos-99.99".to_owned()), ..VulnerabilityFilter::default() };
        assert_eq!(first_page(&store, &nowhere).await.total, Some(0));
        let request = PageRequest { limit: u32::MAX, ..PageRequest::default() };
        let all = store.vulnerabilities(&VulnerabilityFilter::default(), &request).await.unwrap();
        assert_eq!(all.rows.len(), COUNT);
        let request = PageRequest { limit: 0, ..PageRequest::default() };
        let one = store.vulnerabilities(&VulnerabilityFilter::default(), &request).await.unwrap();
        assert_eq!(one.rows.len(), 1);
    }

    async fn an_id_finds_itself_first_by_whole_or_beginning(database) {
        let store = database.open().await;
        filled(&store).await;
        let search = |text: &str| VulnerabilityFilter { text: Some(text.to_owned()), ..VulnerabilityFilter::default() };
        assert_eq!(ids(&first_page(&store, &search("cve-2024-0007")).await), ["CVE-2024-0007"]);
        assert_eq!(first_page(&store, &search("CVE-2024-000")).await.total, Some(10));
    }
}
