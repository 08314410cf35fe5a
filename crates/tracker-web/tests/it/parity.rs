//! What the pages do, the API and the command line do, too: each form, by the word of its button, beside its operation and
//! its command. The book has the same table (`docs/tracker/parity.md`).
//!
//! `UPDATE_REFERENCE=1 cargo test -p tracker-web --test it parity` writes that page anew.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use tracker_web::{Kind, ROUTES};

/// A form: where it is sent, the words of its buttons, the operation and the command that do the same.
type Line = (&'static str, &'static str, &'static str, &'static str);

const MATCH: &str = "/vulnerabilities/{id}/{distribution}/{family}";
const FAMILY: &str = "/families/{distribution}/{family}";
const DECISIONS: &str = "POST /api/v1/decisions";

const CHANGES: &[Line] = &[
    ("/queue", "confirm", DECISIONS, "triage confirm"),
    ("/queue", "dismiss:", DECISIONS, "triage dismiss"),
    ("/queue", "reopen", DECISIONS, "triage reopen"),
    ("/queue", "state: withdraw", DECISIONS, "triage state"),
    (
        "/queue",
        "assign assign-me unassign",
        DECISIONS,
        "triage assign",
    ),
    ("/queue", "snooze wake", DECISIONS, "triage snooze"),
    ("/queue", "agree", "POST /api/v1/agreements", "triage agree"),
    (
        "/queue",
        "decline",
        "POST /api/v1/refusals",
        "triage decline",
    ),
    ("/queue", "", DECISIONS, "triage bulk"),
    (MATCH, "all-but", DECISIONS, "triage dismiss"),
    (MATCH, "add", DECISIONS, "triage add"),
    (MATCH, "comment", "POST /api/v1/comments", "triage comment"),
    ("/queue/undo", "", "POST /api/v1/undos", "triage undo"),
    (
        FAMILY,
        "split",
        "POST /api/v1/families/{distribution}/{family}/split",
        "triage family split",
    ),
    (
        FAMILY,
        "merge",
        "POST /api/v1/families/{distribution}/{family}/merge",
        "triage family merge",
    ),
    (
        "/queue/views",
        "save",
        "PUT /api/v1/views/{view}",
        "triage view save",
    ),
    (
        "/queue/views",
        "drop",
        "DELETE /api/v1/views/{view}",
        "triage view drop",
    ),
    (
        "/queue/views",
        "undo",
        "POST /api/v1/views/undos",
        "triage view undo",
    ),
    ("/rules", "make", "POST /api/v1/rules", "triage rule add"),
    (
        "/rules",
        "renew",
        "POST /api/v1/rules/{rule}/renewals",
        "triage rule renew",
    ),
    (
        "/rules",
        "end",
        "DELETE /api/v1/rules/{rule}",
        "triage rule end",
    ),
    (
        "/suggestions",
        "confirm dismiss",
        "POST /api/v1/suggestions",
        "triage suggest",
    ),
    (
        "/suggestions",
        "agree",
        "POST /api/v1/agreements",
        "triage agree",
    ),
    (
        "/suggestions",
        "decline",
        "POST /api/v1/refusals",
        "triage decline",
    ),
    (
        "/suggestions",
        "withdraw",
        "POST /api/v1/withdrawals",
        "triage withdraw",
    ),
    (
        "/account/sessions",
        "",
        "DELETE /api/v1/account/sessions",
        "admin people sign-out",
    ),
    (
        "/account/sessions/{key}",
        "",
        "DELETE /api/v1/account/sessions/{session}",
        "admin sessions end",
    ),
    (
        "/account/tokens/{key}",
        "",
        "DELETE /api/v1/account/tokens/{token}",
        "admin tokens end",
    ),
    ("/embargoes", "", "POST /api/v1/embargoes", "embargo create"),
    (
        "/embargoes/{name}",
        "comment",
        "POST /api/v1/embargoes/{name}/comments",
        "embargo comment",
    ),
    (
        "/embargoes/{name}",
        "name",
        "PUT /api/v1/embargoes/{name}/people/{handle}",
        "embargo add",
    ),
    (
        "/embargoes/{name}",
        "unname",
        "DELETE /api/v1/embargoes/{name}/people/{handle}",
        "embargo remove",
    ),
    (
        "/embargoes/{name}",
        "until",
        "PUT /api/v1/embargoes/{name}/end",
        "embargo until",
    ),
    (
        "/embargoes/{name}",
        "release",
        "POST /api/v1/embargoes/{name}/release",
        "embargo release",
    ),
    (
        "/admin/people/{key}",
        "role",
        "PUT /api/v1/people/{person}/role",
        "admin people role",
    ),
    (
        "/admin/people/{key}",
        "block",
        "PUT /api/v1/people/{person}/block",
        "admin people block",
    ),
    (
        "/admin/people/{key}",
        "unblock",
        "DELETE /api/v1/people/{person}/block",
        "admin people unblock",
    ),
    (
        "/admin/people/{key}",
        "sign-out",
        "DELETE /api/v1/people/{person}/sessions",
        "admin people sign-out",
    ),
];

