//! A token and the first two of its three states.
//!
//! [`CompactJws`] decodes the three parts of a token. [`Unverified`] is what they say before the signature is
//! verified: only the key id and the issuer can be read, to find the key. [`Signed`] is what they say after that:
//! only now can the other claims be read. The third state, [`Verified`](crate::Verified), is made by the verifier
//! once all rules have passed.

mod claims_set;
mod compact;
mod header;
mod state;

pub(crate) use self::compact::CompactJws;
pub(crate) use self::state::{Signed, Unverified};
