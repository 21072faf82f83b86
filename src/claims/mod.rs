//! The claims of a verified token, and the types that contain them.

mod identity;
mod names;
mod permissions;
mod profile;
mod typed;
mod verified;

pub mod de;

pub use self::identity::Identity;
pub(crate) use self::names::Names;
pub(crate) use self::permissions::read_permissions;
pub use self::typed::{AccessClaims, Claims, IdClaims};
pub(crate) use self::verified::{Facts, MAX_NUMERIC_DATE, PoolPlace, SignedBy, Validity};
pub use self::verified::{TokenUse, Verified};
