//! The service as it is run: its probes, its log, and how it ends while it is asked.

use crate::program::command;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tracker_testkit::{Database, Kind, on_both_databases};

/// A running `serve`, with its metrics at another address.
pub(crate) struct Service {
    child: Child,
    pub(crate) pages: String,
    metrics: String,
}

impl Drop for Service {
    fn drop(&mut self) {
        // Already gone if the test went well.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Service {
    pub(crate) fn start(folder: &Path, database: &str, arguments: &[&str]) -> Service {
        Service::started(command(folder), folder, database, arguments)
    }

    /// As [`Service::start`], of a command that ends in the program's path.
    pub(crate) fn started(
        mut command: Command,
        folder: &Path,
        database: &str,
        arguments: &[&str],
    ) -> Service {
        let mut child = command
            .args(["serve", "--database", database, "--listen", "127.0.0.1:0"])
            .args([
                "--metrics-listen",
                "127.0.0.1:0",
                "--log",
                "info",
                "--log-format",
                "json",
            ])
            .args(arguments)
            .stdout(Stdio::piped())
            .stderr(std::fs::File::create(folder.join("log")).unwrap())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut address = |what: &str| {
            let line = lines.next().unwrap().unwrap();
            let address = line.strip_prefix(&format!("{what} on http://"));
            address.unwrap_or_else(|| panic!("{line}")).to_owned()
        };
        let pages = address("serving");
        let metrics = address("metrics");
        Service {
            child,
            pages,
            metrics,
        }
    }

    /// Its process.
    pub(crate) fn process(&self) -> u32 {
        self.child.id()
    }

    /// SIGKILL.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    fn terminate(&self) {
        let process = self.child.id().to_string();
        let sent = Command::new("kill").args(["-TERM", &process]).status();
        assert!(sent.unwrap().success());
    }
}

/// A request that is sent, and whose answer is read later.
fn send(address: &str, path: &str) -> TcpStream {
    let mut stream = TcpStream::connect(address).unwrap();
    let host = format!("host: {address}\r\nconnection: close\r\nx-request-id: from-the-proxy");
    write!(stream, "GET {path} HTTP/1.1\r\n{host}\r\n\r\n").unwrap();
    stream
}

