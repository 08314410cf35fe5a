//! Foreign inputs: from an apt and an HTTP server of the test's own, with all that can go wrong, told as "input not obtainable".

use crate::place::Place;
use seed_build::chain::{Chain, Made};
use seed_build::input::{FetchLimits, InputError, Sources, obtain};
use seed_build::store::Store;
use seed_proof::lineage::sha256;
use std::fmt::Write as _;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::time::{Duration, Instant};

/// What the foreign input is: the seed makes `abc` of it.
const CONTENTS: &[u8] = b"61 62 63";
const FILE: &str = "letters_1.0.orig.tar.gz";

/// The seed makes something of a foreign input of this version and hash.
fn chain(version: &str, hash: &str, from: &str) -> String {
    format!(
        r#"
chain = "foreign"
system = "x86_64-linux"
[[input]]
name = "letters"
version = "{version}"
foreign = {{ file = "{FILE}", {from} }}
sha256 = "{hash}"
[[input]]
name = "seed"
hexadecimal = "seed.hex0"
sha256 = "89fe4a06d05974a25fe9d7ac26c74bab87be846faf357b5eecb55340148e8049"
[[step]]
name = "abc"
program = "{{seed}}"
arguments = ["{{letters}}", "{{out}}"]
calls = ["creat", "exit", "open", "read", "write"]
"#
    )
}

/// A repository with one source package, and a configuration of apt that knows no other.
fn repository(folder: &Path) {
    let repository = folder.join("repository");
    fs::create_dir(&repository).unwrap();
    let mut sums = String::new();
    for (name, bytes) in [("letters_1.0-1.dsc", &b"description"[..]), (FILE, CONTENTS)] {
        fs::write(repository.join(name), bytes).unwrap();
        let _ = writeln!(sums, " {} {} {name}", sha256(bytes), bytes.len());
    }
    let stanza = format!(
        "Package: letters\nBinary: letters\nVersion: 1.0-1\nArchitecture: all\nFormat: 1.0\nDirectory: .\nChecksums-Sha256:\n{sums}\n"
    );
    fs::write(repository.join("Sources"), stanza).unwrap();
    let place = format!(
        "deb [trusted=yes allow-insecure=yes] file:{} ./\n",
        repository.display()
    );
    fs::write(folder.join("places.list"), place).unwrap();
    let configuration = format!(
        "Dir::Etc::sourcelist \"{0}/places.list\";\nDir::Etc::sourceparts \"{0}/none\";\n",
        folder.display()
    );
    fs::write(folder.join("apt.conf"), configuration).unwrap();
}

fn build(place: &Place, more: &[&str]) -> (i32, String) {
    let output = place
        .command("build")
        .args(more)
        .env("APT_CONFIG", place.path("apt.conf"))
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned()
        + &String::from_utf8_lossy(&output.stderr);
    (output.status.code().unwrap(), text)
}

#[test]
fn the_users_apt_gives_a_file_by_name_version_and_hash() {
    let hash = sha256(CONTENTS);
    let place = Place::new(&chain("1.0-1", &hash, "apt = \"letters\""));
    repository(place.folder.path());
    let (code, text) = build(&place, &[]);
    assert_eq!(code, 0, "{text}");
    // It is kept: neither apt nor a given file is needed any more.
    fs::remove_dir_all(place.path("repository")).unwrap();
    fs::remove_dir_all(place.path("store/objects")).unwrap();
    let (code, text) = build(&place, &["--offline"]);
    assert_eq!(code, 0, "{text}");
}

#[test]
fn what_apt_has_not_is_not_obtainable() {
    let hash = sha256(CONTENTS);
    for (version, package, words) in [
        (
            "2.0-1",
            "letters",
            "input not obtainable: letters 2.0-1: apt source package letters: E: ",
        ),
        (
            "1.0-1",
            "numbers",
            "input not obtainable: letters 1.0-1: apt source package numbers: E: ",
        ),
    ] {
        let place = Place::new(&chain(version, &hash, &format!("apt = \"{package}\"")));
        repository(place.folder.path());
        let (code, text) = build(&place, &[]);
        assert!(
            code == 1 && text.contains(words) && text.contains("blocked"),
            "{text}"
        );
        let (code, text) = build(&place, &["--offline"]);
        assert!(
            code == 1 && text.contains("nothing is fetched offline"),
            "{text}"
        );
    }
    // Apt has it, and it is not what the chain states.
    let place = Place::new(&chain("1.0-1", &sha256(b"other"), "apt = \"letters\""));
    repository(place.folder.path());
    let (code, text) = build(&place, &[]);
    let words = format!("input letters: its SHA-256 is {hash}, the chain states");
    assert!(code == 2 && text.contains(&words), "{text}");
}

