//! Cognito's service model of the input of the operations, and the check of an input against it.

mod table;
mod validate;

pub(crate) use self::{
    table::MODEL,
    validate::{check, check_text},
};
