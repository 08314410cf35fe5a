//! What else the API does of what the pages do: suggestions and their answers, the log, maintainers, rules and views
//! with their conditions, one's own account, people, embargoes.

use crate::deciding::{Client, client, settings, tomorrow};
use crate::matrix::Cast;
use crate::site::{CRITICAL, Site};
use axum::http::StatusCode;
use serde_json::{Value, json};
use tracker_people::Role;
use tracker_record::Severity;
use tracker_testkit::on_both_databases;
use tracker_triage::{Actor, ActorKind};

const NONE: &[(&str, &str)] = &[];

fn about(more: Value) -> Value {
    let mut order = json!({ "match": { "vulnerability": CRITICAL, "distribution": "nixpkgs", "family": "openssl" } });
    let fields = order.as_object_mut().unwrap();
    fields.extend(more.as_object().unwrap().clone());
    order
}

fn item() -> String {
    format!("/api/v1/matches/{CRITICAL}/nixpkgs/openssl")
}

fn dismissal() -> Value {
    about(json!({ "decision": { "do": "dismiss", "why": "wrong-package" }, "reason": "checked" }))
}

/// The kinds of a list of the log, the latest first.
async fn kinds(client: &Client<'_>, path: &str) -> Vec<String> {
    let rows = client.get(path).await["rows"].clone();
    let rows = rows.as_array().unwrap().iter();
    rows.map(|row| row["kind"].as_str().unwrap().to_owned())
        .collect()
}

/// Sends without a body.
async fn bare(
    client: &Client<'_>,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
) -> (u16, Value) {
    let answer = client.send(method, path, &Value::Null, headers).await;
    let body = if answer.body.is_empty() {
        Value::Null
    } else {
        answer.json()
    };
    (answer.status.as_u16(), body)
}

