//! Lists of other distributions and of evaluations: each in its documented shape, chosen by its content.
//!
//! Invariant: whichever reader takes a list, nothing of it is left out without a reason.

use proptest::prelude::*;
use std::io::Write;
use std::process::{Command, Stdio};
use tracker_inventory::{
    Debian, Header, Inventory, InventoryError, Package, StorePaths, open, read_any,
};

fn any(text: &str) -> (Header, Vec<Package>) {
    read_any(|| Ok(text.as_bytes())).unwrap()
}

fn rows(packages: &[Package]) -> Vec<(&str, &str, Option<&str>)> {
    packages
        .iter()
        .map(|p| (p.attribute.as_str(), p.pname.as_str(), p.version.as_deref()))
        .collect()
}

#[test]
fn what_nix_env_prints_is_read() {
    let (header, packages) = any(
        r#"{"nixos.hello":{"name":"hello-2.12","pname":"hello","version":"2.12","system":"x86_64-linux","meta":{"homepage":"https://hello.example"}},
            "nixos.six":{"name":"six-1.0"},"nixos.odd":{}}"#,
    );
    assert_eq!(
        rows(&packages),
        [
            ("nixos.hello", "hello", Some("2.12")),
            ("nixos.six", "six", Some("1.0"))
        ]
    );
    assert_eq!(packages[0].homepages, ["https://hello.example"]);
    assert_eq!(header.rejected[0].entry, "nixos.odd");
}

#[test]
fn what_nix_eval_jobs_prints_is_read() {
    let (header, packages) = any(concat!(
        r#"{"attr":"hello","attrPath":["hello"],"drvPath":"/nix/store/aaaa-hello-2.12.drv","name":"hello-2.12","outputs":{"out":"/nix/store/bbbb-hello-2.12"},"system":"x86_64-linux"}"#,
        "\n",
        r#"{"attr":"broken","attrPath":["broken"],"error":"error: it is marked as broken\n at line 3"}"#,
        "\n",
        r#"{"attr":"six","attrPath":["six"],"name":"six-1.0","meta":{"description":"Two and three"}}"#,
        "\n",
    ));
    assert_eq!(
        rows(&packages),
        [
            ("hello", "hello", Some("2.12")),
            ("six", "six", Some("1.0"))
        ]
    );
    assert_eq!(
        packages[0].derivation.as_deref(),
        Some("aaaa-hello-2.12.drv")
    );
    assert_eq!(packages[0].output.as_deref(), Some("bbbb-hello-2.12"));
    assert_eq!(packages[1].description.as_deref(), Some("Two and three"));
    assert_eq!(header.rejected[0].entry, "broken");
    assert_eq!(header.rejected[0].reason, "error: it is marked as broken");
}

#[test]
fn guix_lists_are_read() {
    let (header, packages) = any(
        r#"[{"name":"hello","version":"2.12","variable_name":"hello","source":[{"type":"url","urls":["mirror://gnu/hello.tar.gz"]}],"synopsis":"Greets","homepage":"https://hello.example","location":"gnu/packages/base.scm:90:2"},
            {"name":"hello","version":"2.10","variable_name":"hello-2.10","source":[{"type":"git","git_url":"https://git.example/hello","git_ref":"v2.10"}]}]"#,
    );
    assert_eq!(
        rows(&packages),
        [
            ("hello", "hello", Some("2.12")),
            ("hello-2.10", "hello", Some("2.10"))
        ]
    );
    assert_eq!(packages[0].description.as_deref(), Some("Greets"));
    assert_eq!(
        packages[0].position.as_deref(),
        Some("gnu/packages/base.scm:90:2")
    );
    assert_eq!(packages[0].source_urls, ["mirror://gnu/hello.tar.gz"]);
    assert_eq!(header.rejected_count, 0);
}

#[test]
fn debian_indexes_are_read_by_source() {
    let (header, packages) = any(
        "Package: libssl3\nSource: openssl (3.0.9-1)\nVersion: 3.0.9-1+b1\nDescription: library\n more of it\nHomepage: https://www.openssl.org/\n\n\
         Package: openssl\nVersion: 3.0.11-1\nDescription: tool\n\n\nPackage: bash\nVersion: 5.2.15-2\n\nPackage: odd\n\n\
         Package: openssl\nBinary: libssl3, openssl\nVersion: 3.0.2-1\n",
    );
    assert_eq!(
        rows(&packages),
        [
            ("bash", "bash", Some("5.2.15-2")),
            ("openssl", "openssl", Some("3.0.11-1"))
        ]
    );
    assert_eq!(packages[1].description.as_deref(), Some("tool"));
    assert_eq!(header.rejected[0].entry, "line 16");
}

