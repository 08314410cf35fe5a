//! How long it takes to apply a day of the CVE list's changes, once fetched, to a database that holds the rest.
//!
//! `delta-rate DATABASE RECORDS`: the last 600 records of RECORDS (JSON lines, CVE JSON 5) are served as the
//! archive of a day on the loopback interface and followed. The database is one of `feed import`; the records'
//! dates are set to the day, so that they take the place of what is held.

#![expect(clippy::print_stdout, reason = "what it measures is what it prints")]

use anyhow::{Context, ensure};
use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Cursor, Write};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tracker_jobs::{Feed, FeedKind, FetchLimits, Fetcher, follow};
use tracker_store::Store;

/// A busy day of the list.
const CHANGES: usize = 600;

/// What is promised for them, in seconds.
const LIMIT: f64 = 2.0;

/// The day of the changes.
const DAY: &str = "2099-01-02";

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let mut next = || arguments.next().context("delta-rate DATABASE RECORDS");
    let (database, file) = (next()?, next()?);
    let (ids, archive) = changes(&file)?;
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}/", listener.local_addr()?);
    tokio::spawn(serve(listener, log(&ids), archive));

    let store = Store::open(&database).await?;
    let mut state = store.follow_state("delta-rate").await?;
    state.cursor = format!(r#"{{"reached":"{DAY}T00:00:00Z"}}"#);
    store.put_follow_state(&state).await?;
    let spool = std::env::temp_dir().join(format!("delta-rate-{}", std::process::id()));
    let fetcher = Fetcher::new(spool.clone(), FetchLimits::default())?;
    let feed = Feed {
        name: "delta-rate".to_owned(),
        kind: FeedKind::CveList,
        url,
        key: None,
        minutes: 60,
    };
    let report = follow(&store, &fetcher, &feed).await?;
    std::fs::remove_dir_all(spool)?;
    ensure!(report.problem.is_none(), "{report:?}");
    ensure!(report.requests == 3, "{report:?}");
    println!(
        "{} records applied in {:.2} s, the limit is {LIMIT} s ({} added, {} changed), {} requests, {} bytes fetched; {} vulnerabilities held",
        ids.len(),
        report.applied.as_secs_f64(),
        report.records.added,
        report.records.changed,
        report.requests,
        report.bytes,
        store.overview().await?.vulnerabilities
    );
    Ok(())
}

/// The last records of a file, dated to the day, as an archive.
fn changes(file: &str) -> anyhow::Result<(Vec<String>, Vec<u8>)> {
    let mut input = std::fs::File::open(file)?;
    let mut lines = Vec::new();
    tracker_record::unpack::unpack(file, &mut input, |_, content| {
        let content = content.map(BufReader::new);
        lines.extend(
            content
                .into_iter()
                .flat_map(BufRead::lines)
                .map_while(Result::ok),
        );
    })?;
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let mut ids = Vec::new();
    for line in lines.iter().rev().take(CHANGES) {
        let mut record: serde_json::Value = serde_json::from_str(line)?;
        let metadata = &mut record["cveMetadata"];
        metadata["dateUpdated"] = format!("{DAY}T01:00:00.000Z").into();
        let id = metadata["cveId"].as_str().context("a record has an id")?;
        ids.push(id.to_owned());
        zip.start_file(
            format!("deltaCves/{id}.json"),
            zip::write::SimpleFileOptions::default(),
        )?;
        zip.write_all(&serde_json::to_vec(&record)?)?;
    }
    Ok((ids, zip.finish()?.into_inner()))
}

fn log(ids: &[String]) -> String {
    let changes: Vec<String> = ids
        .iter()
        .map(|id| format!(r#"{{"cveId":"{id}","dateUpdated":"{DAY}T01:00:00.000Z"}}"#))
        .collect();
    let delta = |hour: u8, changes: &[String]| {
        format!(
            r#"{{"fetchTime":"{DAY}T{hour:02}:00:00.000Z","numberOfChanges":{},"updated":[{}]}}"#,
            changes.len(),
            changes.join(",")
        )
    };
    format!("[{},{}]", delta(2, &changes), delta(0, &[]))
}

/// Answers with the log, the listing of releases or the archive.
async fn serve(listener: TcpListener, log: String, archive: Vec<u8>) -> std::io::Result<()> {
    let name = format!("{DAY}_delta_CVEs_at_0200Z.zip");
    loop {
        let (mut stream, _) = listener.accept().await?;
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(stream.read_u8().await?);
        }
        let head = String::from_utf8_lossy(&head);
        let listing = format!(r#"[{{"tag_name":"day","assets":[{{"name":"{name}"}}]}}]"#);
        let body = match head.split(' ').nth(1).unwrap_or_default() {
            "/deltaLog.json" => log.as_bytes(),
            "/releases.json" => listing.as_bytes(),
            _ => &archive,
        };
        let mut answer = String::new();
        let _ = write!(
            answer,
            "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        stream.write_all(answer.as_bytes()).await?;
        stream.write_all(body).await?;
        stream.shutdown().await?;
    }
}
