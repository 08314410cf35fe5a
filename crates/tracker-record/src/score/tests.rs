//! Scores of the specifications' examples, and vectors as they go wrong.

use super::*;
use crate::json::Node;
use proptest::prelude::*;

fn read_one(vector: &str, stated: Option<f64>) -> (Option<(String, u8)>, Vec<String>) {
    let node = Node::Null;
    let mut warnings = Warnings::default();
    let read = read(
        vector,
        stated,
        &At::root(&node),
        "vectorString",
        &mut warnings,
    );
    (
        read.map(|cvss| (cvss.version, cvss.score_tenths)),
        warnings
            .into_vec()
            .iter()
            .map(ToString::to_string)
            .collect(),
    )
}

#[test]
fn scores_of_each_version() {
    for (vector, stated, version, tenths) in [
        ("AV:N/AC:L/Au:N/C:P/I:P/A:P", Some(7.5), "2.0", 75),
        ("(AV:N/AC:L/Au:N/C:P/I:P/A:P)", None, "2.0", 75),
        (
            "CVSS:3.0/AV:N/AC:H/PR:N/UI:N/S:U/C:N/I:H/A:N",
            None,
            "3.0",
            59,
        ),
        (
            "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H",
            Some(10.0),
            "3.1",
            100,
        ),
        (
            "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H/E:P/RL:O/RC:C",
            Some(9.8),
            "3.1",
            98,
        ),
        (
            "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N",
            Some(9.3),
            "4.0",
            93,
        ),
    ] {
        let (read, warnings) = read_one(vector, stated);
        assert_eq!(read, Some((version.to_owned(), tenths)), "{vector}");
        assert_eq!(warnings, Vec::<String>::new(), "{vector}");
    }
}

#[test]
fn a_wrong_score_is_replaced_and_said() {
    let (read, warnings) = read_one("AV:N/AC:L/Au:N/C:P/I:P/A:P", Some(70.5));
    assert_eq!(read, Some(("2.0".to_owned(), 75)));
    assert_eq!(
        warnings,
        ["baseScore: score 70.5 contradicts the vector, whose score is 7.5"]
    );
}

#[test]
fn a_wrong_vector_is_left_out_and_said() {
    for vector in [
        "",
        "CVSS:3.1/AV:N",
        "CVSS:3.1/AV:X/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H",
        "CVSS:9.9/AV:N/AC:L",
        "HIGH",
    ] {
        let (read, warnings) = read_one(vector, Some(5.0));
        assert_eq!(read, None, "{vector}");
        assert_eq!(warnings.len(), 1, "{vector}");
    }
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused(vector in "(CVSS:[0-9.]{1,3}/)?([A-Za-z]{1,3}:[A-Za-z]{1,2}/?){0,14}") {
        let (read, _) = read_one(&vector, None);
        prop_assert!(read.is_none_or(|(_, tenths)| tenths <= 100));
    }
}
