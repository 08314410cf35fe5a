//! A real stream of changes, followed event by event, ends where an import of its last states ends.

use jiff::Timestamp;
use serde_json::value::RawValue;
use std::collections::BTreeMap;
use std::time::Instant;
use tracker_jobs::{Input, import_feeds};
use tracker_record::Source;
use tracker_store::Store;

/// An event of the stream.
#[derive(serde::Deserialize)]
struct Event {
    event: String,
    path: String,
    time: Option<Timestamp>,
    commit: Option<String>,
    record: Option<Box<RawValue>>,
}

fn events() -> Vec<Event> {
    let stream = real_data::open_zstd("vuln/nvd-1.1/replay-2021-03-25-to-04-09.jsonl.zst");
    serde_json::Deserializer::from_reader(stream)
        .into_iter()
        .collect::<Result<_, _>>()
        .expect("the stream of changes is JSON lines")
}

fn document(name: &str, record: &RawValue) -> Input {
    Input::Bytes {
        name: name.to_owned(),
        bytes: record.get().as_bytes().to_vec(),
    }
}

/// Every record held of the ids, as it came.
async fn held(store: &Store, ids: impl Iterator<Item = &String>) -> BTreeMap<String, Vec<u8>> {
    let mut held = BTreeMap::new();
    for id in ids {
        let raw = store.raw_record(Source::Nvd, id).await;
        if let Some(raw) = raw.expect("the record can be read") {
            held.insert(id.clone(), raw);
        }
    }
    held
}

#[tokio::test]
async fn two_weeks_of_changes_end_in_the_state_of_a_fresh_import() {
    let events = events();
    let folder = tempfile::tempdir().expect("a folder");
    let url = |name: &str| format!("sqlite:{}", folder.path().join(name).display());
    let followed = Store::open(&url("followed.db")).await.expect("a database");
    let mut last: BTreeMap<String, &RawValue> = BTreeMap::new();
    let mut before: Option<Timestamp> = None;
    let base: Vec<Input> = events
        .iter()
        .filter(|event| event.event == "base")
        .filter_map(|event| Some(document(&event.path, event.record.as_deref()?)))
        .collect();
    import_feeds(&followed, base, &())
        .await
        .expect("the base is imported");

    // What one commit of the feed changed came together; a delta is that.
    let started = Instant::now();
    let mut changes = 0;
    for delta in events
        .iter()
        .filter(|event| event.event != "base")
        .collect::<Vec<_>>()
        .chunk_by(|a, b| a.commit == b.commit)
    {
        assert!(before <= delta[0].time, "the stream goes forward");
        before = delta[0].time;
        changes += delta.len();
        let inputs: Vec<Input> = delta
            .iter()
            .filter_map(|event| Some(document(&event.path, event.record.as_deref()?)))
            .collect();
        let summary = import_feeds(&followed, inputs, &())
            .await
            .expect("a delta is imported");
        assert!(
            summary.is_clean(),
            "{:?} {:?}",
            summary.rejected,
            summary.refused
        );
    }
    let seconds = started.elapsed().as_secs_f64();
    eprintln!("{changes} changes followed in {seconds:.1} s");
    assert!(changes > 5000, "{changes}");

    for event in &events {
        if let Some(record) = event.record.as_deref() {
            let id = event
                .path
                .rsplit('/')
                .next()
                .unwrap_or_default()
                .trim_end_matches(".json");
            last.insert(id.to_owned(), record);
        }
    }
    let fresh = Store::open(&url("fresh.db")).await.expect("a database");
    let inputs = last
        .iter()
        .map(|(id, record)| document(id, record))
        .collect();
    import_feeds(&fresh, inputs, &())
        .await
        .expect("the last states are imported");

    let (followed_state, fresh_state) = (
        held(&followed, last.keys()).await,
        held(&fresh, last.keys()).await,
    );
    assert_eq!(fresh_state.len(), last.len());
    let differing: Vec<&String> = last
        .keys()
        .filter(|id| followed_state.get(*id) != fresh_state.get(*id))
        .collect();
    assert_eq!(differing, Vec::<&String>::new());
    let (a, b) = (followed.overview().await, fresh.overview().await);
    assert_eq!(
        a.expect("read").vulnerabilities,
        b.expect("read").vulnerabilities
    );
    // Following all of it once more changes nothing.
    let again = last
        .iter()
        .map(|(id, record)| document(id, record))
        .collect();
    let again = import_feeds(&followed, again, &())
        .await
        .expect("imported")
        .total();
    assert_eq!(
        (again.added, again.changed, again.unchanged),
        (0, 0, last.len() as u64)
    );
}
