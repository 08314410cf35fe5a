//! A PostgreSQL server for this process: a scratch folder, a socket in it, an unprivileged user.
//!
//! Invariants: what is on a disk of a server's own is seen by the server alone, and is gone with it. The server dies with the process. A shell waits on a pipe that only this process holds open; when it
//! closes, even by a kill, the shell stops the server and removes the folder.

use sqlx::{AssertSqlSafe, Connection as _, PgConnection};
use std::fs::File;
use std::io::{ErrorKind, Write as _};
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
/// Bytes by which a disk is filled.
const BLOCK: usize = 4096;
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

/// What the shell does: it runs the server, and stops and starts it when told to.
const SHELL: &str = r#"folder=$1; shift
"$@" & server=$!
while read -r word; do
  case $word in
    stop) kill -INT $server; wait $server ;;
    start) "$@" & server=$! ;;
  esac
done
kill -INT $server; wait; rm -rf "$folder""#;

/// Makes a small disk that only the server sees, moves the data there, and goes on as the unprivileged user again, since a
/// server refuses to run as root, also as one of its own name space.
const DISK: &str = r#"set -e
folder=$1 bytes=$2; shift 2
mount -t tmpfs -o size="$bytes" tmpfs "$folder/disk"
mv "$folder/data" "$folder/disk/data"
: >"$folder/disk/ballast"
exec unshare --user --map-user=1000 --map-group=1000 "$@""#;

#[derive(Debug)]
struct Server {
    folder: PathBuf,
    shell: Child,
    alive: ChildStdin,
}

/// A server of a test's own, which may be stopped and started again, with one migrated database.
#[derive(Debug)]
pub struct PrivateServer(Server);

impl PrivateServer {
    /// Starts one.
    ///
    /// # Panics
    /// If PostgreSQL is not installed or does not start.
    pub async fn new() -> PrivateServer {
        PrivateServer(start(None).await)
    }

    /// Starts one whose data lie on a disk of its own, of so many bytes.
    ///
    /// # Panics
    /// As [`PrivateServer::new`], and if this process may have no name spaces of its own.
    pub async fn on_disk(bytes: u64) -> PrivateServer {
        PrivateServer(start(Some(bytes)).await)
    }

    /// Fills its disk up to the last byte.
    ///
    /// # Panics
    /// If it has none.
    pub fn fill_disk(&self) {
        let mut ballast = self.ballast();
        let block = vec![0; BLOCK];
        let full = loop {
            if let Err(error) = ballast.write_all(&block) {
                break error;
            }
        };
        assert_eq!(full.kind(), ErrorKind::StorageFull, "{full}");
    }

    /// Gives the space back.
    ///
    /// # Panics
    /// If it has no disk.
    pub fn clear_disk(&self) {
        let cleared = self.ballast().set_len(0);
        cleared.expect("the disk is there");
    }

    /// What fills the disk: seen through the server's process, to whom alone the disk is there.
    fn ballast(&self) -> File {
        let Server { folder, shell, .. } = &self.0;
        let path = format!("/proc/{}/root{}/disk/ballast", shell.id(), folder.display());
        let file = File::options().append(true).open(path);
        file.expect("the server has a disk of its own")
    }

    /// The address of its database.
    pub fn url(&self) -> String {
        self.0.url(TEMPLATE)
    }

    /// Stops it: whoever is connected is thrown out.
    ///
    /// # Panics
    /// If it does not stop.
    pub async fn stop(&mut self) {
        self.tell("stop");
        self.0.wait_until(false).await;
    }

    /// Starts it again.
    ///
    /// # Panics
    /// If it does not start.
    pub async fn start(&mut self) {
        self.tell("start");
        self.0.wait_until(true).await;
    }

    fn tell(&mut self, word: &str) {
        let told = writeln!(self.0.alive, "{word}");
        told.expect("the shell listens");
    }
}

static SERVER: OnceCell<Server> = OnceCell::const_new();
static NUMBER: AtomicU32 = AtomicU32::new(0);

/// The address of a fresh copy of the template.
pub(crate) async fn fresh() -> String {
    let server = SERVER.get_or_init(|| start(None)).await;
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

    /// Waits until it accepts connections, or does no longer.
    async fn wait_until(&self, answers: bool) {
        for attempt in 0.. {
            match self.connect().await {
                Ok(connection) => {
                    // Whether it closes in peace is of no interest.
                    let _ = connection.close().await;
                    if answers {
                        return;
                    }
                    assert!(attempt < ATTEMPTS, "the server does not stop");
                }
                Err(_) if !answers => return,
                Err(error) => assert!(attempt < ATTEMPTS, "the server does not start: {error}"),
            }
            tokio::time::sleep(PAUSE).await;
        }
    }
}

/// Starts a server, with its data on a disk of so many bytes if it is to have one of its own.
async fn start(disk: Option<u64>) -> Server {
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
    let (mut shell, data) = match disk {
        None => (command(Path::new("sh"), &folder, user), data),
        Some(bytes) => {
            std::fs::create_dir(folder.join("disk")).expect("the folder is there");
            let mut shell = command(Path::new("unshare"), &folder, user);
            shell
                .args(["--user", "--map-root-user", "--mount"])
                .args(["sh", "-c", DISK, "sh"])
                .arg(&folder)
                .args([&bytes.to_string(), "sh"]);
            (shell, folder.join("disk/data"))
        }
    };
    shell
        .args(["-c", SHELL, "sh"])
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
        alive: child.stdin.take().expect("the pipe was asked for"),
        shell: child,
    };
    server.wait_until(true).await;
    let mut connection = server
        .connect()
        .await
        .expect("the server accepts connections");
    let sql = format!("CREATE DATABASE {TEMPLATE}");
    sqlx::query(AssertSqlSafe(sql))
        .execute(&mut connection)
        .await
        .expect("a database can be made");
    connection.close().await.expect("the connection closes");
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
