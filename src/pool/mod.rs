//! Identifies user pools: ids, hosts, and which URLs are allowed.

mod id;
mod url;

pub use self::id::PoolId;
pub(crate) use self::id::is_region;
pub(crate) use self::url::check_url;
#[cfg(feature = "fetch")]
pub(crate) use self::url::is_loopback;
