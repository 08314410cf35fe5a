//! apt's two ways to name places; fetching itself is tried in the tests of the binary.

use super::fetch::for_source_packages;

#[test]
fn places_of_packages_become_places_of_source_packages() {
    let one = "# a comment\ndeb [trusted=yes] https://example.org/x ./\ndeb-src https://example.org y z\n";
    assert_eq!(
        for_source_packages(one, "list"),
        "\ndeb-src [trusted=yes] https://example.org/x ./\n\n"
    );
    let other = "Types: deb\nURIs: https://example.org\nSuites: stable\n";
    assert_eq!(
        for_source_packages(other, "sources"),
        "Types: deb-src\nURIs: https://example.org\nSuites: stable\n"
    );
}