fn answer(mut stream: TcpStream) -> String {
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

pub(crate) fn get(address: &str, path: &str) -> String {
    answer(send(address, path))
}

/// Asks until the answer is the one that is waited for.
fn wait_for(address: &str, path: &str, expected: &str) {
    let started = Instant::now();
    loop {
        let answer = get(address, path);
        if answer.contains(expected) {
            return;
        }
        assert!(
            started.elapsed() < Duration::from_secs(20),
            "{path}: {answer}"
        );
        std::thread::sleep(Duration::from_millis(20));
    }
}

on_both_databases! {
    async fn a_request_is_one_line_of_the_log(database) {
        database.open().await.close().await;
        let folder = tempfile::tempdir().unwrap();
        let mut service = Service::start(folder.path(), database.url(), &[]);
        for path in ["/vulnerabilities?q=what-i-look-for", "/nowhere", "/healthz", "/readyz"] {
            get(&service.pages, path);
        }
        assert!(get(&service.pages, "/metrics").starts_with("HTTP/1.1 404"), "they are elsewhere");
        let metrics = get(&service.metrics, "/metrics");
        assert!(metrics.contains("http_requests_total{route=\"/vulnerabilities\",method=\"GET\",status=\"200\"} 1"), "{metrics}");
        assert!(get(&service.metrics, "/nowhere").starts_with("HTTP/1.1 404"));
        service.terminate();
        assert_eq!(service.child.wait().unwrap().code(), Some(0));
        let log = std::fs::read_to_string(folder.path().join("log")).unwrap();
        assert!(!log.contains("what-i-look-for"), "{log}");
        let lines = log.lines().filter(|line| line.contains("elapsed_us"));
        let lines: Vec<serde_json::Value> = lines.map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(lines.len(), 3, "one a request for a page: {log}");
        for (line, route, path, status) in [
            (&lines[0], "/vulnerabilities", "/vulnerabilities", 200),
            (&lines[1], "none", "/nowhere", 404),
            (&lines[2], "none", "/metrics", 404),
        ] {
            let fields = &line["fields"];
            assert_eq!(fields["id"], "from-the-proxy", "{line}");
            assert_eq!(fields["method"], "GET", "{line}");
            assert_eq!((&fields["route"], &fields["path"]), (&route.into(), &path.into()), "{line}");
            assert_eq!(fields["status"], status, "{line}");
            assert!(fields["elapsed_us"].is_u64(), "{line}");
            assert!(line["timestamp"].is_string() && line["level"] == "INFO", "{line}");
        }
    }
}

/// A session that holds the lock of a table, so that a page has to wait.
struct Lock(Child);

impl Lock {
    fn take(url: &str) -> Lock {
        let mut child = Command::new("psql")
            .args([url, "--no-psqlrc", "--quiet", "--tuples-only"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let sql = "BEGIN;\nLOCK TABLE counter IN ACCESS EXCLUSIVE MODE;\nSELECT 'held';\n";
        child
            .stdin
            .as_mut()
            .unwrap()
            .write_all(sql.as_bytes())
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().unwrap())
            .read_line(&mut line)
            .unwrap();
        assert_eq!(line.trim(), "held");
        Lock(child)
    }

    fn release(mut self) {
        drop(self.0.stdin.take());
        assert!(self.0.wait().unwrap().success());
    }
}

#[tokio::test]
async fn a_request_under_way_is_answered_after_sigterm() {
    let database = Database::new(Kind::Postgres).await;
    database.open().await.close().await;
    let folder = tempfile::tempdir().unwrap();
    let mut service = Service::start(folder.path(), database.url(), &[]);
    wait_for(&service.metrics, "/readyz", "\r\n\r\nok\n");
    let lock = Lock::take(database.url());
    let slow = send(&service.pages, "/");
    wait_for(&service.metrics, "/metrics", "http_requests_under_way 1\n");

    service.terminate();
    wait_for(&service.metrics, "/readyz", "HTTP/1.1 503");
    assert!(get(&service.metrics, "/readyz").ends_with("\r\n\r\nstopping\n"));
    assert!(
        get(&service.metrics, "/healthz").starts_with("HTTP/1.1 200"),
        "it lives still"
    );
    // The listener goes right after the word is out.
    let started = Instant::now();
    while TcpStream::connect(&service.pages).is_ok() {
        assert!(
            started.elapsed() < Duration::from_secs(5),
            "nobody new is let in"
        );
    }
    assert_eq!(
        service.child.try_wait().unwrap(),
        None,
        "it waits for the answer"
    );

    lock.release();
    let answer = answer(slow);
    assert!(
        answer.starts_with("HTTP/1.1 200") && answer.trim_end().ends_with("</html>"),
        "{answer}"
    );
    assert_eq!(service.child.wait().unwrap().code(), Some(0));
    assert!(
        TcpStream::connect(&service.metrics).is_err(),
        "nothing is left"
    );
}

#[tokio::test]
async fn a_drain_lets_a_load_balancer_notice() {
    let database = Database::new(Kind::Sqlite).await;
    database.open().await.close().await;
    let folder = tempfile::tempdir().unwrap();
    let mut service = Service::start(folder.path(), database.url(), &["--drain", "1"]);
    wait_for(&service.pages, "/readyz", "\r\n\r\nok\n");
    let started = Instant::now();
    service.terminate();
    wait_for(&service.pages, "/readyz", "\r\n\r\nstopping\n");
    assert!(
        get(&service.pages, "/about").starts_with("HTTP/1.1 200"),
        "pages are answered meanwhile"
    );
    assert_eq!(service.child.wait().unwrap().code(), Some(0));
    assert!(started.elapsed() >= Duration::from_secs(1));
}
