//! The API's writing side: what it does, does once, refuses, and takes back.

use crate::browser::HERE;
use crate::matrix::Cast;
use crate::site::{Answer, CRITICAL, Site};
use axum::body::Body;
use axum::http::{Request, StatusCode};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use tracker_people::Role;
use tracker_testkit::on_both_databases;
use tracker_web::PeopleSettings;

pub(crate) struct Client<'s> {
    pub(crate) site: &'s Site,
    pub(crate) token: String,
}

impl Client<'_> {
    pub(crate) async fn send(
        &self,
        method: &str,
        path: &str,
        body: &Value,
        headers: &[(&str, &str)],
    ) -> Answer {
        let mut request = Request::builder().method(method).uri(path);
        request = request
            .header("authorization", format!("Bearer {}", self.token))
            .header("content-type", "application/json");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Body::from(body.to_string()));
        self.site.ask(request.unwrap()).await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Value {
        let answer = self.send("POST", path, &body, &[]).await;
        assert_eq!(answer.status, StatusCode::OK, "{path}: {}", answer.body);
        answer.json()
    }

    pub(crate) async fn refused(
        &self,
        method: &str,
        path: &str,
        body: Value,
        status: u16,
    ) -> Value {
        let answer = self.send(method, path, &body, &[]).await;
        assert_eq!(answer.status.as_u16(), status, "{path}: {}", answer.body);
        assert_eq!(answer.header("content-type"), "application/problem+json");
        answer.json()
    }

    pub(crate) async fn get(&self, path: &str) -> Value {
        let answer = self.site.api(path, Some(&self.token)).await;
        assert_eq!(answer.status, StatusCode::OK, "{path}: {}", answer.body);
        answer.json()
    }

    async fn one(&self) -> Value {
        self.get(&format!("/api/v1/matches/{CRITICAL}/nixpkgs/openssl"))
            .await
    }
}

pub(crate) async fn client<'s>(site: &'s Site, cast: &mut Cast, role: Role) -> Client<'s> {
    let token = cast.token(&site.store, role).await.unwrap();
    Client { site, token }
}

pub(crate) fn settings() -> PeopleSettings {
    PeopleSettings {
        public: Some(HERE.parse().unwrap()),
        ..PeopleSettings::default()
    }
}

pub(crate) fn openssl(decision: Value) -> Value {
    json!({ "matches": [{ "vulnerability": CRITICAL, "distribution": "nixpkgs", "family": "openssl" }], "decision": decision })
}

pub(crate) fn tomorrow() -> String {
    (Timestamp::now() + SignedDuration::from_hours(24)).to_string()
}

