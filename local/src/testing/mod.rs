//! Tokens for tests: minted ones, and mock claims.

mod mock;
mod token;

pub use self::{
    mock::{mock, mock_id},
    token::TokenBuilder,
};
