//! How often: a token bucket kept in one instant (the generic cell rate algorithm, ITU-T I.371).
//!
//! The instant is when the bucket would be full again; each take moves it on by the time that one token needs to come.
//!
//! Invariant: in no span of time more than `burst` + span / `every` are let through, whatever the clock of whoever
//! asks does, as long as it is one clock.

use jiff::{SignedDuration, Timestamp};

/// A rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// How many at once.
    pub burst: u32,
    /// The time in which one more comes.
    pub every: SignedDuration,
}

/// One was taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Taken {
    /// When the bucket is full again: what has to be kept.
    pub full: Timestamp,
    /// How many more could be taken now.
    pub left: u32,
}

/// None was left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wait {
    /// How long until there is one.
    pub wait: SignedDuration,
}

impl Wait {
    /// Whole seconds, at least one: for `Retry-After`.
    pub fn seconds(&self) -> u64 {
        let millis = u64::try_from(self.wait.as_millis()).unwrap_or(0);
        millis.div_ceil(1_000).max(1)
    }
}

impl Rate {
    /// So many in a time, all of them at once if need be.
    ///
    /// # Panics
    /// If it is none.
    pub const fn per(number: u32, time: SignedDuration) -> Rate {
        assert!(number > 0, "a rate of none is no rate");
        let nanos = time.as_nanos() as i64 / number as i64;
        Rate {
            burst: number,
            every: SignedDuration::from_nanos(nanos),
        }
    }

    /// Takes one, given what was kept.
    pub fn take(&self, kept: Option<Timestamp>, now: Timestamp) -> Result<Taken, Wait> {
        let whole = self.whole();
        // A clock that was set back must not lock anybody out for longer than a whole bucket.
        let behind = kept.map_or(SignedDuration::ZERO, |full| {
            full.duration_since(now).clamp(SignedDuration::ZERO, whole)
        });
        let after = behind.saturating_add(self.every);
        if after > whole {
            return Err(Wait {
                wait: after.saturating_sub(whole),
            });
        }
        let left = whole.saturating_sub(after).as_nanos() / self.every.as_nanos().max(1);
        Ok(Taken {
            full: now.checked_add(after).unwrap_or(now),
            left: u32::try_from(left).unwrap_or(u32::MAX),
        })
    }

    /// The time in which an empty bucket fills.
    pub fn whole(&self) -> SignedDuration {
        let burst = i32::try_from(self.burst).unwrap_or(i32::MAX);
        self.every.checked_mul(burst).unwrap_or(SignedDuration::MAX)
    }
}
