//! `feed follow` against a server on the loopback interface.

use crate::program::{run, snapshot};
use std::io::{Read, Write};
use std::net::TcpListener;

/// Serves one file under one tag to so many requests.
pub(crate) fn serve(content: Vec<u8>, requests: usize) -> (String, std::thread::JoinHandle<usize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/kev.json", listener.local_addr().unwrap());
    let server = std::thread::spawn(move || {
        let mut unchanged = 0;
        for _ in 0..requests {
            let (mut stream, _) = listener.accept().unwrap();
            let mut head = Vec::new();
            let mut byte = [0];
            while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).unwrap() == 1 {
                head.push(byte[0]);
            }
            let head = String::from_utf8(head).unwrap().to_lowercase();
            let held = head.contains("if-none-match: \"1\"");
            unchanged += usize::from(held);
            let (status, body) = if held {
                (304, &[][..])
            } else {
                (200, &content[..])
            };
            let length = body.len();
            let answer = format!(
                "HTTP/1.1 {status} X\r\nETag: \"1\"\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n"
            );
            stream.write_all(answer.as_bytes()).unwrap();
            stream.write_all(body).unwrap();
        }
        unchanged
    });
    (url, server)
}

#[test]
fn a_feed_is_followed_once_and_then_asked_only_whether_it_changed() {
    let folder = tempfile::tempdir().unwrap();
    let (url, server) = serve(std::fs::read(snapshot("kev.json")).unwrap(), 2);
    let url = format!("kev={url}");
    let command = [
        "feed",
        "follow",
        "kev",
        "--once",
        "--json",
        "--url",
        &url,
        "--database",
        "sqlite:t.db",
    ];
    let first = run(folder.path(), &command).expect(0).json();
    assert!(first["records"]["added"].as_u64().unwrap() > 0, "{first}");
    let second = run(folder.path(), &command).expect(0).json();
    assert_eq!(
        (&second["records"]["added"], &second["requests"]),
        (&0.into(), &1.into())
    );
    assert_eq!(server.join().unwrap(), 1);
}

#[test]
fn a_feed_that_cannot_be_reached_or_is_none_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let database = ["--database", "sqlite:t.db"];
    let unknown = run(
        folder.path(),
        &[&["feed", "follow", "cve"][..], &database].concat(),
    )
    .expect(2);
    assert!(
        unknown.err.contains("there are cve-list, nvd, kev"),
        "{}",
        unknown.err
    );
    let (url, server) = serve(b"no catalogue".to_vec(), 1);
    let url = format!("kev={url}");
    let lying = ["feed", "follow", "kev", "--once", "--url", &url];
    let failed = run(folder.path(), &[&lying[..], &database].concat()).expect(3);
    assert!(
        failed.out.contains("kev: failed: its shape changed"),
        "{}",
        failed.out
    );
    server.join().unwrap();
}
