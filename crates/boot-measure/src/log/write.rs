//! Writing a log, for tests and for what is saved.

use super::{Event, EventLog, Form};

pub(super) fn write(log: &EventLog) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (index, event) in log.events.iter().enumerate() {
        match log.form {
            // The event that names the banks has the old form.
            Form::CryptoAgile { .. } if index > 0 => agile(&mut bytes, event),
            _ => old(&mut bytes, event),
        }
    }
    bytes
}

fn number(bytes: &mut Vec<u8>, value: usize) {
    bytes.extend((value as u32).to_le_bytes());
}

fn old(bytes: &mut Vec<u8>, event: &Event) {
    bytes.extend(event.pcr.to_le_bytes());
    bytes.extend(event.kind.0.to_le_bytes());
    for digest in &event.digests {
        bytes.extend(&digest.value);
    }
    number(bytes, event.data.len());
    bytes.extend(&event.data);
}

fn agile(bytes: &mut Vec<u8>, event: &Event) {
    bytes.extend(event.pcr.to_le_bytes());
    bytes.extend(event.kind.0.to_le_bytes());
    number(bytes, event.digests.len());
    for digest in &event.digests {
        bytes.extend(digest.algorithm.to_le_bytes());
        bytes.extend(&digest.value);
    }
    number(bytes, event.data.len());
    bytes.extend(&event.data);
}