on_both_databases! {
    async fn a_suggestion_is_made_answered_and_withdrawn(database) {
        let site = Site::with_people(&database, settings()).await;
        let mut cast = Cast::new(&site.store).await;
        let maintainer = client(&site, &mut cast, Role::Maintainer).await;
        let triager = client(&site, &mut cast, Role::Triager).await;
        let root = client(&site, &mut cast, Role::Administrator).await;
        maintainer.refused("POST", "/api/v1/agreements", about(json!({})), 403).await;
        triager.refused("POST", "/api/v1/agreements", about(json!({})), 422).await;
        let wrong = about(json!({ "decision": { "do": "reopen" } }));
        maintainer.refused("POST", "/api/v1/suggestions", wrong, 422).await;

        // Once under one key, and seen by everybody.
        let key = [("idempotency-key", "s1")];
        let first = maintainer.send("POST", "/api/v1/suggestions", &dismissal(), &key).await.json();
        assert_eq!(maintainer.send("POST", "/api/v1/suggestions", &dismissal(), &key).await.json(), first);
        let waiting = triager.get(&item()).await["suggestions"].clone();
        assert_eq!((&waiting[0]["do"], &waiting[0]["why"]), (&json!("dismiss"), &json!("wrong-package")));
        assert_eq!((&waiting[0]["name"], &waiting[0]["reason"], &waiting[1]), (&json!("maintainer"), &json!("checked"), &Value::Null));
        let theirs = triager.get("/api/v1/maintainers/alyssa/matches?q=is:suggested").await;
        assert_eq!((&theirs["total"], &theirs["rows"][0]["suggested"]), (&json!(1), &json!(true)));
        let packages = triager.get("/api/v1/maintainers/alyssa").await["packages"].clone();
        assert_eq!(packages[0]["attribute"], "openssl");
        maintainer.refused("GET", "/api/v1/maintainers/none", Value::Null, 404).await;

        // Nobody takes back what another said; oneself does.
        triager.refused("POST", "/api/v1/withdrawals", about(json!({})), 422).await;
        maintainer.post("/api/v1/withdrawals", about(json!({ "reason": "mistaken" }))).await;
        assert_eq!(triager.get(&item()).await["suggestions"], json!([]));

        // Declined by number, with a tag of what was looked at; then agreed to.
        let act = maintainer.post("/api/v1/suggestions", dismissal()).await["act"].clone();
        let tag = site.api(&item(), None).await.header("etag").to_owned();
        let comment = about(json!({ "text": "wait" }));
        maintainer.post("/api/v1/comments", comment).await;
        let answer = about(json!({ "suggestion": act }));
        let late = triager.send("POST", "/api/v1/refusals", &answer, &[("if-match", &tag)]).await;
        assert_eq!(late.status, StatusCode::PRECONDITION_FAILED);
        let tag = site.api(&item(), None).await.header("etag").to_owned();
        let done = triager.send("POST", "/api/v1/refusals", &answer, &[("if-match", &tag)]).await;
        assert_eq!(done.status, StatusCode::OK, "{}", done.body);
        triager.refused("POST", "/api/v1/agreements", answer, 422).await;

        // Where two have to agree, one of the team waits for another, who refuses or confirms.
        let operator = Actor::new(ActorKind::Operator, "root");
        site.store.ask_second_person(&operator, Some(Severity::Critical), None).await.unwrap();
        let decision = json!({ "matches": [{ "vulnerability": CRITICAL, "distribution": "nixpkgs", "family": "openssl" }], "decision": { "do": "confirm" } });
        for refused in [true, false] {
            let done = triager.post("/api/v1/decisions", decision.clone()).await;
            assert_eq!((&done["awaiting"], &triager.get(&item()).await["state"]), (&json!(1), &json!("proposed")));
            assert_eq!(triager.post("/api/v1/agreements", about(json!({}))).await["act"], Value::Null, "one is not two");
            assert_eq!(triager.get(&item()).await["suggestions"][0]["decides"], true);
            let dry = about(json!({ "dry_run": true }));
            assert_eq!(root.post("/api/v1/agreements", dry).await["dry_run"], true);
            let path = if refused { "/api/v1/refusals" } else { "/api/v1/agreements" };
            root.post(path, about(json!({ "reason": "looked" }))).await;
        }
        assert_eq!(triager.get(&item()).await["state"], "confirmed");

        // The log tells it all: of whom, of what kind, about which match; page by page.
        assert_eq!(kinds(&triager, "/api/v1/log?actor=administrator").await, ["confirmed", "declined"]);
        assert_eq!(kinds(&triager, "/api/v1/log?actor=person:administrator").await, Vec::<String>::new());
        assert_eq!(kinds(&triager, "/api/v1/log?kind=suggestion-withdrawn").await.len(), 1);
        assert_eq!(kinds(&triager, "/api/v1/log?kind=suggested&actor=token:maintainer").await.len(), 2);
        let history = format!("{}/events?limit=3", item());
        let (mut seen, mut next) = (Vec::new(), Some(history));
        while let Some(path) = next {
            seen.extend(kinds(&triager, &path).await);
            next = triager.get(&path).await["next"].as_str().map(str::to_owned);
        }
        assert_eq!(seen.first().map(String::as_str), Some("confirmed"));
        assert!(seen.contains(&"matched".to_owned()) && seen.len() > 8, "{seen:?}");
        let whole = kinds(&triager, &format!("{}/events?limit=200", item())).await;
        assert_eq!(seen, whole);
        let line = triager.get("/api/v1/log?kind=declined").await["rows"][1].clone();
        assert_eq!((&line["vulnerability"], &line["family"]), (&json!(CRITICAL), &json!("openssl")));
        triager.refused("GET", "/api/v1/log?colour=red", Value::Null, 400).await;
        let problem = triager.refused("GET", "/api/v1/log?kind=nonsense", Value::Null, 400).await;
        let told = problem["detail"].as_str().unwrap();
        assert!(told.contains("`kind` cannot be `nonsense`: known are record-added,"), "{told}");
        assert_eq!(site.get("/log/feed.atom?kind=nonsense").await.status.as_u16(), 400);
        triager.refused("GET", "/api/v1/log?vulnerability=CVE-1999-1", Value::Null, 404).await;
    }

    async fn rules_and_views_are_renewed_and_taken_back_under_conditions(database) {
        let site = Site::with_people(&database, settings()).await;
        let mut cast = Cast::new(&site.store).await;
        let triager = client(&site, &mut cast, Role::Triager).await;
        let maintainer = client(&site, &mut cast, Role::Maintainer).await;
        let order = json!({ "query": "family:openssl", "expires": tomorrow(), "reason": "known", "hide_severe": true });
        let old = triager.post("/api/v1/rules", order).await["rule"].clone();
        let path = format!("/api/v1/rules/{old}");
        let tag = site.api(&path, None).await.header("etag").to_owned();
        let mut renewal = json!({ "expires": tomorrow() });
        let said = triager.refused("POST", &format!("{path}/renewals"), renewal.clone(), 422).await;
        assert!(said["detail"].as_str().unwrap().contains("hide_severe"), "{said}");
        renewal["hide_severe"] = json!(true);
        let sent = [("if-match", tag.as_str()), ("idempotency-key", "r")];
        let made = triager.send("POST", &format!("{path}/renewals"), &renewal, &sent).await;
        assert_eq!(made.status, StatusCode::OK, "{}", made.body);
        let new = made.json()["rule"].clone();
        assert_ne!(new, old);
        let again = triager.send("POST", &format!("{path}/renewals"), &renewal, &sent).await;
        assert_eq!(again.json()["rule"], new, "done once");
        let rules = triager.get("/api/v1/rules").await;
        assert_eq!((rules.as_array().unwrap().len(), &rules[0]["reason"]), (1, &json!("known")));
        // What is critical is told on the page of the rules although a rule hides it.
        let page = site.get("/rules.json").await.json();
        assert_eq!((&page["hidden_severe"]["total"], &page["hidden_severe"]["rows"][0]["family"]), (&json!(1), &json!("openssl")));
        assert!(site.get("/rules").await.body.contains("Critical or exploited, and hidden"));
        // Ended once under a key, and not over what somebody did since.
        let path = format!("/api/v1/rules/{new}");
        assert_eq!(bare(&triager, "DELETE", &path, &[("if-match", &tag)]).await.0, 412);
        let (status, ended) = bare(&triager, "DELETE", &path, &[("idempotency-key", "d")]).await;
        assert_eq!(status, 200);
        assert_eq!(bare(&triager, "DELETE", &path, &[("idempotency-key", "d")]).await, (200, ended.clone()));
        assert_eq!(bare(&triager, "DELETE", &path, &[("idempotency-key", "e")]).await.0, 404);
        triager.post("/api/v1/undos", json!({ "event": ended["event"] })).await;
        assert_eq!(triager.get("/api/v1/rules").await[0]["rule"], new);

        let save = |query: &str| json!({ "query": query });
        let path = "/api/v1/views/urgent";
        let first = maintainer.send("PUT", path, &save("kev:yes"), &[("idempotency-key", "v")]).await.json();
        assert_eq!(maintainer.send("PUT", path, &save("kev:yes"), &[("idempotency-key", "v")]).await.json(), first);
        let tag = site.api(path, Some(&maintainer.token)).await.header("etag").to_owned();
        let done = maintainer.send("PUT", path, &save("severity>=high"), &[("if-match", &tag)]).await.json();
        let late = maintainer.send("PUT", path, &save("epss>0.5"), &[("if-match", &tag)]).await;
        assert_eq!(late.status, StatusCode::PRECONDITION_FAILED);
        maintainer.post("/api/v1/views/undos", json!({ "event": done["event"] })).await;
        assert_eq!(maintainer.get(path).await["query"], "kev:yes");
        let (status, dropped) = bare(&maintainer, "DELETE", path, NONE).await;
        assert_eq!(status, 200);
        triager.refused("POST", "/api/v1/views/undos", json!({ "event": dropped["event"] }), 404).await;
        triager.refused("POST", "/api/v1/undos", json!({ "event": dropped["event"] }), 404).await;
        maintainer.post("/api/v1/views/undos", json!({ "event": dropped["event"] })).await;
        assert_eq!(maintainer.get(path).await["query"], "kev:yes");
        triager.refused("GET", path, Value::Null, 404).await;
        // What one keeps for oneself stands on no page of another, however it is asked for.
        let asked = site.get(&format!("/queue?done={}", done["event"])).await;
        assert!(!asked.body.contains("class=\"done\""), "{}", asked.body);
        let page = site.get("/log").await.body;
        assert!(!page.contains("severity&gt;=high") && !page.contains("severity&#62;=high"), "{page}");
    }

    async fn one_sees_and_ends_ones_own_sessions_and_tokens(database) {
        let site = Site::with_people(&database, settings()).await;
        let mut cast = Cast::new(&site.store).await;
        let me = client(&site, &mut cast, Role::Maintainer).await;
        let mut browser = cast.session(&site.store, Role::Maintainer).await;
        cast.session(&site.store, Role::Triager).await;
        let sessions = me.get("/api/v1/account/sessions").await;
        assert_eq!(sessions.as_array().unwrap().len(), 1, "one's own alone: {sessions}");
        let path = format!("/api/v1/account/sessions/{}", sessions[0]["session"]);
        assert_eq!(browser.get(&site, "/account").await.status, StatusCode::OK);
        assert_eq!(bare(&me, "DELETE", &path, NONE).await.0, 204);
        assert_eq!(bare(&me, "DELETE", &path, NONE).await.0, 404);
        assert_eq!(browser.get(&site, "/account").await.status, StatusCode::SEE_OTHER);
        // A token without the scope reaches nothing of it, and none makes another.
        let weak = cast.token_of(&site.store, Role::Maintainer, "read propose".parse().unwrap()).await.unwrap();
        let weak = Client { site: &site, token: weak };
        for path in ["/api/v1/account/tokens", "/api/v1/account/sessions", "/api/v1/embargoes"] {
            weak.refused("GET", path, Value::Null, 403).await;
        }
        assert_eq!(bare(&me, "POST", "/api/v1/account/tokens", NONE).await.0, 405);
        let tokens = me.get("/api/v1/account/tokens").await;
        let this = |one: &&Value| one["this"] == true;
        let tokens = tokens.as_array().unwrap().clone();
        assert_eq!((tokens.len(), tokens.iter().filter(this).count()), (2, 1));
        assert!(!tokens[0].to_string().contains("rootstock_token"), "no secret");
        let other = tokens.iter().find(|one| one["this"] == false).unwrap();
        let path = format!("/api/v1/account/tokens/{}", other["token"]);
        assert_eq!(bare(&me, "DELETE", &path, NONE).await.0, 204);
        assert_eq!(bare(&weak, "GET", "/api/v1/whoami", NONE).await.0, 401);
    }

    async fn an_administrator_keeps_people(database) {
        let site = Site::with_people(&database, settings()).await;
        let mut cast = Cast::new(&site.store).await;
        let root = client(&site, &mut cast, Role::Administrator).await;
        let other = client(&site, &mut cast, Role::Maintainer).await;
        let first = root.get("/api/v1/people?limit=2").await;
        assert_eq!(first["rows"].as_array().unwrap().len(), 2);
        let second = root.get(first["next"].as_str().unwrap()).await;
        assert_eq!((&second["rows"][0]["handle"], &second["next"]), (&json!("administrator"), &Value::Null));
        let person = &first["rows"][0];
        assert_eq!((&person["handle"], &person["role"]), (&json!("maintainer"), &json!("maintainer")));
        let path = format!("/api/v1/people/{}", person["person"]);
        let role = json!({ "role": "triager", "reason": "joined" });
        root.refused("PUT", &format!("{path}/role"), json!({ "role": "king", "reason": "x" }), 422).await;
        root.refused("PUT", &format!("{path}/role"), json!({ "role": "triager", "reason": " " }), 422).await;
        let given = root.send("PUT", &format!("{path}/role"), &role, NONE).await;
        assert_eq!(given.status, StatusCode::NO_CONTENT, "{}", given.body);
        let whole = root.get(&path).await;
        assert_eq!((&whole["role"], &whole["grants"][0]["giver"]), (&json!("triager"), &json!("administrator")));
        let own = format!("/api/v1/people/{}", second["rows"][0]["person"]);
        root.refused("PUT", &format!("{own}/role"), role, 422).await;
        assert_eq!(bare(&root, "PUT", &format!("{own}/block"), NONE).await.0, 422, "nobody shuts themselves out");
        let mut browser = cast.session(&site.store, Role::Maintainer).await;
        assert_eq!(bare(&root, "DELETE", &format!("{path}/sessions"), NONE).await.0, 204);
        assert_eq!(browser.get(&site, "/account").await.status, StatusCode::SEE_OTHER);
        assert_eq!(bare(&root, "PUT", &format!("{path}/block"), NONE).await.0, 204);
        assert_eq!(bare(&other, "GET", "/api/v1/whoami", NONE).await.0, 401, "their tokens ended");
        assert_eq!(root.get(&path).await["blocked"], true);
        assert_eq!(bare(&root, "DELETE", &format!("{path}/block"), NONE).await.0, 204);
        assert_eq!(root.get(&path).await["blocked"], false);
    }

    async fn an_embargo_is_kept_through_the_api(database) {
        let site = Site::with_people(&database, settings()).await;
        let mut cast = Cast::new(&site.store).await;
        let maker = client(&site, &mut cast, Role::Triager).await;
        let named = client(&site, &mut cast, Role::Maintainer).await;
        let stranger = client(&site, &mut cast, Role::Administrator).await;
        let order = json!({ "id": "ROOT-1", "summary": "Quiet", "families": [{ "distribution": "nixpkgs", "family": "openssl" }] });
        let mut wrong = order.clone();
        wrong["people"] = json!(["nobody"]);
        maker.refused("POST", "/api/v1/embargoes", wrong, 422).await;
        named.refused("POST", "/api/v1/embargoes", order.clone(), 403).await;
        let made = maker.send("POST", "/api/v1/embargoes", &order, &[("idempotency-key", "e")]).await;
        assert_eq!((made.status, made.header("cache-control")), (StatusCode::OK, "no-store"), "{}", made.body);
        let again = maker.send("POST", "/api/v1/embargoes", &order, &[("idempotency-key", "e")]).await;
        assert_eq!(again.json(), made.json(), "made once");
        assert_eq!(maker.get("/api/v1/embargoes").await.as_array().unwrap().len(), 1);
        let path = format!("/api/v1/embargoes/{}", made.json()["name"].as_str().unwrap());
        // Whoever is not named is answered as of nothing, whatever they ask for.
        for (client, requests) in [(&named, 2), (&stranger, 6)] {
            let all = [
                ("GET", String::new(), Value::Null),
                ("POST", "/comments".to_owned(), json!({ "text": "x" })),
                ("PUT", "/people/maintainer".to_owned(), Value::Null),
                ("DELETE", "/people/triager".to_owned(), Value::Null),
                ("PUT", "/end".to_owned(), json!({})),
                ("POST", "/release".to_owned(), Value::Null),
            ];
            for (method, end, body) in all.into_iter().take(requests) {
                client.refused(method, &format!("{path}{end}"), body, 404).await;
            }
        }
        assert_eq!(bare(&maker, "PUT", &format!("{path}/people/maintainer"), NONE).await.0, 204);
        for _ in 0..2 {
            let said = named.send("POST", &format!("{path}/comments"), &json!({ "text": "Seen." }), &[("idempotency-key", "c")]).await;
            assert_eq!(said.status, StatusCode::NO_CONTENT, "{}", said.body);
        }
        let ends = maker.send("PUT", &format!("{path}/end"), &json!({ "until": tomorrow() }), NONE).await;
        assert_eq!(ends.status, StatusCode::NO_CONTENT, "{}", ends.body);
        let whole = named.get(&path).await;
        assert!(whole["ends"].is_string());
        assert_eq!(whole["people"], json!(["maintainer", "triager"]));
        assert_eq!(whole["places"][0]["family"], "openssl");
        let notes: Vec<&str> = whole["notes"].as_array().unwrap().iter().map(|note| note["kind"].as_str().unwrap()).collect();
        assert_eq!(notes, ["until", "comment", "named", "made"]);
        named.refused("POST", &format!("{path}/release"), Value::Null, 403).await;
        assert_eq!(bare(&maker, "DELETE", &format!("{path}/people/maintainer"), NONE).await.0, 204);
        named.refused("GET", &path, Value::Null, 404).await;
        assert_eq!(bare(&maker, "DELETE", &format!("{path}/people/triager"), NONE).await.0, 422, "nobody would see it");
        assert_eq!(bare(&maker, "POST", &format!("{path}/release"), NONE).await.0, 204);
        assert_eq!(bare(&maker, "POST", &format!("{path}/release"), NONE).await.0, 422, "it is public already");
        assert_eq!(site.api("/api/v1/vulnerabilities/ROOT-1", None).await.status, StatusCode::OK);
    }
}
