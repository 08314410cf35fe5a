//! What a request may cost: bodies without end on every route, and floods of attempts to come in.

use crate::browser::{Browser, HERE};
use crate::github::GitHub;
use crate::matrix::{Cast, EXPECTED};
use crate::site::{Answer, Site};
use axum::body::Body;
use axum::http::{Method, Request, StatusCode, header};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use std::net::IpAddr;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};
use tracker_people::{Role, Secret, SecretKind};
use tracker_testkit::{Database, Kind, on_both_databases};
use tracker_web::{ApiRates, Kind as Answers, Limits, Moment, PeopleSettings, ROUTES};

/// A body of which nobody is told how long it is: in pieces of 1 kB, then nothing more or no end.
struct Pieces {
    left: u32,
    ends: bool,
}

impl futures_core::Stream for Pieces {
    type Item = Result<Vec<u8>, std::io::Error>;

    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.left > 0 {
            self.left -= 1;
            return Poll::Ready(Some(Ok(vec![b'x'; 1_000])));
        }
        // What never comes needs nobody to be woken.
        if self.ends {
            Poll::Ready(None)
        } else {
            Poll::Pending
        }
    }
}

fn unlimited() -> PeopleSettings {
    PeopleSettings {
        public: Some(HERE.parse().unwrap()),
        api: ApiRates {
            address: 1_000_000,
            token: 1_000_000,
        },
        ..PeopleSettings::default()
    }
}

/// What an administrator who may do all is told when a body of a kind is sent to a route.
struct Sender {
    site: Site,
    cast: Cast,
    token: String,
    sent: u32,
}

impl Sender {
    async fn new(limits: Limits) -> (Sender, Database) {
        let database = Database::new(Kind::Sqlite).await;
        let site = Site::limited(&database, unlimited(), limits).await;
        let mut cast = Cast::new(&site.store).await;
        let token = cast.token(&site.store, Role::Administrator).await.unwrap();
        let sender = Sender {
            site,
            cast,
            token,
            sent: 0,
        };
        (sender, database)
    }

    async fn send(&mut self, kind: Answers, method: &str, address: &str, body: Body) -> Answer {
        // Some ways lead out of the session.
        let browser = self
            .cast
            .session(&self.site.store, Role::Administrator)
            .await;
        let session = browser.session().unwrap();
        let mut request = Request::builder().method(method).uri(address);
        request = match kind {
            Answers::Api => request
                .header(header::AUTHORIZATION, format!("Bearer {}", self.token))
                .header(header::CONTENT_TYPE, "application/json"),
            _ => request
                .header(header::HOST, "tracker.test")
                .header(header::ORIGIN, HERE)
                .header(
                    header::COOKIE,
                    format!("__Host-rootstock-session={session}"),
                )
                .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded"),
        };
        let mut request = request.body(body).unwrap();
        // Each from an address of its own: too many attempts to sign in are another test's matter.
        self.sent += 1;
        let address: IpAddr = std::net::Ipv4Addr::from_bits(self.sent).into();
        request.extensions_mut().insert(address);
        self.site.ask(request).await
    }
}

/// Whether the API's description says that an operation has a body.
fn has_body(document: &Value, pattern: &str, method: &str) -> bool {
    let operation = &document["paths"][pattern][method.to_ascii_lowercase()];
    assert!(operation.is_object(), "{method} {pattern} is not described");
    operation.get("requestBody").is_some()
}

/// The routes by each of their methods, with whether a body is read there.
fn routes() -> impl Iterator<Item = (Answers, &'static str, &'static str, bool)> {
    let document: Value = serde_json::from_str(&tracker_web::openapi_document()).unwrap();
    EXPECTED
        .iter()
        .flat_map(move |(pattern, address, methods)| {
            let route = ROUTES.iter().find(|route| route.path == *pattern).unwrap();
            let read = |&(method, _, status): &(&'static str, _, u16)| {
                let reads = match route.kind {
                    Answers::Api if !matches!(method, "GET" | "HEAD") => {
                        has_body(&document, pattern, method)
                    }
                    // A form that is but a button needs no body.
                    _ => matches!(method, "POST" | "PUT") && status != 303,
                };
                (route.kind, method, *address, reads)
            };
            methods.iter().map(read).collect::<Vec<_>>()
        })
}

#[tokio::test]
async fn no_route_takes_a_body_beyond_the_limit() {
    let (mut sender, _database) = Sender::new(Limits::default()).await;
    let mut read = 0;
    for (kind, method, address, reads) in routes() {
        // A decision may name more than a thousand matches.
        let limit = match address {
            "/api/v1/decisions" => 262_144,
            _ => 65_536,
        };
        let declared = Body::from(vec![b'x'; limit + 1]);
        let answer = sender.send(kind, method, address, declared).await;
        assert_eq!(
            answer.status,
            StatusCode::PAYLOAD_TOO_LARGE,
            "{method} {address}"
        );
        if reads {
            read += 1;
            let pieces = Body::from_stream(Pieces {
                left: 10_000,
                ends: true,
            });
            let answer = sender.send(kind, method, address, pieces).await;
            let told = (
                answer.status,
                answer.body.contains(&format!("{limit} bytes")),
            );
            assert_eq!(
                told,
                (StatusCode::PAYLOAD_TOO_LARGE, true),
                "{method} {address}: {}",
                answer.body
            );
        }
    }
    assert!(read >= 15, "{read} routes read a body");
}

