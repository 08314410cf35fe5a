//! Every route as every role by every method: a route that the table below does not know fails, and so does one of
//! the table that the router does not have.

use crate::browser::{Browser, HERE};
use crate::site::{CRITICAL, Site};
use axum::body::Body;
use axum::http::{Method, Request, StatusCode, header};
use jiff::Timestamp;
use std::collections::BTreeSet;
use tracker_people::{NewToken, PersonId, Principal, Role, Scope, Scopes, Secret, SecretKind};
use tracker_store::{Giver, Identity, NewProof, Store};
use tracker_testkit::{Database, Kind};
use tracker_web::{ApiRates, Kind as Answers, PeopleSettings, ROUTES};

/// What a method of a route answers: from which role on, and with which status then.
pub(crate) type Expected = (&'static str, Role, u16);

/// A route's pattern, an address of it, and what its methods answer; every other method is refused with 405.
pub(crate) type Line = (&'static str, &'static str, &'static [Expected]);

use Role::{Administrator, Anonymous, Maintainer, Triager};

const READ: &[Expected] = &[("GET", Anonymous, 200), ("HEAD", Anonymous, 200)];

pub(crate) const EXPECTED: &[Line] = &[
    ("/", "/", READ),
    ("/vulnerabilities", "/vulnerabilities", READ),
    (
        "/vulnerabilities/{id}",
        "/vulnerabilities/CVE-2024-0001",
        READ,
    ),
    (
        "/queue",
        "/queue",
        &[
            ("GET", Anonymous, 200),
            ("HEAD", Anonymous, 200),
            ("POST", Triager, 400),
        ],
    ),
    ("/queue/undo", "/queue/undo", &[("POST", Triager, 400)]),
    ("/queue/views", "/queue/views", &[("POST", Maintainer, 400)]),
    (
        "/rules",
        "/rules",
        &[
            ("GET", Anonymous, 200),
            ("HEAD", Anonymous, 200),
            ("POST", Triager, 400),
        ],
    ),
    (
        "/vulnerabilities/{id}/{distribution}/{family}",
        "/vulnerabilities/CVE-2024-0001/nixpkgs/openssl",
        &[
            ("GET", Anonymous, 200),
            ("HEAD", Anonymous, 200),
            ("POST", Maintainer, 400),
        ],
    ),
    (
        "/families/{distribution}/{family}",
        "/families/nixpkgs/openssl",
        &[
            ("GET", Anonymous, 200),
            ("HEAD", Anonymous, 200),
            ("POST", Triager, 400),
        ],
    ),
    ("/packages", "/packages", READ),
    (
        "/packages/{distribution}/{attribute}",
        "/packages/nixpkgs/openssl",
        READ,
    ),
    ("/channels", "/channels", READ),
    ("/channels/{name}", "/channels/nixos-24.05", READ),
    (
        "/channels/{name}/changes/{from}/{to}",
        "/channels/nixos-24.05/changes/aaa/bbb",
        READ,
    ),
    (
        "/channels/{name}/feed.atom",
        "/channels/nixos-24.05/feed.atom",
        READ,
    ),
    ("/changes", "/changes", READ),
    ("/changes/{change}", "/changes/7", READ),
    ("/changes/{change}/feed.atom", "/changes/7/feed.atom", READ),
    ("/changes/{change}/badge.svg", "/changes/7/badge.svg", READ),
    ("/pipeline", "/pipeline", READ),
    ("/pipeline/{name}", "/pipeline/nixos-24.05", READ),
    ("/events", "/events", READ),
    ("/events/feed.atom", "/events/feed.atom", READ),
    ("/log", "/log", READ),
    ("/log/feed.atom", "/log/feed.atom", READ),
    ("/maintainers/{maintainer}", "/maintainers/alyssa", READ),
    (
        "/mine",
        "/mine",
        &[("GET", Maintainer, 303), ("HEAD", Maintainer, 303)],
    ),
    ("/suggestions", "/suggestions", &[("POST", Maintainer, 400)]),
    ("/labels", "/labels", READ),
    ("/labels/feed.atom", "/labels/feed.atom?label=x", READ),
    ("/jobs", "/jobs", READ),
    (
        "/records/{source}/{id}",
        "/records/cve-list/CVE-2024-0666",
        READ,
    ),
    ("/about", "/about", READ),
    (
        "/assets/{name}",
        "/assets/none",
        &[("GET", Anonymous, 404), ("HEAD", Anonymous, 404)],
    ),
    ("/favicon.ico", "/favicon.ico", READ),
    ("/robots.txt", "/robots.txt", READ),
    // There is no provider here, and the secrets of links and sign-ins are wrong: who may try is told so.
    (
        "/sign-in",
        "/sign-in",
        &[
            ("GET", Anonymous, 200),
            ("HEAD", Anonymous, 200),
            ("POST", Anonymous, 400),
        ],
    ),
    (
        "/sign-in/callback",
        "/sign-in/callback",
        &[("GET", Anonymous, 400), ("HEAD", Anonymous, 400)],
    ),
    (
        "/sign-in/link",
        "/sign-in/link",
        &[
            ("GET", Anonymous, 200),
            ("HEAD", Anonymous, 200),
            ("POST", Anonymous, 400),
        ],
    ),
    ("/sign-out", "/sign-out", &[("POST", Anonymous, 303)]),
    (
        "/account",
        "/account",
        &[("GET", Maintainer, 200), ("HEAD", Maintainer, 200)],
    ),
    (
        "/account/sessions",
        "/account/sessions",
        &[("POST", Maintainer, 303)],
    ),
    (
        "/account/sessions/{key}",
        "/account/sessions/0",
        &[("POST", Maintainer, 303)],
    ),
    (
        "/account/tokens",
        "/account/tokens",
        &[("POST", Maintainer, 400)],
    ),
    (
        "/account/tokens/{key}",
        "/account/tokens/0",
        &[("POST", Maintainer, 303)],
    ),
    (
        "/embargoes",
        "/embargoes",
        &[
            ("GET", Maintainer, 200),
            ("HEAD", Maintainer, 200),
            ("POST", Triager, 400),
        ],
    ),
    (
        "/embargoes/{name}",
        "/embargoes/none",
        &[
            ("GET", Maintainer, 404),
            ("HEAD", Maintainer, 404),
            ("POST", Maintainer, 404),
        ],
    ),
    (
        "/admin/people",
        "/admin/people",
        &[("GET", Administrator, 200), ("HEAD", Administrator, 200)],
    ),
    (
        "/admin/people/{key}",
        "/admin/people/1",
        &[
            ("GET", Administrator, 200),
            ("HEAD", Administrator, 200),
            ("POST", Administrator, 400),
        ],
    ),
    ("/api/v1/openapi.json", "/api/v1/openapi.json", READ),
    ("/api/v1/whoami", "/api/v1/whoami", READ),
    ("/api/v1/vulnerabilities", "/api/v1/vulnerabilities", READ),
    (
        "/api/v1/vulnerabilities/{id}",
        "/api/v1/vulnerabilities/CVE-2024-0001",
        READ,
    ),
    (
        "/api/v1/vulnerabilities/{id}/matches",
        "/api/v1/vulnerabilities/CVE-2024-0001/matches",
        READ,
    ),
    (
        "/api/v1/vulnerabilities/{id}/findings",
        "/api/v1/vulnerabilities/CVE-2024-0001/findings",
        READ,
    ),
    (
        "/api/v1/channels/{name}/affected",
        "/api/v1/channels/nixos-24.05/affected",
        READ,
    ),
    ("/api/v1/packages", "/api/v1/packages", READ),
    (
        "/api/v1/packages/{distribution}/{attribute}",
        "/api/v1/packages/nixpkgs/openssl",
        READ,
    ),
    (
        "/api/v1/packages/{distribution}/{attribute}/findings",
        "/api/v1/packages/nixpkgs/openssl/findings",
        READ,
    ),
    (
        "/api/v1/vulnerabilities/{id}/events",
        "/api/v1/vulnerabilities/CVE-2024-0001/events",
        READ,
    ),
    ("/api/v1/queue", "/api/v1/queue", READ),
    ("/api/v1/queue/fields", "/api/v1/queue/fields", READ),
    (
        "/api/v1/queue/completions",
        "/api/v1/queue/completions?q=is:",
        READ,
    ),
    (
        "/api/v1/matches/{vulnerability}/{distribution}/{family}",
        "/api/v1/matches/CVE-2024-0001/nixpkgs/openssl",
        READ,
    ),
    (
        "/api/v1/decisions",
        "/api/v1/decisions",
        &[("POST", Triager, 415)],
    ),
    (
        "/api/v1/comments",
        "/api/v1/comments",
        &[("POST", Maintainer, 415)],
    ),
    (
        "/api/v1/families/{distribution}/{family}",
        "/api/v1/families/nixpkgs/openssl",
        READ,
    ),
    (
        "/api/v1/families/{distribution}/{family}/split",
        "/api/v1/families/nixpkgs/openssl/split",
        &[("POST", Triager, 415)],
    ),
    (
        "/api/v1/families/{distribution}/{family}/merge",
        "/api/v1/families/nixpkgs/openssl/merge",
        &[("POST", Triager, 415)],
    ),
    ("/api/v1/undos", "/api/v1/undos", &[("POST", Triager, 415)]),
    (
        "/api/v1/rules",
        "/api/v1/rules",
        &[
            ("GET", Anonymous, 200),
            ("HEAD", Anonymous, 200),
            ("POST", Triager, 415),
        ],
    ),
    (
        "/api/v1/rules/preview",
        "/api/v1/rules/preview?q=kev:yes",
        READ,
    ),
    (
        "/api/v1/rules/{rule}",
        "/api/v1/rules/99",
        &[
            ("GET", Anonymous, 404),
            ("HEAD", Anonymous, 404),
            ("DELETE", Triager, 404),
        ],
    ),
    (
        "/api/v1/rules/{rule}/renewals",
        "/api/v1/rules/99/renewals",
        &[("POST", Triager, 415)],
    ),
    ("/api/v1/views", "/api/v1/views", READ),
    (
        "/api/v1/views/undos",
        "/api/v1/views/undos",
        &[("POST", Maintainer, 415)],
    ),
    (
        "/api/v1/views/{view}",
        "/api/v1/views/none",
        &[
            ("GET", Maintainer, 404),
            ("HEAD", Maintainer, 404),
            ("PUT", Maintainer, 415),
            ("DELETE", Maintainer, 404),
        ],
    ),
    (
        "/api/v1/suggestions",
        "/api/v1/suggestions",
        &[("POST", Maintainer, 415)],
    ),
    (
        "/api/v1/agreements",
        "/api/v1/agreements",
        &[("POST", Triager, 415)],
    ),
    (
        "/api/v1/refusals",
        "/api/v1/refusals",
        &[("POST", Triager, 415)],
    ),
    (
        "/api/v1/withdrawals",
        "/api/v1/withdrawals",
        &[("POST", Maintainer, 415)],
    ),
    ("/api/v1/log", "/api/v1/log", READ),
    (
        "/api/v1/matches/{vulnerability}/{distribution}/{family}/events",
        "/api/v1/matches/CVE-2024-0001/nixpkgs/openssl/events",
        READ,
    ),
    (
        "/api/v1/maintainers/{maintainer}",
        "/api/v1/maintainers/alyssa",
        READ,
    ),
    (
        "/api/v1/maintainers/{maintainer}/matches",
        "/api/v1/maintainers/alyssa/matches",
        READ,
    ),
    (
        "/api/v1/account/sessions",
        "/api/v1/account/sessions",
        &[
            ("GET", Maintainer, 200),
            ("HEAD", Maintainer, 200),
            ("DELETE", Maintainer, 204),
        ],
    ),
    (
        "/api/v1/account/sessions/{session}",
        "/api/v1/account/sessions/0",
        &[("DELETE", Maintainer, 404)],
    ),
    (
        "/api/v1/account/tokens",
        "/api/v1/account/tokens",
        &[("GET", Maintainer, 200), ("HEAD", Maintainer, 200)],
    ),
    (
        "/api/v1/account/tokens/{token}",
        "/api/v1/account/tokens/0",
        &[("DELETE", Maintainer, 404)],
    ),
    (
        "/api/v1/embargoes",
        "/api/v1/embargoes",
        &[
            ("GET", Maintainer, 200),
            ("HEAD", Maintainer, 200),
            ("POST", Triager, 415),
        ],
    ),
    (
        "/api/v1/embargoes/{name}",
        "/api/v1/embargoes/none",
        &[("GET", Maintainer, 404), ("HEAD", Maintainer, 404)],
    ),
    (
        "/api/v1/embargoes/{name}/comments",
        "/api/v1/embargoes/none/comments",
        &[("POST", Maintainer, 415)],
    ),
    (
        "/api/v1/embargoes/{name}/people/{handle}",
        "/api/v1/embargoes/none/people/maintainer",
        &[("PUT", Triager, 404), ("DELETE", Triager, 404)],
    ),
    (
        "/api/v1/embargoes/{name}/end",
        "/api/v1/embargoes/none/end",
        &[("PUT", Triager, 415)],
    ),
    (
        "/api/v1/embargoes/{name}/release",
        "/api/v1/embargoes/none/release",
        &[("POST", Triager, 404)],
    ),
    (
        "/api/v1/people",
        "/api/v1/people",
        &[("GET", Administrator, 200), ("HEAD", Administrator, 200)],
    ),
    (
        "/api/v1/people/{person}",
        "/api/v1/people/1",
        &[("GET", Administrator, 200), ("HEAD", Administrator, 200)],
    ),
    (
        "/api/v1/people/{person}/role",
        "/api/v1/people/1/role",
        &[("PUT", Administrator, 415)],
    ),
    (
        "/api/v1/people/{person}/block",
        "/api/v1/people/99/block",
        &[("PUT", Administrator, 404), ("DELETE", Administrator, 404)],
    ),
    (
        "/api/v1/people/{person}/sessions",
        "/api/v1/people/99/sessions",
        &[("DELETE", Administrator, 404)],
    ),
];

const METHODS: [Method; 7] = [
    Method::GET,
    Method::HEAD,
    Method::POST,
    Method::PUT,
    Method::PATCH,
    Method::DELETE,
    Method::OPTIONS,
];

#[test]
fn the_table_knows_every_route_and_no_other() {
    let known: BTreeSet<&str> = EXPECTED.iter().map(|(pattern, ..)| *pattern).collect();
    let routed: BTreeSet<&str> = ROUTES.iter().map(|route| route.path).collect();
    assert_eq!(known.len(), EXPECTED.len(), "no line twice");
    assert_eq!(routed.len(), ROUTES.len(), "no route twice");
    assert_eq!(
        routed.difference(&known).collect::<Vec<_>>(),
        Vec::<&&str>::new(),
        "routes without a line here"
    );
    assert_eq!(
        known.difference(&routed).collect::<Vec<_>>(),
        Vec::<&&str>::new(),
        "lines without a route"
    );
    for route in ROUTES {
        let (_, _, expected) = EXPECTED
            .iter()
            .find(|(pattern, ..)| *pattern == route.path)
            .unwrap();
        let methods = |words: Vec<String>| words.into_iter().collect::<BTreeSet<String>>();
        let told = methods(
            route
                .methods
                .iter()
                .map(|(method, _)| method.to_uppercase())
                .collect(),
        );
        let wanted = methods(
            expected
                .iter()
                .map(|(method, ..)| (*method).to_owned())
                .filter(|method| method != "HEAD")
                .collect(),
        );
        assert_eq!(told, wanted, "{}", route.path);
    }
}

/// People of each role but the first, with a number for fresh secrets.
pub(crate) struct Cast {
    people: Vec<(Role, PersonId)>,
    next: u32,
}

impl Cast {
    pub(crate) async fn new(store: &Store) -> Cast {
        let mut people = Vec::new();
        for role in [Maintainer, Triager, Administrator] {
            let identity = Identity {
                provider: "local",
                subject: role.word(),
                login: role.word(),
            };
            let person = store.person_of(&identity, Timestamp::now()).await.unwrap();
            store
                .grant_role(
                    person,
                    role,
                    Giver::CommandLine,
                    "the cast",
                    None,
                    Timestamp::now(),
                )
                .await
                .unwrap();
            people.push((role, person));
        }
        Cast { people, next: 0 }
    }

    fn secret(&mut self, kind: SecretKind) -> Secret {
        self.next += 1;
        let mut bytes = [7; 32];
        bytes[..4].copy_from_slice(&self.next.to_be_bytes());
        Secret::new(kind, bytes)
    }

    pub(crate) fn person(&self, role: Role) -> Option<PersonId> {
        self.people
            .iter()
            .find(|(known, _)| *known == role)
            .map(|(_, person)| *person)
    }

    pub(crate) async fn session(&mut self, store: &Store, role: Role) -> Browser {
        let Some(person) = self.person(role) else {
            return Browser::default();
        };
        let secret = self.secret(SecretKind::Session);
        let proof = NewProof {
            hash: secret.hash(),
            provider: "local",
            sealed: b"",
        };
        store
            .open_session(person, proof, "", "", Timestamp::now())
            .await
            .unwrap();
        Browser::with_session(&secret.reveal())
    }

    pub(crate) async fn token(&mut self, store: &Store, role: Role) -> Option<String> {
        let scopes = Scope::ALL.into_iter().filter(|scope| scope.role() <= role);
        self.token_of(store, role, scopes.collect()).await
    }

    /// A token of some scopes.
    pub(crate) async fn token_of(
        &mut self,
        store: &Store,
        role: Role,
        scopes: Scopes,
    ) -> Option<String> {
        let held = store.person(self.person(role)?).await.unwrap().unwrap();
        let actor = Principal::in_session(held.person, role);
        let token = NewToken::new("matrix", scopes, 1, role, Timestamp::now()).unwrap();
        let secret = self.secret(SecretKind::Token);
        let proof = NewProof {
            hash: secret.hash(),
            provider: "local",
            sealed: b"",
        };
        store
            .add_token(actor.permit().unwrap(), &token, proof)
            .await
            .unwrap()
            .unwrap();
        Some(secret.reveal())
    }
}

#[tokio::test]
async fn every_route_answers_every_role_as_the_table_says() {
    assert_eq!(CRITICAL, "CVE-2024-0001");
    let database = Database::new(Kind::Sqlite).await;
    let rates = ApiRates {
        address: 1_000_000,
        token: 1_000_000,
    };
    let settings = PeopleSettings {
        public: Some(HERE.parse().unwrap()),
        api: rates,
        ..PeopleSettings::default()
    };
    let site = Site::with_people(&database, settings).await;
    let mut cast = Cast::new(&site.store).await;
    let mut tokens = Vec::new();
    for role in Role::ALL {
        tokens.push((role, cast.token(&site.store, role).await));
    }
    let mut asked = 0;
    for (pattern, address, expected) in EXPECTED {
        let route = ROUTES.iter().find(|route| route.path == *pattern).unwrap();
        for (role, token) in &tokens {
            for method in METHODS {
                let said = expected
                    .iter()
                    .find(|(known, ..)| *known == method.as_str());
                let wanted = match said {
                    None => 405,
                    Some((_, least, status)) if role >= least => *status,
                    Some(_) if *role > Anonymous => 403,
                    // A page leads to where one signs in; the rest says who may.
                    Some(_) if method == Method::GET && route.kind != Answers::Api => 303,
                    Some(_) => 401,
                };
                let answer = if route.kind == Answers::Api {
                    let mut request = Request::builder().method(&method).uri(*address);
                    if let Some(token) = token {
                        request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
                    }
                    site.ask(request.body(Body::empty()).unwrap()).await
                } else {
                    // Some ways lead out of the session, and too many sign-ins from one address are stopped.
                    let mut browser = cast.session(&site.store, *role).await;
                    asked += 1;
                    browser.address = Some(std::net::Ipv4Addr::from_bits(asked).into());
                    browser
                        .ask(&site, method.clone(), address, Some(HERE), "x=1")
                        .await
                };
                assert_eq!(
                    answer.status.as_u16(),
                    wanted,
                    "{role}: {method} {address}: {}",
                    answer.body
                );
                if answer.status == StatusCode::SEE_OTHER
                    && *role == Anonymous
                    && method == Method::GET
                {
                    assert!(
                        answer.header("location").starts_with("/sign-in?next=%2F"),
                        "{address}"
                    );
                }
                assert!(
                    answer
                        .header("content-security-policy")
                        .starts_with("default-src 'none'"),
                    "{method} {address}"
                );
            }
        }
    }
}

#[tokio::test]
async fn what_has_ended_is_nobody() {
    let database = Database::new(Kind::Sqlite).await;
    let settings = PeopleSettings {
        public: Some(HERE.parse().unwrap()),
        ..PeopleSettings::default()
    };
    let site = Site::with_people(&database, settings).await;
    let mut cast = Cast::new(&site.store).await;
    let root = cast.person(Administrator).unwrap();
    for (days, uses) in [(31, 0), (10, 4)] {
        let secret = cast.secret(SecretKind::Session);
        let proof = NewProof {
            hash: secret.hash(),
            provider: "local",
            sealed: b"",
        };
        let at = |days: i64| Timestamp::now() - jiff::SignedDuration::from_hours(24 * days);
        let key = site
            .store
            .open_session(root, proof, "", "", at(days))
            .await
            .unwrap();
        site.store.note_session(key, at(uses)).await.unwrap();
        let answer = Browser::with_session(&secret.reveal())
            .get(&site, "/admin/people")
            .await;
        assert_eq!(
            answer.status,
            StatusCode::SEE_OTHER,
            "{days} days old, used {uses} days ago"
        );
    }
    for text in ["", "x", "rootstock_session_AAAA", "rootstock_token_AAAA"] {
        let answer = Browser::with_session(text).get(&site, "/account").await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{text}");
    }
    for credential in [
        "",
        "Basic YTpi",
        "Bearer",
        "Bearer x",
        "Bearer rootstock_token_AAAA",
    ] {
        let request = Request::get("/api/v1/whoami").header(header::AUTHORIZATION, credential);
        let answer = site.ask(request.body(Body::empty()).unwrap()).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{credential}");
    }
}
