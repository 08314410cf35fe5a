//! Families by the API and by the pages: members, splitting, merging, undo, and what is refused.

use crate::deciding::{client, openssl, settings};
use crate::matrix::Cast;
use crate::site::{CRITICAL, Site};
use axum::http::StatusCode;
use serde_json::{Value, json};
use tracker_people::Role;
use tracker_testkit::{Database, Kind, on_both_databases};

const ODD: &str = "/api/v1/families/nixpkgs/odd";

fn attributes(family: &Value) -> Vec<&str> {
    let members = family["members"].as_array().unwrap().iter();
    members
        .map(|member| member["attribute"].as_str().unwrap())
        .collect()
}

on_both_databases! {
    async fn a_family_is_split_merged_and_put_back_by_the_api(database) {
        let site = Site::with_people(&database, settings()).await;
        let mut cast = Cast::new(&site.store).await;
        let triager = client(&site, &mut cast, Role::Triager).await;
        let answer = site.api(ODD, Some(&triager.token)).await;
        let tag = answer.header("etag").to_owned();
        let before = answer.json();
        let all = attributes(&before).len();
        assert!(all > 2 && before["changes"] == json!([]), "{before}");

        let order = json!({ "members": ["python3Packages.requests"], "into": "requests", "reason": "another program", "dry_run": true });
        let dry = triager.post(&format!("{ODD}/split"), order).await;
        assert_eq!((&dry["event"], &dry["vulnerabilities"]), (&Value::Null, &json!(1)));
        assert_eq!(triager.get(ODD).await, before);

        let order = json!({ "members": ["python3Packages.requests"], "into": "requests", "reason": "another program" });
        let headers = [("if-match", tag.as_str()), ("idempotency-key", "once")];
        let done = triager.send("POST", &format!("{ODD}/split"), &order, &headers).await;
        assert_eq!(done.status, StatusCode::OK, "{}", done.body);
        let again = triager.send("POST", &format!("{ODD}/split"), &order, &headers).await;
        assert_eq!(again.json(), done.json());
        let late = triager.send("POST", &format!("{ODD}/merge"), &json!({ "into": "openssl" }), &[("if-match", &tag)]).await;
        assert_eq!(late.status, StatusCode::PRECONDITION_FAILED);
        let event = done.json()["event"].clone();
        let own = triager.get("/api/v1/families/nixpkgs/requests").await;
        assert_eq!(attributes(&own), ["python3Packages.requests"]);
        assert_eq!((&own["changes"][0]["event"], &own["changes"][0]["holds"]), (&event, &json!(true)));
        let moved = triager.get("/api/v1/matches/CVE-2024-0002/nixpkgs/requests").await;
        assert_eq!(moved["findings"][0]["attribute"], "python3Packages.requests");

        // The log and its feed tell it, and where the reason is.
        let text = "python3Packages.requests split off from odd in nixpkgs as requests";
        for path in ["/log.json", "/log/feed.atom"] {
            let told = site.get(path).await;
            assert!(told.body.contains(text), "{path}: {}", told.body);
        }
        let events = triager.get("/api/v1/vulnerabilities/CVE-2024-0002/events").await;
        let matched = events.as_array().unwrap().iter().rfind(|line| line["kind"] == "matched").unwrap();
        assert_eq!(matched["reason"], text);

        let undone = triager.post("/api/v1/undos", json!({ "event": event })).await;
        assert_eq!(attributes(&triager.get(ODD).await).len(), all);
        // An undo is an event, too.
        triager.post("/api/v1/undos", json!({ "event": undone["act"] })).await;
        assert_eq!(attributes(&triager.get(ODD).await).len(), all - 1);
        triager.refused("POST", "/api/v1/undos", json!({ "event": event.as_u64().unwrap() + 9999 }), 404).await;
        let merged = triager.post("/api/v1/families/nixpkgs/requests/merge", json!({ "into": "odd" })).await;
        assert_eq!(merged["members"], json!(["python3Packages.requests"]));
        assert_eq!(triager.get("/api/v1/families/nixpkgs/requests").await["heirs"], json!(["odd"]));
        let later = triager.refused("POST", "/api/v1/undos", json!({ "event": event }), 422).await;
        assert!(later["detail"].as_str().unwrap().contains("changed these families since"), "{later}");
    }

    async fn what_cannot_be_is_refused_with_a_problem_that_says_why(database) {
        let site = Site::with_people(&database, settings()).await;
        let mut cast = Cast::new(&site.store).await;
        let triager = client(&site, &mut cast, Role::Triager).await;
        for (path, order, status, why) in [
            ("odd/split", json!({ "members": [] }), 422, "no member is named"),
            ("odd/split", json!({ "members": ["openssl"] }), 422, "`openssl` is no member of `odd`"),
            ("odd/split", json!({ "members": ["python3Packages.requests"], "into": "a b" }), 422, "is no name of a family"),
            ("odd/split", json!({ "members": ["python3Packages.requests"], "into": "openssl" }), 422, "there is a family `openssl` already"),
            ("odd/split", json!({ "members": 7 }), 400, "invalid type"),
            ("odd/split", json!({ "member": "x" }), 400, "unknown field"),
            ("none/split", json!({ "members": ["x"] }), 404, "there is no family `none` here"),
            ("odd/merge", json!({ "into": "odd" }), 422, "into itself"),
            ("odd/merge", json!({ "into": "none" }), 404, "there is no family `none` here"),
        ] {
            let told = triager.refused("POST", &format!("/api/v1/families/nixpkgs/{path}"), order, status).await;
            let detail = told["detail"].as_str().unwrap();
            assert!(detail.to_lowercase().contains(why), "{path}: {detail}");
        }
        // Decided otherwise about the same vulnerability: both are named.
        let odd = json!({ "matches": [{ "vulnerability": CRITICAL, "distribution": "nixpkgs", "family": "odd" }], "decision": { "do": "add-package" } });
        triager.post("/api/v1/decisions", odd).await;
        triager.post("/api/v1/decisions", openssl(json!({ "do": "confirm" }))).await;
        let odd = json!({ "matches": [{ "vulnerability": CRITICAL, "distribution": "nixpkgs", "family": "odd" }], "decision": { "do": "dismiss", "why": "wrong-package" } });
        triager.post("/api/v1/decisions", odd).await;
        let told = triager.refused("POST", &format!("{ODD}/merge"), json!({ "into": "openssl" }), 422).await;
        let detail = told["detail"].as_str().unwrap();
        assert!(detail.contains("`odd` is dismissed by event") && detail.contains("`openssl` is confirmed by event"), "{detail}");
        let maintainer = client(&site, &mut cast, Role::Maintainer).await;
        maintainer.refused("POST", &format!("{ODD}/merge"), json!({ "into": "openssl" }), 403).await;
    }
}

