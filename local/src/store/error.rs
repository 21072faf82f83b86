use std::io;

use crate::error::Error;

/// Error returned when data cannot be changed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StoreError {
    /// The pool was deleted while the operation ran.
    #[error("the pool was deleted")]
    Deleted,
    #[error(transparent)]
    Io(#[from] io::Error),
}

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Deleted => Self::not_found("User pool does not exist."),
            StoreError::Io(error) => Self::internal(&error),
        }
    }
}

impl From<StoreError> for io::Error {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Deleted => Self::other(error),
            StoreError::Io(error) => error,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;

    #[test]
    fn only_a_deleted_pool_is_reported_as_not_found() {
        let kind = |error: StoreError| Error::from(error).kind;
        assert_eq!(kind(StoreError::Deleted), ErrorKind::ResourceNotFound);
        for io_kind in [io::ErrorKind::NotFound, io::ErrorKind::StorageFull] {
            assert_eq!(kind(io::Error::from(io_kind).into()), ErrorKind::InternalError);
            assert_eq!(Error::from(io::Error::from(io_kind)).kind, ErrorKind::InternalError);
        }
    }
}
