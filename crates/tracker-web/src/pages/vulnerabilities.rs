//! `/vulnerabilities`: search, filters, and a page of the list by seek.

use super::{Link, Neighbours, Row, Section, Shell};
use crate::app::App;
use crate::ask::Ask;
use crate::components::{
    Icon, count, order_label, severity_icon, severity_label, status_icon, status_label,
};
use crate::error::Error;
use crate::path;
use crate::query::{ListQuery, ORDERS, SEVERITIES, STATES, Scope};
use crate::twin::{Format, twin_of};
use askama::Template;
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use serde::Serialize;
use tracker_store::view::{ChannelSummary, Page, VulnerabilityRow};

const PATH: &str = "/vulnerabilities";

#[derive(Debug, Template)]
#[template(path = "vulnerabilities.html")]
struct VulnerabilitiesPage {
    shell: Shell,
    form: Form,
    chips: Vec<Link>,
    total: String,
    rows: Vec<Row>,
    previous: Option<String>,
    next: Option<String>,
    /// The same search over all records, where the list is narrowed to matched ones.
    widen: Option<String>,
    filtered: bool,
}

/// The filter form as it is filled in.
#[derive(Debug)]
struct Form {
    text: String,
    severities: Vec<Choice>,
    states: Vec<Choice>,
    channels: Vec<Choice>,
    exploited: bool,
    package: String,
    all: bool,
    orders: Vec<Choice>,
    limit: Option<u32>,
}

/// A box to tick, or an entry of a list.
#[derive(Debug)]
struct Choice {
    value: String,
    label: String,
    icon: Option<Icon>,
    chosen: bool,
}

/// The twin: the page of rows, and where its neighbours are.
#[derive(Debug, Serialize)]
struct ListView<'a> {
    #[serde(flatten)]
    page: &'a Page<VulnerabilityRow>,
    links: Neighbours,
}

impl Form {
    fn new(list: &ListQuery, all: bool, channels: &[ChannelSummary]) -> Form {
        let filter = &list.filter;
        Form {
            text: filter.text.clone().unwrap_or_default(),
            severities: SEVERITIES
                .iter()
                .map(|(severity, word)| Choice {
                    value: (*word).to_owned(),
                    label: severity_label(*severity).to_owned(),
                    icon: Some(severity_icon(*severity)),
                    chosen: filter.severities.contains(severity),
                })
                .collect(),
            states: STATES
                .iter()
                .map(|(state, word)| Choice {
                    value: (*word).to_owned(),
                    label: status_label(*state).to_owned(),
                    icon: Some(status_icon(*state)),
                    chosen: filter.states.contains(state),
                })
                .collect(),
            channels: channels
                .iter()
                .map(|channel| Choice {
                    value: channel.name.clone(),
                    label: channel.name.clone(),
                    icon: None,
                    chosen: filter.channel.as_ref() == Some(&channel.name),
                })
                .collect(),
            exploited: filter.exploited,
            package: filter.package.clone().unwrap_or_default(),
            all,
            orders: ORDERS
                .iter()
                .map(|(order, word)| Choice {
                    value: (*word).to_owned(),
                    label: order_label(*order).to_owned(),
                    icon: None,
                    chosen: list.order == *order,
                })
                .collect(),
            limit: list.paging.limit,
        }
    }
}

/// What is filtered by, each with the address of the list without it.
fn chips(list: &ListQuery) -> Vec<Link> {
    let mut chips = Vec::new();
    let mut add = |text: String, change: &dyn Fn(&mut ListQuery)| {
        let mut without = list.first();
        change(&mut without);
        chips.push(Link::new(without.address(PATH), text));
    };
    if let Some(text) = &list.filter.text {
        add(format!("“{text}”"), &|list| list.filter.text = None);
    }
    for severity in &list.filter.severities {
        add(severity_label(*severity).to_owned(), &|list| {
            list.filter.severities.retain(|known| known != severity);
        });
    }
    for state in &list.filter.states {
        add(status_label(*state).to_owned(), &|list| {
            list.filter.states.retain(|known| known != state);
        });
    }
    if list.filter.exploited {
        add("Known exploited".to_owned(), &|list| {
            list.filter.exploited = false;
        });
    }
    if let Some(channel) = &list.filter.channel {
        add(format!("on {channel}"), &|list| list.filter.channel = None);
    }
    if let Some(package) = &list.filter.package {
        add(format!("in {package}"), &|list| list.filter.package = None);
    }
    chips
}

