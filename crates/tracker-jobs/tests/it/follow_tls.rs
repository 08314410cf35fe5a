//! Over TLS: a server is believed if an authority that is trusted vouches for its name, and not otherwise.
//!
//! The certificates are made by OpenSSL, the server speaks TLS by rustls.

use crate::follow::{feed, kev};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;
use tracker_jobs::{Content, FeedKind, FetchError, FetchLimits, Fetcher, follow};
use tracker_record::Source;
use tracker_store::Store;

fn openssl(folder: &Path, arguments: &str) {
    let output = Command::new("openssl")
        .current_dir(folder)
        .args(arguments.split(' '))
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "openssl {arguments}: {told}");
}

/// An authority, and a server's certificate for the loopback address.
fn certificates(folder: &Path) {
    let key = "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes";
    openssl(
        folder,
        &format!(
            "req -x509 {key} -keyout ca.key -out ca.pem -subj /CN=authority -days 2 -addext basicConstraints=critical,CA:TRUE"
        ),
    );
    openssl(
        folder,
        &format!("req {key} -keyout server.key -out server.csr -subj /CN=server"),
    );
    std::fs::write(folder.join("names"), "subjectAltName=IP:127.0.0.1\n").unwrap();
    openssl(
        folder,
        "x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile names -out server.pem",
    );
}

/// Answers every request with a catalogue, until the process ends.
fn serve(folder: &Path) -> SocketAddr {
    let chain = CertificateDer::pem_file_iter(folder.join("server.pem"));
    let chain = chain.unwrap().collect::<Result<Vec<_>, _>>().unwrap();
    let key = PrivateKeyDer::from_pem_file(folder.join("server.key")).unwrap();
    let _ = rustls::crypto::ring::default_provider().install_default();
    let config = ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .unwrap();
    let config = Arc::new(config);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let connection = ServerConnection::new(Arc::clone(&config)).unwrap();
            let mut stream = StreamOwned::new(connection, stream.unwrap());
            let mut head = [0; 4096];
            // A client that does not trust us breaks off here.
            if stream.read(&mut head).is_err() {
                continue;
            }
            let body = kev(1, &["CVE-2026-0001"]);
            let length = body.len();
            let answer = format!(
                "HTTP/1.1 200 OK\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
            );
            stream.write_all(answer.as_bytes()).unwrap();
            stream.conn.send_close_notify();
            let _ = stream.flush();
        }
    });
    address
}

#[tokio::test]
async fn a_server_is_believed_by_its_authority_and_name_alone() {
    let folder = tempfile::tempdir().unwrap();
    certificates(folder.path());
    let port = serve(folder.path()).port();
    let authority = std::fs::read(folder.path().join("ca.pem")).unwrap();
    let store = Store::open("sqlite::memory:").await.unwrap();
    let limits = FetchLimits {
        attempts: 2,
        first_pause: Duration::from_millis(4),
        ..FetchLimits::default()
    };
    let fetcher =
        |authorities: &[u8]| Fetcher::trusting(folder.path().join("spool"), limits, authorities);
    let of = |host: &str| {
        let url = format!("https://{host}:{port}/kev.json");
        feed(FeedKind::File(Content::Kev), url)
    };
    for (fetcher, host) in [
        (fetcher(&[]).unwrap(), "127.0.0.1"),
        (fetcher(&authority).unwrap(), "localhost"),
    ] {
        let report = follow(&store, &fetcher, &of(host)).await.unwrap();
        let problem = report.problem.unwrap();
        assert!(problem.contains("certificate"), "{host}: {problem}");
    }
    let trusting = fetcher(&authority).unwrap();
    let report = follow(&store, &trusting, &of("127.0.0.1")).await.unwrap();
    assert_eq!((report.problem, report.records.added), (None, 1));
    assert_eq!(store.sources().await.unwrap()[0].source, Source::Kev);

    let no_certificate = b"-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n";
    assert!(matches!(
        fetcher(no_certificate),
        Err(FetchError::Authority { .. })
    ));
}
