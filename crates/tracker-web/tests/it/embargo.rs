//! No route of the table tells anybody of an item under embargo but those whom it names.
//!
//! Invariant: the addresses are made of the table of routes, so that a new route is asked, too.

use crate::browser::{Browser, HERE};
use crate::matrix::{Cast, EXPECTED};
use crate::site::Site;
use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use tracker_people::Role;
use tracker_testkit::fixture::at;
use tracker_testkit::{Database, Kind};
use tracker_web::{ApiRates, Kind as Answers, Moment, PeopleSettings, ROUTES};

/// What an answer would tell by: id, alias, title, description, a comment.
const MARKERS: [&str; 4] = [
    "XSECRET-2026-0001",
    "quenching",
    "Flux of some weight",
    "whispered",
];
/// Stands for the item's name where it is not made yet.
const PLACEHOLDER: &str = "feedfacefeedfacefeed";

/// Every address that a trace could be at: of each route that is read, the address of the matrix, and the pattern with
/// what belongs to the item in each place; as page and twin, alone and as a search.
fn addresses() -> Vec<(&'static str, Answers, String)> {
    let mut all = Vec::new();
    for route in ROUTES {
        if !route.methods.iter().any(|(method, _)| *method == "get") {
            continue;
        }
        let mut paths = vec![
            EXPECTED
                .iter()
                .find(|(pattern, ..)| *pattern == route.path)
                .map(|(_, address, _)| (*address).to_owned())
                .expect("the matrix test knows every route"),
        ];
        for given in [MARKERS[0], PLACEHOLDER, "openssl"] {
            let parts = route.path.split('/').map(|part| match part {
                "{distribution}" => "nixpkgs".to_owned(),
                "{source}" => "osv".to_owned(),
                part if part.starts_with('{') => given.to_owned(),
                part => part.to_owned(),
            });
            paths.push(parts.collect::<Vec<_>>().join("/"));
        }
        paths.sort();
        paths.dedup();
        for path in paths {
            if route.kind == Answers::Page && path != "/" {
                all.push((route.path, route.kind, format!("{path}.json")));
            }
            for parameter in ["q", "package"] {
                let asked = format!("{path}?{parameter}={}", MARKERS[1]);
                all.push((route.path, route.kind, asked));
            }
            all.push((route.path, route.kind, path));
        }
    }
    all
}

/// Somebody who asks: a browser for pages, a token for the API.
struct Reader {
    browser: Browser,
    token: Option<String>,
}

impl Reader {
    async fn new(cast: &mut Cast, site: &Site, role: Role) -> Reader {
        let mut reader = Reader {
            browser: Browser {
                now: Some(Moment(at("2024-07-01T00:00:00Z"))),
                ..cast.session(&site.store, role).await
            },
            token: cast.token(&site.store, role).await,
        };
        // The first use of each is noted, and shown on the reader's own page.
        for (kind, address) in [(Answers::Api, "/api/v1/whoami"), (Answers::Own, "/account")] {
            reader.ask(site, kind, address).await;
        }
        reader
    }

    async fn ask(&mut self, site: &Site, kind: Answers, address: &str) -> (StatusCode, String) {
        let answer = if kind == Answers::Api {
            let mut request = Request::get(address);
            if let Some(token) = &self.token {
                request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
            }
            site.ask(request.body(Body::empty()).unwrap()).await
        } else {
            let mut browser = self.browser.clone();
            browser.get(site, address).await
        };
        (answer.status, timeless(&answer.body))
    }

    async fn ask_all(&mut self, site: &Site, name: &str) -> Vec<(String, StatusCode, String)> {
        let mut answers = Vec::new();
        for (_, kind, address) in addresses() {
            let asked = address.replace(PLACEHOLDER, name);
            let (status, body) = self.ask(site, kind, &asked).await;
            answers.push((address, status, body.replace(name, PLACEHOLDER)));
        }
        answers
    }
}

/// A page without the distances of its instants from now.
fn timeless(body: &str) -> String {
    let mut parts = body.split(" title=\"");
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        text.push_str(part.split_once('"').map_or("", |(_, rest)| rest));
    }
    text
}

