//! Connections: the limits hold on a real socket, and a stop is a clean one.

use crate::site::Site;
use std::net::SocketAddr;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tracker_testkit::{Database, Kind};
use tracker_web::{Limits, router, serve};

struct Server {
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    done: JoinHandle<std::io::Result<()>>,
    _database: Database,
}

async fn start(limits: Limits) -> Server {
    let database = Database::new(Kind::Sqlite).await;
    let site = Site::new(&database).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let router = router(site.store, limits);
    let done = tokio::spawn(async move {
        serve(listener, router, limits, async {
            let _ = stopped.await;
        })
        .await
    });
    Server {
        address,
        stop,
        done,
        _database: database,
    }
}

async fn exchange(address: SocketAddr, request: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    // A server that refuses may reset the connection after its answer.
    let _ = stream.read_to_end(&mut answer).await;
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test]
async fn a_page_comes_over_a_socket_and_a_stop_ends_the_server() {
    let server = start(Limits::default()).await;
    let answer = exchange(
        server.address,
        "GET /healthz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n",
    )
    .await;
    assert!(
        answer.starts_with("HTTP/1.1 200 OK") && answer.ends_with("ok\n"),
        "{answer}"
    );
    // A connection kept alive does not keep the server.
    let mut idle = TcpStream::connect(server.address).await.unwrap();
    idle.write_all(b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n")
        .await
        .unwrap();
    let mut first = [0; 15];
    idle.read_exact(&mut first).await.unwrap();
    server.stop.send(()).unwrap();
    tokio::time::timeout(Duration::from_secs(5), server.done)
        .await
        .unwrap()
        .unwrap()
        .unwrap();
    assert!(
        TcpStream::connect(server.address).await.is_err(),
        "nobody listens any more"
    );
}

#[tokio::test]
async fn a_connection_that_dawdles_is_dropped() {
    let limits = Limits {
        headers: Duration::from_millis(200),
        ..Limits::default()
    };
    let server = start(limits).await;
    let started = Instant::now();
    exchange(server.address, "GET / HTTP/1.1\r\nhost: ").await;
    assert!(
        started.elapsed() < Duration::from_secs(5),
        "{:?}",
        started.elapsed()
    );
}

#[tokio::test]
async fn who_reads_no_answer_holds_no_connection() {
    let limits = Limits {
        connections: 1,
        taking: Duration::from_millis(300),
        ..Limits::default()
    };
    let server = start(limits).await;
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4_096).unwrap();
    let mut silent = socket.connect(server.address).await.unwrap();
    // Some answers are in the system's buffers; more are not.
    let page = "GET /about HTTP/1.1\r\nhost: x\r\n\r\n";
    silent.write_all(page.repeat(600).as_bytes()).await.unwrap();
    let request = "GET /healthz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
    let waiting = exchange(server.address, request);
    let answer = tokio::time::timeout(Duration::from_mins(1), waiting)
        .await
        .expect("the only slot is free again");
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    drop(silent);
}

#[tokio::test]
async fn further_connections_wait_for_a_slot() {
    let limits = Limits {
        connections: 1,
        ..Limits::default()
    };
    let server = start(limits).await;
    let holder = TcpStream::connect(server.address).await.unwrap();
    let request = "GET /healthz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
    let waiting = tokio::spawn(exchange(server.address, request));
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert!(!waiting.is_finished(), "the only slot is taken");
    drop(holder);
    let answer = tokio::time::timeout(Duration::from_secs(5), waiting)
        .await
        .unwrap()
        .unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}

#[tokio::test]
async fn nonsense_gets_an_error_not_a_crash() {
    let server = start(Limits::default()).await;
    for nonsense in [
        "\r\n\r\n\r\n",
        "GET\r\n\r\n",
        "GET / HTTP/9.9\r\n\r\n",
        "\u{0}\u{1}\u{2}\r\n\r\n",
        "GET /%00 HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n",
        "GET /packages/%FF%FE/%C3%28 HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n",
        "GET /vulnerabilities/%E0%A4%A.json HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n",
        "GET /vulnerabilities?q=%FF%FE%00 HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n",
        "POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 99999999999\r\nconnection: close\r\n\r\n",
    ] {
        let answer = exchange(server.address, nonsense).await;
        assert!(
            answer.is_empty() || answer.starts_with("HTTP/1.1 4"),
            "{nonsense:?}: {answer}"
        );
    }
    let answer = exchange(
        server.address,
        "GET /healthz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n",
    )
    .await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}
