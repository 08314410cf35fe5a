//! Clients: connections that are kept, each of which asks one thing after another.
//!
//! Invariant: at a fixed rate a request's time counts from when it was due, so that a server that stalls is not asked
//! less and does not look faster for it.

use crate::Failure;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::Instant;

/// What is asked, and by how many.
pub(crate) struct Load {
    address: String,
    paths: Arc<Vec<String>>,
    clients: usize,
}

/// What came of it.
pub(crate) struct Outcome {
    times: Vec<Duration>,
    refused: usize,
    elapsed: Duration,
}

impl Load {
    pub(crate) fn new(address: &str, paths: &[String], clients: usize) -> Load {
        Load {
            address: address.to_owned(),
            paths: Arc::new(paths.to_vec()),
            clients,
        }
    }

    /// Asks for a time, at a rate or as fast as it is answered.
    pub(crate) async fn run(&self, rate: Option<u32>, time: Duration) -> Result<Outcome, Failure> {
        let next = Arc::new(AtomicUsize::new(0));
        let started = Instant::now();
        let mut tasks = Vec::new();
        for _ in 0..self.clients {
            let (next, paths) = (Arc::clone(&next), Arc::clone(&self.paths));
            let mut connection = Connection::open(&self.address).await?;
            tasks.push(tokio::spawn(async move {
                let (mut times, mut refused) = (Vec::new(), 0);
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    let due = rate.map_or_else(Instant::now, |rate| {
                        started + Duration::from_secs(1) * number as u32 / rate
                    });
                    if due >= started + time {
                        return Ok::<_, std::io::Error>((times, refused));
                    }
                    tokio::time::sleep_until(due).await;
                    let status = connection.get(&paths[number % paths.len()]).await?;
                    times.push(due.elapsed());
                    refused += usize::from(status != 200);
                }
            }));
        }
        let mut outcome = Outcome {
            times: Vec::new(),
            refused: 0,
            elapsed: Duration::ZERO,
        };
        for task in tasks {
            let (times, refused) = task.await??;
            outcome.times.extend(times);
            outcome.refused += refused;
        }
        outcome.elapsed = started.elapsed();
        outcome.times.sort_unstable();
        Ok(outcome)
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ms = |share: usize| {
            let place = (self.times.len() * share).div_ceil(100).saturating_sub(1);
            let time = self.times.get(place).copied().unwrap_or_default();
            time.as_secs_f64() * 1e3
        };
        write!(
            f,
            "{} answers in {:.1} s ({:.0} a second), P50 {:.2} ms, P95 {:.2} ms, max {:.2} ms, {} not 200",
            self.times.len(),
            self.elapsed.as_secs_f64(),
            self.times.len() as f64 / self.elapsed.as_secs_f64(),
            ms(50),
            ms(95),
            ms(100),
            self.refused
        )
    }
}

struct Connection {
    stream: TcpStream,
    host: String,
    buffer: Vec<u8>,
}

impl Connection {
    async fn open(host: &str) -> std::io::Result<Connection> {
        let stream = TcpStream::connect(host).await?;
        stream.set_nodelay(true)?;
        Ok(Connection {
            stream,
            host: host.to_owned(),
            buffer: Vec::new(),
        })
    }

    /// Asks, reads the answer whole, and gives its status.
    async fn get(&mut self, path: &str) -> std::io::Result<u16> {
        let request = format!("GET {path} HTTP/1.1\r\nhost: {}\r\n\r\n", self.host);
        self.stream.write_all(request.as_bytes()).await?;
        self.buffer.clear();
        let head = loop {
            if let Some(end) = find(&self.buffer, b"\r\n\r\n") {
                break end + 4;
            }
            self.more().await?;
        };
        let text = String::from_utf8_lossy(&self.buffer[..head]).to_ascii_lowercase();
        let status = text.get(9..12).and_then(|status| status.parse().ok());
        let length = text.lines().find_map(|line| {
            let length = line.strip_prefix("content-length: ")?;
            length.trim().parse::<usize>().ok()
        });
        let wrong = || std::io::Error::other(format!("an answer without length: {text}"));
        let end = head + length.ok_or_else(wrong)?;
        while self.buffer.len() < end {
            self.more().await?;
        }
        status.ok_or_else(wrong)
    }

    async fn more(&mut self) -> std::io::Result<()> {
        match self.stream.read_buf(&mut self.buffer).await? {
            0 => Err(std::io::ErrorKind::UnexpectedEof.into()),
            _ => Ok(()),
        }
    }
}

fn find(text: &[u8], wanted: &[u8]) -> Option<usize> {
    text.windows(wanted.len()).position(|part| part == wanted)
}