fn neighbours(list: &ListQuery, page: &Page<VulnerabilityRow>, path: &str) -> Neighbours {
    Neighbours::new(page, &list.paging, |paging| list.at(paging).address(path))
}

fn total(page: &Page<VulnerabilityRow>, list: &ListQuery) -> String {
    match page.total {
        Some(1) => "1 vulnerability".to_owned(),
        Some(number) => format!("{} vulnerabilities", count(number)),
        // How far the store counts the hits of words, and of a package.
        None if list.filter.package.is_none() => "words with more than 2,000 hits".to_owned(),
        None => "more than 10,000 vulnerabilities".to_owned(),
    }
}

/// Whether a search text is nothing but an id, so that its page is the answer.
fn is_id(text: &str) -> bool {
    let mut parts = text.split('-');
    let scheme = parts.next().unwrap_or_default();
    (2..=12).contains(&scheme.len())
        && scheme.bytes().all(|byte| byte.is_ascii_alphabetic())
        && parts.clone().count() >= 2
        && parts
            .all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric()))
}

/// Answers `/vulnerabilities`.
pub(crate) async fn vulnerabilities(ask: Ask, State(app): State<App>) -> Result<Response, Error> {
    let list = ListQuery::read(&ask.query)?;
    if let (Some(text), Format::Html) = (&list.filter.text, ask.format)
        && is_id(text)
        && let Some(found) = app.store.vulnerability(text).await?
    {
        return Ok(Redirect::to(&path::vulnerability(&found.summary.id)).into_response());
    }
    let channels = app.store.channels().await?;
    // Without channels nothing can be matched, so the list is of everything.
    let all = list
        .scope
        .map_or(channels.is_empty(), |scope| scope == Scope::All);
    let mut filter = list.filter.clone();
    filter.matched = !all;
    let page = app
        .store
        .vulnerabilities(&filter, &list.paging.request(list.order))
        .await?;
    let view = ListView {
        page: &page,
        links: neighbours(&list, &page, &twin_of(PATH)),
    };
    ask.answer(&view, || {
        let neighbours = neighbours(&list, &page, PATH);
        let widened = ListQuery {
            scope: Some(Scope::All),
            ..list.first()
        };
        let chips = chips(&list);
        VulnerabilitiesPage {
            shell: Shell::new(Section::Vulnerabilities, &ask)
                .searching(list.filter.text.as_deref()),
            form: Form::new(&list, all, &channels),
            filtered: !chips.is_empty(),
            chips,
            total: total(&page, &list),
            rows: Row::all(&page.rows, ask.now),
            previous: neighbours.previous,
            next: neighbours.next,
            widen: (!all).then(|| widened.address(PATH)),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::{chips, is_id};
    use crate::query::ListQuery;

    #[test]
    fn ids_are_told_from_words() {
        for id in [
            "CVE-2019-14697",
            "cve-2019-14697",
            "GHSA-jfh8-c2jp-5v3q",
            "RUSTSEC-2021-0001",
            "GO-2022-0001",
        ] {
            assert!(is_id(id), "{id}");
        }
        for text in [
            "openssl",
            "CVE-2019",
            "heap-based overflow",
            "x-1-2",
            "a--b-c",
        ] {
            assert!(!is_id(text), "{text}");
        }
    }

    #[test]
    fn each_chip_takes_one_filter_away() {
        let list = ListQuery::read("q=a&severity=high&severity=low&kev=1&after=t").unwrap();
        let addresses: Vec<String> = chips(&list).into_iter().map(|chip| chip.href).collect();
        assert_eq!(
            addresses,
            [
                "/vulnerabilities?severity=high&severity=low&kev=1",
                "/vulnerabilities?q=a&severity=low&kev=1",
                "/vulnerabilities?q=a&severity=high&kev=1",
                "/vulnerabilities?q=a&severity=high&severity=low",
            ]
        );
    }
}
