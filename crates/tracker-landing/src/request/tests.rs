//! Pull requests in GitHub's shape, and texts that are none.

use super::{RequestState, RequestsError, read};
use proptest::prelude::*;

fn entry(number: u32, rest: &str) -> String {
    format!(
        r#"{{"number":{number},"title":"[Backport release-25.05] curl: fix CVE-2025-0001","body":"Bot-based backport to `release-25.05`, triggered by a label in #12.\r\n","state":"closed","user":{{"login":"someone"}},"base":{{"ref":"release-25.05","sha":"x"}},"head":{{"ref":"backport-12-to-release-25.05"}},"labels":[{{"name":"8.has: port to stable"}},{{"name":"1.severity: security"}}],"created_at":"2025-06-01T10:00:00Z","updated_at":"2025-06-02T10:00:00Z"{rest}}}"#
    )
}

const MERGED: &str = r#","merged_at":"2025-06-02T09:00:00Z","merge_commit_sha":"00112233445566778899aabbccddeeff00112233","files":[{"filename":"pkgs/curl/CVE-2025-0002.patch"}]"#;

#[test]
fn an_array_and_lines_say_the_same() {
    let (one, two) = (entry(40, MERGED), entry(41, ""));
    let array = read(format!("[{one},{two}]").as_bytes()).unwrap();
    let lines = read(format!("{one}\n\n{two}\n").as_bytes()).unwrap();
    assert_eq!(array, lines);
    assert!(array.rejected.is_empty());
    let [merged, closed] = array.requests.as_slice() else {
        panic!("{array:?}");
    };
    assert_eq!(merged.state, RequestState::Merged);
    assert_eq!(
        merged.labels,
        ["1.severity: security", "8.has: port to stable"]
    );
    assert_eq!(merged.vulnerabilities, ["CVE-2025-0001", "CVE-2025-0002"]);
    assert_eq!(merged.backport_of, [12]);
    assert!(merged.merge_commit.is_some());
    assert_eq!(
        (closed.state, closed.merge_commit),
        (RequestState::Closed, None)
    );
}

#[test]
fn what_is_no_pull_request_is_named_with_its_place() {
    let odd = entry(42, "").replace("\"closed\"", "\"ajar\"");
    let text = format!("{}\n{{\"number\":1}}\n{odd}\nnothing\n", entry(40, ""));
    let read_lines = read(text.as_bytes()).unwrap();
    assert_eq!(read_lines.requests.len(), 1);
    let places: Vec<usize> = read_lines
        .rejected
        .iter()
        .map(|(place, _)| *place)
        .collect();
    assert_eq!(places, [2, 3, 4]);
    assert!(read_lines.rejected[1].1.contains("`ajar`"));
    let refusal = read(br#"{"message":"API rate limit exceeded","documentation_url":"x"}"#);
    assert!(matches!(refusal, Err(RequestsError::Message(text)) if text.contains("rate limit")));
    assert!(matches!(
        read(b"[{\"number\":"),
        Err(RequestsError::Json(_))
    ));
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let _ = read(&bytes);
        let whole = entry(7, MERGED);
        let cut = bytes.len().min(whole.len());
        let _ = read(&whole.as_bytes()[..cut]);
    }
}
