//! The command line as a whole: that it is well formed, and that what is no number is refused with what was expected.

use crate::cli::Arguments;
use clap::{ArgAction, Command, CommandFactory};
use std::fs;
use std::path::Path;

#[test]
fn the_command_line_is_well_formed() {
    Arguments::command().debug_assert();
}

/// Commands that have none, with the words that lead there.
fn leaves<'a>(command: &'a Command, before: &[&'a str]) -> Vec<(Vec<&'a str>, &'a Command)> {
    let words = [before, &[command.get_name()]].concat();
    if command.has_subcommands() {
        let inner = command.get_subcommands();
        inner.flat_map(|inner| leaves(inner, &words)).collect()
    } else {
        vec![(words, command)]
    }
}

#[test]
fn a_group_names_each_of_its_commands() {
    let all = Arguments::command();
    for group in all
        .get_subcommands()
        .filter(|group| group.has_subcommands())
    {
        let about = group.get_about().unwrap().to_string();
        let (_, list) = about.rsplit_once(": ").unwrap();
        let mut said: Vec<&str> = list.split(", ").collect();
        let mut there: Vec<&str> = group.get_subcommands().map(Command::get_name).collect();
        said.sort_unstable();
        there.sort_unstable();
        assert_eq!(said, there, "{}", group.get_name());
    }
}

/// The words of a line, as a shell takes them apart.
fn words(line: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    for (number, part) in line.split('\'').enumerate() {
        if number % 2 == 1 {
            words.last_mut().unwrap().push_str(part);
            continue;
        }
        for (number, part) in part.split(' ').enumerate() {
            if number > 0 && !words.last().unwrap().is_empty() {
                words.push(String::new());
            }
            words.last_mut().unwrap().push_str(part);
        }
    }
    words
}

/// Help of every command and group, with what it is of.
fn helps(command: &Command, before: &str) -> Vec<(String, String)> {
    let name = format!("{before} {}", command.get_name());
    let inner = command
        .get_subcommands()
        .flat_map(|inner| helps(inner, &name));
    let own = command
        .get_after_help()
        .map(|help| (name.clone(), help.to_string()));
    own.into_iter().chain(inner.collect::<Vec<_>>()).collect()
}

#[test]
fn every_example_can_be_copied() {
    let mut examples = 0;
    for (name, help) in helps(&Arguments::command(), "") {
        // Help is broken at 100 columns, and a broken line is two commands.
        let mut more = false;
        let long = help.lines().find(|line| {
            let example = more || line.trim_start().starts_with("rootstock-boot ");
            more = example && line.ends_with('\\');
            example && line.len() > 100
        });
        assert_eq!(long, None, "{name}");
        let help = help.replace("\\\n     ", "");
        for line in help.lines() {
            let line = line.trim();
            if !line.starts_with("rootstock-boot ") || line.contains("...") {
                continue;
            }
            // Words behind a command would be files.
            assert!(!line.trim().contains("   "), "{line}");
            let parsed = Arguments::command().try_get_matches_from(words(line));
            assert!(parsed.is_ok(), "{name}: {line}\n{}", parsed.unwrap_err());
            examples += 1;
        }
    }
    assert!(examples > 60, "{examples}");
}

#[test]
fn what_is_no_number_is_refused_with_what_was_expected() {
    let (mut numbers, mut wrong) = (0, Vec::new());
    let all = Arguments::command();
    for (words, command) in leaves(&all, &[]) {
        for argument in command.get_arguments() {
            let takes = matches!(argument.get_action(), ArgAction::Set | ArgAction::Append);
            let (Some(long), true) = (argument.get_long(), takes) else {
                continue;
            };
            let line = words.iter().map(|word| (*word).to_owned());
            let line = line.chain([format!("--{long}=no number")]);
            let Err(error) = Arguments::command().try_get_matches_from(line) else {
                continue;
            };
            let said = error.to_string();
            // What the standard library says, of a number and nothing else.
            let plain = [
                "invalid digit found in string",
                "number too",
                "cannot parse integer",
                " is not in ",
            ];
            if plain.iter().any(|plain| said.contains(plain)) {
                wrong.push(format!("{words:?} --{long}: {said}"));
            }
            if said.contains("expected a number") {
                assert!(said.contains("'no number' for '--"), "{said}");
                numbers += 1;
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(numbers >= 15, "{numbers}");
}

#[test]
fn a_variable_that_firmware_does_not_know_is_not_signed_for() {
    let line = |name| {
        let line =
            format!("rootstock-boot variables sign --key k --certificate c -o x.auth {name} x.esl");
        Arguments::command().try_get_matches_from(words(&line))
    };
    assert!(line("db").is_ok());
    let said = line("DB").unwrap_err().to_string();
    assert!(
        said.contains("[possible values: PK, KEK, db, dbx, dbt, dbr]"),
        "{said}"
    );
}

/// Commands that a document shows, in blocks of code; those that leave something out are not whole.
fn shown(document: &str) -> Vec<String> {
    let document = document.replace("\\\n", " ");
    let document = document.replace("$(uname -r)", "6.12.0");
    let blocks = document.split("```").skip(1).step_by(2);
    let lines = blocks.flat_map(str::lines).map(|line| {
        let line = line.split_once(" #").map_or(line, |(command, _)| command);
        line.trim().to_owned()
    });
    lines
        .filter(|line| line.starts_with("rootstock-boot ") && !line.contains("..."))
        .filter(|line| !line.contains(['…', '|', '&', '>']))
        .collect()
}

#[test]
fn what_the_book_shows_is_taken() {
    let root = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."));
    let book = fs::read_dir(root.join("docs/boot")).unwrap();
    let book = book.map(|entry| entry.unwrap().path());
    let mut commands = 0;
    for document in book.chain([root.join("README.md")]) {
        if document
            .extension()
            .is_none_or(|extension| extension != "md")
        {
            continue;
        }
        for line in shown(&fs::read_to_string(&document).unwrap()) {
            let parsed = Arguments::command().try_get_matches_from(words(&line));
            let name = document.display();
            if let Err(error) = parsed {
                assert!(!error.use_stderr(), "{name}: {line}\n{error}");
            }
            commands += 1;
        }
    }
    assert!(commands > 40, "{commands}");
}
