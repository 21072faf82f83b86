//! Users of before, who come into the pool when they sign in or have forgotten their password.

use crate::{
    crypto::srp::Password,
    error::ApiError,
    http::api::{
        attributes::{self, AttributeInput, Writer},
        user_names::{NewName, new_name},
    },
    messages::{self, Draft},
    model::{
        User, UserStatus,
        settings::{Contact, PoolSettings},
    },
    pool::Shared,
    store::Data,
    triggers::{Caller, Migrant, user_migration},
};

/// Brings a user into the pool who is not there yet, if a function knows them. Nobody who is there is changed, not
/// even one who came while the function ran: then it is they who are meant.
pub(crate) async fn migrate(
    pool: &Shared,
    name: &str,
    password: Option<&str>,
    caller: Caller<'_>,
) -> Result<Option<User>, ApiError> {
    let Some(migrant) = user_migration(pool, name, password, caller).await? else {
        return Ok(None);
    };
    let settings = pool.store.read(Data::settings);
    let now = pool.now();
    let user = made(pool, &settings, name, password, &migrant, now).await?;
    pool.store
        .write(|data| {
            let present = data.find_user(name).or_else(|| data.find_user(&user.username));
            if let Some(present) = present {
                return Ok(Some(present.clone()));
            }
            if migrant.takes_aliases {
                attributes::take_aliases(data, &user)?;
            }
            if let Some(clash) = attributes::alias_clash(data, &user) {
                return Err(clash);
            }
            let key = data.user_key(&user.username);
            data.users.insert(key, user.clone());
            if migrant.is_welcomed {
                welcome(data, &user, &migrant.mediums, now);
            }
            Ok(Some(user))
        })
        .await?
}

async fn made(
    pool: &Shared,
    settings: &PoolSettings,
    name: &str,
    password: Option<&str>,
    migrant: &Migrant,
    now: u64,
) -> Result<User, ApiError> {
    let mut given = migrant.attributes.clone();
    // Who signs in with an alias has a user name besides.
    let own_name = given.remove("username");
    let NewName { username, sub, contact } =
        new_name(settings, own_name.as_deref().unwrap_or(name))?;
    let list = given
        .into_iter()
        .map(|(name, value)| AttributeInput { name: Some(name), value: Some(value) })
        .collect();
    let mut given = attributes::check_new(settings, Writer::Admin, Some(list))?;
    if let Some((contact, value)) = contact {
        given.entry(contact.attribute().to_owned()).or_insert(value);
    }
    let mut user = User::new(username, sub, now);
    attributes::write(&mut user, &given);
    user.status =
        if migrant.is_confirmed { UserStatus::Confirmed } else { UserStatus::ResetRequired };
    // A password of before need not conform to the pool's policy.
    if let Some(text) = password.filter(|_| migrant.is_confirmed) {
        user.password = Some(Password::new(pool.short_name(), &user.username, text).await);
    }
    user.mfa.sms = migrant.wants_sms_codes;
    Ok(user)
}

/// Tells a user that they are in the pool: by SMS, unless the function says otherwise. Nobody is told a password
/// that they know.
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
        messages::send(data, user, &Draft { contact, subject, body: &body, code: None }, now);
    }
}
