//! The identity providers that an app client supports.

use crate::{
    model::settings::{ClientSettings, OWN_PROVIDER, ProviderSettings},
    pool::Pool,
};

/// The provider at which a user has to sign in.
pub(crate) enum RequestedProvider {
    /// The user chooses a provider.
    Any,
    /// The pool itself, with a password.
    Pool,
    External(Box<ProviderSettings>),
}

/// Error returned when a provider does not exist, or when the app client does not support it.
pub(crate) struct UnknownProvider;

impl RequestedProvider {
    /// Returns whether a session that was created with a provider meets the request.
    pub(crate) fn accepts(&self, used: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Pool => used == OWN_PROVIDER,
            Self::External(provider) => provider.provider_name == used,
        }
    }
}

/// Returns the provider that a request selects by its name or by an identifier. If the request has neither, returns the
/// external provider if it is the only way to sign in, and [`RequestedProvider::Any`] otherwise.
///
/// # Errors
/// Returns an error if the app client does not support the requested provider.
pub(crate) fn requested(
    pool: &Pool,
    client: &ClientSettings,
    name: Option<&str>,
    identifier: Option<&str>,
) -> Result<RequestedProvider, UnknownProvider> {
    let mut providers = supported(pool, client);
    let is_requested = |provider: &ProviderSettings| match (name, identifier) {
        (Some(name), _) => provider.provider_name == name,
        (None, Some(id)) => provider.idp_identifiers.iter().any(|known| known == id),
        (None, None) => false,
    };
    let allows_passwords = client.allows_provider(OWN_PROVIDER);
    match (name, identifier) {
        (Some(OWN_PROVIDER), _) if allows_passwords => Ok(RequestedProvider::Pool),
        (None, None) if allows_passwords || providers.len() != 1 => Ok(RequestedProvider::Any),
        (None, None) => Ok(providers.pop().map_or(RequestedProvider::Any, |provider| {
            RequestedProvider::External(Box::new(provider))
        })),
        _ => {
            let provider = providers.into_iter().find(is_requested).ok_or(UnknownProvider)?;
            Ok(RequestedProvider::External(Box::new(provider)))
        }
    }
}

/// Returns the external providers that an app client supports.
pub(crate) fn supported(pool: &Pool, client: &ClientSettings) -> Vec<ProviderSettings> {
    pool.store.read(|data| {
        data.identity_providers
            .values()
            .map(|provider| &provider.settings)
            .filter(|provider| client.allows_provider(&provider.provider_name))
            .cloned()
            .collect()
    })
}
