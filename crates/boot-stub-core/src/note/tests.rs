//! Notes: ours reads back, and nothing that is not of the form does.

use super::StubNote;
use std::string::ToString;

#[test]
fn our_note_reads_back_and_nothing_else_does() {
    assert_eq!(StubNote::OURS.to_string(), StubNote::OUR_TEXT);
    let padded = [StubNote::OUR_TEXT.as_bytes(), &[0; 3]].concat();
    assert_eq!(StubNote::parse(&padded), Ok(StubNote::OURS));
    for (text, line) in [
        ("", 2),
        ("measures systemd 258\nreferences 1", 2),
        ("measures systemd 0258\nreferences 1\n", 1),
        ("measures uapi 258\nreferences 1\n", 1),
        ("measures systemd 258\n", 2),
        ("measures systemd 258\nreferences +1\n", 2),
        ("measures systemd 258\nreferences 1\n\n", 3),
    ] {
        let error = StubNote::parse(text.as_bytes()).map_err(|error| error.line);
        assert_eq!(error, Err(line), "{text:?}");
    }
}
