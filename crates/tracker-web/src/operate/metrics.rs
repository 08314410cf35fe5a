//! What is measured, and its text.
//!
//! Invariant: labels take values from lists of our own (patterns of routes, known methods, feeds), never from a
//! request, so that no visitor makes them grow.

mod jobs;

use axum::http::Method;
use jiff::Timestamp;
use jobs::Jobs;
use prometheus_client::encoding::{EncodeLabelSet, text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};
use std::time::Duration;
use tracker_store::{FollowState, Store, StoreError};

/// Upper bounds of the classes of answer times, in seconds.
const CLASSES: [f64; 11] = [
    0.001, 0.0025, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 1.0, 5.0, 20.0,
];

/// All that is measured.
#[derive(Debug)]
pub(crate) struct Metrics {
    registry: Registry,
    requests: Family<RequestLabels, Counter>,
    times: Family<RouteLabel, Histogram, fn() -> Histogram>,
    under_way: Gauge,
    up: Gauge,
    connections: Family<StateLabel, Gauge>,
    most: Gauge,
    records: Gauge,
    vulnerabilities: Gauge,
    packages: Gauge,
    matches: Gauge,
    feeds: Feeds,
    jobs: Jobs,
}

/// What is known of each feed that is followed.
#[derive(Debug, Default)]
struct Feeds {
    asked: Family<FeedLabel, Gauge>,
    succeeded: Family<FeedLabel, Gauge>,
    changed: Family<FeedLabel, Gauge>,
    failures: Family<FeedLabel, Gauge>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    route: String,
    method: &'static str,
    status: u16,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RouteLabel {
    route: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct StateLabel {
    state: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct FeedLabel {
    feed: String,
}

/// A request that was answered.
#[derive(Debug)]
pub(crate) struct Request<'a> {
    /// Pattern of its route; `none` if no route has its address.
    pub(crate) route: &'a str,
    /// Its method.
    pub(crate) method: &'a Method,
    /// Status of the answer.
    pub(crate) status: u16,
    /// Time until the answer began.
    pub(crate) elapsed: Duration,
}

impl Metrics {
    /// Everything at its beginning.
    pub(super) fn new() -> Metrics {
        let mut registry = Registry::with_prefix("rootstock_tracker");
        let times = || Histogram::new(CLASSES);
        let mut metrics = Metrics {
            registry: Registry::default(),
            requests: Family::default(),
            times: Family::new_with_constructor(times),
            under_way: Gauge::default(),
            up: Gauge::default(),
            connections: Family::default(),
            most: Gauge::default(),
            records: Gauge::default(),
            vulnerabilities: Gauge::default(),
            packages: Gauge::default(),
            matches: Gauge::default(),
            feeds: Feeds::default(),
            jobs: Jobs::default(),
        };
        let build = Info::new([("version", env!("CARGO_PKG_VERSION"))]);
        registry.register("build", "The program that runs", build);
        registry.register(
            "http_requests",
            "Requests for pages that were answered",
            metrics.requests.clone(),
        );
        registry.register_with_unit(
            "http_request_duration",
            "Time until an answer began",
            Unit::Seconds,
            metrics.times.clone(),
        );
        for (name, help, gauge) in [
            (
                "http_requests_under_way",
                "Requests for pages that are being answered",
                &metrics.under_way,
            ),
            (
                "database_up",
                "Whether the database answered when these figures were asked for",
                &metrics.up,
            ),
            (
                "database_connections_most",
                "Most connections that are opened",
                &metrics.most,
            ),
            ("records", "Records of all sources", &metrics.records),
            (
                "vulnerabilities",
                "Vulnerabilities that records are joined into",
                &metrics.vulnerabilities,
            ),
            ("packages", "Packages by attribute", &metrics.packages),
            (
                "matches",
                "Matches of vulnerabilities with packages",
                &metrics.matches,
            ),
        ] {
            registry.register(name, help, gauge.clone());
        }
        registry.register(
            "database_connections",
            "Open connections by what they do",
            metrics.connections.clone(),
        );
        let feeds = &metrics.feeds;
        let asked = "When a feed was last asked, in seconds since 1970";
        registry.register_with_unit(
            "feed_asked_timestamp",
            asked,
            Unit::Seconds,
            feeds.asked.clone(),
        );
        let succeeded = "When a feed last answered well, in seconds since 1970";
        registry.register_with_unit(
            "feed_succeeded_timestamp",
            succeeded,
            Unit::Seconds,
            feeds.succeeded.clone(),
        );
        let changed = "When a feed last had something new, in seconds since 1970";
        registry.register_with_unit(
            "feed_changed_timestamp",
            changed,
            Unit::Seconds,
            feeds.changed.clone(),
        );
        registry.register(
            "feed_failures",
            "Attempts that failed since a feed's last success",
            feeds.failures.clone(),
        );
        metrics.jobs.register(&mut registry);
        metrics.registry = registry;
        metrics
    }

    /// A request came in; it is under way until the guard is dropped, however it ends.
    pub(crate) fn under_way(&self) -> UnderWay {
        self.under_way.inc();
        UnderWay(self.under_way.clone())
    }

    /// A request was answered.
    pub(crate) fn answered(&self, request: &Request<'_>) {
        let route = request.route.to_owned();
        let labels = RequestLabels {
            route: route.clone(),
            method: method(request.method),
            status: request.status,
        };
        self.requests.get_or_create(&labels).inc();
        let times = self.times.get_or_create(&RouteLabel { route });
        times.observe(request.elapsed.as_secs_f64());
    }

    /// Asks the database for what it alone knows.
    pub(super) async fn ask(&self, store: &Store) {
        let connections = store.connections();
        for (state, number) in [("busy", connections.busy), ("idle", connections.idle)] {
            let gauge = self.connections.get_or_create(&StateLabel { state });
            gauge.set(i64::from(number));
        }
        self.most.set(i64::from(connections.most));
        match self.held(store).await {
            Ok(()) => drop(self.up.set(1)),
            Err(error) => {
                tracing::error!(%error, "database does not answer");
                self.unanswered();
            }
        }
    }

    /// The database did not answer; what it said before stands.
    pub(super) fn unanswered(&self) {
        self.up.set(0);
    }

    async fn held(&self, store: &Store) -> Result<(), StoreError> {
        let totals = store.totals().await?;
        for (gauge, total) in [
            (&self.records, totals.records),
            (&self.vulnerabilities, totals.vulnerabilities),
            (&self.packages, totals.packages),
            (&self.matches, totals.matches),
        ] {
            gauge.set(i64::try_from(total).unwrap_or(i64::MAX));
        }
        for state in store.follow_states().await? {
            self.feeds.set(state);
        }
        self.jobs.set(&store.jobs().await?, Timestamp::now());
        Ok(())
    }

    /// The figures in the text form of OpenMetrics.
    pub(super) fn text(&self) -> String {
        let mut out = String::new();
        text::encode(&mut out, &self.registry).expect("a string takes all that is written");
        out
    }
}

impl Feeds {
    fn set(&self, state: FollowState) {
        let label = FeedLabel { feed: state.feed };
        for (family, time) in [
            (&self.asked, state.checked),
            (&self.succeeded, state.succeeded),
            (&self.changed, state.changed),
        ] {
            if let Some(time) = time {
                family.get_or_create(&label).set(time.as_second());
            }
        }
        let failures = self.failures.get_or_create(&label);
        failures.set(i64::from(state.failures));
    }
}

/// A request that is being answered.
#[derive(Debug)]
pub(crate) struct UnderWay(Gauge);

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.dec();
    }
}

fn method(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        _ => "other",
    }
}
