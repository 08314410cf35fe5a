//! Where is this change: the real program over a real repository, killed on the way.

use crate::program::{command, run};
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

/// A bare repository whose master has `count` commits, every tenth the merge of a pull request.
fn repository(folder: &Path, count: usize) {
    let git = |arguments: &[&str]| {
        let status = Command::new("git")
            .arg("-C")
            .arg(folder)
            .args(arguments)
            .status();
        assert!(status.unwrap().success(), "git {arguments:?}");
    };
    git(&[
        "init",
        "--quiet",
        "--bare",
        "--initial-branch=master",
        "repository",
    ]);
    let mut import = Command::new("git")
        .arg("-C")
        .arg(folder.join("repository"))
        .args(["fast-import", "--quiet"])
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stream = Vec::new();
    for number in 1..=count {
        let time = 1_700_000_000 + number * 60;
        let (parents, message) = if number % 10 == 0 {
            let merged = format!("from :{}\nmerge :{}\n", number - 2, number - 1);
            (merged, format!("Merge pull request #{number} from a/b"))
        } else if number % 10 == 9 {
            (
                format!("from :{}\n", number - 1),
                "b: fix CVE-2023-12345".to_owned(),
            )
        } else if number == 1 {
            (String::new(), "begin".to_owned())
        } else {
            (format!("from :{}\n", number - 1), "step".to_owned())
        };
        let branch = if number % 10 == 9 { "b" } else { "master" };
        let length = message.len();
        write!(
            stream,
            "commit refs/heads/{branch}\nmark :{number}\ncommitter a <a@example.org> {time} +0000\ndata {length}\n{message}\n{parents}\n"
        )
        .unwrap();
    }
    import.stdin.take().unwrap().write_all(&stream).unwrap();
    assert!(import.wait().unwrap().success());
    git(&[
        "-C",
        "repository",
        "update-ref",
        "refs/heads/nixos-unstable",
        "master",
    ]);
}

#[test]
fn a_change_is_found_with_its_way_and_its_channel() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    repository(path, 40);
    let before = run(path, &["landing", "show", "#10"]).expect(1);
    assert!(before.err.contains("landing index"), "{}", before.err);
    let index = [
        "landing",
        "index",
        "--repository",
        "repository",
        "--at",
        "2023-11-20",
    ];
    let made = run(path, &index).expect(0);
    assert!(
        made.out.contains("40 new commits, 40 in all"),
        "{}",
        made.out
    );
    assert!(run(path, &index).expect(0).out.contains("0 new commits"));

    let shown = run(path, &["landing", "show", "#10"]).expect(0).out;
    for part in [
        "pull request #10",
        "names CVE-2023-12345",
        "[x] master",
        "[x] nixos-unstable",
        "first seen in nixos-unstable",
        "2023-11-20 00:00 UTC",
    ] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    let json = run(path, &["landing", "show", "10", "--json"])
        .expect(0)
        .json();
    assert_eq!(json["pull_request"], 10);
    assert_eq!(json["channels"][0]["standing"], "landed");
    assert_eq!(json["channels"][0]["first"]["observed"], true);
    let name = json["commit"].as_str().unwrap();
    assert_eq!(
        run(path, &["landing", "show", &name[..10], "--json"])
            .expect(0)
            .json()["commit"],
        name
    );

    let absent = run(path, &["landing", "show", "#12"]).expect(4);
    assert!(absent.err.contains("pull request 12"), "{}", absent.err);
    let unknown = run(path, &["landing", "show", &"0".repeat(40)]).expect(4);
    assert!(unknown.err.contains("not in the index"), "{}", unknown.err);
    let prose = run(path, &["landing", "show", "curl"]).expect(1);
    assert!(
        prose.err.contains("`curl` is not a commit name"),
        "{}",
        prose.err
    );
}

#[test]
fn a_history_is_read_and_what_is_wrong_in_it_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    repository(path, 20);
    run(
        path,
        &[
            "landing",
            "index",
            "--repository",
            "repository",
            "--at",
            "2023-11-20",
        ],
    )
    .expect(0);
    let json = run(path, &["landing", "show", "#10", "--json"])
        .expect(0)
        .json();
    let name = json["commit"].as_str().unwrap();
    std::fs::write(
        path.join("h"),
        format!("{name} 2023-11-16T00:00:00Z early\nnothing\n"),
    )
    .unwrap();
    let history = ["landing", "history", "h", "--channel", "nixos-23.05"];
    let read = run(path, &history).expect(3);
    assert!(
        read.out.contains("1 release added") && read.out.contains("entry 2"),
        "{}",
        read.out
    );
    let shown = run(path, &["landing", "show", "#10"]).expect(0).out;
    assert!(
        shown.contains("[x] nixos-23.05") && shown.contains("since early of 2023-11-16"),
        "{shown}"
    );
    let unnamed = run(path, &["landing", "history", "h"]).expect(1);
    assert!(unnamed.err.contains("name the channel"), "{}", unnamed.err);
}