#[test]
fn what_is_no_list_is_refused() {
    for text in ["", "   ", "hello", "{}{}", "[1", "Name: x\n", "<html>"] {
        let read = read_any(|| Ok(text.as_bytes()));
        assert!(read.is_err(), "{text}: {read:?}");
    }
    let long = format!("Package: {}", "x".repeat(2 << 20));
    let read = Debian.read_all(&mut long.as_bytes());
    assert!(
        matches!(read, Err(InventoryError::Limit { .. })),
        "{read:?}"
    );
}

/// What this machine's own package manager holds: the index of what is installed, and the beginning of that of
/// what could be.
#[test]
fn a_real_index_of_debian_is_read() {
    let installed = std::fs::read("/var/lib/dpkg/status").unwrap();
    let (header, packages) = read_any(|| open(installed.as_slice())).unwrap();
    assert_eq!(header.rejected, []);
    let dpkg = packages.iter().find(|package| package.attribute == "dpkg");
    let version = dpkg.and_then(|dpkg| dpkg.version.as_deref()).unwrap();
    let told = Command::new("dpkg-query")
        .args(["--show", "--showformat=${source:Version}", "dpkg"])
        .output()
        .unwrap();
    assert_eq!(version, String::from_utf8(told.stdout).unwrap());
    assert!(packages.len() > 50, "{} sources", packages.len());

    let available = Command::new("apt-cache").arg("dumpavail").output().unwrap();
    let whole = available.stdout.windows(2).take(2 << 20);
    let end = whole.enumerate().rfind(|(_, pair)| *pair == b"\n\n");
    let available = &available.stdout[..end.map_or(0, |(at, _)| at + 1)];
    // Where no lists were ever fetched, there is nothing but what is installed.
    if !available.is_empty() {
        let (header, packages) = read_any(|| open(available)).unwrap();
        assert_eq!(header.rejected, []);
        assert!(packages.len() > 50, "{} sources", packages.len());
        assert!(
            packages
                .iter()
                .all(|one| one.version.is_some() && one.ecosystem.as_deref() == Some("Debian"))
        );
    }
}

#[test]
fn what_was_built_is_joined_by_its_names() {
    let hash = "0123456789abcdfghijklmnpqrsvwxyz";
    let list = format!(
        "/nix/store/{hash}-hello-2.12\n/nix/store/{hash}-six-1.0\n/nix/store/{}-six-1.0\n",
        hash.replace('0', "1")
    );
    let mut xz = Command::new("xz")
        .arg("-c")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = xz.stdin.take().unwrap();
    input.write_all(list.as_bytes()).unwrap();
    drop(input);
    let packed = xz.wait_with_output().unwrap().stdout;
    let paths = StorePaths::read(&mut open(packed.as_slice()).unwrap()).unwrap();
    assert_eq!(paths.count, 3);
    let (_, mut packages) =
        any(r#"{"hello":{"name":"hello-2.12"},"six":{"name":"six-1.0"},"odd":{"name":"odd-1"}}"#);
    assert_eq!(paths.join(&mut packages), 2);
    let outputs: Vec<Option<&str>> = packages.iter().map(|one| one.output.as_deref()).collect();
    // Two paths have the name of the second: it is built, but nobody can tell which is its output.
    assert_eq!(
        outputs,
        [Some(format!("{hash}-hello-2.12").as_str()), None, None]
    );
    for bad in ["x\n", "/nix/store/short-name\n", "<html>\n"] {
        assert!(StorePaths::read(&mut bad.as_bytes()).is_err(), "{bad}");
    }
    let packed = {
        let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        packed.write_all(list.as_bytes()).unwrap();
        packed.finish().unwrap()
    };
    assert_eq!(
        StorePaths::read(&mut open(packed.as_slice()).unwrap())
            .unwrap()
            .count,
        3
    );
}

proptest! {
    #[test]
    fn no_text_makes_a_reader_panic(text in "(Package|Version|Source|[a-z{\\[\"])?[: ({\\[\"a-z0-9\\n]{0,60}") {
        if let Ok((header, packages)) = read_any(|| Ok(text.as_bytes())) {
            prop_assert_eq!(header.packages, packages.len());
        }
    }
}
