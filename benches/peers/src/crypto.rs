//! Who computes RSA where a peer leaves it to its user.
//!
//! `jsonwebtoken` 10 and 11 ask a provider that is set once for the process, and panic where both
//! of their own are built and none is set. Peers that stand on version 9 always use `ring`.

use std::{error::Error, str::FromStr};

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Crypto {
    /// The faster of the two that a peer's user can choose.
    #[default]
    Fastest,
    /// What a peer takes if its user says nothing.
    Shipped,
}

impl Crypto {
    /// Settles it for the process. To be called once, before any token is verified.
    pub fn install(self) -> Result<(), Box<dyn Error>> {
        let (ten, eleven) = match self {
            Self::Fastest => (
                &jsonwebtoken_10::crypto::aws_lc::DEFAULT_PROVIDER,
                &jsonwebtoken::crypto::aws_lc::DEFAULT_PROVIDER,
            ),
            Self::Shipped => (
                &jsonwebtoken_10::crypto::rust_crypto::DEFAULT_PROVIDER,
                &jsonwebtoken::crypto::rust_crypto::DEFAULT_PROVIDER,
            ),
        };
        ten.install_default().map_err(|_| "jsonwebtoken 10 has a provider already")?;
        eleven.install_default().map_err(|_| "jsonwebtoken 11 has a provider already")?;
        Ok(())
    }

    /// Who computes RSA then.
    pub fn name(self) -> &'static str {
        match self {
            Self::Fastest => "aws-lc-rs",
            Self::Shipped => "RustCrypto",
        }
    }
}

impl FromStr for Crypto {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "fastest" => Ok(Self::Fastest),
            "shipped" => Ok(Self::Shipped),
            _ => Err(format!("`--crypto` is `fastest` or `shipped`, not `{text}`")),
        }
    }
}
