//! Files against the program's own options: what is taken, what is refused, and in which words.

use super::command_line;
use super::file::{File, Given};
use super::options::{Kind, options};
use clap::CommandFactory;
use std::path::Path;

fn read(text: &str) -> Result<File, String> {
    let options = options(&command_line());
    File::parse(Path::new("t.toml"), text, &options).map_err(|refusal| refusal.to_string())
}

#[track_caller]
fn refused(text: &str) -> String {
    read(text).expect_err("refused")
}

#[test]
fn the_command_line_is_consistent() {
    command_line().debug_assert();
    crate::arguments::Arguments::command().debug_assert();
}

#[test]
fn a_command_s_own_table_goes_before_the_common_part() {
    let options = options(&command_line());
    let file =
        read("database = 'sqlite:a'\nlog = 'info'\n[serve]\ndatabase = 'sqlite:b'\n").unwrap();
    let given = |command: &[&str], key: &str| {
        let option = options
            .iter()
            .find(|option| option.command == command && option.key == key);
        file.entry(option.unwrap())
            .map(|entry| (entry.line, entry.given.clone()))
    };
    let values = |text: &str| Given::Values(vec![text.to_owned()]);
    assert_eq!(given(&["serve"], "database"), Some((4, values("sqlite:b"))));
    assert_eq!(given(&["show"], "database"), Some((1, values("sqlite:a"))));
    assert_eq!(given(&[], "log"), Some((2, values("info"))));
    // Its option has no variable, so that nothing but its own table sets it.
    assert_eq!(given(&["demo"], "database"), None);
}

#[test]
fn every_kind_is_read_as_the_command_line_has_it() {
    let file = read(
        "[feed.follow]\nmatch = true\nurl = ['a=b', 'c=d']\n[bench.pages]\nrounds = 50\n[landing.index]\ntrunk = 'main'\n",
    );
    let given: Vec<Given> = file
        .unwrap()
        .entries()
        .map(|entry| entry.given.clone())
        .collect();
    let values = |texts: &[&str]| Given::Values(texts.iter().map(ToString::to_string).collect());
    for expected in [
        values(&["true"]),
        values(&["a=b", "c=d"]),
        values(&["50"]),
        values(&["main"]),
    ] {
        assert!(given.contains(&expected), "{expected:?}: {given:?}");
    }
}

#[test]
fn all_that_is_wrong_is_told_with_its_place() {
    let told = refused(
        "databse = 'x'\n\n[serve]\nlisten = 'nowhere'\nlanding = 3\n[serv]\n[feed]\nspool = 'x'\n[bench.pages]\nrounds = 0\n[feed.follow]\nonce = 'yes'\n",
    );
    let lines: Vec<&str> = told.lines().collect();
    assert_eq!(lines.len(), 7, "{told}");
    assert!(
        lines[0].starts_with("t.toml:1: `databse` is no setting; those of all commands are "),
        "{told}"
    );
    assert!(lines[0].contains("database"), "{told}");
    assert_eq!(
        lines[1],
        "t.toml:4: `serve.listen` cannot be `nowhere`: invalid socket address syntax"
    );
    assert_eq!(
        lines[2],
        "t.toml:5: `serve.landing` is of type integer, expected a string"
    );
    assert_eq!(lines[3], "t.toml:6: `serv` is no command with settings");
    assert_eq!(
        lines[4],
        "t.toml:8: `feed.spool` is no setting; `feed` has only commands below it"
    );
    assert_eq!(
        lines[5],
        "t.toml:10: `bench.pages.rounds` cannot be `0`: 0 is not in 1..=100000"
    );
    assert_eq!(
        lines[6],
        "t.toml:12: `feed.follow.once` is of type string, expected true or false"
    );
}

#[test]
fn a_choice_that_is_none_names_the_choices() {
    let told = refused("log-format = 'yaml'\n");
    assert_eq!(
        told,
        "t.toml:1: `log-format` cannot be `yaml`: expected one of text, json"
    );
}

#[test]
fn what_is_no_toml_is_told_with_its_line() {
    let told = refused("log = 'info'\nlog\n");
    assert!(told.starts_with("t.toml:2: "), "{told}");
    assert!(refused("log = 'info'\nlog = 'warn'\n").starts_with("t.toml:2: "));
}

#[test]
fn secrets_may_be_elsewhere_and_only_secrets() {
    let file =
        read("database-file = 'a/b'\n[feed.follow]\nnvd-key-file = 'credential:nvd'\n").unwrap();
    let given: Vec<&Given> = file.entries().map(|entry| &entry.given).collect();
    assert!(
        given.contains(&&Given::Elsewhere("a/b".into())),
        "{given:?}"
    );
    assert!(
        given.contains(&&Given::Credential("nvd".to_owned())),
        "{given:?}"
    );
    assert!(refused("log-file = 'x'\n").contains("`log-file` is no setting"));
    assert!(refused("database-file = 3\n").contains("expected the path of a file"));
    assert!(refused("database-file = 'credential:../x'\n").contains("expected the path of a file"));
    let twice = refused("database = 'sqlite:secret-of-mine'\ndatabase-file = 'x'\n");
    assert!(twice.contains("`database` is given twice"), "{twice}");
    assert!(!twice.contains("secret-of-mine"), "{twice}");
}

#[test]
fn a_written_value_is_read_back() {
    let text = |values: &[&str]| values.iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(Kind::Text.toml(&text(&["a\"b\\c"])), r#"'a"b\c'"#);
    assert_eq!(Kind::List.toml(&text(&["a", "b"])), r#"["a", "b"]"#);
    assert_eq!(Kind::Number.toml(&text(&["50"])), "50");
    assert_eq!(Kind::Switch.toml(&text(&["true"])), "true");
}

proptest::proptest! {
    #[test]
    fn no_text_is_a_panic(text in "\\PC{0,200}") {
        let _ = read(&text);
    }

    #[test]
    fn any_value_of_a_known_key_is_taken_or_refused(key in "(database|listen|serve|log|nvd-key-file|match)", value in "[-+0-9a-zA-Z\"'\\[\\]{}=., ]{0,30}") {
        let _ = read(&format!("{key} = {value}\n[serve]\n{key} = {value}"));
    }
}
