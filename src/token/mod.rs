//! A token and the first two of its three states.
//!
//! [`CompactJws`] decodes the three parts of a token. In the first state, [`Unverified`], only the key id and the issuer
//! can be read, to find the key. A valid signature leads to the second state, [`Signed`], in which all claims can be
//! read. The verifier creates the third state, [`Verified`](crate::Verified), once the token has met all rules.

mod claims_set;
mod compact;
mod header;
mod state;

pub(crate) use self::compact::CompactJws;
pub(crate) use self::state::{Signed, Unverified};
