//! A PostgreSQL server for this process: a scratch folder, a socket in it, an unprivileged user.
//!
//! Invariant: the server dies with the process. A shell waits on a pipe that only this process holds open; when it
//! closes, even by a kill, the shell stops the server and removes the folder.

use sqlx::{AssertSqlSafe, Connection as _, PgConnection};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;
use tokio::sync::OnceCell;
use tracker_store::Store;

/// The migrated database that each test's is a copy of.
const TEMPLATE: &str = "tracker_template";

/// Who the server runs as if the tests run as root, which it refuses.
const UNPRIVILEGED: &str = "nobody";

/// How often a server that is starting is asked, and how many times.
const PAUSE: Duration = Duration::from_millis(50);
const ATTEMPTS: u32 = 600;

/// Durability is switched off: what survives a crash of the server is PostgreSQL's own business.
const SETTINGS: &[&str] = &[
    "listen_addresses=",
    "fsync=off",
    "synchronous_commit=off",
    "full_page_writes=off",
    "max_connections=300",
    "shared_buffers=64MB",
    "autovacuum=off",
    "max_wal_size=256MB",
    "log_min_messages=fatal",
];

struct Server {
    folder: PathBuf,
    _shell: Child,
    _alive: ChildStdin,
}

static SERVER: OnceCell<Server> = OnceCell::const_new();
static NUMBER: AtomicU32 = AtomicU32::new(0);

/// The address of a fresh copy of the template.
pub(crate) async fn fresh() -> String {
    let server = SERVER.get_or_init(start).await;
    let name = format!("tracker_{}", NUMBER.fetch_add(1, Ordering::Relaxed));
    let mut connection = server
        .connect()
        .await
        .expect("the server accepts connections");
    // Copying pages is cheaper than logging each of them.
    let sql = format!("CREATE DATABASE {name} TEMPLATE {TEMPLATE} STRATEGY file_copy");
    sqlx::query(AssertSqlSafe(sql))
        .execute(&mut connection)
        .await
        .expect("the template can be copied");
    connection.close().await.expect("the connection closes");
    server.url(&name)
}

impl Server {
    fn url(&self, database: &str) -> String {
        let folder = self.folder.display();
        format!("postgres://tracker@localhost/{database}?host={folder}")
    }

    async fn connect(&self) -> Result<PgConnection, sqlx::Error> {
        PgConnection::connect(&self.url("postgres")).await
    }
}

async fn start() -> Server {
    let bin = binaries();
    let folder = tempfile::Builder::new()
        .prefix("tracker-pg-")
        .tempdir()
        .expect("a scratch folder can be made")
        .keep();
    let user = unprivileged();
    if let Some((uid, gid)) = user {
        std::os::unix::fs::chown(&folder, Some(uid), Some(gid))
            .expect("root may give a folder away");
    }
    let data = folder.join("data");
    let made = command(&bin.join("initdb"), &folder, user)
        .args(["--auth=trust", "--no-sync", "--locale=C", "--encoding=UTF8"])
        .args(["--username=tracker", "--pgdata"])
        .arg(&data)
        .output()
        .expect("initdb starts");
    assert!(
        made.status.success(),
        "initdb: {}",
        String::from_utf8_lossy(&made.stderr)
    );
    let mut shell = command(Path::new("sh"), &folder, user);
    shell
        .args([
            "-c",
            r#"folder=$1; shift; "$@" & read -r _; kill -INT $!; wait; rm -rf "$folder""#,
            "sh",
        ])
        .arg(&folder)
        .arg(bin.join("postgres"))
        .arg("-D")
        .arg(&data)
        .arg("-k")
        .arg(&folder);
    for setting in SETTINGS {
        shell.args(["-c", setting]);
    }
    let mut child = shell
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("a shell starts");
    let server = Server {
        folder,
        _alive: child.stdin.take().expect("the pipe was asked for"),
        _shell: child,
    };
    for attempt in 0.. {
        match server.connect().await {
            Ok(mut connection) => {
                let sql = format!("CREATE DATABASE {TEMPLATE}");
                sqlx::query(AssertSqlSafe(sql))
                    .execute(&mut connection)
                    .await
                    .expect("a database can be made");
                break;
            }
            Err(error) if attempt == ATTEMPTS => panic!("the server does not start: {error}"),
            Err(_) => tokio::time::sleep(PAUSE).await,
        }
    }
    let template = Store::open(&server.url(TEMPLATE)).await;
    template.expect("the template is migrated").close().await;
    server
}

/// A command in the folder, as the unprivileged user if there is a need.
fn command(program: &Path, folder: &Path, user: Option<(u32, u32)>) -> Command {
    let mut command = Command::new(program);
    command.current_dir(folder).env("LC_ALL", "C");
    if let Some((uid, gid)) = user {
        command.uid(uid).gid(gid);
    }
    command
}

/// User and group to run as; `None` if this process is no root.
fn unprivileged() -> Option<(u32, u32)> {
    use std::os::unix::fs::MetadataExt as _;
    // A file of this process has its owner's number, without a system call of our own.
    let mine = std::fs::metadata("/proc/self").expect("the proc file system is mounted");
    if mine.uid() != 0 {
        return None;
    }
    let users = std::fs::read_to_string("/etc/passwd").expect("the list of users is readable");
    let fields = users
        .lines()
        .map(|line| line.split(':').collect::<Vec<_>>())
        .find(|fields| fields[0] == UNPRIVILEGED)
        .expect("every system has the user nobody");
    let number = |index: usize| fields[index].parse().expect("a user has numbers");
    Some((number(2), number(3)))
}

/// The folder of the server's programs: `pg_config` names it, else the newest that Debian installed.
fn binaries() -> PathBuf {
    let configured = Command::new("pg_config").arg("--bindir").output();
    let configured = configured
        .ok()
        .and_then(|output| String::from_utf8(output.stdout).ok())
        .map(|text| PathBuf::from(text.trim()));
    let installed = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten();
    let mut installed: Vec<PathBuf> = installed
        .flatten()
        .map(|entry| entry.path().join("bin"))
        .collect();
    installed.sort();
    configured
        .into_iter()
        .chain(installed.into_iter().rev())
        .find(|folder| folder.join("postgres").exists() && folder.join("initdb").exists())
        .expect("PostgreSQL's server is installed (Debian: apt-get install postgresql)")
}
