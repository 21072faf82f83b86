use std::time::Duration;

use crate::keys::{moment::Moment, set::KeySet};

/// A key set, and for how long requests may use it without a decision of the schedule.
pub(super) struct Snapshot {
    pub(super) keys: KeySet,
    /// `None` for a static set, which does not age.
    pub(super) freshness: Option<Freshness>,
}

pub(super) struct Freshness {
    pub(super) confirmed_at: Moment,
    pub(super) revalidate_after: Duration,
}

impl Snapshot {
    /// Whether requests may use the set without a decision of the schedule.
    pub(super) fn is_fresh(&self, now: impl FnOnce() -> Moment) -> bool {
        self.freshness.as_ref().is_none_or(|freshness| {
            now().since(freshness.confirmed_at) < freshness.revalidate_after
        })
    }
}
