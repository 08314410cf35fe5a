//! Hostile archives in a chain: refused by the name that they have in the archive, inside the sandbox, with the step named.

use crate::place::Place;
use std::fs;
use std::os::unix::fs::symlink;
use std::process::Command;

/// A chain that unpacks what GNU tar makes of the folder `tree` with these options.
fn place(prepare: impl Fn(&Place), options: &[&str]) -> Place {
    let place = Place::new("");
    fs::create_dir(place.path("tree")).unwrap();
    prepare(&place);
    let status = Command::new("tar")
        .args(["--create", "--gzip", "--absolute-names"])
        .args(["--file=evil.tar.gz", "--directory=tree"])
        .args(options)
        .current_dir(place.folder.path())
        .status()
        .expect("tar is there");
    assert!(status.success());
    let zeros = "0".repeat(64);
    let chain = format!(
        r#"
chain = "hostile"
system = "x86_64-linux"
[[input]]
name = "evil"
file = "evil.tar.gz"
sha256 = "{zeros}"
[[unpack]]
name = "source"
archive = "evil"
packing = "tar.gz"
sha256 = "{zeros}"
"#
    );
    fs::write(place.path("chain.toml"), chain).unwrap();
    place
}

/// What lies in the folder, what tar is told, and what is said.
type Case<'c> = (&'c dyn Fn(&Place), &'c [&'c str], &'c str);

#[test]
fn archives_that_lead_elsewhere_are_refused_by_name() {
    let file = |place: &Place| fs::write(place.path("tree/x"), "evil").unwrap();
    let link = |place: &Place| symlink("/etc/passwd", place.path("tree/l")).unwrap();
    let hard = |place: &Place| {
        file(place);
        fs::hard_link(place.path("tree/x"), place.path("tree/y")).unwrap();
    };
    let pipe = |place: &Place| {
        let status = Command::new("mkfifo").arg(place.path("tree/p")).status();
        assert!(status.unwrap().success());
    };
    let cases: [Case<'_>; 6] = [
        (
            &file,
            &["--transform=s,x,../evil,", "x"],
            "refused: '../evil': the path leads upwards",
        ),
        (
            &file,
            &["--transform=s,x,/etc/evil,", "x"],
            "refused: '/etc/evil': the path is absolute",
        ),
        (
            &link,
            &["l"],
            "refused: the link 'l' leads out of the tree, to '/etc/passwd'",
        ),
        (&hard, &["x", "y"], "refused: 'y' is a hard link"),
        (&pipe, &["p"], "refused: 'p' is a named pipe"),
        (
            &file,
            &["x", "x", "--hard-dereference"],
            "writing 'x': File exists",
        ),
    ];
    for (prepare, options, words) in cases {
        let place = place(prepare, options);
        let (code, text) = place.run("build", &["--record", "--offline"]);
        let words = format!("step source: it ended with status 127: {words}");
        assert!(code == 1 && text.contains(&words), "{words}: {text}");
        // Nothing of it is kept.
        assert_eq!(
            place.files("objects").len(),
            1,
            "{words} {:?}",
            place.files("objects")
        );
        assert!(!place.path("evil").exists());
    }
}
