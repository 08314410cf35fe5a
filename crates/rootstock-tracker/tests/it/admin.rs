//! `admin bootstrap`: the first administrator of a service that runs, and the demonstration's triager.

use crate::program::{command, run};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Stdio};
use tracker_testkit::{Database, Kind};

/// A program that serves until it is dropped.
struct Serving {
    child: Child,
    address: String,
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn start(folder: &std::path::Path, arguments: &[&str]) -> Serving {
    let mut child = command(folder)
        .args(arguments)
        .args(["--listen", "127.0.0.1:0"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    let mut out = BufReader::new(child.stdout.take().unwrap());
    out.read_line(&mut line).unwrap();
    let (_, address) = line.trim().split_once(" on http://").unwrap();
    let address = address.to_owned();
    Serving { child, address }
}

fn ask(address: &str, method: &str, path: &str, headers: &str, body: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    let kind = "content-type: application/x-www-form-urlencoded";
    let length = body.len();
    write!(
        stream,
        "{method} {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n{kind}\r\ncontent-length: {length}\r\n{headers}\r\n{body}"
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

/// Uses a link up; gives the cookie of the session.
fn sign_in(address: &str, secret: &str) -> Option<String> {
    let origin = format!("origin: http://{address}\r\n");
    let form = format!("secret={secret}");
    let answer = ask(address, "POST", "/sign-in/link", &origin, &form);
    let cookie = answer.split("set-cookie: ").nth(1)?;
    assert!(answer.starts_with("HTTP/1.1 303"), "{answer}");
    Some(cookie.split(';').next().unwrap().to_owned())
}

fn account(address: &str, cookie: &str) -> String {
    ask(
        address,
        "GET",
        "/account",
        &format!("cookie: {cookie}\r\n"),
        "",
    )
}

#[tokio::test]
async fn the_link_signs_in_one_administrator_once() {
    let database = Database::new(Kind::Sqlite).await;
    database.open().await.close().await;
    let folder = tempfile::tempdir().unwrap();
    let log = ["serve", "--database", database.url(), "--log", "info"];
    let mut serving = start(folder.path(), &log);
    let public = "https://tracker.example.org";
    let line = [
        "admin",
        "bootstrap",
        "--public-url",
        public,
        "--database",
        database.url(),
    ];
    let link = run(folder.path(), &line).expect(0).out;
    let secret = link
        .strip_prefix("https://tracker.example.org/sign-in/link?secret=")
        .unwrap_or_else(|| panic!("{link}"))
        .trim();
    let cookie = sign_in(&serving.address, secret).unwrap();
    assert!(account(&serving.address, &cookie).contains("You are signed in as administrator."));
    assert_eq!(sign_in(&serving.address, secret), None);
    let json = [line.as_slice(), &["--account", "second", "--json"]].concat();
    let told = run(folder.path(), &json).expect(0).json();
    assert_eq!(
        (&told["account"], &told["role"]),
        (&"second".into(), &"administrator".into())
    );
    // What signs in is in no log.
    serving.child.kill().unwrap();
    let mut log = String::new();
    let mut errors = serving.child.stderr.take().unwrap();
    errors.read_to_string(&mut log).unwrap();
    assert!(
        log.contains("/sign-in/link") && !log.contains(&secret[..30]),
        "{log}"
    );
    assert!(!log.contains(cookie.split_once('=').unwrap().1), "{log}");
}

#[test]
fn a_wrong_setting_is_told_before_anything_runs() {
    let folder = tempfile::tempdir().unwrap();
    let serve = ["serve", "--database", "sqlite:none.db"];
    for (more, reason) in [
        (
            ["--public-url", "http://tracker.example.org"],
            "https://HOST",
        ),
        (["--triagers", "security"], "ORGANISATION/TEAM"),
        (["--github-client", "x"], "--github-secret"),
    ] {
        let line = [serve.as_slice(), &more].concat();
        let told = run(folder.path(), &line).expect(2);
        assert!(told.err.contains(reason), "{}", told.err);
    }
}

#[test]
fn the_demonstration_has_a_triager() {
    let folder = tempfile::tempdir().unwrap();
    let mut demo = start(folder.path(), &["demo"]);
    let errors = BufReader::new(demo.child.stderr.take().unwrap());
    let link = errors
        .lines()
        .map_while(Result::ok)
        .find_map(|line| Some(line.split_once("secret=")?.1.to_owned()))
        .unwrap();
    let cookie = sign_in(&demo.address, &link).unwrap();
    assert!(account(&demo.address, &cookie).contains("You are signed in as triager."));
}
