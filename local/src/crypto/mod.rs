//! Passwords and secrets: SRP, one-time passwords, random values and comparison in constant time.

pub(crate) mod secret;
pub(crate) mod srp;
pub(crate) mod totp;
