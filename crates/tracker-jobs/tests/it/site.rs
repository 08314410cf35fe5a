//! A web server on the loopback interface that serves files, counts requests, and misbehaves on demand.
//!
//! It speaks HTTP/1.1 by hand, because a server library would not break off in the middle of an answer.

use std::collections::{BTreeMap, VecDeque};
use std::fmt::Write as _;
use std::sync::{Arc, Mutex, MutexGuard};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// What goes wrong with the next request.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Fault {
    /// This status, and how many seconds to wait.
    Status(u16, Option<u32>),
    /// The connection closes after so many bytes of the body.
    Cut(usize),
}

/// Answers requests below a path by their query.
type Api = Box<dyn FnMut(&str) -> String + Send>;

#[derive(Default)]
struct Shared {
    files: BTreeMap<String, Vec<u8>>,
    /// When files were last modified, by their paths.
    dates: BTreeMap<String, String>,
    /// What is said of the files that are put from now on.
    date: Option<String>,
    api: Option<(String, Api)>,
    /// Addresses that lead elsewhere.
    moved: BTreeMap<String, String>,
    faults: VecDeque<Fault>,
    log: Vec<String>,
}

/// The server, until it is dropped.
pub(crate) struct Site {
    address: String,
    shared: Arc<Mutex<Shared>>,
    task: tokio::task::JoinHandle<()>,
}

impl Drop for Site {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Site {
    pub(crate) async fn start() -> Site {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}/", listener.local_addr().unwrap());
        let shared = Arc::new(Mutex::new(Shared::default()));
        let state = Arc::clone(&shared);
        let task = tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let state = Arc::clone(&state);
                // A client that goes away is its own business.
                tokio::spawn(async move { drop(answer(stream, &state).await) });
            }
        });
        Site {
            address,
            shared,
            task,
        }
    }

    fn shared(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap()
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.address)
    }

    pub(crate) fn put(&self, path: &str, content: impl AsRef<[u8]>) {
        let content = content.as_ref().to_vec();
        let mut shared = self.shared();
        if let Some(date) = shared.date.clone() {
            shared.dates.insert(format!("/{path}"), date);
        }
        shared.files.insert(format!("/{path}"), content);
    }

    /// Files that are put from now on were last modified then, in HTTP's form.
    pub(crate) fn modified(&self, date: &str) {
        self.shared().date = Some(date.to_owned());
    }

    pub(crate) fn remove(&self, path: &str) {
        self.shared().files.remove(&format!("/{path}"));
    }

    pub(crate) fn api(&self, path: &str, answer: impl FnMut(&str) -> String + Send + 'static) {
        self.shared().api = Some((format!("/{path}"), Box::new(answer)));
    }

    /// Requests of `path` are led to `to`, as Hydra leads from a job to its build.
    pub(crate) fn lead(&self, path: &str, to: &str) {
        self.shared()
            .moved
            .insert(format!("/{path}"), to.to_owned());
    }

    pub(crate) fn fail(&self, faults: impl IntoIterator<Item = Fault>) {
        self.shared().faults.extend(faults);
    }

    /// How many requests came since the last call of [`Site::requests`].
    pub(crate) fn count(&self) -> usize {
        self.shared().log.len()
    }

    /// The heads of the requests since the last call.
    pub(crate) fn requests(&self) -> Vec<String> {
        std::mem::take(&mut self.shared().log)
    }
}

/// The value of a header.
fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    head.lines().find_map(|line| {
        let (key, value) = line.split_once(": ")?;
        key.eq_ignore_ascii_case(name).then_some(value.trim())
    })
}

/// A strong tag that follows from the content.
fn tag(content: &[u8]) -> String {
    let sum = content.iter().fold(7_u64, |sum, byte| {
        sum.wrapping_mul(1_099_511_628_211)
            .wrapping_add(u64::from(*byte))
    });
    format!("\"{sum:x}\"")
}

async fn answer(mut stream: TcpStream, shared: &Mutex<Shared>) -> std::io::Result<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let byte = stream.read_u8().await?;
        head.push(byte);
    }
    let head = String::from_utf8(head).unwrap();
    let (fault, content, date, moved) = {
        let mut shared = shared.lock().unwrap();
        let target = head.split(' ').nth(1).unwrap().to_owned();
        let (path, query) = target.split_once('?').unwrap_or((&target, ""));
        let fault = shared.faults.pop_front();
        shared.log.push(head.clone());
        let content = match (&mut shared.api, fault) {
            (Some((api, answer)), None) if api == path => Some(answer(query).into_bytes()),
            _ => shared
                .files
                .get(&target)
                .or_else(|| shared.files.get(path))
                .cloned(),
        };
        let moved = shared.moved.get(path).cloned();
        (fault, content, shared.dates.get(path).cloned(), moved)
    };
    let mut status = 200;
    let mut fields = String::new();
    let mut body = Vec::new();
    let mut cut = usize::MAX;
    match (fault, content) {
        (Some(Fault::Status(given, wait)), _) => {
            status = given;
            if let Some(seconds) = wait {
                let _ = write!(fields, "Retry-After: {seconds}\r\n");
            }
        }
        (None, None) if moved.is_some() => {
            status = 302;
            let _ = write!(fields, "Location: {}\r\n", moved.unwrap_or_default());
        }
        (_, None) => status = 404,
        (fault, Some(content)) => {
            let tag = tag(&content);
            let _ = write!(fields, "ETag: {tag}\r\n");
            if let Some(date) = date {
                let _ = write!(fields, "Last-Modified: {date}\r\n");
            }
            let range = header(&head, "range").filter(|_| header(&head, "if-range") == Some(&tag));
            if header(&head, "if-none-match") == Some(&tag) {
                status = 304;
            } else if let Some(range) = range {
                let from = range.trim_start_matches("bytes=").trim_end_matches('-');
                let from: usize = from.parse().unwrap();
                let (last, all) = (content.len() - 1, content.len());
                let _ = write!(fields, "Content-Range: bytes {from}-{last}/{all}\r\n");
                status = 206;
                body = content[from..].to_vec();
            } else {
                body = content;
            }
            if let Some(Fault::Cut(after)) = fault {
                cut = after;
            }
        }
    }
    let length = body.len();
    let head = format!(
        "HTTP/1.1 {status} X\r\nContent-Length: {length}\r\nConnection: close\r\n{fields}\r\n"
    );
    stream.write_all(head.as_bytes()).await?;
    stream.write_all(&body[..length.min(cut)]).await?;
    stream.shutdown().await
}
