//! The RSA implementation of peers that leave the choice to the application.
//!
//! `jsonwebtoken` 10 and 11 use a provider that is installed once per process. They panic if both built-in providers
//! are compiled and none is installed. Peers that depend on version 9 always use `ring`.

use std::{error::Error, str::FromStr};

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Crypto {
    /// The faster of the two providers.
    #[default]
    Fastest,
    /// The default of the peer.
    Shipped,
}

impl Crypto {
    /// Installs the providers for the process. Must be called once, before any token is verified.
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
        ten.install_default().map_err(|_| "a provider for jsonwebtoken 10 is already installed")?;
        eleven
            .install_default()
            .map_err(|_| "a provider for jsonwebtoken 11 is already installed")?;
        Ok(())
    }

    /// Returns the name of the RSA implementation.
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
