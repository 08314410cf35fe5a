//! `demo`: ready without anything else, gone without a trace.

use crate::program::{command, run};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

struct Demo {
    child: Child,
    address: String,
    scratch: tempfile::TempDir,
}

impl Drop for Demo {
    fn drop(&mut self) {
        // Already gone if the test went well.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn start() -> Demo {
    let scratch = tempfile::tempdir().unwrap();
    let mut child = command(scratch.path())
        .args(["demo", "--listen", "127.0.0.1:0"])
        .env("TMPDIR", scratch.path())
        // A database of the environment is none of the demonstration's business.
        .env("ROOTSTOCK_DATABASE", "sqlite:/nowhere/tracker.db")
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap())
        .read_line(&mut line)
        .unwrap();
    let address = line
        .trim()
        .strip_prefix("ready on http://")
        .unwrap_or_else(|| panic!("{line}"))
        .to_owned();
    Demo {
        child,
        address,
        scratch,
    }
}

fn get(address: &str, path: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    write!(
        stream,
        "GET {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n"
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn it_serves_the_snapshot_until_it_is_told_to_stop() {
    for signal in ["TERM", "INT"] {
        let mut demo = start();
        let musl = get(&demo.address, "/vulnerabilities/CVE-2019-14697");
        assert!(
            musl.starts_with("HTTP/1.1 200") && musl.contains("1.1.22"),
            "{musl}"
        );
        let body = get(&demo.address, "/index.json");
        let overview: serde_json::Value =
            serde_json::from_str(body.split("\r\n\r\n").nth(1).unwrap()).unwrap();
        assert!(
            overview["vulnerabilities"].as_u64().unwrap() >= 80,
            "{overview}"
        );
        assert!(overview["packages"].as_u64().unwrap() >= 60, "{overview}");
        assert_eq!(overview["channels"].as_array().unwrap().len(), 2);

        let started = Instant::now();
        let sent = Command::new("kill")
            .args([&format!("-{signal}"), &demo.child.id().to_string()])
            .status()
            .unwrap();
        assert!(sent.success());
        assert_eq!(demo.child.wait().unwrap().code(), Some(0), "SIG{signal}");
        assert!(
            started.elapsed() < Duration::from_secs(10),
            "{:?}",
            started.elapsed()
        );
        let left: Vec<_> = std::fs::read_dir(demo.scratch.path()).unwrap().collect();
        assert!(left.is_empty(), "{left:?}");
    }
}

#[test]
fn a_closure_is_held_against_what_it_says_is_affected() {
    let demo = start();
    let answer = get(&demo.address, "/api/v1/channels/nixos-19.09/affected");
    let list = answer.split("\r\n\r\n").nth(1).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| format!("/nix/store/0123456789abcdfghijklmnpqrsvwxyz-{name}");
    let closure = ["musl-1.1.22", "musl-1.1.22-dev", "musl-1.2.5", "hello-2.10"].map(path);
    std::fs::write(folder.path().join("list.json"), list).unwrap();
    std::fs::write(folder.path().join("all"), closure.join("\n")).unwrap();
    std::fs::write(folder.path().join("clean"), &closure[3]).unwrap();
    std::fs::write(folder.path().join("odd"), "hello-2.10\n").unwrap();

    let told = run(folder.path(), &["closure", "list.json", "all"]).expect(3);
    let line = format!("{}\n  CVE-2019-14697  critical\n", closure[1]);
    assert!(told.out.contains(&line), "{}", told.out);
    assert!(
        told.out.contains("2 of 4 paths affected in nixos-19.09 at"),
        "{}",
        told.out
    );
    let json = run(folder.path(), &["closure", "list.json", "all", "--json"]).expect(3);
    assert_eq!(json.json()["affected"][0]["path"], closure[0].as_str());
    assert_eq!(json.json()["affected"][0]["package"]["attribute"], "musl");

    run(folder.path(), &["closure", "list.json", "clean"]).expect(0);
    let part = list.replacen("\"complete\": true", "\"complete\": false", 1);
    std::fs::write(folder.path().join("part.json"), part).unwrap();
    let part = run(folder.path(), &["closure", "part.json", "clean"]).expect(3);
    assert!(part.err.contains("more may be"), "{}", part.err);
    let same = ["closure", "list.json", "clean", "--revision", "5f506b9"];
    assert_eq!(run(folder.path(), &same).expect(0).err, "");
    let other = ["closure", "list.json", "clean", "--revision", "abc"];
    let other = run(folder.path(), &other).expect(0);
    assert!(
        other.err.contains("and the closure of abc"),
        "{}",
        other.err
    );
    let odd = run(folder.path(), &["closure", "list.json", "odd"]).expect(3);
    assert!(
        odd.err.contains("`hello-2.10` is no store path"),
        "{}",
        odd.err
    );
    let no_list = run(folder.path(), &["closure", "all", "clean"]).expect(1);
    assert!(no_list.err.contains("`all` is no list"), "{}", no_list.err);
}

#[test]
fn a_port_in_use_is_told_before_anything_is_read() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let folder = tempfile::tempdir().unwrap();
    let refused = run(folder.path(), &["demo", "--listen", &address]).expect(1);
    assert!(
        refused.err.contains(&format!("{address} is in use")),
        "{}",
        refused.err
    );
    assert!(refused.err.contains("--listen"), "{}", refused.err);
    assert_eq!(refused.out, "");
}
