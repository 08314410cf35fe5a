//! The canonical event log of the TCG (CEL-JSON), content type `pcclient_std`.

use crate::EventLog;
use base64ct::{Base64, Encoding};
use serde::Serialize;

#[derive(Serialize)]
struct Record<'a> {
    recnum: usize,
    pcr: u32,
    digests: Vec<RecordDigest>,
    content_type: &'static str,
    content: RecordContent<'a>,
}

#[derive(Serialize)]
struct RecordDigest {
    #[serde(rename = "hashAlg")]
    algorithm: String,
    digest: String,
}

#[derive(Serialize)]
struct RecordContent<'a> {
    event_type: String,
    #[serde(serialize_with = "base64")]
    event_data: &'a [u8],
}

fn base64<S: serde::Serializer>(data: &&[u8], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&Base64::encode_string(data))
}

/// The name of an algorithm in the TCG's registry.
fn algorithm_name(number: u16) -> String {
    match (crate::Bank::of_algorithm(number), number) {
        (Some(bank), _) => bank.as_str().to_owned(),
        (None, 0x12) => "sm3_256".to_owned(),
        (None, number) => format!("{number:#06x}"),
    }
}

/// The log as an array of records, all events included, in order.
pub fn to_cel_json(log: &EventLog) -> serde_json::Value {
    let records: Vec<Record<'_>> = log
        .events
        .iter()
        .enumerate()
        .map(|(recnum, event)| Record {
            recnum,
            pcr: event.pcr,
            digests: event
                .digests
                .iter()
                .map(|digest| RecordDigest {
                    algorithm: algorithm_name(digest.algorithm),
                    digest: hex::encode(&digest.value),
                })
                .collect(),
            content_type: "pcclient_std",
            content: RecordContent {
                event_type: event.kind.to_string(),
                event_data: &event.data,
            },
        })
        .collect();
    serde_json::to_value(records).expect("records are plain values")
}