on_both_databases! {
    async fn every_decision_is_made_told_and_taken_back(database) {
        let site = Site::with_people(&database, settings()).await;
        let mut cast = Cast::new(&site.store).await;
        let triager = client(&site, &mut cast, Role::Triager).await;
        for (decision, field, wanted) in [
            (json!({ "do": "confirm" }), "state", json!("confirmed")),
            (json!({ "do": "dismiss", "why": "wrong-package" }), "dismissal", json!("wrong-package")),
            (json!({ "do": "reopen" }), "state", json!("proposed")),
            (json!({ "do": "assign", "to": "bob" }), "assignee", json!("bob")),
            (json!({ "do": "assign" }), "assignee", Value::Null),
        ] {
            let done = triager.post("/api/v1/decisions", openssl(decision.clone())).await;
            assert_eq!(done["changed"][0]["family"], "openssl", "{decision}");
            assert_eq!(triager.one().await[field], wanted, "{decision}");
            let again = triager.post("/api/v1/decisions", openssl(decision.clone())).await;
            assert_eq!((&again["act"], &again["unchanged"]), (&Value::Null, &json!(1)), "{decision}");
        }
        let until = tomorrow();
        let act = triager.post("/api/v1/decisions", openssl(json!({ "do": "snooze", "until": until }))).await["act"].clone();
        assert!(triager.one().await["snoozed_until"].is_string());
        triager.post("/api/v1/undos", json!({ "act": act })).await;
        assert_eq!(triager.one().await["snoozed_until"], Value::Null);

        let state = json!({ "do": "set-state", "state": "will-not-fix", "channel": "nixos-24.05" });
        let done = triager.post("/api/v1/decisions", openssl(state)).await;
        let one = triager.one().await;
        let there = |one: &Value| {
            let findings = one["findings"].as_array().unwrap().clone();
            findings.into_iter().find(|finding| finding["channel"] == "nixos-24.05").unwrap()
        };
        assert_eq!(there(&one)["state"], "will-not-fix", "{one}");
        assert_eq!(there(&one)["decided"], done["act"]);
        triager.post("/api/v1/decisions", openssl(json!({ "do": "withdraw-state" }))).await;
        assert_ne!(there(&triager.one().await)["state"], "will-not-fix");

        let comment = json!({ "match": { "vulnerability": CRITICAL, "distribution": "nixpkgs", "family": "openssl" }, "text": "Asked upstream." });
        triager.post("/api/v1/comments", comment.clone()).await;
        let one = triager.one().await;
        assert_eq!(one["comments"], 1);
        let line = one["log"].as_array().unwrap().last().unwrap().clone();
        assert_eq!((&line["text"], &line["by"], &line["name"]), (&json!("Asked upstream."), &json!("token"), &json!("triager")));
        let events = triager.get(&format!("/api/v1/vulnerabilities/{CRITICAL}/events")).await;
        assert_eq!(events.as_array().unwrap().last().unwrap(), &line);
        // A maintainer comments and decides nothing.
        let maintainer = client(&site, &mut cast, Role::Maintainer).await;
        maintainer.post("/api/v1/comments", comment).await;
        maintainer.refused("POST", "/api/v1/decisions", openssl(json!({ "do": "confirm" })), 403).await;
    }

    async fn many_are_decided_at_once_and_a_dry_run_decides_none(database) {
        let site = Site::with_people(&database, settings()).await;
        let mut cast = Cast::new(&site.store).await;
        let triager = client(&site, &mut cast, Role::Triager).await;
        let open = triager.get("/api/v1/queue?q=").await["total"].as_u64().unwrap();
        assert!(open > 1);
        let mut order = json!({ "query": "", "decision": { "do": "confirm" }, "dry_run": true });
        let dry = triager.post("/api/v1/decisions", order.clone()).await;
        assert_eq!((dry["changed"].as_array().unwrap().len() as u64, &dry["act"]), (open, &Value::Null));
        assert_eq!(triager.get("/api/v1/queue?q=state:confirmed").await["total"], 0);
        order["dry_run"] = json!(false);
        let done = triager.post("/api/v1/decisions", order).await;
        assert_eq!(triager.get("/api/v1/queue?q=state:confirmed").await["total"].as_u64(), Some(open));
        triager.post("/api/v1/undos", json!({ "act": done["act"] })).await;
        assert_eq!(triager.get("/api/v1/queue?q=state:confirmed").await["total"], 0);

        let added = json!({ "matches": [{ "vulnerability": CRITICAL, "distribution": "nixpkgs", "family": "odd" }], "decision": { "do": "add-package" } });
        triager.post("/api/v1/decisions", added).await;
        assert_eq!(triager.get("/api/v1/queue?q=is:added").await["rows"][0]["family"], "odd");
        let keep = json!([{ "distribution": "nixpkgs", "family": "openssl" }]);
        let order = json!({ "all_but": { "vulnerability": CRITICAL, "keep": keep }, "decision": { "do": "dismiss", "why": "duplicate" } });
        triager.post("/api/v1/decisions", order).await;
        let left = triager.get(&format!("/api/v1/queue?q=id:{CRITICAL}%20-state:dismissed")).await;
        assert_eq!((left["rows"].as_array().unwrap().len(), &left["rows"][0]["family"]), (1, &json!("openssl")));
    }

    async fn a_thousand_matches_may_be_named_at_once(database) {
        let site = Site::with_people(&database, settings()).await;
        let mut cast = Cast::new(&site.store).await;
        let triager = client(&site, &mut cast, Role::Triager).await;
        let named = json!({ "vulnerability": CRITICAL, "distribution": "nixpkgs", "family": "openssl" });
        let order = json!({ "matches": vec![named; 1000], "decision": { "do": "confirm" }, "reason": "the same, often" });
        assert!(order.to_string().len() > 65_536, "more than other routes take");
        let done = triager.post("/api/v1/decisions", order).await;
        assert_eq!(done["changed"].as_array().unwrap().len(), 1);
    }

    async fn a_repeated_request_does_nothing_twice(database) {
        let site = Site::with_people(&database, settings()).await;
        let mut cast = Cast::new(&site.store).await;
        let triager = client(&site, &mut cast, Role::Triager).await;
        let comment = json!({ "match": { "vulnerability": CRITICAL, "distribution": "nixpkgs", "family": "openssl" }, "text": "once" });
        let key = [("idempotency-key", "4711")];
        let first = triager.send("POST", "/api/v1/comments", &comment, &key).await.json();
        let again = triager.send("POST", "/api/v1/comments", &comment, &key).await.json();
        assert_eq!(first, again);
        assert_eq!(triager.one().await["comments"], 1);
        let other = triager.send("POST", "/api/v1/decisions", &openssl(json!({ "do": "confirm" })), &key).await;
        assert_eq!(other.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", other.body);
        // What was decided since one looked is not decided over.
        let path = format!("/api/v1/matches/{CRITICAL}/nixpkgs/openssl");
        let tag = site.api(&path, None).await.header("etag").to_owned();
        triager.post("/api/v1/comments", comment).await;
        let confirm = openssl(json!({ "do": "confirm" }));
        let late = triager.send("POST", "/api/v1/decisions", &confirm, &[("if-match", &tag)]).await;
        assert_eq!(late.status, StatusCode::PRECONDITION_FAILED, "{}", late.body);
        let tag = site.api(&path, None).await.header("etag").to_owned();
        let done = triager.send("POST", "/api/v1/decisions", &confirm, &[("if-match", &tag)]).await;
        assert_eq!(done.status, StatusCode::OK, "{}", done.body);
    }

    async fn rules_and_views_come_and_go(database) {
        let site = Site::with_people(&database, settings()).await;
        let mut cast = Cast::new(&site.store).await;
        let triager = client(&site, &mut cast, Role::Triager).await;
        let preview = triager.get("/api/v1/rules/preview?q=family:openssl").await;
        assert_eq!(preview["would_hide"][0]["vulnerability"], CRITICAL);
        assert_eq!((&preview["total"], &preview["severe"]), (&json!(1), &json!(1)));
        let mut order = json!({ "query": "family:openssl", "expires": tomorrow(), "reason": "known" });
        let refused = triager.refused("POST", "/api/v1/rules", order.clone(), 422).await;
        assert!(refused["detail"].as_str().unwrap().contains("1 severe"), "{refused}");
        order["hide_severe"] = json!(true);
        let rule = triager.post("/api/v1/rules", order).await["rule"].clone();
        assert_eq!(triager.get("/api/v1/queue?q=is:suppressed").await["rows"][0]["family"], "openssl");
        assert_eq!(triager.get("/api/v1/rules").await[0]["reason"], "known");
        let gone = triager.send("DELETE", &format!("/api/v1/rules/{rule}?reason=looked"), &Value::Null, &[]).await;
        assert_eq!(gone.status, StatusCode::OK);
        assert_eq!(triager.get("/api/v1/queue?q=is:suppressed").await["total"], 0);

        let saved = triager.send("PUT", "/api/v1/views/urgent", &json!({ "query": "kev:yes", "shared": true }), &[]).await;
        assert_eq!(saved.status, StatusCode::OK, "{}", saved.body);
        let seen = site.api("/api/v1/views", None).await.json();
        assert_eq!(seen[0]["view"], "urgent");
        let maintainer = client(&site, &mut cast, Role::Maintainer).await;
        maintainer.refused("DELETE", "/api/v1/views/urgent", Value::Null, 404).await;
        let gone = triager.send("DELETE", "/api/v1/views/urgent", &Value::Null, &[]).await;
        assert_eq!(gone.status, StatusCode::OK);
        assert_eq!(site.api("/api/v1/views", None).await.json(), json!([]));
    }

    async fn what_cannot_be_is_refused_with_a_reason(database) {
        let site = Site::with_people(&database, settings()).await;
        let mut cast = Cast::new(&site.store).await;
        let triager = client(&site, &mut cast, Role::Triager).await;
        for (path, body, status, says) in [
            ("/api/v1/decisions", openssl(json!({ "do": "fly" })), 400, "unknown variant"),
            ("/api/v1/decisions", openssl(json!({ "do": "dismiss", "why": "boredom" })), 422, "no reason to dismiss"),
            ("/api/v1/decisions", openssl(json!({ "do": "set-state", "state": "fixed" })), 422, "no state to decide"),
            ("/api/v1/decisions", openssl(json!({ "do": "withdraw-state" })), 422, "othing is decided"),
            ("/api/v1/decisions", openssl(json!({ "do": "snooze", "until": "2001-01-01T00:00:00Z" })), 422, "not between now"),
            ("/api/v1/decisions", json!({ "decision": { "do": "confirm" } }), 422, "exactly one"),
            ("/api/v1/decisions", json!({ "query": "colour:red", "decision": { "do": "confirm" } }), 400, "column 1"),
            ("/api/v1/decisions", json!({ "query": "", "decision": { "do": "confirm" }, "also": 1 }), 400, "unknown field"),
            ("/api/v1/undos", json!({ "event": 999_999 }), 404, "no event"),
            ("/api/v1/undos", json!({}), 422, "exactly one"),
            ("/api/v1/rules", json!({ "query": "age<7d", "expires": tomorrow(), "reason": "" }), 400, "depends on"),
        ] {
            let problem = triager.refused("POST", path, body.clone(), status).await;
            let detail = problem["detail"].as_str().unwrap();
            assert!(detail.contains(says), "{body}: {detail}");
        }
        let absent = json!({ "matches": [{ "vulnerability": "CVE-1999-9999", "distribution": "nixpkgs", "family": "x" }], "decision": { "do": "confirm" } });
        triager.refused("POST", "/api/v1/decisions", absent, 404).await;
        let key = triager.send("POST", "/api/v1/undos", &json!({}), &[("idempotency-key", "")]).await;
        assert_eq!(key.status, StatusCode::BAD_REQUEST);
    }
}
