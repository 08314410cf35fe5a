//! Loading and auditing: hand-made graphs with known answers, and hostile ones.

use crate::content::Budget;
use crate::load::Loader;
use crate::{Audit, Class, Declarations, Difference, Evidence, Policy, Ruling, reused};
use std::fs;
use std::path::Path;

/// A graph in lines of JSON: bootstrap -> tools -> compiler -> (a, b); b also from a prebuilt jar; c from source.
pub(super) const LINES: &[&str] = &[
    r#"{"i":0,"drv":"1b8m03r63zqhnjf7l5wnldhh7c134ap0-bootstrap-tools.tar.xz.drv","name":"bootstrap-tools.tar.xz","outputs":{"out":"1b8m03r63zqhnjf7l5wnldhh7c134aq0-bootstrap-tools.tar.xz"},"in":[],"fod":1}"#,
    r#"{"i":1,"drv":"1b8m03r63zqhnjf7l5wnldhh7c134ap1-tools.drv","name":"tools","outputs":{},"in":[0]}"#,
    r#"{"i":2,"drv":"1b8m03r63zqhnjf7l5wnldhh7c134ap2-compiler.drv","name":"compiler","outputs":{},"in":[1,3]}"#,
    r#"{"i":3,"drv":"1b8m03r63zqhnjf7l5wnldhh7c134ap3-compiler.tar.gz.drv","name":"compiler.tar.gz","outputs":{},"in":[1],"fod":1,"url":"mirror://gnu/compiler.tar.gz"}"#,
    r#"{"i":4,"drv":"1b8m03r63zqhnjf7l5wnldhh7c134ap4-a.drv","name":"a","outputs":{},"in":[2]}"#,
    r#"{"i":5,"drv":"1b8m03r63zqhnjf7l5wnldhh7c134ap5-b.drv","name":"b","outputs":{},"in":[2,6]}"#,
    r#"{"i":6,"drv":"1b8m03r63zqhnjf7l5wnldhh7c134ap6-b.jar.drv","name":"b.jar","outputs":{},"in":[],"fod":1}"#,
    r#"{"i":7,"drv":"1b8m03r63zqhnjf7l5wnldhh7c134ap7-c.drv","name":"c","outputs":{},"in":[3]}"#,
];

pub(super) fn audit(path: &Path) -> Audit {
    let mut loader = Loader::default();
    loader.path(path);
    Audit::new(loader.finish(), Budget::default(), &mut |_, _| ())
}

pub(super) fn of_lines(lines: &[&str]) -> Audit {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("g.jsonl");
    fs::write(&file, lines.join("\n")).unwrap();
    audit(&file)
}

fn named(audit: &Audit, name: &str) -> u32 {
    audit.find(name)[0]
}

#[test]
fn a_graph_of_names_gives_the_known_answer() {
    let audit = of_lines(LINES);
    assert!(audit.problems.is_empty(), "{:?}", audit.problems);
    let seeds: Vec<&str> = audit
        .seed_roots()
        .iter()
        .map(|root| audit.name(root.node))
        .collect();
    assert_eq!(seeds, ["bootstrap-tools.tar.xz", "b.jar"]);
    assert!(
        audit
            .roots
            .iter()
            .all(|root| root.evidence == Evidence::Name)
    );
    let standing = audit.standing();
    assert_eq!((standing.made, standing.on_seeds), (5, 4));
    // A download is pinned by its hash: what fetches it does not matter.
    assert!(!audit.dominators.stands_on_seed(named(&audit, "c")));
    let through = |name| {
        audit
            .dominators
            .of(named(&audit, name))
            .map(|node| audit.name(node).to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(
        through("a"),
        ["compiler", "tools", "bootstrap-tools.tar.xz"]
    );
    assert!(through("b").is_empty());
    let a = named(&audit, "a");
    assert_eq!(audit.longest_chain(a).unwrap().len(), 4);
    assert_eq!(audit.shortest_chain(named(&audit, "b")).unwrap().len(), 2);
    assert_eq!(audit.longest_chain(named(&audit, "c")), None);
    let cut =
        crate::cut::smallest(&audit.graph, &audit.seeds, named(&audit, "b"), |_| false).unwrap();
    assert_eq!(
        cut.iter().map(|node| audit.name(*node)).collect::<Vec<_>>(),
        ["bootstrap-tools.tar.xz", "b.jar"]
    );
    assert_eq!(
        crate::cut::freed(&audit.graph, &audit.order, &audit.seeds, &cut),
        6
    );
}

#[test]
fn differences_and_policies_name_new_seeds() {
    let old = of_lines(&LINES[..5]);
    let changed = LINES[0].replace("c134aq0-", "c134aq1-");
    let mut lines = LINES.to_vec();
    lines[0] = &changed;
    let new = of_lines(&lines);
    let difference = Difference::new(&old, &new);
    let seeds: Vec<&str> = difference
        .new_seeds()
        .map(|(name, _)| name.as_str())
        .collect();
    assert_eq!(seeds, ["b.jar", "bootstrap-tools.tar.xz"]);
    assert_eq!(difference.same, 1);
    assert_eq!(Difference::new(&old, &old).changes, []);

    let policy = |expires: &str| {
        Policy::parse(&format!(
        "[[allow]]\npath = '1b8m03r63zqhnjf7l5wnldhh7c134aq0-bootstrap-tools.tar.xz'\nreason = 'known'\n{expires}\n[[allow]]\nhost = '/bin/sh'\nreason = 'r'"
    )).unwrap()
    };
    let today = "2026-06-01".parse().unwrap();
    let judged = policy("").judge(&old, today);
    assert!(judged.passes());
    assert_eq!(judged.unused, [1]);
    let judged = policy("expires = 2026-06-01").judge(&old, today);
    assert!(matches!(judged.seeds[0].1, Ruling::Expired(0, _)) && !judged.passes());
    assert!(policy("expires = '2026-06-02'").judge(&old, today).passes());
    let judged = policy("name = 'other'").judge(&old, today);
    assert_eq!(judged.seeds[0].1, Ruling::New);
    assert!(!policy("").judge(&new, today).passes());
    for (text, problem) in [
        ("[[allow]]\nhost = '/x'\nreason = ' '", "no reason"),
        ("[[allow]]\nname = 'x'\nreason = 'r'", "exactly one of"),
        (
            "[[allow]]\nhash = 'sha256:00'\nreason = 'r'",
            "policy entry 1",
        ),
        ("[[deny]]", "unknown field"),
    ] {
        let error = Policy::parse(text).unwrap_err();
        let cause = std::error::Error::source(&error).map(ToString::to_string);
        let said = format!("{error} {}", cause.unwrap_or_default());
        assert_eq!(said.matches(problem).count(), 1, "{said}");
    }
}

#[test]
fn declarations_are_compared() {
    let audit = of_lines(LINES);
    let declared = r#"{"packages":{"b":{"name":"b","meta":{}},"c":{"name":"c","meta":{"sourceProvenance":[{"shortName":"binaryBytecode","isSource":false}]}},
        "d":{"name":"d","meta":{"sourceProvenance":[{"shortName":"fromSource","isSource":true}]}}}}"#;
    let disagreements = Declarations::read(declared.as_bytes())
        .unwrap()
        .compare(&audit);
    // b takes a jar and declares nothing; c's input is unverified, so its declaration may be right.
    assert_eq!(disagreements.len(), 1);
    assert!(
        matches!(disagreements[0], crate::Disagreement::Undeclared { node, .. } if audit.name(node) == "b")
    );
}

