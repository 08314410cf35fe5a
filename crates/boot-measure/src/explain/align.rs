//! The differences of two sequences of measurements in one register.

use crate::{Bank, Content, EventType, Measurement};
use std::collections::BTreeMap;

/// Most cells of the table of common subsequences; larger differences are matched by what events are about.
const MAX_TABLE: usize = 4 << 20;

/// One difference; numbers are places in the sequences.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Change {
    /// The same thing with another content.
    Changed(usize, usize),
    /// Only expected.
    Removed(usize),
    /// Only there.
    Added(usize),
    /// There, but elsewhere in the order.
    Moved(usize),
    /// The same digest under another description.
    Described(usize, usize),
}

/// What an event is about, whatever was measured.
fn subject(measurement: &Measurement) -> (EventType, String) {
    let name = match &measurement.content {
        Content::Variable { name, .. } => name.clone(),
        Content::Image { path } => path.to_ascii_lowercase(),
        Content::Text(text) => text.clone(),
        Content::Tag { id, text } => format!("{id} {text}"),
        Content::Separator | Content::Bytes(_) => String::new(),
    };
    (measurement.kind, name)
}

/// The differences from `before` to `after`.
pub(super) fn changes(before: &[Measurement], after: &[Measurement], bank: Bank) -> Vec<Change> {
    let same = |b: &Measurement, a: &Measurement| b.digest(bank) == a.digest(bank);
    let start = before
        .iter()
        .zip(after)
        .take_while(|(b, a)| same(b, a))
        .count();
    let (rest_before, rest_after) = (&before[start..], &after[start..]);
    let end = rest_before
        .iter()
        .rev()
        .zip(rest_after.iter().rev())
        .take_while(|(b, a)| same(b, a))
        .count();
    let middle = (
        &rest_before[..rest_before.len() - end],
        &rest_after[..rest_after.len() - end],
    );
    let mut pairs: Vec<(usize, usize)> = (0..start).map(|at| (at, at)).collect();
    pairs.extend(
        common(middle.0, middle.1, &same)
            .iter()
            .map(|(b, a)| (b + start, a + start)),
    );
    pairs.extend((0..end).map(|back| (before.len() - end + back, after.len() - end + back)));

    let mut changes: Vec<Change> = pairs
        .iter()
        .filter(|(b, a)| described_otherwise(&before[*b], &after[*a]))
        .map(|(b, a)| Change::Described(*b, *a))
        .collect();
    let (mut seen_before, mut seen_after) = (vec![false; before.len()], vec![false; after.len()]);
    for (b, a) in pairs {
        seen_before[b] = true;
        seen_after[a] = true;
    }
    let left = |seen: &[bool]| -> Vec<usize> {
        seen.iter()
            .enumerate()
            .filter(|(_, seen)| !**seen)
            .map(|(at, _)| at)
            .collect()
    };
    rest(
        before,
        after,
        bank,
        &left(&seen_before),
        &left(&seen_after),
        &mut changes,
    );
    changes
}

fn described_otherwise(before: &Measurement, after: &Measurement) -> bool {
    // Programs are described by where they lay in memory and on which device; a prediction knows less of that.
    let open = |m: &Measurement| matches!(m.content, Content::Image { .. } | Content::Bytes(_));
    before.kind != after.kind || (before.content != after.content && !open(before) && !open(after))
}

/// Pairs what is left: by digest (moved), then by subject (changed), then programs and other events by their type.
fn rest(
    before: &[Measurement],
    after: &[Measurement],
    bank: Bank,
    removed: &[usize],
    added: &[usize],
    changes: &mut Vec<Change>,
) {
    let mut removed = removed.to_vec();
    let mut added = added.to_vec();
    let by_digest = |m: &Measurement| m.digest(bank).map(<[u8]>::to_vec);
    for (_, after) in pair(before, after, &mut removed, &mut added, by_digest) {
        changes.push(Change::Moved(after));
    }
    for (b, a) in pair(before, after, &mut removed, &mut added, |m| {
        Some(subject(m))
    }) {
        changes.push(Change::Changed(b, a));
    }
    // Programs differ in their path, blobs have no name; a version and options are texts that are themselves the content.
    let by_kind = |m: &Measurement| match m.content {
        Content::Text(_) if m.kind != EventType::S_CRTM_VERSION && m.pcr != 12 => None,
        Content::Variable { .. } => None,
        _ => Some(m.kind),
    };
    for (b, a) in pair(before, after, &mut removed, &mut added, by_kind) {
        changes.push(Change::Changed(b, a));
    }
    // One entry of a list in the place of another: who allowed a program.
    let authority = |m: &Measurement| (m.kind == EventType::EFI_VARIABLE_AUTHORITY).then_some(());
    for (b, a) in pair(before, after, &mut removed, &mut added, authority) {
        changes.push(Change::Changed(b, a));
    }
    changes.extend(removed.into_iter().map(Change::Removed));
    changes.extend(added.into_iter().map(Change::Added));
}

/// Takes pairs of equal keys out of both lists, in order.
fn pair<K: Ord>(
    before: &[Measurement],
    after: &[Measurement],
    removed: &mut Vec<usize>,
    added: &mut Vec<usize>,
    key: impl Fn(&Measurement) -> Option<K>,
) -> Vec<(usize, usize)> {
    let mut open: BTreeMap<K, Vec<usize>> = BTreeMap::new();
    for at in removed.iter().rev() {
        if let Some(key) = key(&before[*at]) {
            open.entry(key).or_default().push(*at);
        }
    }
    let mut pairs = Vec::new();
    added.retain(|at| {
        let found = key(&after[*at]).and_then(|key| open.get_mut(&key)?.pop());
        if let Some(found) = found {
            pairs.push((found, *at));
        }
        found.is_none()
    });
    let taken: std::collections::BTreeSet<usize> = pairs.iter().map(|(b, _)| *b).collect();
    removed.retain(|at| !taken.contains(at));
    pairs
}

/// A longest common subsequence.
fn common(
    before: &[Measurement],
    after: &[Measurement],
    same: &impl Fn(&Measurement, &Measurement) -> bool,
) -> Vec<(usize, usize)> {
    let (rows, columns) = (before.len(), after.len());
    if rows == 0 || columns == 0 || (rows + 1).saturating_mul(columns + 1) > MAX_TABLE {
        return Vec::new();
    }
    let width = columns + 1;
    let mut length = vec![0_u32; (rows + 1) * width];
    for b in (0..rows).rev() {
        for a in (0..columns).rev() {
            length[b * width + a] = if same(&before[b], &after[a]) {
                length[(b + 1) * width + a + 1] + 1
            } else {
                length[(b + 1) * width + a].max(length[b * width + a + 1])
            };
        }
    }
    let mut pairs = Vec::new();
    let (mut b, mut a) = (0, 0);
    while b < rows && a < columns {
        if same(&before[b], &after[a]) {
            pairs.push((b, a));
            b += 1;
            a += 1;
        } else if length[(b + 1) * width + a] >= length[b * width + a + 1] {
            b += 1;
        } else {
            a += 1;
        }
    }
    pairs
}
