//! Several distributions in one tracker: each is judged by its own versions, and none is shown as another.

use crate::flow::Tracker;
use crate::operate::{Service, get};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use tracker_testkit::on_both_databases;

/// Distribution, channel, and the package list in the distribution's own form.
const LISTS: [(&str, &str, &str); 4] = [
    (
        "nixpkgs",
        "nixos-unstable",
        r#"{"version":2,"packages":{"openssl":{"name":"openssl-3.0.9","pname":"openssl","version":"3.0.9","meta":{}},"hello":{"name":"hello-2.12","pname":"hello","version":"2.12","meta":{}}}}"#,
    ),
    (
        "mine",
        "mine-main",
        r#"{"version":2,"packages":{"openssl":{"name":"openssl-3.0.11","pname":"openssl","version":"3.0.11","meta":{}}}}"#,
    ),
    (
        "debian",
        "debian-bookworm",
        "Package: openssl\nVersion: 3.0.9-1\n\nPackage: bash\nVersion: 5.2.15-2\n\nPackage: dash\nVersion: 0.5.12-2\n",
    ),
    (
        "guix",
        "guix-master",
        r#"[{"name":"openssl","version":"3.0.8","variable_name":"openssl"},{"name":"sed","version":"4.8","variable_name":"sed"}]"#,
    ),
];

/// NVD's record, and what Debian says of its own package, which was fixed in an older version.
const RECORD: &str = r#"{"id":"CVE-2026-0001","published":"2026-01-01T00:00:00.000","lastModified":"2026-01-02T00:00:00.000","vulnStatus":"Analyzed","descriptions":[{"lang":"en","value":"OpenSSL lets something happen"}],"references":[],"configurations":[{"nodes":[{"operator":"OR","negate":false,"cpeMatch":[{"vulnerable":true,"criteria":"cpe:2.3:a:openssl:openssl:*:*:*:*:*:*:*:*","versionEndExcluding":"3.0.10","matchCriteriaId":"X"}]}]}]}"#;
const DEBIAN: &str = r#"{"openssl":{"CVE-2026-0001":{"releases":{"bookworm":{"status":"resolved","fixed_version":"3.0.9-1","repositories":{},"urgency":"low"}}}}}"#;

