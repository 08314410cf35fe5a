//! The API: its description is the committed one, its answers are of the described shapes, its rates hold.
//!
//! `UPDATE_REFERENCE=1 cargo test -p tracker-web --test it api` writes `docs/reference/openapi.json` anew.

use crate::site::{CRITICAL, HOSTILE, Site};
use axum::body::Body;
use axum::http::{Request, StatusCode};
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::PathBuf;
use tracker_testkit::on_both_databases;
use tracker_web::{ApiRates, Kind, PeopleSettings, ROUTES, openapi_document};

#[test]
fn the_committed_description_is_this_one() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs/reference/openapi.json");
    let wanted = openapi_document();
    if std::env::var_os("UPDATE_REFERENCE").is_some() {
        std::fs::write(&path, &wanted).unwrap();
    }
    let held = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        held == wanted,
        "docs/reference/openapi.json is not up to date; see the head of this file"
    );
}

/// The names that the references in a value lead to.
fn references<'v>(value: &'v Value, found: &mut BTreeSet<&'v str>) {
    match value {
        Value::Object(fields) => {
            found.extend(fields.get("$ref").and_then(Value::as_str));
            fields.values().for_each(|field| references(field, found));
        }
        Value::Array(values) => values.iter().for_each(|value| references(value, found)),
        _ => {}
    }
}

#[test]
fn every_reference_of_the_description_leads_somewhere() {
    let document: Value = serde_json::from_str(&openapi_document()).unwrap();
    let mut found = BTreeSet::new();
    references(&document, &mut found);
    assert!(found.len() > 20, "{found:?}");
    for reference in found {
        let place = reference.strip_prefix('#').unwrap();
        assert!(document.pointer(place).is_some(), "{reference}");
    }
}

#[test]
fn every_route_of_the_api_is_described_with_its_methods() {
    let document: Value = serde_json::from_str(&openapi_document()).unwrap();
    let described: BTreeSet<(String, String)> = document["paths"]
        .as_object()
        .unwrap()
        .iter()
        .flat_map(|(path, methods)| {
            methods
                .as_object()
                .unwrap()
                .keys()
                .map(|method| (path.clone(), method.clone()))
        })
        .collect();
    let routed: BTreeSet<(String, String)> = ROUTES
        .iter()
        .filter(|route| route.kind == Kind::Api)
        .flat_map(|route| {
            route
                .methods
                .iter()
                .map(|(method, _)| (route.path.to_owned(), (*method).to_owned()))
        })
        .collect();
    assert_eq!(described, routed);
}

/// Whether a value has the shape that a schema describes, with the place where it has not.
fn conforms(document: &Value, schema: &Value, value: &Value, place: &str) {
    if let Some(name) = schema["$ref"].as_str() {
        let name = name.strip_prefix("#/components/schemas/").unwrap();
        let schema = &document["components"]["schemas"][name];
        assert!(schema.is_object(), "{place}: no schema {name}");
        return conforms(document, schema, value, place);
    }
    if let Some(all) = schema["allOf"].as_array() {
        for one in all {
            conforms(document, one, value, place);
        }
        return;
    }
    let types: Vec<&str> = match &schema["type"] {
        Value::String(one) => vec![one],
        Value::Array(many) => many.iter().map(|one| one.as_str().unwrap()).collect(),
        other => panic!("{place}: {other}"),
    };
    let actual = match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_u64() => "integer",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    assert!(
        types.contains(&actual) || actual == "integer" && types.contains(&"number"),
        "{place}: {actual} is none of {types:?}"
    );
    if let Value::Array(items) = value {
        for (index, item) in items.iter().enumerate() {
            conforms(
                document,
                &schema["items"],
                item,
                &format!("{place}/{index}"),
            );
        }
    }
    if let (Value::Object(fields), Some(properties)) = (value, schema["properties"].as_object()) {
        for (name, schema) in properties {
            let field = fields
                .get(name)
                .unwrap_or_else(|| panic!("{place} lacks {name}"));
            conforms(document, schema, field, &format!("{place}/{name}"));
        }
    }
}

