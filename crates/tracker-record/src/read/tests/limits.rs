//! Documents that somebody made to be expensive.

use super::*;
use std::fmt::Write as _;
use std::time::{Duration, Instant};

/// How many elements each list has: searched for each of them it takes a minute, and as a set not a second.
const MANY: usize = 60_000;
/// Long enough for a slow machine, and far too short for a list that is searched.
const SOON: Duration = Duration::from_secs(10);

fn list(element: impl Fn(usize) -> String) -> String {
    let mut text = String::new();
    for number in 0..MANY {
        let comma = if number == 0 { "" } else { "," };
        write!(text, "{comma}{}", element(number)).unwrap();
    }
    text
}

fn soon(raw: &str) -> Record {
    let start = Instant::now();
    let record = read(raw).record;
    let took = start.elapsed();
    assert!(took < SOON, "{took:?} for {} bytes", raw.len());
    record
}

#[test]
fn many_aliases_take_no_time() {
    let osv = list(|number| format!("\"GHSA-{number:012}\""));
    let osv = format!(r#"{{"schema_version":"1.6.0","id":"GHSA-a","aliases":[{osv},"GHSA-a"]}}"#);
    assert_eq!(soon(&osv).aliases.len(), MANY);
    let euvd = list(|number| format!("EUVD-2025-{number:012}")).replace(',', "\\n");
    let euvd = format!(r#"{{"id":"EUVD-2025-1","enisaUuid":"u","aliases":"{euvd}"}}"#);
    assert_eq!(soon(&euvd).aliases.len(), MANY);
}

#[test]
fn many_products_take_no_time() {
    let products = list(|number| {
        format!(r#"{{"product":{{"name":"product {number:012}"}},"product_version":"1"}}"#)
    });
    let euvd = format!(
        r#"{{"id":"EUVD-2025-1","enisaUuid":"u","enisaIdProduct":[{products}],"enisaIdVendor":[]}}"#
    );
    assert_eq!(soon(&euvd).affected.len(), MANY);
}

#[test]
fn a_name_that_each_element_repeats_is_not_long() {
    let long = "x".repeat(1 << 20);
    let versions = list(|number| format!("\"1.{number}\""));
    let raw = format!(
        r#"{{"schema_version":"1.6.0","id":"GHSA-a","affected":[{{"package":{{"name":"a","ecosystem":"{long}"}},"versions":[{versions}]}}]}}"#
    );
    let reading = read(&raw);
    let affected = &reading.record.affected[0].value;
    assert_eq!(affected.ranges.len(), MANY);
    assert_eq!(affected.ranges[0].scheme, "osv");
    assert_eq!(
        texts_of(&reading.warnings),
        ["affected[0].package.ecosystem: a name of 1048576 bytes is left out; the limit is 1024"]
    );
}