#[test]
fn hostile_graphs_cost_only_themselves() {
    // A cycle, a missing input, a wrong number.
    let folder = tempfile::tempdir().unwrap();
    let store = "/nix/store";
    let (a, b, c, gone) = (
        "1b8m03r63zqhnjf7l5wnldhh7c134ap0-a.drv",
        "1b8m03r63zqhnjf7l5wnldhh7c134ap1-b.drv",
        "1b8m03r63zqhnjf7l5wnldhh7c134ap2-c.drv",
        "1b8m03r63zqhnjf7l5wnldhh7c134ap3-gone.drv",
    );
    let drv = |inputs: &[&str], builder: &str| {
        let inputs: Vec<String> = inputs
            .iter()
            .map(|input| format!(r#"("{store}/{input}",["out"])"#))
            .collect();
        format!(
            r#"Derive([("out","","","")],[{}],[],"s","{builder}",[],[("__impureHostDeps","/dev/tpm0 /usr/lib/x")])"#,
            inputs.join(",")
        )
    };
    fs::write(folder.path().join(a), drv(&[b], "/x")).unwrap();
    fs::write(folder.path().join(b), drv(&[a], "/x")).unwrap();
    fs::write(folder.path().join(c), drv(&[gone], "/bin/sh")).unwrap();
    fs::write(
        folder
            .path()
            .join("1b8m03r63zqhnjf7l5wnldhh7c134ap4-huge.drv"),
        format!("Derive([(\"{}", "x".repeat(1 << 20)),
    )
    .unwrap();
    std::os::unix::fs::symlink(
        "loop.drv",
        folder
            .path()
            .join("1b8m03r63zqhnjf7l5wnldhh7c134ap5-loop.drv"),
    )
    .unwrap();
    let audit = audit(folder.path());
    let problems: Vec<String> = audit.problems.iter().map(ToString::to_string).collect();
    for expected in [
        "cycle",
        "gone.drv: is an input, but was not found",
        "huge.drv: offset",
        "no regular file",
    ] {
        assert!(
            problems.iter().any(|problem| problem.contains(expected)),
            "{expected}: {problems:?}"
        );
    }
    assert!(problems.iter().any(|problem| problem.contains("huge.drv")));
    let c = named(&audit, "c");
    assert!(audit.dominators.stands_on_seed(c));
    let hosts = audit
        .seed_roots()
        .iter()
        .filter(|root| root.class == Class::HostPath || root.evidence == Evidence::Content)
        .count();
    assert!(
        hosts >= 3,
        "/bin/sh, /dev/tpm0 and /usr/lib/x are roots of the host"
    );
    assert!(reused(&audit.graph).is_empty());
    let broken = of_lines(&[LINES[0], r#"{"i":5,"drv":"x"}"#, LINES[1]]);
    assert_eq!(broken.problems.len(), 1);
    assert_eq!(broken.graph.len(), 1);
}
