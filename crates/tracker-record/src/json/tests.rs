//! Leniency: what has the wrong type is left out with its path.

use super::*;

fn with<T>(json: &str, test: impl FnOnce(&At<'_, '_>, &mut Warnings) -> T) -> (T, Vec<String>) {
    let node: Node<'_> = serde_json::from_str(json).unwrap();
    let mut warnings = Warnings::default();
    let value = test(&At::root(&node), &mut warnings);
    let warnings = warnings.into_vec();
    (value, warnings.iter().map(ToString::to_string).collect())
}

#[test]
fn paths_name_keys_and_indices() {
    let json = r#"{"a":{"b":[{"c":"x"},{"c":7}]}}"#;
    let (texts, warnings) = with(json, |root, warnings| {
        let a = root.object("a", warnings).unwrap();
        let list: Vec<At<'_, '_>> = a.list("b", warnings).collect();
        list.iter()
            .map(|element| element.text("c", warnings).map(str::to_owned))
            .collect::<Vec<_>>()
    });
    assert_eq!(texts, [Some("x".to_owned()), None]);
    assert_eq!(warnings, ["a.b[1].c: a number where a text belongs"]);
}

#[test]
fn null_is_absent_and_the_last_of_two_keys_counts() {
    let (text, warnings) = with(r#"{"a":null,"b":"1","b":"2"}"#, |root, warnings| {
        assert_eq!(root.text("a", warnings), None);
        assert_eq!(root.texts("a", warnings), Vec::<&str>::new());
        root.text("b", warnings).map(str::to_owned)
    });
    assert_eq!(text.as_deref(), Some("2"));
    assert_eq!(warnings, Vec::<String>::new());
}

#[test]
fn warnings_are_limited() {
    let json = format!("{{\"a\":[{}]}}", vec!["1"; 1000].join(","));
    let ((), warnings) = with(&json, |root, warnings| {
        assert_eq!(root.texts("a", warnings), Vec::<&str>::new());
    });
    assert_eq!(warnings.len(), MAX_WARNINGS + 1);
}