/// Pages of what is decided, and what tells the same.
const READS: &[Line] = &[
    ("/queue", "", "GET /api/v1/queue", "triage list"),
    (
        MATCH,
        "",
        "GET /api/v1/matches/{vulnerability}/{distribution}/{family}",
        "triage show",
    ),
    (
        MATCH,
        "",
        "GET /api/v1/matches/{vulnerability}/{distribution}/{family}/events",
        "triage history",
    ),
    ("/log", "", "GET /api/v1/log", "triage log"),
    ("/rules", "", "GET /api/v1/rules", "triage rule list"),
    ("/rules", "", "GET /api/v1/rules/preview", "triage rule add"),
    (
        "/maintainers/{maintainer}",
        "",
        "GET /api/v1/maintainers/{maintainer}",
        "triage maintainer",
    ),
    (
        "/maintainers/{maintainer}",
        "",
        "GET /api/v1/maintainers/{maintainer}/matches",
        "triage maintainer",
    ),
    (
        FAMILY,
        "",
        "GET /api/v1/families/{distribution}/{family}",
        "triage family show",
    ),
    ("/embargoes", "", "GET /api/v1/embargoes", "embargo list"),
    (
        "/embargoes/{name}",
        "",
        "GET /api/v1/embargoes/{name}",
        "embargo show",
    ),
    (
        "/account",
        "",
        "GET /api/v1/account/sessions",
        "admin sessions list",
    ),
    (
        "/account",
        "",
        "GET /api/v1/account/tokens",
        "admin tokens list",
    ),
    (
        "/admin/people",
        "",
        "GET /api/v1/people",
        "admin people list",
    ),
    (
        "/admin/people/{key}",
        "",
        "GET /api/v1/people/{person}",
        "admin people show",
    ),
];

/// Forms that a browser alone sends, each with its reason.
const EXCEPTIONS: &[(&str, &str)] = &[
    (
        "/sign-in",
        "a session is of a browser; programs have tokens",
    ),
    (
        "/sign-in/link",
        "as above; `admin bootstrap` makes such links",
    ),
    ("/sign-out", "a token is ended, not signed out"),
    (
        "/account/tokens",
        "no token makes another, so that one that is stolen begets none",
    ),
];

fn root(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .join(path)
}

/// The addresses to which pages send forms.
fn forms() -> BTreeSet<&'static str> {
    let pages = ROUTES.iter().filter(|route| route.kind != Kind::Api);
    pages
        .filter(|route| route.methods.iter().any(|(method, _)| *method != "get"))
        .map(|route| route.path)
        .collect()
}

