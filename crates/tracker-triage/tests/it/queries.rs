//! The query language: grammar, errors with columns, printing, completion, and answers on a value.

use crate::{at, item};
use proptest::prelude::*;
use tracker_triage::query::{
    Compare, Expression, Field, Kind, MAX_BYTES, Query, Test, Value, Vocabulary, complete,
};
use tracker_triage::state::FindingState;

fn parsed(text: &str) -> Query {
    Query::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

#[test]
fn queries_print_as_they_are_meant() {
    for (given, printed) in [
        ("", ""),
        ("  kev:yes   state=PROPOSED ", "kev:yes state:proposed"),
        (
            "severity>=high channel:nixos-26.05 maintainer:@me age<7d -pname:linux",
            "severity>=high channel:nixos-26.05 maintainer:@me age<1w -pname:linux",
        ),
        (
            "epss>12.5% score>=7 age<=36h",
            "epss>0.125 score>=7 age<=36h",
        ),
        (
            "(kev:yes severity:critical) or -(a b)",
            "kev:yes severity:critical or -(a b)",
        ),
        ("a (b or (c or d)) (e f)", "a (b or c or d) e f"),
        ("text:\"heap overflow\"", "\"heap overflow\""),
        ("text:heap,stack", "text:heap,stack"),
        ("assignee:none,@me,\"none\"", "assignee:none,@me,\"none\""),
        ("family:a,b,a", "family:a,b"),
        ("--kev:yes", "--kev:yes"),
        ("\"or\" \"say \\\"x\\\"\"", "\"or\" \"say \\\"x\\\"\""),
        (
            "package:python3Packages.requests",
            "package:python3Packages.requests",
        ),
    ] {
        let query = parsed(given);
        assert_eq!(query.to_string(), printed, "{given}");
        assert_eq!(parsed(printed), query, "{given}");
    }
}

#[test]
fn errors_name_the_column_and_the_way_out() {
    for (given, message) in [
        (
            "kev:yes severty>=high",
            "column 9: `severty` is no field; did you mean `severity`?",
        ),
        (
            "severity>=hihg",
            "column 11: `hihg` is no value of `severity`; did you mean `high`?",
        ),
        (
            "kev:maybe",
            "column 5: `maybe` is no value of `kev`; known are no, yes",
        ),
        (
            "family>=a",
            "column 7: `family` has no order; it only takes `:`",
        ),
        ("age:7d", "column 4: `age` needs `<`, `<=`, `>` or `>=`"),
        (
            "age<7m",
            "column 5: `7m` is no age; write `12h`, `7d` or `2w`",
        ),
        (
            "score>11",
            "column 7: `11` is no number from 0 to 10 with at most 1 digits behind the point",
        ),
        (
            "score>1.",
            "column 7: `1.` is no number from 0 to 10 with at most 1 digits behind the point",
        ),
        ("(kev:yes", "column 1: `(` is never closed"),
        ("kev:yes )", "column 9: `)` closes nothing"),
        ("a \"b", "column 3: `\"` is never closed"),
        ("family:", "column 8: a value is missing"),
        ("a or", "column 5: a test or a word is missing"),
        ("()", "column 2: a test or a word is missing"),
        ("- a", "column 2: `-` stands before nothing"),
        ("score>=1,2", "column 9: only `:` takes several values"),
        (
            "http://x",
            "column 1: `http` is no field; known are is, severity, kev, state, status, channel, affected, fixed, maintainer, assignee, package, pname, family, id, age, epss, score, confidence, dependents, default, distribution, text",
        ),
        (
            "1:2",
            "column 2: `1` is the name of no field; put what is meant as words into double quotes",
        ),
        ("...", "column 1: a letter or a digit is missing"),
    ] {
        let error = Query::parse(given).expect_err(given);
        assert_eq!(error.to_string(), message, "{given}");
    }
}

#[test]
fn size_and_depth_are_bounded() {
    assert!(Query::parse(&"a ".repeat(64)).is_ok());
    assert!(Query::parse(&"a ".repeat(65)).is_err());
    assert!(Query::parse(&"x".repeat(MAX_BYTES + 1)).is_err());
    assert!(Query::parse(&format!("{}a{}", "(".repeat(8), ")".repeat(8))).is_ok());
    assert!(Query::parse(&format!("{}a{}", "(".repeat(9), ")".repeat(9))).is_err());
    assert!(Query::parse(&format!("{}a", "-".repeat(9))).is_err());
}

#[test]
fn each_field_is_answered_from_the_value() {
    let item = item();
    let now = at(3 * 86_400);
    for (query, expected) in [
        ("severity>=high", true),
        ("severity>high", false),
        ("severity:low,high", true),
        ("score>=7.5 score<7.6", true),
        ("kev:yes", false),
        ("epss>=4%", true),
        ("confidence>0.93", false),
        ("dependents>=0", false),
        ("-dependents>=0", true),
        ("dependents<5", false),
        ("default:no", true),
        ("age<7d", true),
        ("age>3d", false),
        ("age>=3d", true),
        ("state:proposed", true),
        ("status:fixed-by-version", true),
        ("status:removed", false),
        ("channel:nixos-24.05", true),
        ("channel:nixos-22.05", false),
        ("affected:nixos-24.05", false),
        ("affected:nixos-23.11", true),
        ("fixed:nixos-24.05", true),
        ("id:CVE-2024-0001", true),
        ("package:pkgsMusl.musl", true),
        ("pname:linux", false),
        ("maintainer:@me", true),
        ("assignee:@me", false),
        ("assignee:none", true),
        ("is:open", true),
        ("is:snoozed", false),
        ("overfl", true),
        ("\"printf overfl\"", true),
        ("\"over printf\"", false),
        ("CVE-2024-0001", true),
        ("musl kev:yes or fixed:nixos-24.05", true),
        ("-(musl kev:yes)", true),
        ("", true),
    ] {
        assert_eq!(
            parsed(query).matches(&item, now, Some("alyssa")),
            expected,
            "{query}"
        );
    }
    assert!(!parsed("maintainer:@me").matches(&item, now, None));
}

#[test]
fn what_is_open_depends_on_decisions_and_time() {
    let mut item = item();
    let is = |item: &tracker_triage::Item, query: &str, second| {
        parsed(query).matches(item, at(second), None)
    };
    item.snoozed_until = Some(at(100));
    assert!(!is(&item, "is:open", 99) && is(&item, "is:snoozed", 99));
    assert!(is(&item, "is:open", 100) && !is(&item, "is:snoozed", 100));
    item.suppressed_until = Some(at(200));
    assert!(
        !is(&item, "is:open", 199) && is(&item, "is:suppressed", 199) && is(&item, "is:open", 200)
    );
    item.state = tracker_triage::MatchState::Confirmed;
    assert!(!is(&item, "is:open", 300));
    item.contradicted = true;
    assert!(is(&item, "is:open", 300));
    item.contradicted = false;
    item.state = tracker_triage::MatchState::Proposed;
    item.channels
        .values_mut()
        .for_each(|states| *states = FindingState::FixedByPatch.bit());
    assert!(!is(&item, "is:open", 300));
}

struct Names;

impl Vocabulary for Names {
    fn names(&self, field: Field, beginning: &str) -> Vec<String> {
        let all = match field {
            Field::Channel => ["nixos-24.05", "nixos-24.11", "odd name"],
            _ => return Vec::new(),
        };
        let begun = all.iter().filter(|name| name.starts_with(beginning));
        begun.map(|name| (*name).to_owned()).collect()
    }
}

#[test]
fn completion_goes_on_from_what_is_typed() {
    let first = |text: &str| complete(text, &Names).first().cloned();
    assert_eq!(first("kev:yes sev").as_deref(), Some("kev:yes severity>="));
    assert_eq!(first("-se").as_deref(), Some("-severity>="));
    assert_eq!(first("severity>=h").as_deref(), Some("severity>=high"));
    assert_eq!(first("(state:pro").as_deref(), Some("(state:proposed"));
    assert_eq!(first("maintainer:@").as_deref(), Some("maintainer:@me"));
    assert_eq!(
        complete("channel:nixos", &Names),
        ["channel:nixos-24.05", "channel:nixos-24.11"]
    );
    assert_eq!(
        first("channel:nixos-24.05,nixos-24.1").as_deref(),
        Some("channel:nixos-24.05,nixos-24.11")
    );
    assert_eq!(complete("channel:odd", &Names), Vec::<String>::new());
    assert_eq!(complete("\"kev", &Names), Vec::<String>::new());
    assert_eq!(complete("", &Names).len(), Field::ALL.len() - 1);
}

fn value(field: Field) -> BoxedStrategy<Value> {
    let name = "[a-zA-Z0-9äß@:,()\"\\\\ ._-]{1,12}"
        .prop_filter("a value has a letter", |text| {
            text.chars().any(char::is_alphanumeric)
        })
        .prop_map(|text| Value::Name(text.trim().to_owned()));
    match field.kind() {
        Kind::Ordered(names) | Kind::OneOf(names) => {
            (0..names.len() as i64).prop_map(Value::Number).boxed()
        }
        Kind::Decimal { most, .. } => (0..=most).prop_map(Value::Number).boxed(),
        Kind::Age => (0..900_000_i64)
            .prop_map(|hours| Value::Number(hours * 3600))
            .boxed(),
        Kind::Person => prop_oneof![Just(Value::Me), name].boxed(),
        Kind::PersonOrNone => prop_oneof![Just(Value::Me), Just(Value::Nobody), name].boxed(),
        Kind::Name | Kind::Words => name.boxed(),
    }
}

fn test() -> impl Strategy<Value = Test> {
    let compare = prop_oneof![
        Just(Compare::Is),
        Just(Compare::Less),
        Just(Compare::AtMost),
        Just(Compare::More),
        Just(Compare::AtLeast)
    ];
    (proptest::sample::select(Field::ALL.to_vec()), compare).prop_flat_map(|(field, compare)| {
        let compare = match field.kind() {
            Kind::Ordered(_) | Kind::Decimal { .. } => compare,
            Kind::Age if compare == Compare::Is => Compare::Less,
            Kind::Age => compare,
            _ => Compare::Is,
        };
        let most = if compare == Compare::Is { 3 } else { 1 };
        proptest::collection::vec(value(field), 1..=most).prop_map(move |mut values| {
            let mut seen = Vec::new();
            values.retain(|value| {
                !seen.contains(value) && {
                    seen.push(value.clone());
                    true
                }
            });
            Test {
                field,
                compare,
                values,
            }
        })
    })
}

/// An expression in normal form.
fn expression() -> impl Strategy<Value = Expression> {
    let test = test().prop_map(Expression::Test);
    test.prop_recursive(4, 24, 3, |inner| {
        let parts = proptest::collection::vec(inner.clone(), 2..4);
        prop_oneof![
            inner.prop_map(|inner| Expression::Not(Box::new(inner))),
            parts
                .clone()
                .prop_map(|parts| Expression::All(flat(parts, true))),
            parts.prop_map(|parts| Expression::Any(flat(parts, false))),
        ]
    })
}

/// Parts with those of their own kind opened up.
fn flat(parts: Vec<Expression>, all: bool) -> Vec<Expression> {
    let open = |part| match part {
        Expression::All(inner) if all => inner,
        Expression::Any(inner) if !all => inner,
        other => vec![other],
    };
    parts.into_iter().flat_map(open).collect()
}

/// Writes an expression with parentheses around everything, which must not matter.
fn spelled(expression: &Expression) -> String {
    let list = |parts: &[Expression], between: &str| {
        parts
            .iter()
            .map(|part| format!("({})", spelled(part)))
            .collect::<Vec<_>>()
            .join(between)
    };
    match expression {
        Expression::Test(test) => test.to_string(),
        Expression::Not(inner) => format!("-({})", spelled(inner)),
        Expression::All(parts) => list(parts, " "),
        Expression::Any(parts) => list(parts, " OR "),
    }
}

proptest! {
    #[test]
    fn what_is_printed_parses_to_the_same(expression in expression()) {
        let text = spelled(&expression);
        // Deep or long ones are refused, which the test of limits shows.
        if let Ok(query) = Query::parse(&text) {
            prop_assert_eq!(query.root(), &expression);
            let printed = query.to_string();
            prop_assert_eq!(Query::parse(&printed), Ok(query), "{}", printed);
        }
    }

    #[test]
    fn any_text_is_a_query_or_an_error_within_it(text in "\\PC{0,60}") {
        match Query::parse(&text) {
            Ok(query) => prop_assert_eq!(Query::parse(&query.to_string()), Ok(query)),
            Err(error) => prop_assert!((1..=text.chars().count() + 1).contains(&error.column), "{}", error),
        }
    }

    #[test]
    fn near_queries_are_queries_or_errors(text in "[-a-z(): <>=,\"\\\\0-9.@]{0,40}") {
        if let Ok(query) = Query::parse(&text) {
            prop_assert_eq!(Query::parse(&query.to_string()), Ok(query));
        }
        for suggestion in complete(&text, &Names) {
            let start = text.rfind([' ', '(']).map_or(0, |at| at + 1);
            prop_assert!(suggestion.starts_with(&text[..start]), "{suggestion}");
        }
    }
}
