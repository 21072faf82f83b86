use std::time::Duration;

/// A fault of the key endpoint, for tests. See [`UserPool::set_fault`](crate::UserPool::set_fault).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// The endpoint works.
    #[default]
    None,
    /// It responds with this status. An invalid status is replaced by 502.
    Status(u16),
    /// It responds after this time.
    Slow(Duration),
    /// It never responds.
    Hang,
    /// It responds with this text instead of the key set.
    Body(String),
}
