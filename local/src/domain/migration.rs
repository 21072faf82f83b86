//! Migration of users: a trigger adds them to the pool when they sign in or reset a forgotten password.

use std::sync::Arc;

use crate::{
    crypto::srp::Password,
    domain::{
        attributes::{self, AttributeInput, Writer},
        messages::{self, Draft},
        user_names::{NewName, new_name},
    },
    error::Error,
    model::{
        User, UserStatus,
        settings::{Contact, PoolSettings},
    },
    pool::Pool,
    store::Data,
    triggers::{Caller, MigratedUser, user_migration},
};

/// Adds a user to the pool if the migration trigger returns one. If the user was added while the function ran, that
/// user is returned unchanged.
pub(crate) async fn migrate(
    pool: &Pool,
    name: &str,
    password: Option<&str>,
    caller: Caller<'_>,
) -> Result<Option<Arc<User>>, Error> {
    let Some(migrated) = user_migration(&pool.events(), name, password, caller).await? else {
        return Ok(None);
    };
    let settings = pool.store.read(Data::settings);
    let now = pool.now();
    let user = Arc::new(new_user(pool, &settings, name, password, &migrated, now).await?);
    pool.store
        .write(|data| {
            let present = data.find_user(name).or_else(|| data.find_user(&user.username));
            if let Some(present) = present {
                return Ok(Some(present.clone()));
            }
            if migrated.takes_aliases {
                attributes::take_aliases(data, &user)?;
            }
            if let Some(clash) = attributes::alias_clash(data, &user) {
                return Err(clash);
            }
            let key = data.user_key(&user.username);
            data.users.insert(key, user.clone());
            if migrated.sends_welcome {
                welcome(data, &user, &migrated.mediums, now);
            }
            Ok(Some(user))
        })
        .await?
}

async fn new_user(
    pool: &Pool,
    settings: &PoolSettings,
    name: &str,
    password: Option<&str>,
    migrated: &MigratedUser,
    now: u64,
) -> Result<User, Error> {
    let mut given = migrated.attributes.clone();
    // A user who signs in with an alias also has a user name.
    let user_name = given.remove("username");
    let NewName { username, sub, contact } =
        new_name(settings, user_name.as_deref().unwrap_or(name))?;
    let list = given.into_iter().map(|(name, value)| AttributeInput { name, value }).collect();
    let mut given = attributes::check_new(settings, Writer::Admin, list)?;
    if let Some((contact, value)) = contact {
        given.entry(contact.attribute().to_owned()).or_insert(value);
    }
    let mut user = User::new(username, sub, now);
    attributes::write(&mut user, &given);
    user.status =
        if migrated.is_confirmed { UserStatus::Confirmed } else { UserStatus::ResetRequired };
    // The policy of the pool does not apply to a migrated password.
    if let Some(text) = password.filter(|_| migrated.is_confirmed) {
        user.password = Some(Password::new(pool.short_name(), &user.username, text).await);
    }
    user.mfa.sms = migrated.has_sms_mfa;
    Ok(user)
}

/// Sends a welcome message without a password: by SMS, unless the function names other media.
fn welcome(data: &mut Data, user: &User, mediums: &[String], now: u64) {
    let has = |contact: &Contact| user.attribute(contact.attribute()).is_some();
    let is_wanted = |contact: &Contact| {
        let by_default = mediums.is_empty() && *contact == Contact::PhoneNumber;
        by_default || mediums.iter().any(|medium| medium == contact.medium())
    };
    let contacts = [Contact::PhoneNumber, Contact::Email].into_iter().filter(has);
    for contact in contacts.filter(is_wanted) {
        let body = format!("Welcome. Your username is {}.", user.username);
        let subject = (contact == Contact::Email).then_some("Welcome");
        messages::send(
            data,
            user,
            &Draft { contact, subject, body: &body, code: None, link: None },
            now,
        );
    }
}
