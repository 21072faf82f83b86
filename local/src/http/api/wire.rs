//! How operations read their input and write their output.

use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::error::Error;

/// The output of an operation.
pub(crate) type Output = Result<Value, Error>;

/// Reads the input of an operation. Null means absent.
pub(crate) fn input<T: DeserializeOwned>(value: Value) -> Result<T, Error> {
    serde_json::from_value(value).map_err(|_| Error::wrong_type())
}

/// Returns a required member.
pub(crate) fn required<T>(value: Option<T>, member: &str) -> Result<T, Error> {
    value.ok_or_else(|| Error::missing(member))
}

/// Returns the output of an operation that has no output members.
pub(crate) fn empty_output() -> Output {
    Ok(json!({}))
}
