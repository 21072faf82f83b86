//! The bounds that the API's model sets, and the words in which it says that they are broken.

use super::ApiError;

/// The most rows that a page can have, and has unless asked otherwise.
const MAX_LIMIT: usize = 60;

/// A longer value is not said again in the error.
const MAX_ECHO: usize = 256;

/// A value that the model does not allow.
pub(super) fn broken(member: &str, value: &str, constraint: &str) -> ApiError {
    let value =
        if value.chars().count() > MAX_ECHO { String::new() } else { format!(" '{value}'") };
    ApiError::invalid_parameter(format!(
        "1 validation error detected: Value{value} at '{member}' failed to satisfy constraint: {constraint}"
    ))
}

/// A text of up to so many signs.
pub(super) fn at_most(member: &str, value: &str, most: usize) -> Result<(), ApiError> {
    if value.chars().count() <= most {
        return Ok(());
    }
    let constraint = format!("Member must have length less than or equal to {most}");
    Err(broken(member, value, &constraint))
}

/// A text that says something.
pub(super) fn not_empty(member: &str, value: &str) -> Result<(), ApiError> {
    if value.is_empty() {
        return Err(broken(member, value, "Member must have length greater than or equal to 1"));
    }
    Ok(())
}

/// One of a few words.
pub(super) fn one_of(member: &str, value: &str, words: &[&str]) -> Result<(), ApiError> {
    if words.contains(&value) {
        return Ok(());
    }
    let words = words.join(", ");
    Err(broken(member, value, &format!("Member must satisfy enum value set: [{words}]")))
}

/// How many rows a page is to have: all that it can, if the caller does not say or says none.
pub(super) fn limit(limit: Option<i64>) -> Result<usize, ApiError> {
    let limit = limit.unwrap_or_default();
    let wrong = |constraint: &str| broken("limit", &limit.to_string(), constraint);
    match usize::try_from(limit) {
        Ok(0) => Ok(MAX_LIMIT),
        Ok(rows) if rows <= MAX_LIMIT => Ok(rows),
        Ok(_) => Err(wrong("Member must have value less than or equal to 60")),
        Err(_) => Err(wrong("Member must have value greater than or equal to 0")),
    }
}

/// A number of rows where none is not taken for all.
pub(super) fn from_one(member: &str, number: i64) -> Result<(), ApiError> {
    if number >= 1 {
        return Ok(());
    }
    Err(broken(member, &number.to_string(), "Member must have value greater than or equal to 1"))
}
