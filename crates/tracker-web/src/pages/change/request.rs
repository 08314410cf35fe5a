//! A pull request that is in no branch yet, by its metadata: how it stands, and what channels could expect of it.

use super::NIXPKGS;
use crate::app::App;
use crate::ask::Ask;
use crate::components::Day;
use crate::error::Error;
use crate::landings;
use crate::pages::{Link, Section, Shell};
use crate::path;
use askama::Template;
use axum::response::Response;
use jiff::Timestamp;
use serde::Serialize;
use tracker_landing::answer::{Asked, Eta, Prospect};
use tracker_landing::request::{PullRequest, RequestState};

/// What the twin says.
#[derive(Debug, Serialize)]
struct RequestView {
    pull_request: PullRequest,
    /// When each channel would have it if it were merged now; empty if it is not open.
    prospects: Vec<Prospect>,
}

#[derive(Debug, Template)]
#[template(path = "request.html")]
struct RequestPage {
    shell: Shell,
    title: String,
    about: String,
    state: &'static str,
    base: String,
    created: Day,
    outside: String,
    labels: Vec<Link>,
    vulnerabilities: Vec<Link>,
    backport_of: Vec<Link>,
    prospects: Vec<ProspectLine>,
    is_open: bool,
}

#[derive(Debug)]
struct ProspectLine {
    channel: String,
    at: Option<Day>,
    note: String,
}

/// The page of a pull request that the index does not have; `absent` where nothing is known of it.
pub(super) async fn answer(
    app: &App,
    ask: &Ask,
    name: &str,
    absent: Error,
) -> Result<Response, Error> {
    let (Asked::PullRequest(number) | Asked::Digits(number, _)) = Asked::read(name) else {
        return Err(absent);
    };
    let Some(pull_request) = app.store.pull(number).await? else {
        return Err(absent);
    };
    let mut prospects = Vec::new();
    if pull_request.state == RequestState::Open {
        let (base, now) = (pull_request.base.clone(), ask.now);
        let asked = landings::ask_aside(app, move |index| index.prospects(&base, now));
        prospects = asked.await?.unwrap_or_default();
    }
    let view = RequestView {
        pull_request,
        prospects,
    };
    ask.answer(&view, || RequestPage::new(&view, ask))
}

impl RequestPage {
    fn new(view: &RequestView, ask: &Ask) -> RequestPage {
        let pull = &view.pull_request;
        RequestPage {
            shell: Shell::new(Section::Changes, ask),
            title: format!("Pull request #{}", pull.number),
            about: pull.title.clone(),
            state: match pull.state {
                RequestState::Open => "open",
                RequestState::Closed => "closed without being merged",
                RequestState::Merged => "merged; the index does not have its commit yet",
            },
            base: pull.base.clone(),
            created: Day::new(pull.created, ask.now),
            outside: format!("{NIXPKGS}/pull/{}", pull.number),
            labels: pull.labels.iter().map(|label| label_link(label)).collect(),
            vulnerabilities: pull
                .vulnerabilities
                .iter()
                .map(|id| Link::new(path::vulnerability(id), id))
                .collect(),
            backport_of: pull
                .backport_of
                .iter()
                .map(|number| Link::new(format!("/changes/{number}"), format!("#{number}")))
                .collect(),
            prospects: view
                .prospects
                .iter()
                .filter_map(|prospect| line(prospect, ask.now))
                .collect(),
            is_open: pull.state == RequestState::Open,
        }
    }
}

/// The list of what bears a label.
pub(crate) fn label_link(label: &str) -> Link {
    Link::new(format!("/labels?label={}", path::query_value(label)), label)
}

/// Channels that can expect it; those of other branches are left to the twin.
fn line(prospect: &Prospect, now: Timestamp) -> Option<ProspectLine> {
    let Eta::Forecast {
        low, median, high, ..
    } = &prospect.eta
    else {
        return None;
    };
    let day = |time: Timestamp| time.strftime("%Y-%m-%d %H:%M").to_string();
    let high = high.map_or("an unknown time".to_owned(), day);
    Some(ProspectLine {
        channel: prospect.channel.clone(),
        at: Some(Day::new(*median, now)),
        note: format!("80 % between {} and {high} UTC", day(*low)),
    })
}
