//! CPE names as they occur, and the property that reading never panics.

use super::*;
use proptest::prelude::*;

#[test]
fn fields_are_unescaped_and_any_is_no_text() {
    let cpe = Cpe::parse(r"cpe:2.3:a:gnu:c\+\+:1.0\:beta:rc1:*:*:*:node.js:*:-").unwrap();
    assert_eq!(cpe.part, Part::Application);
    assert_eq!(cpe.product.text(), Some("c++"));
    assert_eq!(cpe.version.text(), Some("1.0:beta"));
    assert_eq!(cpe.version_text().as_deref(), Some("1.0:beta:rc1"));
    assert_eq!(cpe.target_sw.text(), Some("node.js"));
    assert_eq!(cpe.edition, Field::Any);
    assert_eq!(cpe.other, Field::NotApplicable);
}

#[test]
fn what_is_no_name_is_refused() {
    for text in [
        "",
        "cpe:/a:gnu:bash:4.3",
        "cpe:2.3:a:gnu:bash:4.3",
        "cpe:2.3:x:gnu:bash:4.3:*:*:*:*:*:*:*",
        "cpe:2.3:a:gnu:bash:4.3:*:*:*:*:*:*:*:extra",
        "cpe:2.é",
    ] {
        assert_eq!(Cpe::parse(text), None, "{text}");
    }
}

#[test]
fn a_version_that_is_not_applicable_has_no_text() {
    let cpe = Cpe::parse("cpe:2.3:o:linux:linux_kernel:-:*:*:*:*:*:*:*").unwrap();
    assert_eq!(cpe.version, Field::NotApplicable);
    assert_eq!(cpe.version_text(), None);
}

#[test]
fn a_product_is_its_name_without_version() {
    assert_eq!(
        without_version(r"cpe:2.3:a:gnu:c\+\+:1.0\:b:rc1:*:*:*:python:*:*").as_deref(),
        Some(r"cpe:2.3:a:gnu:c\+\+:*:*:*:*:*:python:*:*")
    );
    assert_eq!(without_version("cpe:/a:gnu:bash"), None);
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused(text in any::<String>()) {
        let _ = Cpe::parse(&text);
    }

    #[test]
    fn escaped_text_comes_back(product in "[ -~]{1,20}", version in "[0-9.:+~]{1,12}") {
        let escape = |text: &str| text.chars().flat_map(|c| ['\\', c]).collect::<String>();
        let text = format!("cpe:2.3:a:v:{}:{}:*:*:*:*:*:*:*", escape(&product), escape(&version));
        let cpe = Cpe::parse(&text).unwrap();
        prop_assert_eq!(cpe.product.text(), Some(product.as_str()));
        prop_assert_eq!(cpe.version.text(), Some(version.as_str()));
    }
}
