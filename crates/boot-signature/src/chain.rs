//! From a signer to something trusted.

use crate::Certificate;

/// Most certificates in one chain; firmware's own limit is not higher in practice.
pub const MAX_CHAIN: usize = 8;

/// The chain from `signer` to the first of `anchors` that is reached, both included. Certificates of `pool` may stand
/// between. As in firmware, an anchor need not be self-signed, validity times do not matter here, and a certificate that
/// is itself an anchor is a chain of one.
pub fn chain<'a>(
    signer: &'a Certificate,
    pool: &'a [Certificate],
    anchors: &'a [Certificate],
) -> Option<Vec<&'a Certificate>> {
    let mut path = vec![signer];
    extend(&mut path, pool, anchors).then_some(path)
}

fn extend<'a>(
    path: &mut Vec<&'a Certificate>,
    pool: &'a [Certificate],
    anchors: &'a [Certificate],
) -> bool {
    let last = *path.last().expect("a path starts with the signer");
    if anchors.contains(last) {
        return true;
    }
    if path.len() == MAX_CHAIN {
        return false;
    }
    if let Some(anchor) = anchors
        .iter()
        .find(|anchor| anchor.may_issue() && last.is_signed_by(anchor))
    {
        path.push(anchor);
        return true;
    }
    for next in pool {
        // An issuer must be allowed to issue, and no certificate stands twice in a chain.
        if next.may_issue() && !path.contains(&next) && last.is_signed_by(next) {
            path.push(next);
            if extend(path, pool, anchors) {
                return true;
            }
            path.pop();
        }
    }
    false
}
