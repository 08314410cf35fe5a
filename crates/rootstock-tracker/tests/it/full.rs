//! A disk that is full: what cannot be kept is refused by name, what is held is shown, and once there is space all goes
//! on by itself.

use crate::operate::{Service, get};
use crate::program::{PROGRAM, command_of};
use crate::replicas::{answer, send, token};
use std::io::Read as _;
use std::time::Duration;
use tracker_store::Store;
use tracker_testkit::scale::{self, Scale};
use tracker_testkit::{Database, Kind, PrivateServer};

const SCALE: Scale = Scale {
    vulnerabilities: 210,
    packages: 40,
};

/// Bytes that another file takes, and those left beside it.
const BALLAST: u64 = 32 << 20;
const LEFT: u64 = 128 << 10;
/// Bytes of the disk of a PostgreSQL server: its own files, the database twice, and its log.
const SERVER_DISK: u64 = 192 << 20;

/// Makes a small disk that only this process and its children see, copies the database to it, and fills it up.
const DISK: &str = r#"set -e
folder=$1 size=$2 ballast=$3; shift 3
mount -t tmpfs -o size="$size" tmpfs "$folder/disk"
cp "$folder/t.db" "$folder/disk/t.db"
head -c "$ballast" /dev/zero >"$folder/disk/ballast"
exec "$@""#;

#[tokio::test]
async fn a_full_disk_is_told_and_overcome() {
    let source = Database::new(Kind::Sqlite).await;
    let store = source.open().await;
    scale::fill(&store, SCALE, &mut |_| ()).await.unwrap();
    let token = token(&store).await;
    let matches = store.overview().await.unwrap().matches;
    store.close().await;
    let folder = tempfile::tempdir().unwrap();
    let path = source.url().strip_prefix("sqlite:").unwrap();
    let size = std::fs::copy(path, folder.path().join("t.db")).unwrap();
    std::fs::create_dir(folder.path().join("disk")).unwrap();
    let size = size.next_multiple_of(4096) + BALLAST + LEFT;
    let here = folder.path().display().to_string();

    let mut command = command_of("unshare", folder.path());
    command.args([
        "--user",
        "--map-root-user",
        "--mount",
        "sh",
        "-c",
        DISK,
        "sh",
        &here,
    ]);
    command.args([&size.to_string(), &BALLAST.to_string(), PROGRAM]);
    let service = Service::started(command, folder.path(), "sqlite:disk/t.db", &[]);

    // Through the process, to whom alone the disk is there.
    let ballast = format!("/proc/{}/root{here}/disk/ballast", service.process());
    refused_then_done(&service, &token, matches, || {
        std::fs::remove_file(ballast).unwrap();
    });
}

#[tokio::test]
async fn a_full_disk_of_a_server_is_told_and_overcome() {
    let server = PrivateServer::on_disk(SERVER_DISK).await;
    let store = Store::open(&server.url()).await.unwrap();
    scale::fill(&store, SCALE, &mut |_| ()).await.unwrap();
    let token = token(&store).await;
    let matches = store.overview().await.unwrap().matches;
    store.close().await;
    let folder = tempfile::tempdir().unwrap();
    let service = Service::start(folder.path(), &server.url(), &[]);
    server.fill_disk();
    refused_then_done(&service, &token, matches, || server.clear_disk());
}

/// A decision about everything is refused as long as there is no space, while what is held is shown; once there is, the
/// same decision is carried out, by the same process.
fn refused_then_done(service: &Service, token: &str, matches: u64, free: impl FnOnce()) {
    let mut refused = String::new();
    let mut stream = send(&service.pages, token, 1);
    stream.read_to_string(&mut refused).unwrap();
    assert!(refused.starts_with("HTTP/1.1 503"), "{refused}");
    let head = refused.to_lowercase();
    assert!(head.contains("retry-after: 60\r\n"), "{refused}");
    assert!(
        head.contains("content-type: application/problem+json\r\n"),
        "{refused}"
    );
    assert!(
        refused.contains("No space is left") && !head.contains("sql"),
        "{refused}"
    );
    for page in ["/queue", "/vulnerabilities", "/readyz"] {
        let answer = get(&service.pages, page);
        assert!(answer.starts_with("HTTP/1.1 200"), "{page}: {answer}");
    }
    free();
    std::thread::sleep(Duration::from_millis(50));
    let done = answer(send(&service.pages, token, 1)).unwrap();
    assert_eq!(
        done["changed"].as_array().unwrap().len() as u64,
        matches,
        "nothing was kept before"
    );
}