#[tokio::test]
async fn a_family_is_split_and_put_back_by_forms() {
    const PAGE: &str = "/families/nixpkgs/odd";
    let database = Database::new(Kind::Sqlite).await;
    let site = Site::with_people(&database, settings()).await;
    let mut cast = Cast::new(&site.store).await;
    let mut triager = cast.session(&site.store, Role::Triager).await;
    let anonymous = site.get(PAGE).await;
    assert!(anonymous.body.contains("python3Packages.requests"));
    assert!(
        !anonymous
            .body
            .contains("<button type=\"submit\" name=\"do\"")
    );
    let shown = triager.get(&site, PAGE).await;
    assert!(shown.body.contains("Split off the ticked") && shown.body.contains("Merge into it"));
    // First it is told what would be done.
    let form = "do=split&member=python3Packages.requests&into=requests&reason=apart&last=0";
    let asked = triager.post(&site, PAGE, form).await;
    assert_eq!(asked.status, StatusCode::OK, "{}", asked.body);
    assert!(
        asked.body.contains("Split off from odd, as requests?"),
        "{}",
        asked.body
    );
    assert!(
        asked
            .body
            .contains("name=\"member\" value=\"python3Packages.requests\"")
    );
    assert_eq!(site.get(PAGE).await.body, anonymous.body);
    let done = triager.post(&site, PAGE, &format!("{form}&sure=1")).await;
    assert_eq!(done.status, StatusCode::SEE_OTHER, "{}", done.body);
    let there = done.header("location").to_owned();
    let shown = triager.get(&site, &there).await;
    assert!(
        shown
            .body
            .contains("split off from odd in nixpkgs as requests"),
        "{}",
        shown.body
    );
    assert!(shown.body.contains("data-undo") && shown.body.contains("apart"));
    // What was read before is too old to change by.
    let late = triager
        .post(&site, PAGE, "do=merge&into=openssl&last=0&sure=1")
        .await;
    assert_eq!(late.status, StatusCode::PRECONDITION_FAILED);
    // Where a match moved to is said where it was.
    let member = triager
        .get(&site, "/vulnerabilities/CVE-2024-0002/nixpkgs/odd")
        .await;
    assert_eq!(member.status, StatusCode::NOT_FOUND);
    assert!(
        member
            .body
            .contains("/vulnerabilities/CVE-2024-0002/nixpkgs/requests"),
        "{}",
        member.body
    );
    let act = there.rsplit('=').next().unwrap();
    let back = triager
        .post(&site, "/queue/undo", &format!("act={act}&back={PAGE}"))
        .await;
    assert_eq!(back.status, StatusCode::SEE_OTHER, "{}", back.body);
    let there = back.header("location").to_owned();
    assert!(there.starts_with(PAGE), "{there}");
    let shown = triager.get(&site, &there).await;
    assert!(
        shown.body.contains("Do it again") && shown.body.contains("Undone."),
        "{}",
        shown.body
    );
    // Merging leads to the family that stays.
    let form = "do=merge&into=openssl&reason=&sure=1";
    let merged = triager.post(&site, PAGE, form).await;
    assert!(
        merged
            .header("location")
            .starts_with("/families/nixpkgs/openssl?done="),
        "{}",
        merged.body
    );
    let gone = site.get(PAGE).await;
    assert!(
        gone.body.contains("Its packages are now counted to"),
        "{}",
        gone.body
    );
    assert_eq!(
        triager.post(&site, PAGE, "do=fly").await.status,
        StatusCode::BAD_REQUEST
    );
    assert_eq!(
        site.get("/families/nixpkgs/none").await.status,
        StatusCode::NOT_FOUND
    );
}
