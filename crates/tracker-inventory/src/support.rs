//! Until when a channel is supported by its distribution: a table of facts, `support.tsv`.
//!
//! Invariant: a channel whose release the table does not name has no known end; rolling channels never have one.

use jiff::civil::Date;

/// The table: distribution, release and last day, separated by tabs; `#` begins a comment.
const TABLE: &str = include_str!("support.tsv");

/// The last day on which a channel gets fixes, if it is known.
///
/// A channel's release is a word of its name: `nixos-25.11-small` is of `25.11`, `bookworm` of itself.
///
/// ```
/// let day = tracker_inventory::end_of_support("nixpkgs", "nixos-25.11-small");
/// assert_eq!(day, Some(jiff::civil::date(2026, 6, 30)));
/// assert_eq!(tracker_inventory::end_of_support("nixpkgs", "nixos-unstable"), None);
/// ```
pub fn end_of_support(distribution: &str, channel: &str) -> Option<Date> {
    let rows = TABLE.lines().filter(|line| !line.starts_with('#'));
    let mut rows = rows.filter_map(|line| {
        let mut fields = line.split('\t');
        Some((fields.next()?, fields.next()?, fields.next()?))
    });
    rows.find(|(of, release, _)| {
        *of == distribution && channel.split('-').any(|word| word == *release)
    })
    .and_then(|(_, _, day)| day.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::{TABLE, end_of_support};
    use jiff::civil::Date;

    #[test]
    fn every_row_is_a_fact_that_is_found() {
        for line in TABLE.lines().filter(|line| !line.starts_with('#')) {
            let fields: Vec<&str> = line.split('\t').collect();
            let [distribution, release, day] = fields[..] else {
                panic!("{line}");
            };
            let day: Date = day.parse().unwrap();
            assert_eq!(end_of_support(distribution, release), Some(day), "{line}");
        }
        assert_eq!(end_of_support("an-overlay", "nixos-25.11"), None);
        assert_eq!(end_of_support("nixpkgs", "nixos-25.1"), None);
    }
}
