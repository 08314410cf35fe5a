//! A maintainer's page, what they suggest, who agrees, and the log of it.

use crate::browser::HERE;
use crate::matrix::Cast;
use crate::site::{CRITICAL, Site};
use axum::http::StatusCode;
use std::collections::BTreeSet;
use tracker_people::Role;
use tracker_record::Severity;
use tracker_store::{Act, ItemId, Targets};
use tracker_testkit::{Database, Kind};
use tracker_triage::{Action, Actor, ActorKind};
use tracker_web::PeopleSettings;

const PAGE: &str = "/maintainers/alyssa";
const ITEM: &str =
    "vulnerability=CVE-2024-0001&distribution=nixpkgs&family=openssl&next=/maintainers/alyssa";

#[tokio::test]
async fn a_maintainer_suggests_and_the_team_agrees_with_one_form() {
    let database = Database::new(Kind::Sqlite).await;
    let settings = PeopleSettings {
        public: Some(HERE.parse().unwrap()),
        ..PeopleSettings::default()
    };
    let site = Site::with_people(&database, settings).await;
    let mut cast = Cast::new(&site.store).await;
    let public = site.get(PAGE).await;
    assert_eq!(public.status, StatusCode::OK);
    assert!(public.body.contains(CRITICAL) && !public.body.contains("/suggestions"));
    assert_eq!(
        site.get("/maintainers/nobody").await.status,
        StatusCode::NOT_FOUND
    );
    assert_eq!(
        site.get("/maintainers/a%22b").await.status,
        StatusCode::NOT_FOUND
    );

    let mut maintainer = cast.session(&site.store, Role::Maintainer).await;
    let mine = maintainer.get(&site, "/mine").await;
    assert_eq!(mine.header("location"), "/maintainers/maintainer");
    let own = maintainer.get(&site, "/maintainers/maintainer").await;
    assert_eq!(own.status, StatusCode::OK, "nothing of theirs is an answer");
    assert!(own.body.contains("No package"), "{}", own.body);
    let agree = format!("do=agree&{ITEM}");
    let early = maintainer.post(&site, "/suggestions", &agree).await;
    assert_eq!(early.status, StatusCode::FORBIDDEN, "only the team agrees");
    let offered = maintainer.get(&site, PAGE).await.body;
    assert!(offered.contains("name=\"reason\""), "{offered}");
    let suggest = format!("do=dismiss&why=wrong-package&reason=checked&{ITEM}");
    let said = maintainer.post(&site, "/suggestions", &suggest).await;
    assert_eq!(
        (said.status, said.header("location")),
        (StatusCode::SEE_OTHER, PAGE),
        "{}",
        said.body
    );
    let page = maintainer.get(&site, PAGE).await.body;
    assert!(
        page.contains("suggestion waits") && !page.contains("value=\"agree\""),
        "{page}"
    );

    // Where two of the team have to agree, it takes two of the team.
    let root = Actor::new(ActorKind::Operator, "root");
    site.store
        .ask_second_person(&root, Some(Severity::Critical), None)
        .await
        .unwrap();
    let mut first = cast.session(&site.store, Role::Triager).await;
    assert!(
        first
            .get(&site, PAGE)
            .await
            .body
            .contains("value=\"agree\"")
    );
    for _ in 0..2 {
        let agreed = first.post(&site, "/suggestions", &agree).await;
        assert_eq!(agreed.status, StatusCode::SEE_OTHER, "{}", agreed.body);
        assert!(
            site.get(PAGE).await.body.contains(CRITICAL),
            "one is not enough"
        );
    }
    let mut second = cast.session(&site.store, Role::Administrator).await;
    let agreed = second.post(&site, "/suggestions", &agree).await;
    assert_eq!(agreed.status, StatusCode::SEE_OTHER);
    let page = site.get(PAGE).await.body;
    assert!(page.contains("Nothing is open about them"), "{page}");
    let none = second.post(&site, "/suggestions", &agree).await;
    assert_eq!(none.status, StatusCode::BAD_REQUEST);
    assert!(none.body.contains("nothing is suggested"));
    the_log_tells_it(&site).await;
}

/// As a page, as data and as a feed.
async fn the_log_tells_it(site: &Site) {
    let log = site.get("/log.json").await.json();
    let kinds: Vec<&str> = log["rows"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["event"]["kind"].as_str().unwrap())
        .collect();
    assert_eq!(
        kinds,
        ["dismissed", "suggested", "second-person-asked", "suggested"]
    );
    assert_eq!(log["rows"][3]["actor"]["name"], "maintainer");
    assert_eq!(log["rows"][3]["reason"], "checked");
    let feed = site.get("/log/feed.atom").await.body;
    assert_eq!(feed.matches("<entry>").count(), 4);
    let told = "CVE-2024-0001: suggested for openssl in nixpkgs: dismiss, wrong package";
    assert!(feed.contains(told), "{feed}");
    let first = site.get("/log.json?limit=1").await.json();
    let next = first["links"]["next"].as_str().unwrap();
    assert!(next.starts_with("/log.json?"), "{next}");
    assert_eq!(
        site.get(next).await.json()["rows"][0]["event"]["kind"],
        "suggested"
    );
    let history = site.get(&format!("/log?q={CRITICAL}")).await.body;
    for told in ["matched to openssl in nixpkgs", "dismissed for openssl"] {
        assert!(history.contains(told), "{history}");
    }
    assert_eq!(
        site.get("/log?q=CVE-1999-0001").await.status,
        StatusCode::NOT_FOUND
    );
    assert_eq!(
        site.get("/log?after=x").await.status,
        StatusCode::BAD_REQUEST
    );
}

#[tokio::test]
async fn a_query_narrows_what_is_open_and_never_widens_it() {
    let database = Database::new(Kind::Sqlite).await;
    let site = Site::new(&database).await;
    let families = async |query: &str| -> BTreeSet<String> {
        let address = format!("/api/v1/maintainers/alyssa/matches?q={query}");
        let list = site.get(&address).await.json();
        let rows = list["rows"].as_array().unwrap().iter();
        rows.map(|row| row["family"].as_str().unwrap().to_owned())
            .collect()
    };
    let own = families("").await;
    let everything = site.get("/api/v1/queue").await.json();
    assert!(everything["rows"].as_array().unwrap().len() > own.len());
    assert_eq!(families("is:suggested+or+is:open").await, own);
    assert_eq!(families("kev:yes+or+kev:no").await, own);
    let wrong = site.get(&format!("{PAGE}?q=)+or+(")).await;
    assert_eq!(wrong.status, StatusCode::BAD_REQUEST, "{}", wrong.body);
}

#[tokio::test]
async fn the_history_of_a_match_is_the_latest_however_long_it_is() {
    let database = Database::new(Kind::Sqlite).await;
    let site = Site::new(&database).await;
    let act = |text: String| Act {
        targets: Targets::Items(vec![ItemId {
            vulnerability: CRITICAL.to_owned(),
            distribution: "nixpkgs".to_owned(),
            family: "openssl".to_owned(),
        }]),
        action: Action::Comment(text),
        reason: None,
        dry_run: false,
    };
    let alice = Actor::new(ActorKind::Person, "alice");
    for number in 0..1_010 {
        let word = act(format!("word {number}"));
        site.store.decide(&alice, &word).await.unwrap();
    }
    let page = site
        .get(&format!("/vulnerabilities/{CRITICAL}/nixpkgs/openssl"))
        .await
        .body;
    assert!(page.contains("word 1009"), "the last word is there");
    assert!(!page.contains("word 9<"), "the first are not");
}
