//! The page about the file, made from the command line's definition.

use super::options::{Kind, Opt};
use std::fmt::Write;

/// What stands before the tables of settings.
const OPENING: &str = r#"# The configuration file

Made by `rootstock-tracker reference config`; a test compares.

`--config FILE` or `ROOTSTOCK_CONFIG` names one TOML file. None is looked for: what holds depends on nothing that
nobody asked for. Any long option can stand in it, under its own name:

```toml
# Common part: for every command that has the option.
database-file = "credential:database"
log = "info"
log-format = "json"

# A command's own table; it goes before the common part.
[serve]
listen = "[::1]:8080"

[feed.follow]
match = true
url = ["kev=https://mirror.example.org/kev.json"]
```

- Flag before environment before file before built-in value. A list is replaced as a whole. A switch that the file
  sets to `true` cannot be taken back by a flag.
- In the common part stand options that have a variable or belong to all commands; the others belong to one run,
  and stand in the table of their command.
- Paths are taken as on the command line, from the folder that the program runs in.
- A value that is told to nobody may be in a file of its own: `KEY-file = "PATH"`, or `KEY-file = "credential:NAME"`
  for one that systemd hands over (`LoadCredential=NAME:PATH`). White space around it is cut off. It is read only for a command that uses it.
- The whole file is checked before a command runs. A key that is not known, a value of another type, or one that the
  option would not take ends the program with code 2 and `FILE:LINE`, key and reason, all of them at once.
- `rootstock-tracker config check FILE` checks it and prints what holds, and from where. Commands that only tell
  about the program (`completions`, `man`, `config`) read no file.
"#;

/// The page.
pub(crate) fn page(options: &[Opt]) -> String {
    let mut page = OPENING.to_owned();
    let all = options.iter().filter(|option| option.command.is_empty());
    section(&mut page, "All commands", all);
    let mut command: &[String] = &[];
    for option in options {
        if option.command.as_slice() != command {
            command = &option.command;
            let own = options.iter().filter(|option| option.command == command);
            section(&mut page, &format!("`[{}]`", command.join(".")), own);
        }
    }
    page
}

fn section<'a>(page: &mut String, title: &str, options: impl Iterator<Item = &'a Opt>) {
    let heading = "| key | value | variable | built in | |\n| --- | --- | --- | --- | --- |";
    write!(page, "\n## {title}\n\n{heading}\n").expect("a string takes all that is written");
    for option in options {
        writeln!(page, "{}", row(option)).expect("a string takes all that is written");
    }
}

fn row(option: &Opt) -> String {
    let key = if option.secret {
        format!("`{0}`, `{0}-file`", option.key)
    } else {
        format!("`{}`", option.key)
    };
    let code = |text: &str| format!("`{text}`");
    let built_in: Vec<String> = match option.kind {
        Kind::Switch => Vec::new(),
        _ => option
            .arg
            .get_default_values()
            .iter()
            .map(|text| code(&text.to_string_lossy()))
            .collect(),
    };
    let help = option
        .arg
        .get_help()
        .map(ToString::to_string)
        .unwrap_or_default();
    let help = help.lines().next().unwrap_or_default().replace('|', "\\|");
    let variable = option.variable().map(code).unwrap_or_default();
    format!(
        "| {key} | {} | {variable} | {} | {help} |",
        option.kind.words(),
        built_in.join(", ")
    )
}
