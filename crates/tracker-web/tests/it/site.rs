//! A small site over a test's database: three vulnerabilities, two channels, names as odd as they come.

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request, StatusCode};
use jiff::Timestamp;
use serde_json::Value;
use std::sync::Arc;
use tower::ServiceExt;
use tracker_match::FindingStatus::{Affected, Fixed, NotAffected, UnderInvestigation};
use tracker_record::{Record, Reference, Severity, Source, Text};
use tracker_store::{Derived, ReleasePackage, Store};
use tracker_testkit::Database;
use tracker_testkit::fixture::{
    affected, cvss, derived, finding, incoming, kev, matched, package, record, release, stated,
};
use tracker_web::{Landings, Limits, Moment, Operations, People, PeopleSettings, router_for};

/// The critical one: exploited, known by an alias, affected on one channel and fixed on the other.
pub(crate) const CRITICAL: &str = "CVE-2024-0001";
/// The one whose every text is an attack.
pub(crate) const HOSTILE: &str = "CVE-2024-0666";
/// What a hostile feed writes wherever it may.
pub(crate) const ATTACK: &str =
    r#""><script>alert(1)</script><img src=x onerror=alert(2)>'{{7*7}}"#;
/// What a hostile feed writes where Markdown is read.
pub(crate) const MARKDOWN: &str = "# Impact\n\n**Bad** `code` <script>alert(8)</script>\n\n\
    [a](javascript:alert(9)) [web](https://example.org/?a=1&b) ![x](https://evil.example/x.png)\n\n\
    <div onmouseover=alert(10) style=position:fixed>\n</div></div></main>\n\n<!-- ";
/// Attributes that need care in an address.
pub(crate) const ODD: &[&str] = &[
    "python3Packages.requests",
    "foo",
    "foo.json",
    "bar.json",
    "a/b",
    "c#",
    "100%25",
    "g++?x=1&y",
    "naïve",
    "index.json",
    ATTACK,
];

/// An answer, read to its end.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }
}

/// The site.
#[derive(Clone)]
pub(crate) struct Site {
    pub(crate) router: Router,
    pub(crate) store: Store,
    pub(crate) operations: Operations,
}

impl Site {
    /// The site over a database with nothing in it.
    pub(crate) async fn empty(database: &Database) -> Site {
        Site::over(database, crate::changes::index()).await
    }

    /// The site over a database with nothing in it and a landing index.
    pub(crate) async fn over(database: &Database, landings: Arc<dyn Landings>) -> Site {
        let people = PeopleSettings::default();
        Site::made(database, landings, people, Limits::default()).await
    }

    async fn made(
        database: &Database,
        landings: Arc<dyn Landings>,
        settings: PeopleSettings,
        limits: Limits,
    ) -> Site {
        Site::of(database.open().await, landings, settings, limits)
    }

    /// The site over a store.
    pub(crate) fn of(
        store: Store,
        landings: Arc<dyn Landings>,
        settings: PeopleSettings,
        limits: Limits,
    ) -> Site {
        let operations = Operations::new(store.clone());
        let people = People::new(settings).unwrap();
        let site = router_for(store.clone(), Some(landings), people, limits, &operations);
        Site {
            router: site.merge(operations.metrics()),
            store,
            operations,
        }
    }

    /// The site over a filled database.
    pub(crate) async fn new(database: &Database) -> Site {
        let site = Site::empty(database).await;
        fill(&site.store).await;
        site
    }

    /// The site over a filled database, where people sign in.
    pub(crate) async fn with_people(database: &Database, settings: PeopleSettings) -> Site {
        Site::limited(database, settings, Limits::default()).await
    }

    /// The same with limits of its own.
    pub(crate) async fn limited(
        database: &Database,
        settings: PeopleSettings,
        limits: Limits,
    ) -> Site {
        let site = Site::made(database, crate::changes::index(), settings, limits).await;
        fill(&site.store).await;
        site
    }

    /// Asks the API, with a token or without.
    pub(crate) async fn api(&self, path: &str, token: Option<&str>) -> Answer {
        let mut request = Request::get(path);
        if let Some(token) = token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        self.ask(request.body(Body::empty()).unwrap()).await
    }

    /// What the API says of whose a token is.
    pub(crate) async fn whoami(&self, token: &str) -> Value {
        let answer = self.api("/api/v1/whoami", Some(token)).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
        answer.json()
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.ask(Request::get(path).body(Body::empty()).unwrap())
            .await
    }

    /// As [`Site::get`], at a moment of its own.
    pub(crate) async fn get_at(&self, path: &str, now: Timestamp) -> Answer {
        let request = Request::get(path).extension(Moment(now));
        self.ask(request.body(Body::empty()).unwrap()).await
    }

    pub(crate) async fn ask(&self, request: Request<Body>) -> Answer {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = to_bytes(body, 16 << 20).await.unwrap();
        Answer {
            status: parts.status,
            headers: parts.headers,
            body: String::from_utf8(body.to_vec()).unwrap(),
        }
    }
}

