//! App clients: creation, description, update, deletion and list.

use std::sync::Arc;

use crate::{
    crypto::secret,
    domain::paging::table_page,
    error::Error,
    model::{
        Client, OtherSettings,
        settings::{AuthFlow, ClientContext, ClientSettings, ExistenceErrors, OWN_PROVIDER},
    },
    pool::Pool,
    store::Data,
};

/// Creates an app client with a new id. `read` is called with Cognito's defaults, and returns the settings of the
/// client.
pub(crate) async fn create(
    pool: &Pool,
    others: OtherSettings,
    read: impl FnOnce(ClientSettings, ClientContext<'_>) -> Result<ClientSettings, Error> + Send,
) -> Result<Client, Error> {
    let now = pool.now();
    pool.store
        .write(|data| {
            let mut settings = read_in_context(pool, data, default_settings(), read)?;
            settings.client_id = secret::client_id();
            if settings.generate_secret && settings.client_secret.is_none() {
                settings.client_secret = Some(secret::client_secret());
            }
            let mut client = Client::new(settings, now);
            client.others = others;
            data.clients.insert(client.settings.client_id.clone(), client.clone());
            Ok(client)
        })
        .await?
}

pub(crate) fn get(pool: &Pool, id: &str) -> Result<Arc<Client>, Error> {
    pool.store.read(|data| data.clients.get(id).cloned()).ok_or_else(|| Error::no_client(id))
}

/// Replaces the settings of an app client. `read` is called with the settings that apply if the request omits them, and
/// returns the new settings. Changes to a setting that an update cannot change are ignored.
pub(crate) async fn update(
    pool: &Pool,
    id: &str,
    others: OtherSettings,
    read: impl FnOnce(ClientSettings, ClientContext<'_>) -> Result<ClientSettings, Error> + Send,
) -> Result<Client, Error> {
    let now = pool.now();
    pool.store
        .write(|data| {
            let before = data.clients.get(id).ok_or_else(|| Error::no_client(id))?;
            let settings = read_in_context(pool, data, update_base(&before.settings), read)?;
            let client = data.clients.get_mut(id).ok_or_else(|| Error::no_client(id))?;
            client.settings = with_unchangeable(settings, &client.settings);
            client.others = others;
            client.modified_at = now;
            Ok(client.clone())
        })
        .await?
}

/// Deletes an app client, and ends the sessions of its users.
pub(crate) async fn delete(pool: &Pool, id: &str) -> Result<(), Error> {
    pool.store
        .write(|data| data.remove_client(id).map(drop).ok_or_else(|| Error::no_client(id)))
        .await?
}

/// Returns a page of the pool's app clients, and the token of the next page.
pub(crate) fn list(
    pool: &Pool,
    limit: Option<i64>,
    token: Option<&str>,
) -> Result<(Vec<Arc<Client>>, Option<String>), Error> {
    table_page(pool, "ListUserPoolClients", limit, token, |data| &data.clients)
}

/// Returns Cognito's defaults for a new app client. A client in a configuration file has other defaults.
fn default_settings() -> ClientSettings {
    ClientSettings {
        explicit_auth_flows: vec![
            AuthFlow::RefreshTokenAuth,
            AuthFlow::UserSrpAuth,
            AuthFlow::CustomAuth,
        ],
        prevent_user_existence_errors: ExistenceErrors::Legacy,
        ..ClientSettings::default()
    }
}

/// Returns the settings that an update starts from: the defaults, and the settings that stay if the request does not
/// have them.
fn update_base(before: &ClientSettings) -> ClientSettings {
    let base = ClientSettings { name: before.name.clone(), ..default_settings() };
    with_unchangeable(base, before)
}

/// Restores the settings that an update cannot change.
fn with_unchangeable(settings: ClientSettings, before: &ClientSettings) -> ClientSettings {
    ClientSettings {
        client_id: before.client_id.clone(),
        client_secret: before.client_secret.clone(),
        generate_secret: before.generate_secret,
        ..settings
    }
}

fn read_in_context(
    pool: &Pool,
    data: &Data,
    base: ClientSettings,
    read: impl FnOnce(ClientSettings, ClientContext<'_>) -> Result<ClientSettings, Error>,
) -> Result<ClientSettings, Error> {
    let settings = data.settings();
    let scopes: Vec<_> =
        data.resource_servers.values().flat_map(|server| server.full_scopes()).collect();
    let client = read(base, ClientContext { pool: &settings, scopes: &scopes })?;
    let mut providers = client.supported_identity_providers.iter();
    let exists = |name: &str| name == OWN_PROVIDER || data.identity_providers.contains(name);
    match providers.find(|name| !exists(name)) {
        None => Ok(client),
        Some(name) => Err(Error::invalid_parameter(format!(
            "The provider {name} does not exist for User Pool {}.",
            pool.id()
        ))),
    }
}
