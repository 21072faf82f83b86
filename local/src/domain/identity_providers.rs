//! Identity providers of a pool.

use std::sync::Arc;

use crate::{
    domain::paging::Paging,
    error::{Error, ErrorKind},
    model::{IdentityProvider, settings::ProviderSettings},
    pool::Pool,
    store::Data,
};

pub(crate) async fn create(
    pool: &Pool,
    settings: ProviderSettings,
) -> Result<IdentityProvider, Error> {
    let now = pool.now();
    pool.store
        .write(|data| {
            if data.identity_providers.contains(&settings.provider_name) {
                return Err(duplicate("A provider with the name already exists."));
            }
            check(data, &settings)?;
            let name = settings.provider_name.clone();
            let provider = IdentityProvider { settings, created_at: now, modified_at: now };
            data.identity_providers.insert(name, provider.clone());
            Ok(provider)
        })
        .await?
}

pub(crate) fn get(pool: &Pool, name: &str) -> Result<Arc<IdentityProvider>, Error> {
    let provider = pool.store.read(|data| data.identity_providers.get(name).cloned());
    provider.ok_or_else(|| unknown(name))
}

/// Returns the provider that has an identifier.
pub(crate) fn of_identifier(pool: &Pool, identifier: &str) -> Result<Arc<IdentityProvider>, Error> {
    let provider = pool.store.read(|data| {
        let has_it = |provider: &&Arc<IdentityProvider>| {
            provider.settings.idp_identifiers.iter().any(|known| known == identifier)
        };
        data.identity_providers.values().find(has_it).cloned()
    });
    provider.ok_or_else(|| unknown(identifier))
}

/// Updates a provider. `change` is called with the current settings, and returns the new ones.
pub(crate) async fn update(
    pool: &Pool,
    name: &str,
    change: impl FnOnce(&ProviderSettings) -> Result<ProviderSettings, Error> + Send,
) -> Result<IdentityProvider, Error> {
    let now = pool.now();
    pool.store
        .write(|data| {
            let provider = data.identity_providers.get(name).ok_or_else(|| unknown(name))?;
            let settings = change(&provider.settings)?;
            check(data, &settings)?;
            let provider = data.identity_providers.get_mut(name).ok_or_else(|| unknown(name))?;
            provider.settings = settings;
            provider.modified_at = now;
            Ok(provider.clone())
        })
        .await?
}

/// Deletes a provider. Ends unfinished sign-ins at the provider, and browser sessions of users who signed in there.
pub(crate) async fn delete(pool: &Pool, name: &str) -> Result<(), Error> {
    pool.store
        .write(|data| {
            data.identity_providers.remove(name).ok_or_else(|| unknown(name))?;
            data.external_sign_ins.retain(|_, sign_in| sign_in.provider != name);
            data.browser_sessions.retain(|_, session| session.provider != name);
            Ok(())
        })
        .await?
}

/// Returns a page of the pool's providers, and the token of the next page.
pub(crate) fn list(pool: &Pool, paging: &Paging) -> (Vec<Arc<IdentityProvider>>, Option<String>) {
    pool.store.read(|data| {
        let (providers, next) = paging.page(data.identity_providers.iter());
        (providers.into_iter().cloned().collect(), next)
    })
}

/// Checks that the pool has the mapped attributes, and that no other provider has the same identifiers.
fn check(data: &Data, settings: &ProviderSettings) -> Result<(), Error> {
    if let Some(name) = settings.unknown_attribute(&data.settings()) {
        return Err(Error::invalid_parameter(format!(
            "Invalid attribute mapping: {name} is not an attribute of the user pool."
        )));
    }
    let clashes = |other: &Arc<IdentityProvider>| {
        other.settings.provider_name != settings.provider_name
            && other
                .settings
                .idp_identifiers
                .iter()
                .any(|known| settings.idp_identifiers.contains(known))
    };
    if data.identity_providers.values().any(clashes) {
        return Err(duplicate("Another provider already has this identifier."));
    }
    Ok(())
}

fn unknown(name: &str) -> Error {
    Error::not_found(format!("Identity provider {name} does not exist."))
}

fn duplicate(message: &str) -> Error {
    Error::new(ErrorKind::DuplicateProvider, message)
}