#[tokio::test]
async fn no_route_waits_for_a_body_that_does_not_come() {
    let limits = Limits {
        body_time: Duration::from_millis(50),
        ..Limits::default()
    };
    let (mut sender, _database) = Sender::new(limits).await;
    for (kind, method, address, reads) in routes() {
        let started = Instant::now();
        let never = Body::from_stream(Pieces {
            left: 3,
            ends: false,
        });
        let answer = sender.send(kind, method, address, never).await;
        let wanted = if reads {
            StatusCode::REQUEST_TIMEOUT
        } else {
            answer.status
        };
        assert_eq!(answer.status, wanted, "{method} {address}: {}", answer.body);
        assert!(
            !answer.status.is_server_error(),
            "{method} {address}: {}",
            answer.status
        );
        assert!(
            started.elapsed() < Duration::from_secs(5),
            "{method} {address}"
        );
    }
}

/// A browser at an address, at a moment.
fn at(address: &str, now: Timestamp) -> Browser {
    Browser {
        address: Some(address.parse().unwrap()),
        now: Some(Moment(now)),
        ..Browser::default()
    }
}

/// That an answer says how long to wait, within a limit.
fn is_throttled(answer: &Answer, most: u64) {
    assert_eq!(
        answer.status,
        StatusCode::TOO_MANY_REQUESTS,
        "{}",
        answer.body
    );
    let wait: u64 = answer.header("retry-after").parse().unwrap();
    assert!((1..=most).contains(&wait), "{wait}");
}

/// A sign-in under way that was never begun here: its parts fit together, as a stranger can make them.
fn forged(number: u32) -> (String, String) {
    let mut random = [9; 32];
    random[..4].copy_from_slice(&number.to_be_bytes());
    let secret = Secret::new(SecretKind::SignIn, random);
    (format!("{}|%2F", secret.reveal()), secret.state())
}

on_both_databases! {
    async fn who_tries_too_often_waits_while_others_come_in(database) {
        let github = GitHub::start().await;
        let settings = PeopleSettings { github: Some(github.settings()), ..unlimited() };
        let site = Site::with_people(&database, settings).await;
        let now: Timestamp = "2026-05-01T12:00:00Z".parse().unwrap();
        let (bad, good) = ("192.0.2.1", "192.0.2.2");
        // Links that are none, and sign-ins that are only begun: one account of both.
        for number in 0..20 {
            let form = format!("secret={}", Secret::new(SecretKind::Link, [number; 32]).reveal());
            let refused = at(bad, now).post(&site, "/sign-in/link", &form).await;
            assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{number}: {}", refused.body);
        }
        is_throttled(&at(bad, now).post(&site, "/sign-in/link", "secret=x").await, 30);
        is_throttled(&at(bad, now).post(&site, "/sign-in", "next=/").await, 30);
        let answer = at(good, now).post(&site, "/sign-in", "next=/").await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "others are not held up: {}", answer.body);
        // One comes every half minute.
        let later = now + SignedDuration::from_secs(31);
        let answer = at(bad, later).post(&site, "/sign-in", "next=/").await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.body);
        is_throttled(&at(bad, later).post(&site, "/sign-in", "next=/").await, 30);
        let whole = now + SignedDuration::from_mins(11);
        for _ in 0..20 {
            let answer = at(bad, whole).post(&site, "/sign-in", "next=/").await;
            assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.body);
        }
    }

    async fn a_flood_of_answers_of_no_provider_is_stopped(database) {
        let github = GitHub::start().await;
        let settings = PeopleSettings { github: Some(github.settings()), ..unlimited() };
        let site = Site::with_people(&database, settings).await;
        let now: Timestamp = "2026-05-01T12:00:00Z".parse().unwrap();
        let come_back = async |address: &str, number: u32, now: Timestamp| {
            let (cookie, state) = forged(number);
            let mut browser = at(address, now);
            browser.set("__Host-rootstock-sign-in", &cookie);
            browser.get(&site, &format!("/sign-in/callback?code=c&state={state}")).await
        };
        for number in 0..60 {
            let answer = come_back("192.0.2.1", number, now).await;
            assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{}", answer.body);
            assert!(answer.body.contains("This sign-in is over"), "{}", answer.body);
        }
        is_throttled(&come_back("192.0.2.1", 60, now).await, 1);
        assert_eq!(come_back("192.0.2.2", 61, now).await.status, StatusCode::BAD_REQUEST);
        let later = now + SignedDuration::from_secs(2);
        assert_eq!(come_back("192.0.2.1", 62, later).await.status, StatusCode::BAD_REQUEST);
        assert_eq!(github.world.lock().unwrap().asked, 0, "the provider was never asked");
    }

    async fn who_guesses_tokens_is_stopped_and_a_token_that_holds_is_not(database) {
        let api = ApiRates { address: 10, token: 1_000 };
        let site = Site::with_people(&database, PeopleSettings { api, ..unlimited() }).await;
        let mut cast = Cast::new(&site.store).await;
        let token = cast.token(&site.store, Role::Triager).await.unwrap();
        let ask = async |address: &str, token: &str| {
            let mut request = Request::builder()
                .method(Method::GET)
                .uri("/api/v1/whoami")
                .header(header::AUTHORIZATION, format!("Bearer {token}"))
                .body(Body::empty())
                .unwrap();
            request.extensions_mut().insert(address.parse::<IpAddr>().unwrap());
            site.ask(request).await
        };
        let guess = |number: u8| Secret::new(SecretKind::Token, [number; 32]).reveal();
        for number in 0..10 {
            assert_eq!(ask("192.0.2.1", &guess(number)).await.status, StatusCode::UNAUTHORIZED);
        }
        is_throttled(&ask("192.0.2.1", &guess(10)).await, 6);
        assert_eq!(ask("192.0.2.2", &guess(11)).await.status, StatusCode::UNAUTHORIZED);
        assert_eq!(ask("192.0.2.1", &token).await.status, StatusCode::OK, "whose token holds is somebody else");
    }
}