fn fill(tracker: &Tracker<'_>, folder: &Path) {
    let write = |name: &str, text: &str| {
        std::fs::write(folder.join(name), text).unwrap();
        name.to_owned()
    };
    let nvd =
        format!(r#"{{"format":"NVD_CVE","version":"2.0","vulnerabilities":[{{"cve":{RECORD}}}]}}"#);
    let (nvd, debian) = (write("nvd.json", &nvd), write("debian.json", DEBIAN));
    tracker.run(&["feed", "import", &nvd, &debian]).expect(0);
    for (distribution, channel, list) in LISTS {
        let list = write(channel, list);
        let arguments = [
            "channel",
            "import",
            channel,
            "--distribution",
            distribution,
            "--packages",
            &list,
            "--revision",
            "r1",
            "--released",
            "2026-01-03",
        ];
        tracker.run(&arguments).expect(0);
    }
    let matched = tracker.run(&["match", "--json"]).expect(0).json();
    let names = matched["distributions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["distribution"].as_str().unwrap());
    assert_eq!(
        names.collect::<BTreeSet<_>>(),
        LISTS.map(|(name, ..)| name).into()
    );
}

/// Status and version by distribution and channel.
fn findings(shown: &Value) -> BTreeMap<(String, String), (String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let mut found = BTreeMap::new();
    for matched in shown["matches"].as_array().unwrap() {
        for finding in matched["findings"].as_array().unwrap() {
            let key = (text(&matched["distribution"]), text(&finding["channel"]));
            found.insert(key, (text(&finding["status"]), text(&finding["version"])));
        }
    }
    found
}

fn twin(address: &str, path: &str) -> Value {
    let answer = get(address, path);
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 200"), "{path}: {answer}");
    serde_json::from_str(body).unwrap_or_else(|error| panic!("{path}: {error}: {body}"))
}

on_both_databases! {
    async fn distributions_are_kept_apart_in_one_tracker(database) {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        let tracker = Tracker { folder, url: database.url() };
        fill(&tracker, folder);

        let shown = tracker.run(&["show", "CVE-2026-0001", "--json"]).expect(0).json();
        let found = findings(&shown);
        for (distribution, channel, status, version) in [
            ("nixpkgs", "nixos-unstable", "affected", "3.0.9"),
            ("mine", "mine-main", "fixed", "3.0.11"),
            ("debian", "debian-bookworm", "fixed", "3.0.9-1"),
            ("guix", "guix-master", "affected", "3.0.8"),
        ] {
            let key = (distribution.to_owned(), channel.to_owned());
            assert_eq!(found.get(&key), Some(&(status.to_owned(), version.to_owned())), "{shown:#}");
        }
        assert_eq!(found.len(), 4, "no channel has another's match: {shown:#}");
        let text = tracker.run(&["show", "CVE-2026-0001"]).expect(0).out;
        for (distribution, ..) in LISTS {
            assert!(text.contains(&format!("match: openssl ({distribution})")), "{text}");
        }
        let listed = tracker.run(&["channel", "list", "--json"]).expect(0).json();
        let of: BTreeSet<_> = listed.as_array().unwrap().iter().map(|channel| (channel["distribution"].as_str().unwrap(), channel["name"].as_str().unwrap())).collect();
        assert_eq!(of, LISTS.map(|(distribution, channel, _)| (distribution, channel)).into());

        let service = Service::start(folder, database.url(), &[]);
        let pages = service.pages.as_str();
        let overview = twin(pages, "/index.json");
        // Packages of one name in four distributions are four packages.
        assert_eq!((&overview["vulnerabilities"], &overview["packages"]), (&json!(1), &json!(8)), "{overview}");
        for (distribution, channel, _) in LISTS {
            let package = twin(pages, &format!("/packages/{distribution}/openssl.json"));
            assert_eq!(package["distribution"], distribution);
            let versions = package["versions"].as_array().unwrap();
            assert_eq!((versions.len(), &versions[0]["channel"]), (1, &json!(channel)), "{package}");
            assert_eq!(package["vulnerabilities"].as_array().unwrap().len(), 1, "{package}");
            let other = LISTS.iter().filter(|(other, ..)| *other != distribution);
            let channel_page = get(pages, &format!("/channels/{channel}"));
            assert!(channel_page.starts_with("HTTP/1.1 200") && channel_page.contains(distribution), "{channel_page}");
            let page = get(pages, &format!("/packages/{distribution}/openssl"));
            assert!(page.starts_with("HTTP/1.1 200") && page.contains(distribution), "{page}");
            let page = page.to_lowercase();
            for (foreign, foreign_channel, _) in other.filter(|(name, ..)| *name != "mine") {
                assert!(!page.contains(foreign), "the page of {distribution} speaks of {foreign}: {page}");
                assert!(!page.contains(foreign_channel), "the page of {distribution} speaks of {foreign_channel}");
            }
        }
        let absent = get(pages, "/packages/debian/hello");
        assert!(absent.starts_with("HTTP/1.1 404"), "{absent}");
        let page = get(pages, "/vulnerabilities/CVE-2026-0001");
        for (distribution, channel, _) in LISTS {
            assert!(page.contains(distribution) && page.contains(channel), "{distribution}: {page}");
        }
        for (path, count) in [("/vulnerabilities.json?channel=guix-master&state=affected", 1), ("/vulnerabilities.json?channel=debian-bookworm&state=affected", 0), ("/packages.json?q=openssl", 4)] {
            let list = twin(pages, path);
            assert_eq!(list["rows"].as_array().map(Vec::len), Some(count), "{path}: {list}");
        }
    }
}