on_both_databases! {
    async fn answers_have_the_described_shapes(database) {
        let site = Site::new(&database).await;
        let document = site.api("/api/v1/openapi.json", None).await.json();
        for (pattern, path) in [
            ("/api/v1/whoami", "/api/v1/whoami".to_owned()),
            ("/api/v1/vulnerabilities", "/api/v1/vulnerabilities?scope=all".to_owned()),
            ("/api/v1/vulnerabilities/{id}", format!("/api/v1/vulnerabilities/{CRITICAL}")),
            ("/api/v1/vulnerabilities/{id}/matches", format!("/api/v1/vulnerabilities/{HOSTILE}/matches")),
            ("/api/v1/vulnerabilities/{id}/findings", format!("/api/v1/vulnerabilities/{CRITICAL}/findings")),
            ("/api/v1/packages", "/api/v1/packages".to_owned()),
            ("/api/v1/queue", "/api/v1/queue?q=".to_owned()),
            ("/api/v1/queue/fields", "/api/v1/queue/fields".to_owned()),
            ("/api/v1/queue/completions", "/api/v1/queue/completions?q=chan".to_owned()),
            ("/api/v1/matches/{vulnerability}/{distribution}/{family}", format!("/api/v1/matches/{CRITICAL}/nixpkgs/openssl")),
            ("/api/v1/vulnerabilities/{id}/events", format!("/api/v1/vulnerabilities/{CRITICAL}/events")),
            ("/api/v1/families/{distribution}/{family}", "/api/v1/families/nixpkgs/odd".to_owned()),
            ("/api/v1/rules/preview", "/api/v1/rules/preview?q=kev:yes".to_owned()),
            ("/api/v1/log", "/api/v1/log".to_owned()),
            ("/api/v1/log", format!("/api/v1/log?vulnerability={CRITICAL}")),
            ("/api/v1/matches/{vulnerability}/{distribution}/{family}/events", format!("/api/v1/matches/{CRITICAL}/nixpkgs/openssl/events")),
            ("/api/v1/maintainers/{maintainer}", "/api/v1/maintainers/alyssa".to_owned()),
            ("/api/v1/maintainers/{maintainer}/matches", "/api/v1/maintainers/alyssa/matches".to_owned()),
            ("/api/v1/packages/{distribution}/{attribute}", "/api/v1/packages/nixpkgs/openssl".to_owned()),
            ("/api/v1/packages/{distribution}/{attribute}", "/api/v1/packages/nixpkgs/foo.json".to_owned()),
            ("/api/v1/packages/{distribution}/{attribute}/findings", "/api/v1/packages/nixpkgs/openssl/findings".to_owned()),
        ] {
            let answer = site.api(&path, None).await;
            assert_eq!(answer.status, StatusCode::OK, "{path}: {}", answer.body);
            assert_eq!(answer.header("access-control-allow-origin"), "*");
            let schema = &document["paths"][pattern]["get"]["responses"]["200"]["content"]["application/json"]["schema"];
            conforms(&document, schema, &answer.json(), &path);
            let request = Request::get(&path).header("if-none-match", answer.header("etag")).body(Body::empty()).unwrap();
            assert_eq!(site.ask(request).await.status, StatusCode::NOT_MODIFIED, "{path}");
        }
        let named = site.api("/api/v1/packages/nixpkgs/foo.json", None).await.json();
        assert_eq!(named["attribute"], "foo.json", "there are no twins here");
        let finding = site.api(&format!("/api/v1/vulnerabilities/{CRITICAL}/findings"), None).await.json();
        assert_eq!((&finding[0]["channel"], &finding[0]["state"]), (&"nixos-24.05".into(), &"affected".into()));
        let by_alias = site.api("/api/v1/vulnerabilities/GHSA-aaaa-bbbb-cccc", None).await.json();
        assert_eq!((&by_alias["id"], &by_alias["score"]), (&CRITICAL.into(), &9.8.into()));
    }

    async fn a_list_is_walked_by_the_addresses_that_it_gives(database) {
        let site = Site::new(&database).await;
        for (list, name) in [("/api/v1/packages?limit=5", "attribute"), ("/api/v1/vulnerabilities?limit=1&scope=all", "id")] {
            let (mut seen, mut next, mut back) = (Vec::new(), Some(list.to_owned()), None);
            while let Some(address) = next {
                let page = site.api(&address, None).await.json();
                seen.extend(page["rows"].as_array().unwrap().iter().map(|row| row[name].to_string()));
                next = page["next"].as_str().map(str::to_owned);
                back = page["previous"].as_str().map(str::to_owned);
            }
            let distinct: BTreeSet<&String> = seen.iter().collect();
            let whole = site.api(&list.replace("limit=5", "limit=200").replace("limit=1&", "limit=200&"), None).await.json();
            assert_eq!(distinct.len(), seen.len(), "{list}");
            assert_eq!(seen.len(), whole["rows"].as_array().unwrap().len(), "{list}");
            assert_eq!(whole["total"], seen.len(), "{list}");
            assert!(site.api(&back.unwrap(), None).await.json()["rows"][0].is_object());
        }
    }

    async fn what_is_wrong_is_a_problem(database) {
        let site = Site::new(&database).await;
        for (path, status) in [
            ("/api/v1/vulnerabilities?severity=huge", 400),
            ("/api/v1/vulnerabilities?after=nonsense", 400),
            ("/api/v1/vulnerabilities/CVE-1999-9999", 404),
            ("/api/v1/packages/nixpkgs/nothing/findings", 404),
            ("/api/v1/nothing", 404),
            ("/api/v2/vulnerabilities", 404),
        ] {
            let answer = site.api(path, None).await;
            assert_eq!(answer.status.as_u16(), status, "{path}");
            assert_eq!(answer.header("content-type"), "application/problem+json", "{path}");
            let problem = answer.json();
            assert_eq!((&problem["status"], &problem["type"]), (&status.into(), &"about:blank".into()), "{path}");
            assert!(problem["detail"].as_str().unwrap().ends_with('.'), "{path}");
        }
    }

    async fn who_asks_too_often_waits(database) {
        let rates = ApiRates { address: 3, token: 10 };
        let site = Site::with_people(&database, PeopleSettings { api: rates, ..PeopleSettings::default() }).await;
        let mut left = Vec::new();
        for _ in 0..3 {
            let answer = site.api("/api/v1/whoami", None).await;
            assert_eq!((answer.status, answer.header("ratelimit-policy")), (StatusCode::OK, "\"api\";q=3;w=60"));
            left.push(answer.header("ratelimit").to_owned());
        }
        assert_eq!(left, ["\"api\";r=2;t=60", "\"api\";r=1;t=60", "\"api\";r=0;t=60"]);
        let refused = site.api("/api/v1/whoami", None).await;
        assert_eq!(refused.status, StatusCode::TOO_MANY_REQUESTS);
        let wait: u64 = refused.header("retry-after").parse().unwrap();
        assert!((1..=20).contains(&wait), "{wait}");
        assert!(refused.header("ratelimit").starts_with("\"api\";r=0;t="), "{}", refused.header("ratelimit"));
        let guessed = site.api("/api/v1/whoami", Some("rootstock_token_guess")).await;
        assert_eq!(guessed.status, StatusCode::TOO_MANY_REQUESTS, "guesses are counted, too");
        assert_eq!(site.get("/about").await.status, StatusCode::OK, "pages are not counted");
    }
}
