//! The challenge `NEW_PASSWORD_REQUIRED`: the user replaces a temporary password.

use std::{collections::BTreeMap, sync::Arc};

use crate::{
    domain::{
        attributes::{self, AttributeInput, Attributes, Writer},
        new_password::{new_password, set_password},
        sign_in::challenges::{ChallengeRef, OpenChallenge, find_challenge},
    },
    error::Error,
    model::{ChallengeKind, Client, User, UserStatus, settings::PoolSettings},
    pool::Pool,
    store::Data,
};

/// Sets the new password, if the response to the challenge is valid.
pub(crate) async fn answer(
    pool: &Pool,
    client: &Client,
    reference: &ChallengeRef<'_>,
    text: &str,
    given: &BTreeMap<String, String>,
) -> Result<Arc<User>, Error> {
    let (settings, user) = pool.store.read(|data| {
        let open = new_password_challenge(data, reference)?;
        Ok::<_, Error>((data.settings(), open.user))
    })?;
    let password = new_password(pool, &settings, &user, text).await?;
    pool.store
        .write(|data| {
            let OpenChallenge { key, user, .. } = new_password_challenge(data, reference)?;
            let attributes = check_attributes(&settings, client, &user, given)?;
            let mut changed = User::clone(&user);
            attributes::write(&mut changed, &attributes);
            if let Some(clash) = attributes::alias_clash(data, &changed) {
                return Err(clash);
            }
            set_password(&mut changed, &settings, password);
            changed.status = UserStatus::Confirmed;
            changed.modified_at = reference.now;
            data.challenges.remove(&key);
            let name = data.user_key(&changed.username);
            let changed = Arc::new(changed);
            data.users.insert(name, Arc::clone(&changed));
            Ok(changed)
        })
        .await?
}

fn new_password_challenge(
    data: &Data,
    reference: &ChallengeRef<'_>,
) -> Result<OpenChallenge, Error> {
    let open = find_challenge(data, reference)?;
    let is_waiting = matches!(open.challenge.kind, ChallengeKind::NewPasswordRequired)
        && open.user.status == UserStatus::ForceChangePassword;
    if is_waiting { Ok(open) } else { Err(Error::unknown_session()) }
}

/// Checks the attributes that the client sends with the password. They must be writable, and include all required
/// attributes that the user does not have yet. A required attribute that the user already has cannot be changed here.
fn check_attributes(
    settings: &PoolSettings,
    client: &Client,
    user: &User,
    given: &BTreeMap<String, String>,
) -> Result<Attributes, Error> {
    let is_provided = |name: &&String| {
        let schema = settings.attribute(name);
        user.attribute(name).is_some()
            && schema.is_some_and(|schema| schema.required || !schema.mutable)
    };
    if let Some(name) = given.keys().find(is_provided) {
        return Err(Error::invalid_parameter(format!("Cannot modify an already provided {name}")));
    }
    let list = given
        .iter()
        .map(|(name, value)| AttributeInput { name: name.clone(), value: value.clone() });
    let writer = Writer::User(&client.settings);
    let attributes = attributes::check_new(settings, writer, list.collect())?;
    let has = |name: &str| user.attribute(name).is_some() || attributes.contains_key(name);
    if let Some(name) = attributes::missing(settings, has).next() {
        return Err(Error::invalid_parameter(format!(
            "Invalid attributes given, {name} is missing"
        )));
    }
    Ok(attributes)
}