#[tokio::test]
async fn nothing_is_told_before_the_release() {
    let database = Database::new(Kind::Sqlite).await;
    let settings = PeopleSettings {
        public: Some(HERE.parse().unwrap()),
        api: ApiRates {
            address: 1_000_000,
            token: 1_000_000,
        },
        ..PeopleSettings::default()
    };
    let site = Site::with_people(&database, settings).await;
    let mut cast = Cast::new(&site.store).await;
    let mut readers = Vec::new();
    for role in [Role::Anonymous, Role::Maintainer, Role::Administrator] {
        readers.push((role, Reader::new(&mut cast, &site, role).await));
    }
    let mut before = Vec::new();
    for (_, reader) in &mut readers {
        before.push(reader.ask_all(&site, PLACEHOLDER).await);
    }

    let mut maker = cast.session(&site.store, Role::Triager).await;
    let form = "id=XSECRET-2026-0001&summary=The+quenching+of+the&details=Flux+of+some+weight&families=openssl&people=&vector=CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H";
    let made = maker.post(&site, "/embargoes", form).await;
    assert_eq!(made.status, StatusCode::SEE_OTHER, "{}", made.body);
    let item = made.header("location").to_owned();
    let name = item.strip_prefix("/embargoes/").unwrap().to_owned();
    let said = maker.post(&site, &item, "do=comment&text=whispered").await;
    assert_eq!(said.status, StatusCode::SEE_OTHER, "{}", said.body);

    // Whoever is not named gets what they got before the item was there, byte by byte.
    for ((role, reader), before) in readers.iter_mut().zip(before) {
        let after = reader.ask_all(&site, &name).await;
        assert!(after.len() > 300, "{}", after.len());
        for (before, after) in before.iter().zip(&after) {
            assert_eq!(before, after, "{role}: {}", after.0);
        }
    }
    let metrics = site.get("/metrics").await.body;
    assert!(!MARKERS.iter().any(|marker| metrics.contains(marker)));

    // Those who are named see it where it is, and nowhere else; so do their tokens of that scope.
    let other = cast.person(Role::Maintainer).unwrap();
    let other = site.store.person(other).await.unwrap().unwrap().person;
    let named = maker
        .post(&site, &item, &format!("do=name&person={}", other.handle))
        .await;
    assert_eq!(named.status, StatusCode::SEE_OTHER, "{}", named.body);
    let (_, reader) = &mut readers[1];
    for (pattern, kind, address) in addresses() {
        let asked = address.replace(PLACEHOLDER, &name);
        let (status, body) = reader.ask(&site, kind, &asked).await;
        let echoed = MARKERS.iter().any(|marker| address.contains(marker));
        let told = MARKERS.iter().any(|marker| body.contains(marker)) && !echoed;
        let asked_page = asked.strip_prefix("/api/v1").unwrap_or(&asked);
        let its_own = pattern.ends_with("/embargoes") || asked_page.starts_with(&item);
        assert_eq!(told, its_own && !echoed, "{asked}: {status}");
    }
    let page = reader.browser.get(&site, &item).await;
    for marker in MARKERS {
        assert!(page.body.contains(marker), "{marker}: {}", page.body);
    }
    assert_eq!(page.header("cache-control"), "no-store");

    // A maintainer who is named comments, and does not let go.
    let lift = reader.browser.post(&site, &item, "do=release").await;
    assert_eq!(lift.status, StatusCode::FORBIDDEN);
    let (_, stranger) = &mut readers[2];
    let lift = stranger.browser.post(&site, &item, "do=release").await;
    assert_eq!(lift.status, StatusCode::NOT_FOUND);

    // Released, it is there for everybody, and its own log is not.
    let slip = maker.post(&site, &item, "do=release").await;
    assert_eq!(slip.status, StatusCode::BAD_REQUEST);
    assert!(slip.body.contains("tick that it is meant"), "{}", slip.body);
    let hidden = site.get("/vulnerabilities/XSECRET-2026-0001").await;
    assert_eq!(hidden.status, StatusCode::NOT_FOUND);
    let lift = maker.post(&site, &item, "do=release&sure=1").await;
    assert_eq!(lift.status, StatusCode::SEE_OTHER, "{}", lift.body);
    let page = site.get("/vulnerabilities/XSECRET-2026-0001").await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(page.body.contains("quenching") && page.body.contains("openssl"));
    assert!(!page.body.contains("whispered"));
    let found = site.get("/vulnerabilities.json?q=quenching").await;
    assert!(found.body.contains("XSECRET-2026-0001"));
    let (_, stranger) = &mut readers[2];
    let closed = stranger.browser.get(&site, &item).await;
    assert_eq!(closed.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_form_that_cannot_be_taken_says_why() {
    let database = Database::new(Kind::Sqlite).await;
    let settings = PeopleSettings {
        public: Some(HERE.parse().unwrap()),
        ..PeopleSettings::default()
    };
    let site = Site::with_people(&database, settings).await;
    let mut cast = Cast::new(&site.store).await;
    let mut triager = cast.session(&site.store, Role::Triager).await;
    for (form, why) in [
        ("summary=x", "an id"),
        ("id=A-1", "a title"),
        ("id=A-1&summary=x&vector=AV:N", "no CVSS vector"),
        ("id=A-1&summary=x&until=soon", "no day"),
        ("id=A-1&summary=x&people=nobody", "ever signed in"),
        ("id=CVE-2024-0001&summary=x", "public already"),
    ] {
        let answer = triager.post(&site, "/embargoes", form).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{form}");
        assert!(answer.body.contains(why), "{form}: {}", answer.body);
    }
    let list = triager.get(&site, "/embargoes").await;
    assert!(!list.body.contains("A-1"), "{}", list.body);
}
