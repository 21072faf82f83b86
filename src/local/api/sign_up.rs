//! Signing up: `SignUp`, `ConfirmSignUp` and `ResendConfirmationCode`.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    super::{
        settings::{ExistenceErrors, PoolSettings},
        site::Site,
        store::{Client, CodePurpose, Data, User, UserStatus},
    },
    Answer, ApiError,
    attributes::{self, AttributeInput, Writer},
    codes,
    context::{check_secret_hash, unknown_user},
    input,
    new_password::new_password,
    nothing, required,
    user_names::{NewName, check_name_free, new_name, user_exists},
};

/// The operations of this group; nothing for others.
pub(super) async fn call(site: &Arc<Site>, operation: &str, input: Value) -> Option<Answer> {
    match operation {
        "SignUp" => Some(sign_up(site, input)),
        "ConfirmSignUp" => Some(confirm_sign_up(site, input)),
        "ResendConfirmationCode" => Some(resend_confirmation_code(site, input)),
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
}

fn sign_up(site: &Site, value: Value) -> Answer {
    let SignUp { client_id, secret_hash, username, password, user_attributes } = input(value)?;
    let (pool, client) = site.named_client(client_id)?;
    let given = required(username, "Username")?;
    check_secret_hash(&client, &given, secret_hash.as_deref())?;
    let settings = pool.store.read(Data::settings);
    if settings.admin_create_user_config.allow_admin_create_user_only {
        return Err(ApiError::not_authorized("SignUp is not permitted for this user pool"));
    }
    let password = required(password, "Password")?;
    let NewName { username, sub, contact } = new_name(&settings, &given)?;
    let writer = Writer::User(&client.settings);
    let mut attributes = attributes::check_new(&settings, writer, user_attributes)?;
    if let Some((contact, value)) = contact {
        attributes.insert(contact.attribute().to_owned(), value);
    }
    attributes::check_required(&settings, &attributes)?;
    let now = pool.now();
    let mut user = User::new(username, sub, now);
    attributes::write(&mut user, &attributes);
    pool.store.read(|data| check_free(data, &settings, &given, &user))?;
    user.password = Some(new_password(&pool, &settings, &user, &password)?);
    pool.store.write(|data| {
        check_free(data, &settings, &given, &user)?;
        let key = data.user_key(&user.username);
        data.users.insert(key, user.clone());
        let mut answer = json!({ "UserConfirmed": false, "UserSub": user.sub });
        if let Some(contact) = codes::sign_up_contact(&settings, &user) {
            let details = codes::send(data, &user, CodePurpose::SignUp, contact, now)?;
            if let Value::Object(answer) = &mut answer {
                answer.insert("CodeDeliveryDetails".to_owned(), details);
            }
        }
        Ok(answer)
    })?
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct ConfirmSignUp {
    client_id: Option<String>,
    secret_hash: Option<String>,
    username: Option<String>,
    confirmation_code: Option<String>,
    force_alias_creation: Option<bool>,
}

fn confirm_sign_up(site: &Site, value: Value) -> Answer {
    let input: ConfirmSignUp = input(value)?;
    let (pool, client) = site.named_client(input.client_id)?;
    let name = required(input.username, "Username")?;
    let code = required(input.confirmation_code, "ConfirmationCode")?;
    check_secret_hash(&client, &name, input.secret_hash.as_deref())?;
    let force = input.force_alias_creation.unwrap_or_default();
    let now = pool.now();
    pool.store.write(|data| confirm(data, &client, &name, &code, force, now))??;
    nothing()
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct ResendConfirmationCode {
    client_id: Option<String>,
    secret_hash: Option<String>,
    username: Option<String>,
}

fn resend_confirmation_code(site: &Site, value: Value) -> Answer {
    let ResendConfirmationCode { client_id, secret_hash, username } = input(value)?;
    let (pool, client) = site.named_client(client_id)?;
    let name = required(username, "Username")?;
    check_secret_hash(&client, &name, secret_hash.as_deref())?;
    let now = pool.now();
    let details = pool.store.write(|data| {
        let settings = data.settings();
        let hides = client.settings.prevent_user_existence_errors == ExistenceErrors::Enabled;
        let user = match data.find_user(&name).cloned() {
            Some(user) if user.enabled => user,
            _ if hides => return Ok(codes::simulated_delivery(&settings, &name)),
            Some(_) => return Err(ApiError::user_disabled()),
            None => return Err(ApiError::user_not_found()),
        };
        if user.status != UserStatus::Unconfirmed {
            return Err(ApiError::invalid_parameter("User is already confirmed."));
        }
        let contact = codes::sign_up_contact(&settings, &user).ok_or_else(|| {
            ApiError::invalid_parameter("Cannot resend codes. Auto verification not turned on.")
        })?;
        codes::send(data, &user, CodePurpose::SignUp, contact, now)
    })??;
    Ok(json!({ "CodeDeliveryDetails": details }))
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

fn confirm(
    data: &mut Data,
    client: &Client,
    name: &str,
    code: &str,
    force: bool,
    now: u64,
) -> Result<(), ApiError> {
    let settings = data.settings();
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
    let contact = codes::check(user, CodePurpose::SignUp, code, now)?;
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
    data.users.insert(key, confirmed);
    Ok(())
}