pub(crate) async fn fill(store: &Store) {
    let records = records().into_iter().map(incoming).collect();
    store.put_records(records).await.unwrap();
    let (old, new) = packages();
    for (channel, revision, day, packages) in [
        ("nixos-24.05", "aaa", "2024-05-01T00:00:00Z", old.clone()),
        ("nixos-24.05", "bbb", "2024-06-01T00:00:00Z", old),
        ("nixos-unstable", "ccc", "2024-06-02T00:00:00Z", new),
    ] {
        store
            .put_release(&release(channel, revision, day), packages)
            .await
            .unwrap();
    }
    let inventory = store.current_packages("nixpkgs").await.unwrap();
    let due = store.due(&inventory, 100).await.unwrap();
    store
        .put_derivation("nixpkgs", findings(), due.mark)
        .await
        .unwrap();
}

fn records() -> Vec<Record> {
    let mut critical = record(Source::Nvd, CRITICAL, "A heap overflow in openssl");
    critical.cvss.push(cvss(98));
    critical.exploitation.push(kev());
    critical
        .affected
        .push(affected("openssl", "openssl", "3.0.8"));
    critical.weaknesses.push(stated("CWE-787".to_owned()));
    for url in ["https://example.org/advisory", "javascript:alert(3)"] {
        critical.references.push(stated(Reference {
            url: url.to_owned(),
            tags: vec!["vendor-advisory".to_owned()],
        }));
    }
    let mut advisory = record(Source::Osv, "GHSA-aaaa-bbbb-cccc", "Heap overflow");
    advisory.aliases.push(CRITICAL.to_owned());
    let mut medium = record(Source::CveList, "CVE-2024-0002", "A crash in requests");
    medium.cvss.push(cvss(53));
    let mut hostile = record(Source::CveList, HOSTILE, ATTACK);
    hostile.cvss.push(cvss(21));
    ATTACK.clone_into(&mut hostile.cvss[0].origin);
    hostile.descriptions.push(stated(Text {
        language: "en".to_owned(),
        text: MARKDOWN.to_owned(),
    }));
    ATTACK.clone_into(&mut hostile.cvss[0].value.vector);
    hostile.weaknesses.push(stated(ATTACK.to_owned()));
    hostile.affected.push(affected(ATTACK, ATTACK, ATTACK));
    hostile.affected[0].value.cpes.push(ATTACK.to_owned());
    for url in [
        ATTACK,
        "javascript:alert(4)",
        "data:text/html,<script>alert(5)</script>",
        "https://x/\"onmouseover=\"alert(6)",
    ] {
        hostile.references.push(stated(Reference {
            url: url.to_owned(),
            tags: vec![ATTACK.to_owned()],
        }));
    }
    let unmatched = record(
        Source::CveList,
        "CVE-2024-0003",
        "Something in a product that is not packaged",
    );
    vec![critical, advisory, medium, hostile, unmatched]
}

/// The packages of the older channel and of the newer.
fn packages() -> (Vec<ReleasePackage>, Vec<ReleasePackage>) {
    let odd = || ODD.iter().map(|name| package(name, "odd", "1.0"));
    let mut old: Vec<_> = odd().collect();
    old.push(package("openssl", "openssl", "3.0.5"));
    let mut new: Vec<_> = odd().collect();
    let mut openssl = package("openssl", "openssl", "3.0.9");
    openssl.package.maintainers.push("alyssa".to_owned());
    new.push(openssl);
    new[0].package.known_vulnerabilities.push(ATTACK.to_owned());
    new[0]
        .package
        .homepages
        .push("javascript:alert(7)".to_owned());
    new[0].package.maintainers.push(ATTACK.to_owned());
    new[0].package.description = Some(ATTACK.to_owned());
    new[0].package.patches.push(ATTACK.to_owned());
    (old, new)
}

fn findings() -> Vec<Derived> {
    let mut attack = matched(
        HOSTILE,
        ATTACK,
        0.5,
        vec![finding(
            "nixos-unstable",
            ATTACK,
            ATTACK,
            UnderInvestigation,
        )],
    );
    attack.findings[0].finding.evidence = vec![ATTACK.to_owned(), format!("`{ATTACK}`")];
    attack.matched.reasons[0].text = format!("`{ATTACK}`");
    ATTACK.clone_into(&mut attack.matched.reasons[0].feature);
    vec![
        derived(
            CRITICAL,
            vec![matched(
                CRITICAL,
                "openssl",
                0.97,
                vec![
                    finding("nixos-24.05", "openssl", "3.0.5", Affected),
                    finding("nixos-unstable", "openssl", "3.0.9", Fixed),
                ],
            )],
        ),
        derived(
            "CVE-2024-0002",
            vec![matched(
                "CVE-2024-0002",
                "odd",
                0.6,
                vec![finding(
                    "nixos-unstable",
                    "python3Packages.requests",
                    "1.0",
                    NotAffected,
                )],
            )],
        ),
        derived(HOSTILE, vec![attack]),
    ]
}

/// The severity that a score of the fixture has; keeps the fixture honest about what it calls critical.
#[test]
fn the_critical_one_is_critical() {
    let mut one = record(Source::Nvd, CRITICAL, "x");
    one.cvss.push(cvss(98));
    let summary = tracker_record::Vulnerability::merge(CRITICAL.to_owned(), vec![one]).summary();
    assert_eq!(summary.severity, Severity::Critical);
}
