use std::{fmt, sync::Arc};

use crate::claims::Verified;

/// A requirement that is a function. It equals only its own clones.
#[derive(Clone)]
pub(crate) struct Predicate {
    name: Arc<str>,
    check: Arc<dyn Fn(&Verified) -> bool + Send + Sync>,
}

impl Predicate {
    pub(super) fn new(
        name: String,
        check: impl Fn(&Verified) -> bool + Send + Sync + 'static,
    ) -> Self {
        Self { name: name.into(), check: Arc::new(check) }
    }

    pub(super) fn is_met(&self, token: &Verified) -> bool {
        (self.check)(token)
    }
}

impl PartialEq for Predicate {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.check, &other.check)
    }
}

impl fmt::Display for Predicate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "from_fn({:?})", self.name)
    }
}
