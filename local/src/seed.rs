//! Writes the data of the configuration into a new pool.

use crate::{
    config::{Seed, UserSeed},
    crypto::{secret, srp::Password},
    ids::uuid_of,
    model::{
        Client, Group, IdentityProvider, PoolRecord, User, UserStatus,
        settings::{ClientSettings, Contact, PoolSettings, TimeUnit},
    },
    pool::Pool,
    store::{Data, StoreError},
    time::milliseconds,
};

/// Writes the configured data into a pool, unless the pool was read from a data file.
pub(crate) async fn seed_pool(pool: &Pool, seed: &Seed) -> Result<(), StoreError> {
    if pool.store.read(|data| data.pool.len()) > 0 {
        return Ok(());
    }
    let now = pool.now();
    let days = seed.pool.password_policy.temporary_password_validity_days;
    let temporary_lifetime = milliseconds(TimeUnit::Days.of(days));
    let mut users = Vec::new();
    for user in &seed.users {
        users.push(new_user(pool, &seed.pool, user, temporary_lifetime, now).await);
    }
    let mut record = PoolRecord::new(seed.pool.clone(), now);
    record.domain.clone_from(&seed.domain);
    pool.create(record, |data| {
        let default = [ClientSettings::default()];
        let clients = if seed.clients.is_empty() { &default[..] } else { &seed.clients };
        // The first client without an id gets the builder's client id, unless another client has that id.
        let mut id = Some(pool.client_id());
        id.take_if(|id| clients.iter().any(|client| client.client_id == *id));
        for settings in clients {
            let id = if settings.client_id.is_empty() { id.take() } else { None };
            add_client(data, settings.clone(), id, now);
        }
        for group in seed.groups.clone() {
            let group = Group {
                name: group.name,
                description: group.description,
                role_arn: group.role_arn,
                precedence: group.precedence,
                created_at: now,
                modified_at: now,
            };
            data.groups.insert(group.name.clone(), group);
        }
        for server in seed.resource_servers.clone() {
            data.resource_servers.insert(server.identifier.clone(), server);
        }
        for settings in seed.identity_providers.clone() {
            let name = settings.provider_name.clone();
            let provider = IdentityProvider { settings, created_at: now, modified_at: now };
            data.identity_providers.insert(name, provider);
        }
        for user in users {
            let key = data.user_key(&user.username);
            data.users.insert(key, user);
        }
    })
    .await
}

/// Adds a client. A client without an id gets `id`, or a generated id if that is `None`.
fn add_client(data: &mut Data, mut settings: ClientSettings, id: Option<&str>, now: u64) {
    if settings.client_id.is_empty() {
        settings.client_id = id.map_or_else(secret::client_id, str::to_owned);
    }
    if settings.generate_secret && settings.client_secret.is_none() {
        settings.client_secret = Some(secret::client_secret());
    }
    let id = settings.client_id.clone();
    data.clients.insert(id, Client::new(settings, now));
}

/// Creates a configured user. Their contacts are verified unless the configuration says otherwise, because no one can
/// enter a code.
async fn new_user(
    pool: &Pool,
    settings: &PoolSettings,
    seed: &UserSeed,
    temporary_lifetime: u64,
    now: u64,
) -> User {
    let sub = uuid_of(&format!("{} {}", pool.id(), seed.username));
    // Where users sign in with contacts, the configured name is the contact.
    let contact = settings.check_new_username(&seed.username).ok().flatten();
    let username = if contact.is_some() { sub.clone() } else { seed.username.clone() };
    let mut user = User::new(username, sub, now);
    user.enabled = seed.enabled;
    user.attributes.clone_from(&seed.attributes);
    if let Some(contact) = contact {
        user.attributes.insert(contact.attribute().to_owned(), seed.username.clone());
    }
    for contact in [Contact::Email, Contact::PhoneNumber] {
        if user.attribute(contact.attribute()).is_some() {
            let flag = contact.verified_attribute().to_owned();
            user.attributes.entry(flag).or_insert_with(|| "true".to_owned());
        }
    }
    user.groups = seed.groups.iter().cloned().collect();
    user.status = UserStatus::ForceChangePassword;
    if let Some(text) = &seed.password {
        user.password = Some(Password::new(pool.short_name(), &user.username, text).await);
        user.status = UserStatus::Confirmed;
    } else if let Some(text) = &seed.temporary_password {
        let password = Password::new(pool.short_name(), &user.username, text).await;
        user.password = Some(password.expiring(now.saturating_add(temporary_lifetime)));
    }
    user
}
