//! The configuration file as it is used: its layer under flags and environment, its errors, its secrets.

use crate::program::{command, run};
use std::path::Path;

fn write(folder: &Path, name: &str, text: &str) {
    std::fs::write(folder.join(name), text).unwrap();
}

/// Standard error and code of `channel list`, which fails at whatever database holds.
fn which(folder: &Path, arguments: &[&str], environment: &[(&str, &str)]) -> (String, Option<i32>) {
    let mut command = command(folder);
    command.args(["channel", "list"]).args(arguments);
    let output = command.envs(environment.iter().copied()).output().unwrap();
    (
        String::from_utf8(output.stderr).unwrap(),
        output.status.code(),
    )
}

#[test]
fn a_flag_goes_before_the_environment_and_that_before_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    write(folder, "t.toml", "database = 'sqlite:common.db'\n");
    write(
        folder,
        "own.toml",
        "database = 'sqlite:common.db'\n[channel.list]\ndatabase = 'sqlite:own.db'\n",
    );
    let file = ["--config", "t.toml"];
    let environment = [("ROOTSTOCK_DATABASE", "sqlite:environment.db")];
    let flag = [&file[..], &["--database", "sqlite:flag.db"]].concat();
    for (arguments, environment, database) in [
        (&file[..], &[][..], "common.db"),
        (&["--config=own.toml"][..], &[][..], "own.db"),
        (&[][..], &[("ROOTSTOCK_CONFIG", "own.toml")][..], "own.db"),
        (&file[..], &environment[..], "environment.db"),
        (&flag[..], &environment[..], "flag.db"),
    ] {
        let (told, code) = which(folder, arguments, environment);
        assert_eq!(code, Some(1), "{told}");
        assert!(
            told.contains(database),
            "{arguments:?} {environment:?}: {told}"
        );
    }
    let (told, code) = which(folder, &[], &[]);
    assert_eq!(code, Some(2), "nothing is looked for: {told}");
    assert!(told.contains("--database"), "{told}");
}

#[test]
fn a_wrong_file_ends_every_command_before_it_begins() {
    let folder = tempfile::tempdir().unwrap();
    write(
        folder.path(),
        "t.toml",
        "database = 'sqlite:a.db'\n[serve]\nlisen = '[::]:80'\n",
    );
    let refused = run(folder.path(), &["match", "--config", "t.toml"]).expect(2);
    assert!(
        refused
            .err
            .starts_with("error: t.toml:3: `serve.lisen` is no setting"),
        "{}",
        refused.err
    );
    assert!(refused.err.contains("listen"), "{}", refused.err);
    assert!(!folder.path().join("a.db").exists(), "nothing was made");
    let absent = run(folder.path(), &["match", "--config", "absent.toml"]).expect(2);
    assert!(
        absent.err.starts_with("error: absent.toml: cannot be read"),
        "{}",
        absent.err
    );
    // What tells about the program has to work with a wrong file too.
    run(
        folder.path(),
        &["completions", "bash", "--config", "t.toml"],
    )
    .expect(0);
    run(folder.path(), &["match", "--help", "--config", "t.toml"]).expect(0);
}

#[test]
fn a_secret_is_read_from_its_own_file_and_shown_to_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    write(folder, "secret", "  mysql://hunter2@nowhere/x\n");
    write(folder, "t.toml", "database-file = 'secret'\n");
    write(
        folder,
        "handed.toml",
        "database-file = 'credential:secret'\n",
    );
    let (told, code) = which(folder, &["--config", "t.toml"], &[]);
    assert_eq!(code, Some(1), "{told}");
    assert!(
        told.contains("the scheme is unknown"),
        "the file's content was taken: {told}"
    );
    let handed = [("CREDENTIALS_DIRECTORY", folder.to_str().unwrap())];
    let (told, _) = which(folder, &["--config", "handed.toml"], &handed);
    assert!(told.contains("the scheme is unknown"), "{told}");
    let (told, code) = which(folder, &["--config", "handed.toml"], &[]);
    assert_eq!(code, Some(2), "{told}");
    assert!(
        told.contains("handed.toml:1: `database`: no credentials were handed over"),
        "{told}"
    );
    for arguments in [
        &["config", "check", "t.toml"][..],
        &["config", "check", "t.toml", "--json"],
        &["match", "--help", "--config", "t.toml"],
        &["match", "--nonsense", "--config", "t.toml"],
    ] {
        let run = run(folder, arguments);
        assert!(!format!("{run:?}").contains("hunter2"), "{run:?}");
    }
}

#[test]
fn no_command_s_address_of_a_database_is_shown() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let text = "[demo]\ndatabase = 'postgres://a:hunter2@b/x'\n[serve]\ndatabase = 'postgres://a:hunter2@b/x'\n[copy]\nfrom = 'postgres://a:hunter2@b/x'\nto = 'postgres://a:hunter2@b/y'\n";
    write(folder, "t.toml", text);
    for arguments in [
        &["config", "check", "t.toml"][..],
        &["config", "check", "t.toml", "--json"],
        &["demo", "--config", "t.toml", "--help"],
    ] {
        let run = run(folder, arguments).expect(0);
        assert!(!format!("{run:?}").contains("hunter2"), "{run:?}");
    }
    let shown = run(folder, &["config", "check", "t.toml"]).expect(0).out;
    let demo = shown
        .split("[demo]")
        .nth(1)
        .unwrap()
        .split('[')
        .next()
        .unwrap();
    assert!(
        demo.contains("# database: a secret, from t.toml:2"),
        "{shown}"
    );
}

#[test]
fn a_check_prints_what_holds_and_the_print_is_a_file_again() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let text = "log-format = 'json'\nspool = '/var/cache/x'\n[feed.follow]\nmatch = true\nurl = ['kev=http://x/']\n[serve]\ndatabase = 'sqlite:a.db'\n";
    write(folder, "t.toml", text);
    let mut check = command(folder);
    check
        .args(["config", "check", "t.toml"])
        .env("ROOTSTOCK_LISTEN", "[::1]:9");
    let shown = String::from_utf8(check.output().unwrap().stdout).unwrap();
    for line in [
        "log = \"warn\" # built in",
        "log-format = \"json\" # t.toml:1",
        "# database: a secret, from t.toml:7",
        "listen = \"[::1]:9\" # ROOTSTOCK_LISTEN",
        "match = true # t.toml:4",
        "url = [\"kev=http://x/\"] # t.toml:5",
        "spool = \"/var/cache/x\" # t.toml:2",
    ] {
        assert!(shown.lines().any(|shown| shown == line), "{line}: {shown}");
    }
    write(folder, "again.toml", &shown);
    let again = run(folder, &["config", "check", "again.toml", "--json"])
        .expect(0)
        .json();
    let spool = again
        .as_array()
        .unwrap()
        .iter()
        .find(|entry| entry["key"] == "spool")
        .unwrap();
    assert_eq!(spool["values"][0], "/var/cache/x");
    assert_eq!(spool["command"], "feed follow");
    let wrong = "listen = 5\n";
    write(folder, "wrong.toml", wrong);
    let refused = run(folder, &["config", "check", "wrong.toml"]).expect(1);
    assert!(
        refused
            .err
            .contains("wrong.toml:1: `listen` is of type integer"),
        "{}",
        refused.err
    );
}