#[test]
fn a_given_file_or_folder_counts_by_name() {
    let hash = sha256(CONTENTS);
    let place = Place::new(&chain("1.0-1", &hash, "apt = \"letters\""));
    let (code, text) = build(&place, &["--offline", "--input", "nowhere"]);
    assert!(
        code == 1 && text.contains("letters 1.0-1: nowhere is not there; nothing is fetched"),
        "{text}"
    );
    fs::create_dir(place.path("given")).unwrap();
    fs::write(place.path("given").join(FILE), CONTENTS).unwrap();
    let (code, text) = build(&place, &["--offline", "--input", "given"]);
    assert_eq!(code, 0, "{text}");
}

/// A server on this machine; each path behaves in its own way.
fn server() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            std::thread::spawn(move || serve(stream));
        }
    });
    address
}

/// What goes wrong here the client sees: it is the one that is tested.
fn serve(mut stream: TcpStream) {
    let mut request = String::new();
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let _ = reader.read_line(&mut request);
    let path = request.split(' ').nth(1).unwrap_or_default();
    let answer = |head: &str, body: &[u8]| {
        let head = format!("HTTP/1.1 {head}\r\nConnection: close\r\n\r\n");
        [head.as_bytes(), body].concat()
    };
    let away = |to: &str| {
        answer(
            &format!("302 Found\r\nLocation: {to}\r\nContent-Length: 0"),
            b"",
        )
    };
    let _ = stream.write_all(&match path {
        "/good" => answer("200 OK\r\nContent-Length: 8", CONTENTS),
        "/cut" => answer("200 OK\r\nContent-Length: 8", &CONTENTS[..4]),
        "/wrong" => answer("200 OK\r\nContent-Length: 5", b"wrong"),
        "/announced" => answer("200 OK\r\nContent-Length: 1000000000000", b""),
        "/endless" => answer("200 OK", b""),
        "/once" => away("/good"),
        "/for-ever" => away("/for-ever"),
        "/to-a-file" => away("file:///etc/passwd"),
        "/silent" => Vec::new(),
        _ => answer("404 Not Found\r\nContent-Length: 0", b""),
    });
    match path {
        "/endless" | "/announced" => while stream.write_all(&[b'x'; 4096]).is_ok() {},
        // Until the client gives up.
        "/silent" => drop(reader.read_to_end(&mut Vec::new())),
        _ => {}
    }
}

/// The input fetched from this address within tight limits: its content, or all that was tried.
fn fetch(url: &str) -> Result<Vec<u8>, String> {
    let place = Place::new(&chain(
        "1.0-1",
        &sha256(CONTENTS),
        &format!("url = \"{url}\""),
    ));
    let chain = Chain::read(&place.path("chain.toml")).unwrap();
    let store = Store::open(&place.path("store")).unwrap();
    let sources = Sources {
        fetch: FetchLimits {
            bytes: 100_000,
            time: Duration::from_secs(2),
            redirections: 3,
        },
        ..Sources::default()
    };
    let Made::Input(input) = &chain.items[0].made else {
        panic!("the first item is an input")
    };
    match obtain(&chain, &chain.items[0], input, &store, &sources) {
        Ok(object) => Ok(fs::read(store.object(&object.path)).unwrap()),
        Err(error @ InputError::NotObtainable { .. }) => Err(error.to_string()),
        Err(error) => Err(format!("another error: {error}")),
    }
}

#[test]
fn an_address_gives_a_file_within_limits() {
    let server = server();
    for path in ["/good", "/once"] {
        assert_eq!(
            fetch(&format!("{server}{path}")).unwrap(),
            CONTENTS,
            "{path}"
        );
    }
    for (path, words) in [
        ("/missing", "404"),
        ("/cut", "bytes"),
        ("/announced", "more than 100000 bytes came"),
        ("/endless", "more than 100000 bytes came"),
        ("/for-ever", "Maximum (3) redirects followed"),
        ("/to-a-file", "Protocol \"file\" not supported or disabled"),
        ("/silent", "timed out after 2"),
    ] {
        let begin = Instant::now();
        let said = fetch(&format!("{server}{path}")).unwrap_err();
        let start = format!("input not obtainable: letters 1.0-1: {server}{path}: ");
        assert!(said.starts_with(&start) && said.contains(words), "{said}");
        assert!(begin.elapsed() < Duration::from_secs(20), "{path}");
    }
    let said = fetch(&format!("{server}/wrong")).unwrap_err();
    let words = format!(
        "another error: input letters: its SHA-256 is {}",
        sha256(b"wrong")
    );
    assert!(said.starts_with(&words), "{said}");
    // Nobody listens there any more.
    let gone = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let said = fetch(&format!("http://{gone}/")).unwrap_err();
    assert!(
        said.contains("input not obtainable") && said.contains("connect"),
        "{said}"
    );
}
