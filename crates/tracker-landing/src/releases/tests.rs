//! History files in their shapes, and what is none.

use super::{ReleasesError, read};
use proptest::prelude::*;

const REVISION: &str = "0123456789abcdef0123456789abcdef01234567";

#[test]
fn lines_are_read_in_both_forms_of_time() {
    let text = format!(
        "{REVISION} 1700000000 name\n\n# no entry\r\n  {REVISION} 2023-11-15T00:00:00+01:00\n"
    );
    let listing = read(text.as_bytes(), Some("nixos-unstable")).unwrap();
    let seen: Vec<_> = listing
        .releases
        .iter()
        .map(|r| (r.place, r.time.to_string(), &*r.name, r.observed))
        .collect();
    assert_eq!(
        seen,
        [
            (1, "2023-11-14T22:13:20Z".to_owned(), "name", false),
            (4, "2023-11-14T23:00:00Z".to_owned(), "", false)
        ]
    );
    assert!(listing.rejected.is_empty());
}

#[test]
fn what_is_no_entry_is_named_with_its_line() {
    let text = format!("{REVISION}\n{REVISION} soon\nabc 1\n{REVISION} 99999999999999999\n");
    let listing = read(text.as_bytes(), Some("c")).unwrap();
    let places: Vec<usize> = listing.rejected.iter().map(|(place, _)| *place).collect();
    assert_eq!(places, [1, 2, 3, 4]);
    assert!(listing.rejected[1].1.contains("`soon`"), "{listing:?}");
}

#[test]
fn a_file_that_is_no_history_is_refused() {
    assert!(matches!(read(b"x", None), Err(ReleasesError::NoChannel)));
    assert!(matches!(read(b"{}", None), Err(ReleasesError::Json(_))));
    let failed = br#"{"status":"error","errorType":"bad_data","error":"parse error"}"#;
    assert!(
        matches!(read(failed, None), Err(ReleasesError::Failed(reason)) if reason == "parse error")
    );
}

#[test]
fn an_instant_query_is_one_sample_a_series() {
    let text = format!(
        r#"{{"status":"success","data":{{"resultType":"vector","result":[
        {{"metric":{{"__name__":"channel_revision","channel":"nixos-25.11","revision":"{REVISION}","status":"stable"}},"value":[1700000000.25,"1"]}},
        {{"metric":{{"channel":"nixos-25.11","revision":"short"}},"value":[1700000000,"1"]}},
        {{"metric":{{"channel":"other","revision":"{REVISION}"}},"value":[1700000000,"1"]}}]}}}}"#
    );
    let listing = read(text.as_bytes(), Some("nixos-25.11")).unwrap();
    assert_eq!((listing.releases.len(), listing.rejected.len()), (1, 1));
    assert!(listing.releases[0].observed);
    assert_eq!(read(text.as_bytes(), None).unwrap().releases.len(), 2);
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused_and_read_again_alike(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let once = read(&bytes, Some("c")).map_err(|error| error.to_string());
        prop_assert_eq!(once, read(&bytes, Some("c")).map_err(|error| error.to_string()));
    }
}
