//! Checks the input of operations against Cognito's service model.

mod table;
mod validate;

pub(crate) use self::{
    table::MODEL,
    validate::{check, check_text},
};
