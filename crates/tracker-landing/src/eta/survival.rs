//! A weighted Kaplan-Meier estimate: how long do comparable changes wait, some of which are waiting still?
//!
//! Source: Kaplan and Meier, "Nonparametric Estimation from Incomplete Observations", 1958; weights multiply the counts.
//! Invariant: a change that is still waiting counts as at risk until the time it has waited, and as an arrival never.

/// A comparable change.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Neighbour {
    /// Seconds it waited, or has waited so far.
    pub(crate) waited: f64,
    /// Whether it has arrived.
    pub(crate) arrived: bool,
    /// How comparable it is, 0 to 1.
    pub(crate) weight: f64,
}

/// The time by which `share` of the changes have arrived; `None` where too many are waiting still.
pub(crate) fn quantile(neighbours: &[Neighbour], share: f64) -> Option<f64> {
    let mut ordered: Vec<&Neighbour> = neighbours.iter().filter(|n| n.weight > 0.0).collect();
    // At equal times arrivals count before those still waiting.
    ordered.sort_by(|a, b| {
        a.waited
            .total_cmp(&b.waited)
            .then(b.arrived.cmp(&a.arrived))
    });
    let mut at_risk: f64 = ordered.iter().map(|neighbour| neighbour.weight).sum();
    let mut waiting = 1.0;
    for neighbour in ordered {
        if at_risk <= 0.0 {
            break;
        }
        if neighbour.arrived {
            waiting *= (1.0 - neighbour.weight / at_risk).max(0.0);
            if waiting <= 1.0 - share + 1e-12 {
                return Some(neighbour.waited);
            }
        }
        at_risk -= neighbour.weight;
    }
    None
}
