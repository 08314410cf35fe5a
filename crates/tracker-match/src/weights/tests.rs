//! Tests of weights files.
//!
//! Invariant checked: the embedded file is well formed; what is not is refused by line.

use super::*;

#[test]
fn the_embedded_file_is_read() {
    let weights = Weights::embedded();
    assert!(weights.threshold > 0.0 && weights.threshold < 1.0);
    assert!(weights.of(Feature::NameEquals) > 0.0);
    assert!(weights.of(Feature::PartHardware) < 0.0);
}

#[test]
fn bad_lines_are_refused() {
    for (text, place) in [
        ("bias\tx", "line 1"),
        ("bias\t1\nweight\tnonsense\t1", "line 2"),
        ("bias\tinf", "line 1"),
        ("what", "line 1"),
    ] {
        let error = Weights::parse(text).unwrap_err();
        assert!(error.to_string().contains(place), "{error}");
    }
}

#[test]
fn the_digest_tells_models_apart() {
    let of = |text: &str| Weights::parse(text).unwrap().digest();
    let model = "bias\t1\nalias\ta\tb\tc\t2\nalias\ta\td\te\t2";
    assert_eq!(of(model), of(model));
    assert_eq!(of(model).len(), 64);
    for other in [
        "bias\t2",
        "bias\t1",
        "bias\t1\nweight\talias\t1",
        "bias\t1\nthreshold\t0.6",
    ] {
        assert_ne!(of(model), of(other), "{other}");
    }
}
