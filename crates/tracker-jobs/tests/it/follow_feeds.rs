//! Each further feed in the shape that its server has: followed, idle for one request, and not believed when it lies.
//!
//! Invariant: after every lie the records are those of before, the reason stands in the feed's state, and the next
//! good answer is taken.

use crate::follow::{Bench, archive, cve, feed, parameter};
use std::fmt::Write as _;
use tracker_jobs::{Content, Feed, FeedKind};
use tracker_record::Source;
use tracker_testkit::on_both_databases;

impl Bench {
    /// Passes over a feed that lies: told in these words, and what was held stays.
    async fn distrusts(&self, feed: &Feed, source: Source, told: &str) {
        let held = self.records(source).await;
        let report = self.follow(feed).await;
        let problem = report.problem.unwrap();
        assert!(problem.starts_with(told), "{problem}");
        assert_eq!(report.records.added + report.records.changed, 0);
        assert_eq!(self.records(source).await, held);
        let state = self.store.follow_state("feed").await.unwrap();
        assert_eq!(state.problem, Some(problem));
    }
}

pub(crate) fn debian(packages: &[(&str, &str)]) -> String {
    let packages: Vec<String> = packages
        .iter()
        .map(|(package, version)| format!(r#""{package}": {{"CVE-2026-0001": {{"releases": {{"sid": {{"status": "resolved", "repositories": {{}}, "fixed_version": "{version}", "urgency": "low"}}}}}}}}"#))
        .collect();
    format!("{{{}}}", packages.join(", "))
}

pub(crate) fn alpine(packages: &[(&str, &str)]) -> String {
    let packages: Vec<String> = packages
        .iter()
        .map(|(package, version)| {
            format!(
                r#"{{"pkg":{{"name":"{package}","secfixes":{{"{version}":["CVE-2026-0001"]}}}}}}"#
            )
        })
        .collect();
    format!(
        r#"{{"apkurl":"x","archs":["x86_64"],"reponame":"main","urlprefix":"x","distroversion":"edge","packages":[{}]}}"#,
        packages.join(",")
    )
}

pub(crate) fn epss(day: u8, rows: &[(u16, &str)]) -> Vec<u8> {
    let mut table = format!(
        "#model_version:v2025.03.14,score_date:2026-01-{day:02}T00:00:00+0000\ncve,epss,percentile\n"
    );
    for (id, score) in rows {
        let _ = writeln!(table, "CVE-2026-{id:04},{score},0.5");
    }
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    std::io::Write::write_all(&mut packed, table.as_bytes()).unwrap();
    packed.finish().unwrap()
}

/// Records of the European database in `items`, of which `total` are said to be.
pub(crate) fn euvd(ids: std::ops::Range<usize>, total: usize) -> String {
    let items: Vec<String> = ids
        .map(|id| format!(r#"{{"id":"EUVD-2026-{id}","enisaUuid":"u","description":"number {id}","datePublished":"Jan 2, 2026, 3:04:05 PM","dateUpdated":"Jan 2, 2026, 3:04:05 PM","baseScore":-1.0,"references":"","aliases":"CVE-2026-{:04}\n","assigner":"a","epss":0.0,"enisaIdProduct":[],"enisaIdVendor":[]}}"#, id + 1000))
        .collect();
    format!(r#"{{"items":[{}],"total":{total}}}"#, items.join(","))
}

pub(crate) fn advisory(number: u8, day: u8) -> String {
    format!(
        r#"{{"document":{{"category":"csaf_security_advisory","csaf_version":"2.0","title":"t","publisher":{{"category":"vendor","name":"n","namespace":"https://n.example"}},"tracking":{{"id":"EX-{number}","status":"final","version":"1","initial_release_date":"2026-01-01T00:00:00Z","current_release_date":"2026-01-{day:02}T00:00:00Z"}}}},"vulnerabilities":[{{"cve":"CVE-2026-{number:04}"}}]}}"#
    )
}

pub(crate) fn commit(number: u8) -> String {
    format!("{number:02x}").repeat(20)
}

pub(crate) fn comparison(status: &str, files: &[(&str, &str)]) -> String {
    let files: Vec<String> = files
        .iter()
        .map(|(name, status)| format!(r#"{{"sha":"s","filename":"{name}","status":"{status}","raw_url":"http://192.0.2.1/"}}"#))
        .collect();
    format!(
        r#"{{"status":"{status}","total_commits":1,"files":[{}]}}"#,
        files.join(",")
    )
}

on_both_databases! {
    async fn debians_tracker_is_followed(database) {
        let bench = Bench::new(database.open().await).await;
        let feed = feed(FeedKind::File(Content::Debian), bench.site.url("json"));
        bench.site.modified("Fri, 02 Jan 2026 10:00:00 GMT");
        bench.site.put("json", debian(&[("a", "1-1"), ("b", "2-1"), ("c", "3-1"), ("d", "4-1")]));
        assert_eq!(bench.followed(&feed).await.added, 4);
        bench.idle(&feed).await;
        bench.site.put("json", debian(&[("a", "1-2"), ("b", "2-1"), ("c", "3-1"), ("d", "4-1"), ("e", "5-1")]));
        let counts = bench.followed(&feed).await;
        assert_eq!((counts.added, counts.changed, counts.unchanged), (1, 1, 3));
        let whole = debian(&[("a", "1-3"), ("b", "2-1"), ("c", "3-1"), ("d", "4-1"), ("e", "5-1")]);
        for (content, told) in [
            (whole[..whole.len() - 9].to_owned(), "cut off: EOF"),
            (debian(&[("a", "9")]), "cut off: 1 records after 5"),
            (whole.replace("releases", "suites"), "its shape changed: missing field"),
            ("[]".to_owned(), "its shape changed: "),
        ] {
            bench.site.put("json", content);
            bench.distrusts(&feed, Source::Debian, told).await;
        }
        bench.site.modified("Thu, 01 Jan 2026 10:00:00 GMT");
        bench.site.put("json", &whole);
        bench.distrusts(&feed, Source::Debian, "older than before: 2026-01-01").await;
        bench.site.modified("Sat, 03 Jan 2026 10:00:00 GMT");
        bench.site.put("json", &whole);
        assert_eq!(bench.followed(&feed).await.changed, 1);
        bench.idle(&feed).await;
        // One vulnerability, of which five packages are told.
        assert_eq!(bench.store.overview().await.unwrap().vulnerabilities, 1);
    }

    async fn alpines_database_is_followed(database) {
        let bench = Bench::new(database.open().await).await;
        let feed = feed(FeedKind::File(Content::Alpine), bench.site.url("main.json"));
        bench.site.modified("Fri, 02 Jan 2026 10:00:00 GMT");
        bench.site.put("main.json", alpine(&[("a", "1-r1"), ("b", "2-r1"), ("c", "3-r1")]));
        assert_eq!(bench.followed(&feed).await.added, 3);
        bench.idle(&feed).await;
        let whole = alpine(&[("a", "1-r2"), ("b", "2-r1"), ("c", "3-r1")]);
        for (content, told) in [
            (whole[..whole.len() - 3].to_owned(), "cut off: EOF"),
            (alpine(&[]), "cut off: 0 records after 3"),
            (whole.replace("\"pkg\"", "\"package\""), "its shape changed: missing field"),
        ] {
            bench.site.put("main.json", content);
            bench.distrusts(&feed, Source::Alpine, told).await;
        }
        bench.site.modified("Thu, 01 Jan 2026 10:00:00 GMT");
        bench.site.put("main.json", &whole);
        bench.distrusts(&feed, Source::Alpine, "older than before: 2026-01-01").await;
        bench.site.modified("Sat, 03 Jan 2026 10:00:00 GMT");
        bench.site.put("main.json", &whole);
        assert_eq!(bench.followed(&feed).await.changed, 1);
        bench.idle(&feed).await;
    }

    async fn epss_is_followed(database) {
        let bench = Bench::new(database.open().await).await;
        let feed = feed(FeedKind::File(Content::Epss), bench.site.url("epss.csv.gz"));
        let rows = [(1, "0.1"), (2, "0.2"), (3, "0.3"), (4, "0.4")];
        bench.site.put("epss.csv.gz", epss(2, &rows));
        assert_eq!(bench.followed(&feed).await.added, 4);
        bench.idle(&feed).await;
        let whole = epss(3, &rows);
        for (content, told) in [
            (epss(1, &rows), "older than before: 2026-01-01"),
            (epss(3, &rows[..1]), "cut off: 1 records after 4"),
            (whole[..whole.len() - 12].to_vec(), "cut off: "),
            (format!("#score_date:2026-01-03,{}", "x".repeat(1 << 17)).into_bytes(), "its shape changed: a line of it has more than 65536 bytes"),
            (b"id;score\n1;2\n".to_vec(), "its shape changed: its first line states no score_date"),
        ] {
            bench.site.put("epss.csv.gz", content);
            bench.distrusts(&feed, Source::Epss, told).await;
        }
        bench.site.put("epss.csv.gz", whole);
        assert_eq!(bench.followed(&feed).await.changed, 4);
        bench.idle(&feed).await;
    }

    async fn the_european_database_is_followed(database) {
        let bench = Bench::new(database.open().await).await;
        let feed = feed(FeedKind::Euvd, bench.site.url("search"));
        let page = |query: &str| parameter(query, "page").unwrap().parse::<usize>().unwrap();
        // The second page breaks off: the next pass goes on with it.
        bench.site.api("search", move |query| match page(query) {
            0 => euvd(0..100, 130),
            _ => euvd(100..120, 130),
        });
        let problem = bench.follow(&feed).await.problem.unwrap();
        assert!(problem.starts_with("cut off: 20 records of 30"), "{problem}");
        bench.site.api("search", move |query| euvd(page(query) * 100..(page(query) * 100 + 100).min(130), 130));
        bench.site.requests();
        assert_eq!(bench.followed(&feed).await.added, 30);
        let requests = bench.site.requests();
        assert!(requests[0].contains("page=1") && !requests[0].contains("fromUpdatedDate"), "{requests:?}");
        assert_eq!(bench.records(Source::Euvd).await, 130);

        // The day that was reached is asked for again.
        bench.site.api("search", |_| euvd(129..131, 2));
        let counts = bench.followed(&feed).await;
        assert_eq!((counts.added, counts.unchanged), (1, 1));
        let requests = bench.site.requests();
        assert!(requests[0].contains("&fromUpdatedDate=20") && requests[0].contains("&toUpdatedDate=20"), "{requests:?}");
        bench.idle(&feed).await;
        for (content, told) in [
            (euvd(129..130, 9), "cut off: 1 records of 9"),
            (euvd(129..131, 2).replace("\"items\"", "\"entries\""), "its shape changed: missing field"),
            (euvd(129..131, 2).replace("\"id\"", "\"euvd\""), "its shape changed: "),
            (euvd(129..131, 2)[..40].to_owned(), "cut off: EOF"),
        ] {
            bench.site.api("search", move |_| content.clone());
            bench.distrusts(&feed, Source::Euvd, told).await;
        }
        bench.site.api("search", |_| euvd(129..131, 2));
        bench.idle(&feed).await;
    }

    async fn a_repository_is_followed_by_its_commits(database) {
        let bench = Bench::new(database.open().await).await;
        let feed = feed(FeedKind::Repository("reviewed/"), bench.site.url(""));
        let site = &bench.site;
        let head = |number| format!(r#"{{"sha":"{}","commit":{{"message":"m"}}}}"#, commit(number));
        let osv = |id: &str, second| crate::import::osv(id, second, "title");
        site.put("commits/HEAD", head(1));
        site.put(&format!("zipball/{}", commit(1)), archive(&[
            ("owner-name-0101/README.md", "read me".to_owned()),
            ("owner-name-0101/reviewed/2026/GHSA-1.json", osv("GHSA-1", 1)),
            ("owner-name-0101/reviewed/2026/notes.txt", "notes".to_owned()),
            ("owner-name-0101/unreviewed/GHSA-2.json", osv("GHSA-2", 1)),
        ]));
        let counts = bench.followed(&feed).await;
        assert_eq!((counts.added, counts.rejected), (1, 0), "the folder alone");
        bench.idle(&feed).await;

        site.put("commits/HEAD", head(2));
        let url = |old, new| format!("compare/{}...{}", commit(old), commit(new));
        site.put(&url(1, 2), comparison("ahead", &[
            ("reviewed/2026/GHSA-1.json", "modified"),
            ("reviewed/2026/GHSA-3.json", "added"),
            ("reviewed/2026/GHSA-4.json", "removed"),
            ("unreviewed/GHSA-2.json", "added"),
            ("README.md", "modified"),
        ]));
        let raw = |path: &str, content: String| site.put(&format!("raw/{}/{path}", commit(2)), content);
        raw("reviewed/2026/GHSA-1.json", osv("GHSA-1", 2));
        raw("reviewed/2026/GHSA-3.json", osv("GHSA-3", 2));
        site.requests();
        let counts = bench.followed(&feed).await;
        assert_eq!((counts.added, counts.changed), (1, 1));
        assert_eq!(site.requests().len(), 4);
        bench.idle(&feed).await;

        site.put("commits/HEAD", head(3));
        for (content, told) in [
            (comparison("behind", &[]), "older than before: "),
            (comparison("ahead", &[("reviewed/../x.json", "added")]), "its shape changed: "),
            (comparison("ahead", &[])[..9].to_owned(), "cut off: EOF"),
            (comparison("ahead", &[]).replace("status", "state"), "its shape changed: missing field"),
        ] {
            site.put(&url(2, 3), content);
            bench.distrusts(&feed, Source::Osv, told).await;
        }
        site.put("commits/HEAD", r#"{"sha":"main"}"#);
        bench.distrusts(&feed, Source::Osv, "its shape changed: \"main\" is no commit").await;
        // A history that was rewritten: everything again.
        site.put("commits/HEAD", head(4));
        site.put(&format!("zipball/{}", commit(4)), archive(&[("x/reviewed/GHSA-5.json", osv("GHSA-5", 1))]));
        assert_eq!(bench.followed(&feed).await.added, 1);
        bench.idle(&feed).await;
    }

    async fn vulnrichment_never_takes_the_place_of_a_newer_record(database) {
        let bench = Bench::new(database.open().await).await;
        let feed = feed(FeedKind::Repository(""), bench.site.url(""));
        let inputs = vec![tracker_jobs::Input::Bytes { name: "list".to_owned(), bytes: cve("CVE-2026-1000", 9).into() }];
        tracker_jobs::import_feeds(&bench.store, inputs, &()).await.unwrap();
        bench.site.put("commits/HEAD", format!(r#"{{"sha":"{}"}}"#, commit(1)));
        bench.site.put(&format!("zipball/{}", commit(1)), archive(&[
            ("v-0101/2026/1xxx/CVE-2026-1000.json", cve("CVE-2026-1000", 3)),
            ("v-0101/2026/1xxx/CVE-2026-1001.json", cve("CVE-2026-1001", 3)),
        ]));
        let counts = bench.followed(&feed).await;
        assert_eq!((counts.added, counts.superseded), (1, 1));
        bench.idle(&feed).await;
    }

    async fn a_provider_of_csaf_is_followed_by_its_changes(database) {
        let bench = Bench::new(database.open().await).await;
        let feed = feed(FeedKind::Csaf, bench.site.url("provider-metadata.json"));
        let site = &bench.site;
        site.put("provider-metadata.json", format!(
            r#"{{"canonical_url":"c","distributions":[{{"directory_url":"{}"}}],"metadata_version":"2.0","role":"csaf_trusted_provider"}}"#,
            site.url("csaf")
        ));
        let row = |number: u8, day: u8| format!("\"2026/ex-{number}.json\",\"2026-01-{day:02}T00:00:00Z\"\n");
        for number in [1, 2, 3] {
            site.put(&format!("csaf/2026/ex-{number}.json"), advisory(number, number));
        }
        site.put("csaf/changes.csv", row(3, 3) + &row(2, 2) + &row(1, 1));
        assert_eq!(bench.followed(&feed).await.added, 3);
        assert_eq!(site.requests().len(), 5 + 2, "the metadata, the list, three documents, and two kinds of hash that are not there");
        bench.idle(&feed).await;
        site.put("csaf/2026/ex-1.json", advisory(1, 4));
        site.put("csaf/changes.csv", row(1, 4) + &row(3, 3) + &row(2, 2));
        assert_eq!(bench.followed(&feed).await.changed, 1);
        assert_eq!(site.requests().len(), 2 + 2);
        bench.idle(&feed).await;

        site.put("csaf/2026/ex-4.json", advisory(4, 5).replace("2.0", "9.9"));
        for (content, told) in [
            (row(3, 3) + &row(2, 2), "older than before: 2026-01-03"),
            (row(1, 5), "cut off: 1 documents after 3"),
            (row(1, 5) + "\"2026/ex-2", "cut off: line 2 is no path and time"),
            ("\"../x.json\",\"2026-01-05T00:00:00Z\"".to_owned(), "its shape changed: line 1"),
            (row(4, 5) + &row(3, 3) + &row(2, 2), "its shape changed: CSAF version \"9.9\""),
        ] {
            site.put("csaf/changes.csv", content);
            bench.distrusts(&feed, Source::Csaf, told).await;
        }
        // The provider moves to a feed: found again in its metadata.
        site.remove("csaf/changes.csv");
        bench.distrusts(&feed, Source::Csaf, "its shape changed: its list of documents is gone").await;
        site.put("provider-metadata.json", format!(
            r#"{{"distributions":[{{"rolie":{{"feeds":[{{"url":"{}","tlp_label":"RED"}},{{"url":"{}","tlp_label":"WHITE"}}]}}}}]}}"#,
            site.url("red.json"), site.url("white.json")
        ));
        let entry = |number: u8, day: u8| format!(
            r#"{{"id":"EX-{number}","title":"t","link":[{{"rel":"self","href":"{0}"}}],"published":"2026-01-01T00:00:00Z","updated":"2026-01-{day:02}T00:00:00Z","content":{{"type":"application/json","src":"{0}"}}}}"#,
            site.url(&format!("csaf/2026/ex-{number}.json"))
        );
        site.put("csaf/2026/ex-4.json", advisory(4, 5));
        let whole = format!(r#"{{"feed":{{"id":"f","updated":"2026-01-05T00:00:00Z","entry":[{},{}]}}}}"#, entry(4, 5), entry(1, 4));
        site.put("white.json", &whole);
        assert_eq!(bench.followed(&feed).await.added, 1);
        bench.idle(&feed).await;
        site.put("white.json", &whole[..whole.len() - 9]);
        bench.distrusts(&feed, Source::Csaf, "cut off: EOF").await;
        site.put("white.json", whole.replace("content", "body").replace("link", "links"));
        bench.distrusts(&feed, Source::Csaf, "its shape changed: an entry names no document").await;
        site.put("white.json", whole);
        bench.followed(&feed).await;
        bench.idle(&feed).await;
    }

    async fn documents_of_csaf_are_held_against_their_hashes(database) {
        let bench = Bench::new(database.open().await).await;
        let feed = feed(FeedKind::Csaf, bench.site.url("provider-metadata.json"));
        let site = &bench.site;
        let sha256 = |text: &str| hex::encode(<sha2::Sha256 as sha2::Digest>::digest(text));
        let sha512 = |text: &str| hex::encode(<sha2::Sha512 as sha2::Digest>::digest(text));
        site.put("provider-metadata.json", format!(r#"{{"distributions":[{{"directory_url":"{}"}}]}}"#, site.url("csaf/")));
        let row = |number: u8, day: u8| format!("\"2026/ex-{number}.json\",\"2026-01-{day:02}T00:00:00Z\"\n");
        for number in [1, 2] {
            let document = advisory(number, number);
            site.put(&format!("csaf/2026/ex-{number}.json.sha512"), format!("{}  ex-{number}.json\n", sha512(&document)));
            site.put(&format!("csaf/2026/ex-{number}.json"), document);
        }
        site.put("csaf/changes.csv", row(2, 2) + &row(1, 1));
        assert_eq!(bench.followed(&feed).await.added, 2);
        let requests = site.requests();
        assert_eq!(requests.len(), 2 + 3 + 2, "the kind of hash is found out once: {requests:?}");
        bench.idle(&feed).await;

        // The document of another day under its name, then one that was cut and still is JSON.
        site.put("csaf/2026/ex-2.json.sha512", sha512(&advisory(2, 3)));
        site.put("csaf/changes.csv", row(2, 3) + &row(1, 1));
        for altered in [advisory(2, 4), advisory(2, 3).replace("CVE-2026-0002", "CVE-2026-0001")] {
            site.put("csaf/2026/ex-2.json", altered);
            bench.distrusts(&feed, Source::Csaf, "altered: ").await;
        }
        site.put("csaf/2026/ex-2.json.sha512", "<html>");
        bench.distrusts(&feed, Source::Csaf, "altered: ").await;
        site.put("csaf/2026/ex-2.json", advisory(2, 3));
        site.put("csaf/2026/ex-2.json.sha512", sha512(&advisory(2, 3)).to_uppercase());
        assert_eq!(bench.followed(&feed).await.changed, 1);
        bench.idle(&feed).await;

        // A feed names the hashes of its documents itself.
        site.remove("csaf/changes.csv");
        bench.distrusts(&feed, Source::Csaf, "its shape changed: its list of documents is gone").await;
        site.put("provider-metadata.json", format!(r#"{{"distributions":[{{"rolie":{{"feeds":[{{"url":"{}","tlp_label":"CLEAR"}}]}}}}]}}"#, site.url("white.json")));
        let entry = |hash: &str| format!(
            r#"{{"feed":{{"entry":[{{"link":[{{"rel":"self","href":"{0}"}},{{"rel":"hash","href":"{1}"}},{{"rel":"signature","href":"{0}.asc"}}],"updated":"2026-01-05T00:00:00Z","content":{{"src":"{0}"}}}}]}}}}"#,
            site.url("csaf/2026/ex-3.json"), site.url(hash)
        );
        let document = advisory(3, 5);
        site.put("csaf/2026/ex-3.json", &document);
        site.put("hashes/3.sha256", sha256(&advisory(3, 4)));
        site.put("white.json", entry("hashes/3.sha256"));
        bench.distrusts(&feed, Source::Csaf, "altered: ").await;
        site.put("hashes/3.sha256", sha256(&document));
        assert_eq!(bench.followed(&feed).await.added, 1);
        bench.idle(&feed).await;
    }
}
