//! Tests of the rules.
//!
//! Invariant checked: what is conditional is passed over, siblings are mutual, and nothing fails.

use super::*;
use proptest::prelude::*;

fn of(rules: &str, name: &str) -> Vec<String> {
    Siblings::parse([rules])
        .of(name)
        .map(str::to_owned)
        .collect()
}

#[test]
fn plain_names_are_siblings_of_each_other() {
    let rules = "- { setname: httpd,  name: [apache2, \"apache_http\"], addflavor: true } # a comment\n\
                 - { setname: httpd, name: lib$0 }\n";
    assert_eq!(of(rules, "httpd"), ["apache-http", "apache2", "libhttpd"]);
    assert_eq!(of(rules, "apache2"), ["apache-http", "httpd", "libhttpd"]);
    assert!(of(rules, "nginx").is_empty());
}

#[test]
fn conditions_patterns_and_modules_are_passed_over() {
    for rule in [
        "- { setname: a-one, name: b-one, ruleset: arch }",
        "- { setname: a-one, name: b-one, verpat: \"6.*\" }",
        "- { setname: a-one, namepat: \"b-.*\" }",
        "- { setname: a-one, name: \"python:b-one\" }",
        "- { setname: \"python:$0\", name: b-one }",
        "- { setname: a-one, name: [b-one }",
        "# - { setname: a-one, name: b-one }",
        "setname: a-one",
    ] {
        assert!(Siblings::parse([rule]).is_empty(), "{rule}");
    }
}

proptest! {
    #[test]
    fn anything_is_read_and_siblings_are_mutual(text in "(- \\{ ?(setname|name|x): ?[a-c\\[\\],\"$0: -]{0,12},? (name|y): [a-e]{1,3} ?\\}?\n?){0,6}|\\PC{0,80}") {
        let siblings = Siblings::parse([text.as_str()]);
        for (name, names) in &siblings.0 {
            prop_assert!(names.contains(name));
            prop_assert!(names.len() <= MAX_NAMES + 1);
        }
    }
}
