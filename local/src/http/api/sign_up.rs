//! Signing up: `SignUp`, `ConfirmSignUp` and `ResendConfirmationCode`.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    error::ApiError,
    http::api::{
        Answer,
        attributes::{self, AttributeInput, Writer},
        codes,
        context::{check_secret_hash, unknown_user},
        input,
        new_password::new_password,
        nothing, required,
        user_names::{NewName, check_name_free, new_name, user_exists},
    },
    model::{
        Client, CodePurpose, User, UserStatus,
        settings::{Contact, ExistenceErrors, PoolSettings},
    },
    pool::site::Site,
    store::Data,
    triggers::{Arrival, Caller, Confirmation, Metadata, Reason, post_confirmation, pre_sign_up},
};

/// The operations of this group; nothing for others.
pub(crate) async fn call(site: &Arc<Site>, operation: &str, input: Value) -> Option<Answer> {
    match operation {
        "SignUp" => Some(sign_up(site, input).await),
        "ConfirmSignUp" => Some(confirm_sign_up(site, input).await),
        "ResendConfirmationCode" => Some(resend_confirmation_code(site, input).await),
        _ => None,
    }
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct SignUp {
    client_id: Option<String>,
    secret_hash: Option<String>,
    username: Option<String>,
    password: Option<String>,
    user_attributes: Option<Vec<AttributeInput>>,
    validation_data: Option<Vec<AttributeInput>>,
    client_metadata: Option<Metadata>,
}

async fn sign_up(site: &Site, value: Value) -> Answer {
    let input: SignUp = input(value)?;
    let (pool, client) = site.named_client(input.client_id)?;
    let given = required(input.username, "Username")?;
    check_secret_hash(&client, &given, input.secret_hash.as_deref())?;
    let metadata = input.client_metadata.unwrap_or_default();
    let caller = Caller { client_id: &client.settings.client_id, metadata: &metadata };
    let settings = pool.store.read(Data::settings);
    if settings.admin_create_user_config.allow_admin_create_user_only {
        return Err(ApiError::not_authorized("SignUp is not permitted for this user pool"));
    }
    let password = required(input.password, "Password")?;
    let NewName { username, sub, contact } = new_name(&settings, &given)?;
    let writer = Writer::User(&client.settings);
    let mut attributes = attributes::check_new(&settings, writer, input.user_attributes)?;
    if let Some((contact, value)) = contact {
        attributes.insert(contact.attribute().to_owned(), value);
    }
    attributes::check_required(&settings, &attributes)?;
    let now = pool.now();
    let mut user = User::new(username, sub, now);
    attributes::write(&mut user, &attributes);
    pool.store.read(|data| check_free(data, &settings, &given, &user))?;
    user.password = Some(new_password(&pool, &settings, &user, &password).await?);
    let validation = attributes::validation_data(input.validation_data.as_deref());
    let verdict = pre_sign_up(&pool, &user, Arrival::SignUp, &validation, caller).await?;
    verdict.apply(&mut user)?;
    let contact = codes::sign_up_contact(&settings, &user).filter(|_| !verdict.confirms());
    let letter = match contact {
        Some(contact) => {
            let (purpose, reason) = (CodePurpose::SignUp, Reason::SignUp);
            Some(codes::letter(&pool, &user, purpose, contact, reason, caller).await?)
        }
        None => None,
    };
    let mut answer = json!({ "UserConfirmed": verdict.confirms(), "UserSub": user.sub });
    let details = pool
        .store
        .write(|data| {
            check_free(data, &settings, &given, &user)?;
            let key = data.user_key(&user.username);
            data.users.insert(key, user.clone());
            letter.map(|letter| codes::send(data, &letter, now)).transpose()
        })
        .await??;
    if let (Value::Object(answer), Some(details)) = (&mut answer, details) {
        answer.insert("CodeDeliveryDetails".to_owned(), details);
    }
    if verdict.confirms() {
        post_confirmation(&pool, &user, Confirmation::SignUp, caller).await?;
    }
    Ok(answer)
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct ConfirmSignUp {
    client_id: Option<String>,
    secret_hash: Option<String>,
    username: Option<String>,
    confirmation_code: Option<String>,
    force_alias_creation: Option<bool>,
    client_metadata: Option<Metadata>,
}

async fn confirm_sign_up(site: &Site, value: Value) -> Answer {
    let input: ConfirmSignUp = input(value)?;
    let (pool, client) = site.named_client(input.client_id)?;
    let name = required(input.username, "Username")?;
    let code = required(input.confirmation_code, "ConfirmationCode")?;
    check_secret_hash(&client, &name, input.secret_hash.as_deref())?;
    let force = input.force_alias_creation.unwrap_or_default();
    let metadata = input.client_metadata.unwrap_or_default();
    let caller = Caller { client_id: &client.settings.client_id, metadata: &metadata };
    let now = pool.now();
    // A wrong code is counted; whatever else a refused confirmation changed is undone.
    pool.store
        .write_always(|data| {
            let user = unconfirmed_user(data, &client, &name)?;
            codes::check(&mut user.codes, CodePurpose::SignUp, &code, now)
        })
        .await??;
    let user = pool.store.write(|data| confirm(data, &client, &name, &code, force, now)).await??;
    post_confirmation(&pool, &user, Confirmation::SignUp, caller).await?;
    nothing()
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct ResendConfirmationCode {
    client_id: Option<String>,
    secret_hash: Option<String>,
    username: Option<String>,
    client_metadata: Option<Metadata>,
}

async fn resend_confirmation_code(site: &Site, value: Value) -> Answer {
    let ResendConfirmationCode { client_id, secret_hash, username, client_metadata } =
        input(value)?;
    let (pool, client) = site.named_client(client_id)?;
    let name = required(username, "Username")?;
    check_secret_hash(&client, &name, secret_hash.as_deref())?;
    let metadata = client_metadata.unwrap_or_default();
    let caller = Caller { client_id: &client.settings.client_id, metadata: &metadata };
    let details = match pool.store.read(|data| unconfirmed(data, &client, &name))? {
        Some((user, contact)) => {
            let (purpose, reason) = (CodePurpose::SignUp, Reason::ResendCode);
            let letter = codes::letter(&pool, &user, purpose, contact, reason, caller).await?;
            let now = pool.now();
            pool.store
                .write(|data| match unconfirmed(data, &client, &name)? {
                    Some(_) => codes::send(data, &letter, now),
                    None => Ok(codes::simulated_delivery(&data.settings(), &name)),
                })
                .await??
        }
        None => pool.store.read(|data| codes::simulated_delivery(&data.settings(), &name)),
    };
    Ok(json!({ "CodeDeliveryDetails": details }))
}

/// Who is to get a code again, and where. Nobody, if the client is to believe that there was someone.
fn unconfirmed(
    data: &Data,
    client: &Client,
    name: &str,
) -> Result<Option<(User, Contact)>, ApiError> {
    let hides = client.settings.prevent_user_existence_errors == ExistenceErrors::Enabled;
    let user = match data.find_user(name).cloned() {
        Some(user) if user.enabled => user,
        _ if hides => return Ok(None),
        Some(_) => return Err(ApiError::user_disabled()),
        None => return Err(ApiError::user_not_found()),
    };
    if user.status != UserStatus::Unconfirmed {
        return Err(ApiError::invalid_parameter("User is already confirmed."));
    }
    let contact = codes::sign_up_contact(&data.settings(), &user).ok_or_else(|| {
        ApiError::invalid_parameter("Cannot resend codes. Auto verification not turned on.")
    })?;
    Ok(Some((user, contact)))
}

/// Whether a new user's names are nobody's yet.
fn check_free(
    data: &Data,
    settings: &PoolSettings,
    given: &str,
    user: &User,
) -> Result<(), ApiError> {
    check_name_free(data, settings, given, "User already exists")?;
    attributes::alias_clash(data, user).map_or(Ok(()), |clash| Err(user_exists(clash.message)))
}

/// Returns the user of a name, who has to be enabled and unconfirmed.
fn unconfirmed_user<'a>(
    data: &'a mut Data,
    client: &Client,
    name: &str,
) -> Result<&'a mut User, ApiError> {
    let Some(user) = data.find_user_mut(name) else {
        return Err(unknown_user(client, ApiError::expired_code()));
    };
    if !user.enabled {
        return Err(ApiError::user_disabled());
    }
    if user.status != UserStatus::Unconfirmed {
        return Err(ApiError::not_authorized(format!(
            "User cannot be confirmed. Current status is {}",
            user.status.as_str()
        )));
    }
    Ok(user)
}

fn confirm(
    data: &mut Data,
    client: &Client,
    name: &str,
    code: &str,
    force: bool,
    now: u64,
) -> Result<User, ApiError> {
    let settings = data.settings();
    let user = unconfirmed_user(data, client, name)?;
    let contact = codes::check(&mut user.codes, CodePurpose::SignUp, code, now)?;
    let mut confirmed = user.clone();
    confirmed.codes.remove(&CodePurpose::SignUp);
    confirmed.status = UserStatus::Confirmed;
    confirmed.modified_at = now;
    if let Some(contact) = contact {
        confirmed.attributes.insert(contact.verified_attribute().to_owned(), "true".to_owned());
    }
    if force && !settings.signs_in_with_contacts() {
        attributes::take_aliases(data, &confirmed)?;
    }
    // A clash leaves the code good, so that the client can try again with `ForceAliasCreation`.
    if let Some(clash) = attributes::alias_clash(data, &confirmed) {
        return Err(clash);
    }
    let key = data.user_key(&confirmed.username);
    data.users.insert(key, confirmed.clone());
    Ok(confirmed)
}
