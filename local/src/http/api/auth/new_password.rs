//! The challenge `NEW_PASSWORD_REQUIRED`: a first password gives way to one of the user's own.

use crate::{
    error::ApiError,
    http::api::{
        attributes::{self, AttributeInput, Attributes, Writer},
        auth::{
            challenges::{Handle, Open, open_step, session_is_over},
            input::Parameters,
        },
        new_password::{new_password, set_password},
    },
    model::{ChallengeKind, Client, User, UserStatus, settings::PoolSettings},
    pool::Shared,
    store::Data,
};

pub(crate) async fn answer(
    pool: &Shared,
    client: &Client,
    handle: &Handle<'_>,
    answers: &Parameters,
) -> Result<User, ApiError> {
    let text = answers.get("NEW_PASSWORD")?;
    let (settings, user) = pool.store.read(|data| {
        let open = new_password_step(data, handle)?;
        Ok::<_, ApiError>((data.settings(), open.user))
    })?;
    let password = new_password(pool, &settings, &user, text).await?;
    pool.store
        .write(|data| {
            let Open { key, user, .. } = new_password_step(data, handle)?;
            let attributes = check_attributes(&settings, client, &user, answers)?;
            let mut ready = user;
            attributes::write(&mut ready, &attributes);
            if let Some(clash) = attributes::alias_clash(data, &ready) {
                return Err(clash);
            }
            set_password(&mut ready, &settings, password);
            ready.status = UserStatus::Confirmed;
            ready.modified_at = handle.now;
            data.challenges.remove(&key);
            let name = data.user_key(&ready.username);
            data.users.insert(name, ready.clone());
            Ok(ready)
        })
        .await?
}

fn new_password_step(data: &Data, handle: &Handle<'_>) -> Result<Open, ApiError> {
    let open = open_step(data, handle)?;
    let waits = matches!(open.challenge.kind, ChallengeKind::NewPasswordRequired)
        && open.user.status == UserStatus::ForceChangePassword;
    if waits { Ok(open) } else { Err(session_is_over()) }
}

/// The attributes that come with the password, if they may be written and complete the user. What a user has to
/// have and has already is not theirs to change here.
fn check_attributes(
    settings: &PoolSettings,
    client: &Client,
    user: &User,
    answers: &Parameters,
) -> Result<Attributes, ApiError> {
    let given = answers.behind("userAttributes.");
    let is_fixed = |name: &&String| {
        let schema = settings.attribute(name);
        user.attribute(name).is_some()
            && schema.is_some_and(|schema| schema.required || !schema.mutable)
    };
    if let Some(name) = given.keys().find(is_fixed) {
        return Err(ApiError::invalid_parameter(format!(
            "Cannot modify an already provided {name}"
        )));
    }
    let list = given
        .into_iter()
        .map(|(name, value)| AttributeInput { name: Some(name), value: Some(value) });
    let writer = Writer::User(&client.settings);
    let attributes = attributes::check_new(settings, writer, Some(list.collect()))?;
    let has = |name: &str| user.attribute(name).is_some() || attributes.contains_key(name);
    if let Some(name) = attributes::missing(settings, has).next() {
        return Err(ApiError::invalid_parameter(format!(
            "Invalid attributes given, {name} is missing"
        )));
    }
    Ok(attributes)
}
