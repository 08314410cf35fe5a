//! The shape of every twin, as a snapshot: a change of the API is never silent.

use crate::site::{CRITICAL, Site};
use serde_json::{Map, Value};
use tracker_testkit::{Database, Kind};

/// A value with its leaves replaced by their type, and lists by their first element.
fn shape(value: &Value) -> Value {
    match value {
        Value::Null => Value::from("null"),
        Value::Bool(_) => Value::from("boolean"),
        Value::Number(_) => Value::from("number"),
        Value::String(_) => Value::from("string"),
        Value::Array(list) => Value::Array(list.first().map(shape).into_iter().collect()),
        Value::Object(map) => Value::Object(
            map.iter()
                .map(|(key, value)| (key.clone(), shape(value)))
                .collect::<Map<_, _>>(),
        ),
    }
}

/// Both databases give the same twins, so one snapshot is enough for their shape.
#[tokio::test]
async fn twins_keep_their_shape() {
    let (sqlite, postgres) = (
        Database::new(Kind::Sqlite).await,
        Database::new(Kind::Postgres).await,
    );
    let (one, other) = (Site::new(&sqlite).await, Site::new(&postgres).await);
    for (name, path) in [
        ("overview", "/index.json".to_owned()),
        (
            "vulnerabilities",
            "/vulnerabilities.json?limit=1".to_owned(),
        ),
        ("vulnerability", format!("/vulnerabilities/{CRITICAL}.json")),
        ("packages", "/packages.json?q=openssl".to_owned()),
        ("package", "/packages/nixpkgs/openssl.json".to_owned()),
        ("channels", "/channels.json".to_owned()),
        ("channel", "/channels/nixos-24.05.json".to_owned()),
        (
            "changes",
            "/channels/nixos-24.05/changes/aaa/bbb.json".to_owned(),
        ),
        ("about", "/about.json".to_owned()),
        ("problem", "/channels/nowhere.json".to_owned()),
    ] {
        let twin = shape(&one.get(&path).await.json());
        assert_eq!(twin, shape(&other.get(&path).await.json()), "{path}");
        insta::assert_json_snapshot!(name, twin);
    }
}
