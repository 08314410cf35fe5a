//! Any text as a CPE name: it is read or refused, and the product's name is a name again.
#![no_main]

use tracker_record::cpe::{Cpe, without_version};

libfuzzer_sys::fuzz_target!(|text: &str| {
    let Some(cpe) = Cpe::parse(text) else {
        assert_eq!(without_version(text), None);
        return;
    };
    let bare = without_version(text).expect("a name has a product");
    let product = Cpe::parse(&bare).expect("the product's name is a name");
    assert_eq!(
        (product.part, &product.vendor, &product.product),
        (cpe.part, &cpe.vendor, &cpe.product)
    );
    assert_eq!(product.version_text(), None);
});