#[test]
fn an_index_whose_making_is_killed_again_and_again_is_made_whole() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    repository(path, 30_000);
    let arguments = [
        "landing",
        "index",
        "--repository",
        "repository",
        "--at",
        "2023-12-20",
    ];
    let mut killed = 0;
    for pause in [20, 60, 120, 200, 300] {
        let mut child = command(path)
            .args(arguments)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep(Duration::from_millis(pause));
        killed += usize::from(child.try_wait().unwrap().is_none());
        child.kill().unwrap();
        child.wait().unwrap();
        let half = run(path, &["landing", "show", "#20", "--json"]);
        // Either there is no answer yet, or it is the right one.
        if half.code == 0 {
            assert_eq!(half.json()["pull_request"], 20);
        }
    }
    assert!(killed > 0, "the program was never killed on its way");
    let names = Command::new("git")
        .arg("-C")
        .arg(path.join("repository"))
        .args(["rev-list", "master"])
        .output()
        .unwrap();
    let whole = run(path, &[&arguments[..], &["--json"]].concat())
        .expect(0)
        .json();
    assert_eq!(whole["commits"], 30_000);
    // Of so many commits some begin alike.
    let names = String::from_utf8(names.stdout).unwrap();
    let mut names: Vec<&str> = names.lines().collect();
    names.sort_unstable();
    // Digits alone would mean a pull request first.
    let is_name = |text: &str| text.bytes().any(|digit| !digit.is_ascii_digit());
    let alike = names
        .windows(2)
        .find(|two| two[0][..4] == two[1][..4] && is_name(&two[0][..4]));
    let prefix = &alike.unwrap()[0][..4];
    let ambiguous = run(path, &["landing", "show", prefix]).expect(1);
    assert!(ambiguous.err.contains("is ambiguous"), "{}", ambiguous.err);
    let fresh = [&arguments[..], &["--index", "fresh"]].concat();
    run(path, &fresh).expect(0);
    for request in ["#10", "#15000", "#30000"] {
        let one = run(
            path,
            &["landing", "show", request, "--json", "--at", "2024-01-01"],
        )
        .expect(0)
        .json();
        let other = [
            "landing",
            "show",
            request,
            "--json",
            "--at",
            "2024-01-01",
            "--index",
            "fresh",
        ];
        assert_eq!(one, run(path, &other).expect(0).json(), "{request}");
    }
}

#[test]
fn a_shallow_clone_is_refused_with_the_way_out() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    repository(path, 20);
    let from = format!("file://{}", path.join("repository").display());
    let cloned = Command::new("git")
        .args(["clone", "--quiet", "--bare", "--depth", "1", &from])
        .arg(path.join("shallow"))
        .status();
    assert!(cloned.unwrap().success());
    let refused = run(path, &["landing", "index", "--repository", "shallow"]).expect(1);
    assert!(
        refused.err.contains("git fetch --unshallow"),
        "{}",
        refused.err
    );
}

/// What a server answers to a path.
pub(crate) fn get(address: &str, path: &str) -> (u16, String) {
    use std::io::Read;
    let mut stream = std::net::TcpStream::connect(address).unwrap();
    write!(
        stream,
        "GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let status = answer.split(' ').nth(1).unwrap().parse().unwrap();
    (status, answer)
}

#[test]
fn a_server_takes_in_what_was_indexed_and_told_since() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    repository(path, 20);
    let index = ["landing", "index", "--repository", "repository"];
    run(path, &index).expect(0);
    let pull = |number: u32| {
        format!(
            r#"{{"number":{number},"title":"b: fix","state":"open","base":{{"ref":"master"}},"created_at":"2025-06-01T08:00:00Z","updated_at":"2025-06-01T08:00:00Z"}}"#
        )
    };
    std::fs::write(path.join("pulls"), pull(500)).unwrap();
    let pulls = ["landing", "pulls", "pulls", "--database", "sqlite:t.db"];
    assert!(
        run(path, &pulls)
            .expect(0)
            .out
            .contains("1 pull request added")
    );
    let mut server = command(path)
        .args([
            "serve",
            "--database",
            "sqlite:t.db",
            "--landing",
            "landing",
            "--listen",
            "127.0.0.1:0",
        ])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = String::new();
    let mut out = std::io::BufReader::new(server.stdout.take().unwrap());
    std::io::BufRead::read_line(&mut out, &mut said).unwrap();
    let address = said.trim().rsplit("http://").next().unwrap().to_owned();
    assert_eq!(get(&address, "/changes/500").0, 200);
    assert_eq!(get(&address, "/changes/20").0, 200);
    assert_eq!(get(&address, "/changes/30").0, 404);
    // Ten more commits, the last of them a pull request's merge.
    std::fs::rename(path.join("repository"), path.join("old")).unwrap();
    repository(path, 30);
    let more = run(path, &index).expect(0).out;
    assert!(more.contains("10 new commits"), "{more}");
    let until = std::time::Instant::now() + Duration::from_mins(1);
    while get(&address, "/changes/30").0 != 200 {
        assert!(
            std::time::Instant::now() < until,
            "the server does not take in what is new"
        );
        std::thread::sleep(Duration::from_millis(200));
    }
    assert_eq!(get(&address, "/pipeline").0, 200);
    server.kill().unwrap();
    server.wait().unwrap();
}
