//! Following a channel in the shape that its servers have: its newest release, those before it, its end of support.
//!
//! Invariant: whatever a server says, a release is kept whole or not at all, and one with nothing new costs one
//! request.

use crate::follow::Bench;
use std::io::Write;
use std::process::{Command, Stdio};
use tracker_jobs::{ReleaseReport, ReleaseSource, follow_releases};
use tracker_testkit::on_both_databases;

const HASH: &str = "0123456789abcdfghijklmnpqrsvwxyz";

/// What a release's day, revision and package list are.
struct Made {
    day: u8,
    revision: char,
    version: &'static str,
}

fn packages(version: &str) -> String {
    format!(
        r#"{{"version":2,"packages":{{"hello":{{"name":"hello-{version}","pname":"hello","version":"{version}","system":"x86_64-linux","outputName":"out","outputs":{{"out":null}},"meta":{{}}}}}}}}"#
    )
}

fn xz(text: &str) -> Vec<u8> {
    let mut xz = Command::new("xz")
        .arg("-c")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = xz.stdin.take().unwrap();
    input.write_all(text.as_bytes()).unwrap();
    drop(input);
    xz.wait_with_output().unwrap().stdout
}

impl Bench {
    /// Puts a release into a folder of the site; the list is plain, which is told from brotli by its content.
    fn release(&self, folder: &str, made: &Made) {
        self.site.modified(&format!(
            "{}, {:02} Jan 2026 10:00:00 GMT",
            weekday(made.day),
            made.day
        ));
        let revision = made.revision.to_string().repeat(40);
        self.site.put(&format!("{folder}/git-revision"), revision);
        self.site.put(
            &format!("{folder}/packages.json.br"),
            packages(made.version),
        );
        let paths = format!("/nix/store/{HASH}-hello-{}\n", made.version);
        self.site
            .put(&format!("{folder}/store-paths.xz"), xz(&paths));
    }

    fn channel(&self, history: usize) -> ReleaseSource {
        ReleaseSource {
            url: self.site.url("nixos-25.11/"),
            listing: Some(self.site.url("bucket")),
            releases: self.site.url(""),
            history,
            ..ReleaseSource::of_nixpkgs("nixos-25.11")
        }
    }

    async fn channel_pass(&self, channel: &ReleaseSource) -> ReleaseReport {
        follow_releases(&self.store, self.fetcher(), channel)
            .await
            .unwrap()
    }
}

fn weekday(day: u8) -> &'static str {
    // The first of January 2026 was a Thursday.
    ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"][usize::from(day - 1) % 7]
}

fn listing(folders: &[&str], more: bool) -> String {
    let folders: Vec<String> = folders
        .iter()
        .map(|one| format!("<CommonPrefixes><Prefix>{one}</Prefix></CommonPrefixes>"))
        .collect();
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Name>nix-releases</Name><Prefix>nixos/25.11/</Prefix><IsTruncated>{more}</IsTruncated>{}</ListBucketResult>",
        folders.concat()
    )
}

