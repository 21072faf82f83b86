use std::time::Duration;

/// How the key endpoint misbehaves.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// It works.
    #[default]
    None,
    /// It answers with this status.
    Status(u16),
    /// It answers after this time.
    Slow(Duration),
    /// It never answers.
    Hang,
    /// It answers with this text instead of the key set.
    Body(String),
}
