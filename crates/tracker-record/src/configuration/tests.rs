//! Trees as NVD writes them, and trees as nobody should.

use super::*;
use crate::json::Node;
use proptest::prelude::*;

fn statements(json: &str) -> (Vec<Affected>, Vec<String>) {
    let node: Node<'_> = serde_json::from_str(json).unwrap();
    let at = At::root(&node);
    let mut warnings = Warnings::default();
    let found = Tree::read(&at, NVD_20, &mut warnings).statements(&at, &mut warnings);
    let warnings = warnings.into_vec();
    (found, warnings.iter().map(ToString::to_string).collect())
}

fn matched(product: &str, version: &str, vulnerable: bool) -> String {
    format!(
        r#"{{"vulnerable":{vulnerable},"criteria":"cpe:2.3:a:v:{product}:{version}:*:*:*:*:*:*:*"}}"#
    )
}

#[test]
fn exact_versions_of_a_product_are_one_statement() {
    let json = format!(
        r#"{{"operator":"OR","cpeMatch":[{},{},{}]}}"#,
        matched("p", "1.0", true),
        matched("q", "-", true),
        matched("p", r"2.0\\+b", true),
    );
    let (found, warnings) = statements(&json);
    assert_eq!(warnings, Vec::<String>::new());
    assert_eq!(found.len(), 2);
    let versions: Vec<&Bound> = found[0].ranges.iter().map(|range| &range.lower).collect();
    assert_eq!(
        versions,
        [
            &Bound::Inclusive("1.0".into()),
            &Bound::Inclusive("2.0+b".into())
        ]
    );
    assert_eq!(found[0].cpes, ["cpe:2.3:a:v:p:*:*:*:*:*:*:*:*"]);
    assert_eq!(found[1].ranges[0].status, Status::Unknown);
}

#[test]
fn platforms_come_from_the_other_branches() {
    let json = format!(
        r#"{{"operator":"AND","nodes":[
            {{"operator":"OR","cpeMatch":[{},{}]}},
            {{"operator":"OR","cpeMatch":[{}]}}]}}"#,
        matched("p", "1", true),
        matched("own", "1", false),
        matched("platform", "1", false),
    );
    let (found, _) = statements(&json);
    assert_eq!(found.len(), 1);
    assert_eq!(
        found[0].running_on,
        ["cpe:2.3:a:v:platform:1:*:*:*:*:*:*:*"]
    );
}

#[test]
fn direct_matches_of_an_and_need_each_other() {
    let json = format!(
        r#"{{"operator":"AND","cpeMatch":[{},{}]}}"#,
        matched("p", "1", true),
        matched("platform", "1", false),
    );
    let (found, _) = statements(&json);
    assert_eq!(found[0].running_on.len(), 1);
}

#[test]
fn what_cannot_be_said_is_left_out_with_a_warning() {
    let json = r#"{"operator":"XOR","cpeMatch":[{"criteria":"cpe:/a:v:p"},{"vulnerable":true},
        {"vulnerable":true,"criteria":"cpe:2.3:a:v:p:*:*:*:*:*:*:*:*","versionEndIncluding":"1","versionEndExcluding":"2"}],
        "nodes":[{"negate":true,"cpeMatch":[]}]}"#;
    let (found, warnings) = statements(json);
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].ranges[0].upper, Bound::Exclusive("2".into()));
    assert_eq!(
        warnings,
        [
            "operator: \"XOR\" is read as OR",
            "nodes[0].negate: negated: the node is left out",
            "cpeMatch[0].criteria: \"cpe:/a:v:p\" is no CPE 2.3 name: the match is left out",
            "cpeMatch[1].criteria: a match without a name is left out",
            "cpeMatch[2].versionEndIncluding: two bounds on one side: versionEndExcluding is used",
        ]
    );
}

#[test]
fn a_square_of_platforms_is_cut() {
    let platforms: Vec<String> = (0..700)
        .map(|index| {
            let (product, platform) = (format!("p{index}"), format!("h{index}"));
            format!(
                r#"{{"operator":"OR","cpeMatch":[{},{}]}}"#,
                matched(&product, "1", true),
                matched(&platform, "1", false)
            )
        })
        .collect();
    let json = format!(r#"{{"operator":"AND","nodes":[{}]}}"#, platforms.join(","));
    let (found, warnings) = statements(&json);
    assert_eq!(found.len(), 700, "every product keeps its statement");
    let names: usize = found.iter().map(|affected| affected.running_on.len()).sum();
    assert!(names <= MAX_PLATFORM_NAMES, "{names}");
    assert_eq!(warnings.len(), 1);
}

fn any_tree() -> impl Strategy<Value = serde_json::Value> {
    let leaf = proptest::collection::vec((0..4u8, any::<bool>()), 0..4).prop_map(|matches| {
        let matches: Vec<serde_json::Value> = matches
            .into_iter()
            .map(|(product, vulnerable)| {
                serde_json::from_str(&matched(&format!("p{product}"), "1", vulnerable)).unwrap()
            })
            .collect();
        serde_json::json!({"operator": "OR", "cpeMatch": matches})
    });
    leaf.prop_recursive(4, 24, 4, |inner| {
        (any::<bool>(), proptest::collection::vec(inner, 0..4)).prop_map(|(and, nodes)| {
            serde_json::json!({"operator": if and { "AND" } else { "OR" }, "nodes": nodes})
        })
    })
}

proptest! {
    #[test]
    fn exactly_the_vulnerable_products_get_statements(tree in any_tree()) {
        let text = tree.to_string();
        let (found, _) = statements(&text);
        for product in 0..4u8 {
            let vulnerable = matched(&format!("p{product}"), "1", true);
            let vulnerable: serde_json::Value = serde_json::from_str(&vulnerable).unwrap();
            let stated = found.iter().any(|affected| affected.product == Some(format!("p{product}")));
            prop_assert_eq!(stated, text.contains(&vulnerable.to_string()));
        }
    }
}
