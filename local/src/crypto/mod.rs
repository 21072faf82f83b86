//! SRP, one-time passwords, random secrets, comparison in constant time, and certificates.

pub(crate) mod certificate;
pub(crate) mod secret;
pub(crate) mod srp;
pub(crate) mod totp;
