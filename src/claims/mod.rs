//! The claims of a verified token, and the types that contain them.

mod identity;
mod list_form;
mod names;
mod profile;
mod shape;
mod token_use;
mod typed;
mod verified;

pub mod de;

pub use self::identity::Identity;
pub use self::list_form::ListForm;
pub(crate) use self::names::Names;
pub use self::token_use::TokenUse;
pub use self::typed::{AccessClaims, Claims, IdClaims};
pub use self::verified::Verified;
pub(crate) use self::verified::{Facts, MAX_NUMERIC_DATE, PoolPlace, SignedBy, Validity};
