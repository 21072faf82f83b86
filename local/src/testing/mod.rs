//! Minted tokens, sign-ins and mock claims for tests.

mod issuable;
mod mock;
mod sign_in;
mod token;

pub(crate) use self::sign_in::sign_in;
pub use self::{
    mock::{mock, mock_id},
    sign_in::{SignInError, SignedIn},
    token::TokenBuilder,
};
