//! The claims of a token that was verified, and the types that hold them.

mod identity;
mod permissions;
mod profile;
mod text;
mod typed;
mod verified;

pub mod de;

pub use self::identity::Identity;
pub(crate) use self::permissions::read_permissions;
pub(crate) use self::text::Text;
pub use self::typed::{AccessClaims, Claims, IdClaims};
pub(crate) use self::verified::{Facts, MAX_NUMERIC_DATE, SignedBy};
pub use self::verified::{TokenUse, Verified};
