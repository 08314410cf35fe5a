//! Reports: hostile names are escaped, and the documents have the parts that their formats require.

use super::graphs::{LINES, of_lines};
use crate::{Policy, report};

#[test]
fn hostile_names_are_escaped_everywhere() {
    let evil = LINES[0].replace(
        "\"name\":\"bootstrap-tools.tar.xz\"",
        r#""name":"<script>alert(1)</script>\u001b[31m&\"bootstrap-tools""#,
    );
    let mut lines = LINES.to_vec();
    lines[0] = &evil;
    let audit = of_lines(&lines);
    let page = report::html(&audit, "<b>&title");
    assert!(!page.contains("<script") && !page.contains("<b>&") && !page.contains('\u{1b}'));
    assert!(page.contains("&lt;script&gt;") && page.contains("default-src 'none'"));
    assert!(!report::text(&audit).contains('\u{1b}'));
    assert!(page.contains("<svg") && page.contains("free of seeds: 1"));
}

#[test]
fn documents_have_their_parts() {
    let audit = of_lines(LINES);
    let policy = Policy::parse(
        "[[allow]]\npath = '1b8m03r63zqhnjf7l5wnldhh7c134ap6-b.jar.drv'\nreason = 'r'",
    )
    .unwrap();
    let sarif = report::sarif(
        &audit,
        &policy,
        &policy.judge(&audit, "2026-01-01".parse().unwrap()),
    );
    let results = sarif["runs"][0]["results"].as_array().unwrap();
    let levels: Vec<&str> = results
        .iter()
        .map(|result| result["level"].as_str().unwrap())
        .collect();
    assert_eq!(levels, ["error", "note"]);
    let rules = sarif["runs"][0]["tool"]["driver"]["rules"]
        .as_array()
        .unwrap();
    assert!(
        results
            .iter()
            .all(|result| rules.iter().any(|rule| rule["id"] == result["ruleId"]))
    );
    let bom = report::cyclonedx(&audit);
    assert_eq!(
        (
            bom["specVersion"].as_str(),
            bom["components"].as_array().unwrap().len()
        ),
        (Some("1.6"), 2)
    );
    let json = report::json(&audit);
    assert_eq!(json["summary"]["onSeeds"], 4);
    assert_eq!(
        (&json["seeds"][0]["frees"], &json["seeds"][0]["neededBy"]),
        (&3.into(), &4.into())
    );
    assert_eq!(json["dominators"][0]["name"], "bootstrap-tools.tar.xz");
}
