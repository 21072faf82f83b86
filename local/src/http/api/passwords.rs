//! `ChangePassword`, `ForgotPassword` and `ConfirmForgotPassword`.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    error::ApiError,
    http::api::{
        Answer, codes,
        context::{check_secret_hash, named_user_mut, still_there, unknown_user},
        input,
        lockout::{count_mistake, is_locked},
        migration::migrate,
        new_password::{new_password, set_password},
        nothing, required,
    },
    model::{
        Client, CodePurpose, User, UserStatus,
        settings::{Contact, ExistenceErrors},
    },
    pool::{Shared, site::Site},
    store::Data,
    triggers::{Caller, Confirmation, Metadata, Reason, post_confirmation},
};

/// The operations of this group; nothing for others.
pub(crate) async fn call(site: &Arc<Site>, operation: &str, input: Value) -> Option<Answer> {
    match operation {
        "ChangePassword" => Some(change_password(site, input).await),
        "ForgotPassword" => Some(forgot_password(site, input).await),
        "ConfirmForgotPassword" => Some(confirm_forgot_password(site, input).await),
        _ => None,
    }
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct ChangePassword {
    access_token: Option<String>,
    previous_password: Option<String>,
    proposed_password: Option<String>,
}

async fn change_password(site: &Site, value: Value) -> Answer {
    let ChangePassword { access_token, previous_password, proposed_password } = input(value)?;
    let (pool, user, _) = site.token_user(access_token).await?;
    let proposed = required(proposed_password, "ProposedPassword")?;
    let now = pool.now();
    check_previous(&pool, &user, previous_password, now).await?;
    let settings = pool.store.read(Data::settings);
    let password = new_password(&pool, &settings, &user, &proposed).await?;
    pool.store
        .write(|data| {
            let current = still_there(data, &user)?;
            check_tries(current, now)?;
            // Another request changed it since it was checked.
            if current.password != user.password {
                return Err(ApiError::wrong_password());
            }
            set_password(current, &settings, password);
            current.modified_at = now;
            Ok(())
        })
        .await??;
    nothing()
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct ForgotPassword {
    client_id: Option<String>,
    secret_hash: Option<String>,
    username: Option<String>,
    client_metadata: Option<Metadata>,
}

async fn forgot_password(site: &Site, value: Value) -> Answer {
    let ForgotPassword { client_id, secret_hash, username, client_metadata } = input(value)?;
    let (pool, client) = site.named_client(client_id)?;
    let name = required(username, "Username")?;
    check_secret_hash(&client, &name, secret_hash.as_deref())?;
    let metadata = client_metadata.unwrap_or_default();
    let caller = Caller { client_id: &client.settings.client_id, metadata: &metadata };
    if pool.store.read(|data| data.find_user(&name).is_none()) {
        migrate(&pool, &name, None, caller).await?;
    }
    let details = match pool.store.read(|data| forgetful(data, &client, &name))? {
        Some((user, contact)) => {
            let (purpose, reason) = (CodePurpose::Forgot, Reason::ForgotPassword);
            let letter = codes::letter(&pool, &user, purpose, contact, reason, caller).await?;
            let now = pool.now();
            pool.store
                .write(|data| match forgetful(data, &client, &name)? {
                    Some(_) => codes::send(data, &letter, now),
                    None => Ok(simulated(data, &name, now)),
                })
                .await??
        }
        None => {
            let now = pool.now();
            pool.store.write(|data| Ok::<_, ApiError>(simulated(data, &name, now))).await??
        }
    };
    Ok(json!({ "CodeDeliveryDetails": details }))
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct ConfirmForgotPassword {
    client_id: Option<String>,
    secret_hash: Option<String>,
    username: Option<String>,
    confirmation_code: Option<String>,
    password: Option<String>,
    client_metadata: Option<Metadata>,
}

async fn confirm_forgot_password(site: &Site, value: Value) -> Answer {
    let input: ConfirmForgotPassword = input(value)?;
    let (pool, client) = site.named_client(input.client_id)?;
    let name = required(input.username, "Username")?;
    let code = required(input.confirmation_code, "ConfirmationCode")?;
    let text = required(input.password, "Password")?;
    check_secret_hash(&client, &name, input.secret_hash.as_deref())?;
    let settings = pool.store.read(Data::settings);
    if let Some(violation) = settings.password_policy.violation(&text) {
        return Err(ApiError::invalid_password(violation));
    }
    // The code comes first: what passwords a user had before is nothing for those who do not have it. A wrong one
    // is counted.
    let now = pool.now();
    let checked = pool
        .store
        .write_always(|data| {
            let waits = |user: &User| user.enabled && user.codes.contains_key(&CodePurpose::Forgot);
            if !data.find_user(&name).is_some_and(waits) {
                let refusal = codes::refuse(data, &name, &code, now);
                return Err(match data.find_user(&name) {
                    Some(user) if user.enabled => refusal,
                    _ => unknown_user(&client, refusal),
                });
            }
            let user = named_user_mut(data, &name)?;
            codes::check(&mut user.codes, CodePurpose::Forgot, &code, now)?;
            Ok(user.clone())
        })
        .await;
    let user = checked??;
    let password = new_password(&pool, &settings, &user, &text).await?;
    let user = pool
        .store
        .write(|data| {
            let user = still_there(data, &user)?;
            codes::check(&mut user.codes, CodePurpose::Forgot, &code, now)?;
            // The code goes with the password that it was for.
            set_password(user, &settings, password);
            user.status = UserStatus::Confirmed;
            user.modified_at = now;
            Ok::<_, ApiError>(user.clone())
        })
        .await??;
    let metadata = input.client_metadata.unwrap_or_default();
    let caller = Caller { client_id: &client.settings.client_id, metadata: &metadata };
    post_confirmation(&pool, &user, Confirmation::ForgotPassword, caller).await?;
    nothing()
}

/// Whether a user knows their password. Those without one, who signed up without, have nothing to know.
async fn check_previous(
    pool: &Shared,
    user: &User,
    previous: Option<String>,
    now: u64,
) -> Result<(), ApiError> {
    let Some(password) = &user.password else {
        return Ok(());
    };
    let previous = required(previous, "PreviousPassword")?;
    check_tries(user, now)?;
    if password.is(pool.short_name(), &user.username, &previous).await {
        return Ok(());
    }
    pool.store
        .write_always(|data| {
            let present = still_there(data, user)?;
            // Tries at the same time may have locked the account.
            check_tries(present, now)?;
            count_mistake(&mut present.failures, now);
            Err(ApiError::wrong_password())
        })
        .await?
}

/// Whoever took an access token may not find out the password by trying.
fn check_tries(user: &User, now: u64) -> Result<(), ApiError> {
    if is_locked(&user.failures, now) { Err(ApiError::attempt_limit()) } else { Ok(()) }
}

/// The answer for a code that nobody is sent.
fn simulated(data: &mut Data, name: &str, now: u64) -> Value {
    codes::pretend(data, name, now);
    codes::simulated_delivery(&data.settings(), name)
}

/// Who is to get a code that resets their password, and where. Nobody, if the client is to believe that there was
/// someone.
fn forgetful(
    data: &Data,
    client: &Client,
    name: &str,
) -> Result<Option<(User, Contact)>, ApiError> {
    let hides = client.settings.prevent_user_existence_errors == ExistenceErrors::Enabled;
    let Some(user) = data.find_user(name).cloned() else {
        return if hides { Ok(None) } else { Err(ApiError::user_not_found()) };
    };
    if matches!(user.status, UserStatus::ForceChangePassword | UserStatus::ExternalProvider) {
        return Err(codes::cannot_reset());
    }
    match codes::recovery_contact(&user) {
        Some(contact) if user.enabled => Ok(Some((user, contact))),
        _ if hides => Ok(None),
        Some(_) => Err(ApiError::user_disabled()),
        None => Err(codes::no_way_to_reset()),
    }
}