#[test]
fn every_form_has_an_operation_and_a_command() {
    let lines = CHANGES.iter().map(|(form, ..)| *form);
    let known: BTreeSet<&str> = lines
        .chain(EXCEPTIONS.iter().map(|(form, _)| *form))
        .collect();
    let missing: Vec<_> = forms().difference(&known).copied().collect();
    assert!(missing.is_empty(), "forms without a line here: {missing:?}");
    let stale: Vec<_> = known.difference(&forms()).copied().collect();
    assert!(stale.is_empty(), "lines without a form: {stale:?}");
    let reference = std::fs::read_to_string(root("docs/reference/rootstock-tracker.md")).unwrap();
    for (form, words, operation, command) in CHANGES.iter().chain(READS) {
        let (method, path) = operation.split_once(' ').unwrap();
        let route = ROUTES.iter().find(|route| route.path == path);
        let route = route.unwrap_or_else(|| panic!("{form} {words}: there is no {path}"));
        assert_eq!(route.kind, Kind::Api, "{path}");
        let mut methods = route.methods.iter();
        assert!(
            methods.any(|(name, _)| name.eq_ignore_ascii_case(method)),
            "{operation}"
        );
        let heading = format!("## `rootstock-tracker {command}`\n");
        assert!(
            reference.contains(&heading),
            "{form} {words}: there is no command {command}"
        );
    }
}

/// The texts of a file that stand between another text and a quotation mark.
fn quoted(text: &str, before: &str) -> BTreeSet<String> {
    let parts = text.split(before).skip(1);
    parts
        .filter_map(|part| part.split('"').next())
        .map(str::to_owned)
        .collect()
}

#[test]
fn every_button_has_a_line() {
    let words: BTreeSet<&str> = CHANGES
        .iter()
        .flat_map(|(_, words, ..)| words.split_whitespace())
        .collect();
    let mut offered = BTreeSet::new();
    for file in std::fs::read_dir(root("crates/tracker-web/templates")).unwrap() {
        let text = std::fs::read_to_string(file.unwrap().path()).unwrap();
        offered.extend(quoted(&text, "name=\"do\" value=\""));
    }
    let act = std::fs::read_to_string(root("crates/tracker-web/src/pages/queue/act.rs")).unwrap();
    offered.extend(quoted(&act, "choice(\""));
    assert!(offered.len() > 20, "{offered:?}");
    for word in offered {
        let known = words.iter().any(|known| match known.strip_suffix(':') {
            Some(kind) => word.split(':').next() == Some(kind),
            None => *known == word,
        });
        // What a template or a function fills in is made of the words of the others.
        assert!(
            known || word.contains(['{', ' ']),
            "a button `{word}` without a line here"
        );
    }
}

fn page() -> String {
    let mut page = "# What pages, API and command line do\n\n\
        Made from a tested table: `UPDATE_REFERENCE=1 cargo test -p tracker-web --test it parity` writes it anew, and the test\n\
        fails where a form or a button has no operation and no command.\n\n\
        ## Changing\n\n| form | button | operation | command |\n|---|---|---|---|\n"
        .to_owned();
    let rows = |page: &mut String, lines: &[Line]| {
        for (form, words, operation, command) in lines {
            let words: Vec<String> = words
                .split_whitespace()
                .map(|word| format!("`{word}`"))
                .collect();
            let _ = writeln!(
                page,
                "| `{form}` | {} | `{operation}` | `{command}` |",
                words.join(", ")
            );
        }
    };
    rows(&mut page, CHANGES);
    page.push_str("\nA browser alone sends these:\n\n| form | why |\n|---|---|\n");
    for (form, why) in EXCEPTIONS {
        let _ = writeln!(page, "| `{form}` | {why} |");
    }
    page.push_str("\n## Reading\n\n| page | | operation | command |\n|---|---|---|---|\n");
    rows(&mut page, READS);
    page
}

#[test]
fn the_book_has_this_table() {
    let path = root("docs/tracker/parity.md");
    if std::env::var_os("UPDATE_REFERENCE").is_some() {
        std::fs::write(&path, page()).unwrap();
    }
    let held = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        held == page(),
        "docs/tracker/parity.md is not up to date; see the head of this file"
    );
}
