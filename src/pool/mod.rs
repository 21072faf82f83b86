//! The ids, issuers and URLs of user pools.

mod id;
mod url;

pub use self::id::PoolId;
pub(crate) use self::id::is_region;
pub(crate) use self::url::check_url;
#[cfg(feature = "fetch")]
pub(crate) use self::url::is_loopback;
