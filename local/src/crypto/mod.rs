//! SRP, one-time passwords, random secrets, and comparison in constant time.

pub(crate) mod secret;
pub(crate) mod srp;
pub(crate) mod totp;
