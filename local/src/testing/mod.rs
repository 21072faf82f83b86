//! Minted tokens and mock claims for tests.

mod mock;
mod token;

pub use self::{
    mock::{mock, mock_id},
    token::TokenBuilder,
};