on_both_databases! {
    async fn a_channel_is_followed_release_by_release(database) {
        let bench = Bench::new(database.open().await).await;
        let channel = bench.channel(0);
        bench.release("nixos-25.11", &Made { day: 2, revision: 'a', version: "2.12" });
        let report = bench.channel_pass(&channel).await;
        assert_eq!(report.pass.problem, None);
        assert_eq!(report.releases[0].built, Some(1), "found among the store paths");
        // By the table of facts, to the end of the day; what somebody says instead stands over every release after it.
        let supported = async || bench.store.channels().await.unwrap()[0].supported_until;
        assert_eq!(supported().await.unwrap().to_string(), "2026-07-01T00:00:00Z");
        let said = Some("2027-02-03T00:00:00Z".parse().unwrap());
        bench.store.put_support("nixos-25.11", said).await.unwrap();
        bench.site.requests();
        let report = bench.channel_pass(&channel).await;
        assert_eq!((report.pass.problem, report.releases.len()), (None, 0));
        assert_eq!(bench.site.requests().len(), 1);

        bench.release("nixos-25.11", &Made { day: 4, revision: 'b', version: "2.13" });
        let report = bench.channel_pass(&channel).await;
        assert_eq!((report.releases[0].new, report.releases[0].moved), (true, Some(1)));
        let held = bench.store.channels().await.unwrap();
        assert_eq!((held[0].releases, held[0].revision.as_str()), (2, "b".repeat(40).as_str()));
        assert_eq!(held[0].released.to_string(), "2026-01-04T10:00:00Z");
        assert_eq!(held[0].supported_until, said, "a release changes nothing about it");
        let until = "2030-01-01T00:00:00Z".parse().unwrap();
        bench.channel_pass(&ReleaseSource { supported_until: Some(until), ..channel.clone() }).await;
        let held = bench.store.channels().await.unwrap();
        assert_eq!(held[0].supported_until, Some(until));
        let state = bench.store.follow_state("releases-nixos-25.11").await.unwrap();
        assert!(state.changed.is_some() && state.next.is_some(), "{state:?}");

        for (file, content, told) in [
            ("packages.json.br", "[1", "its shape changed: "),
            ("git-revision", "main\n", "its shape changed: its git-revision is \"main\""),
        ] {
            bench.release("nixos-25.11", &Made { day: 5, revision: 'c', version: "2.14" });
            bench.site.put(&format!("nixos-25.11/{file}"), content);
            let problem = bench.channel_pass(&channel).await.pass.problem.unwrap();
            assert!(problem.starts_with(told), "{problem}");
            assert_eq!(bench.store.channels().await.unwrap()[0].releases, 2);
            let state = bench.store.follow_state("releases-nixos-25.11").await.unwrap();
            assert_eq!(state.problem, Some(problem));
        }
        bench.release("nixos-25.11", &Made { day: 3, revision: 'd', version: "2.15" });
        let problem = bench.channel_pass(&channel).await.pass.problem.unwrap();
        assert!(problem.starts_with("older than before: 2026-01-03"), "{problem}");
        bench.site.remove("nixos-25.11/git-revision");
        let problem = bench.channel_pass(&channel).await.pass.problem.unwrap();
        assert!(problem.contains("no git-revision"), "{problem}");
        bench.release("nixos-25.11", &Made { day: 5, revision: 'c', version: "2.14" });
        assert_eq!(bench.channel_pass(&channel).await.pass.problem, None);
        assert_eq!(bench.store.channels().await.unwrap()[0].releases, 3);
    }

    async fn a_channels_history_is_taken_in(database) {
        let bench = Bench::new(database.open().await).await;
        let folder = |number: u16| format!("nixos/25.11/nixos-25.11.{number}.abc/");
        // The numbers' order is not that of their texts.
        for (number, day, revision, version) in [(998, 1, '1', "2.0"), (999, 2, '2', "2.1"), (1000, 3, '3', "2.2"), (1001, 4, '4', "2.3")] {
            bench.release(folder(number).trim_end_matches('/'), &Made { day, revision, version });
        }
        bench.release("nixos-25.11", &Made { day: 4, revision: '4', version: "2.3" });
        let (first, second, third, fourth) = (folder(998), folder(999), folder(1000), folder(1001));
        let pages = [listing(&[&third, &fourth], true), listing(&[&first, &second], false)];
        bench.site.api("bucket", move |query| {
            assert!(query.contains("prefix=nixos/25.11/"), "{query}");
            pages[usize::from(!query.ends_with("marker="))].clone()
        });
        let report = bench.channel_pass(&bench.channel(2)).await;
        assert_eq!(report.pass.problem, None);
        let revisions: Vec<&str> = report.releases.iter().map(|one| &one.revision[..1]).collect();
        assert_eq!(revisions, ["2", "3", "4"]);
        bench.site.requests();
        bench.channel_pass(&bench.channel(2)).await;
        assert_eq!(bench.site.requests().len(), 1);
        // More of it later: what is held is not fetched again.
        let report = bench.channel_pass(&bench.channel(3)).await;
        assert_eq!(report.releases.len(), 1);
        assert_eq!(bench.store.channels().await.unwrap()[0].releases, 4);
        bench.site.api("bucket", |_| "<ListBucketResult><IsTruncated>".to_owned());
        let problem = bench.channel_pass(&bench.channel(9)).await.pass.problem.unwrap();
        assert!(problem.starts_with("cut off: the listing"), "{problem}");
    }
}
