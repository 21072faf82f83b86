//! The claims of a verified token, and the types that contain them.

mod identity;
mod list_form;
mod names;
mod profile;
mod shape;
mod typed;
mod verified;

pub mod de;

pub use self::identity::Identity;
pub use self::list_form::ListForm;
pub(crate) use self::names::Names;
pub use self::typed::{AccessClaims, Claims, IdClaims};
pub(crate) use self::verified::{Facts, MAX_NUMERIC_DATE, SignedBy, Validity};
pub use self::verified::{TokenUse, Verified};
