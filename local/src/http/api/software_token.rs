//! Software tokens and which second factors a user wants.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    crypto::totp::{Typed, new_secret},
    error::ApiError,
    http::api::{
        Answer,
        auth::{
            Handle, NextStep, Open, open_challenge, open_step, session_is_over,
            software_token_missing, step_of,
        },
        context::{named_user_mut, still_there},
        input, nothing, required, shapes,
    },
    model::{
        ChallengeKind, Client, MfaPreference, SoftwareToken, User,
        settings::{Contact, Mfa},
    },
    pool::{Shared, site::Site},
    store::Data,
};

/// The operations of this group; nothing for others.
pub(crate) async fn call(site: &Arc<Site>, operation: &str, input: Value) -> Option<Answer> {
    Some(match operation {
        "AssociateSoftwareToken" => associate(site, input).await,
        "VerifySoftwareToken" => verify(site, input).await,
        "SetUserMFAPreference" => set_preference(site, input).await,
        "AdminSetUserMFAPreference" => admin_set_preference(site, input).await,
        "GetUserAuthFactors" => auth_factors(site, input).await,
        _ => return None,
    })
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Token {
    access_token: Option<String>,
    session: Option<String>,
    user_code: Option<String>,
    friendly_device_name: Option<String>,
}

async fn associate(site: &Site, value: Value) -> Answer {
    let Token { access_token, session, .. } = input(value)?;
    let secret = new_secret();
    if access_token.is_some() {
        let (pool, user, _) = site.token_user(access_token).await?;
        let now = pool.now();
        pool.store.write(|data| await_token(data, &user, &secret, now)).await??;
        return Ok(json!({ "SecretCode": secret }));
    }
    let (pool, session) = set_up(site, session)?;
    let now = pool.now();
    let next = pool
        .store
        .write(|data| {
            let open = set_up_step(data, &session, now)?;
            await_token(data, &open.user, &secret, now)?;
            next_session(data, &open, false, now)
        })
        .await??;
    Ok(json!({ "SecretCode": secret, "Session": next }))
}

async fn verify(site: &Site, value: Value) -> Answer {
    let Token { access_token, session, user_code, friendly_device_name } = input(value)?;
    let code = required(user_code, "UserCode")?;
    let name = friendly_device_name;
    if access_token.is_some() {
        let (pool, user, _) = site.token_user(access_token).await?;
        let now = pool.now();
        pool.store.write(|data| accept_token(data, &user, &code, name, now)).await??;
        return Ok(json!({ "Status": "SUCCESS" }));
    }
    let (pool, session) = set_up(site, session)?;
    let now = pool.now();
    let next = pool
        .store
        .write(|data| {
            let open = set_up_step(data, &session, now)?;
            accept_token(data, &open.user, &code, name, now)?;
            if let Some(user) = data.exact_user_mut(&open.user.username) {
                user.mfa.software_token = true;
            }
            next_session(data, &open, true, now)
        })
        .await??;
    Ok(json!({ "Status": "SUCCESS", "Session": next }))
}

/// The pool in which a set-up takes place, with its session.
fn set_up(site: &Site, session: Option<String>) -> Result<(Arc<Shared>, String), ApiError> {
    let session = session.ok_or_else(|| {
        ApiError::invalid_parameter("Either AccessToken or Session has to be given.")
    })?;
    let is_there = |pool: &Arc<Shared>| {
        let handle = Handle { session: &session, client_and_name: None, now: pool.now() };
        pool.store.read(|data| open_step(data, &handle).is_ok())
    };
    let pool = site.pools().into_iter().find(is_there).ok_or_else(session_is_over)?;
    Ok((pool, session))
}

/// The step in which a user sets up their first factor. Who has one since then has no use for it.
fn set_up_step(data: &Data, session: &str, now: u64) -> Result<Open, ApiError> {
    let open = open_step(data, &Handle { session, client_and_name: None, now })?;
    let waits = matches!(open.challenge.kind, ChallengeKind::MfaSetup { verified: false })
        && step_of(&data.settings(), &open.user) == NextStep::MfaSetup;
    if waits { Ok(open) } else { Err(session_is_over()) }
}

fn next_session(
    data: &mut Data,
    open: &Open,
    verified: bool,
    now: u64,
) -> Result<String, ApiError> {
    data.challenges.remove(&open.key);
    let client: Client =
        data.clients.get(&open.challenge.client_id).cloned().ok_or_else(session_is_over)?;
    Ok(open_challenge(data, &client, &open.user, ChallengeKind::MfaSetup { verified }, now))
}

/// Keeps a secret until a code of it proves that the user has it.
fn await_token(data: &mut Data, user: &User, secret: &str, now: u64) -> Result<(), ApiError> {
    let settings = data.settings();
    if settings.mfa_configuration == Mfa::Off || !settings.software_token_mfa_configuration.enabled
    {
        return Err(software_token_missing());
    }
    let user = still_there(data, user)?;
    user.new_software_token = Some(secret.to_owned());
    user.modified_at = now;
    Ok(())
}

fn accept_token(
    data: &mut Data,
    user: &User,
    code: &str,
    name: Option<String>,
    now: u64,
) -> Result<(), ApiError> {
    let user = still_there(data, user)?;
    let secret = user.new_software_token.clone().ok_or_else(software_token_missing)?;
    let mut token = SoftwareToken { secret, name, last_step: None };
    let Typed::Right(step) = token.typed(code, now) else {
        return Err(ApiError::new(
            "EnableSoftwareTokenMFAException",
            "Code mismatch and fail enable Software Token MFA",
        ));
    };
    token.last_step = Some(step);
    user.software_token = Some(token);
    user.new_software_token = None;
    user.modified_at = now;
    Ok(())
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Preference {
    access_token: Option<String>,
    user_pool_id: Option<String>,
    username: Option<String>,
    #[serde(rename = "SMSMfaSettings")]
    sms_mfa_settings: Option<Wanted>,
    software_token_mfa_settings: Option<Wanted>,
    email_mfa_settings: Option<Wanted>,
}

/// What a user wants of a factor.
#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Wanted {
    enabled: Option<bool>,
    preferred_mfa: Option<bool>,
}

async fn set_preference(site: &Site, value: Value) -> Answer {
    let wanted: Preference = input(value)?;
    let (pool, user, _) = site.token_user(wanted.access_token.clone()).await?;
    prefer(&pool, |data| still_there(data, &user), &wanted).await
}

async fn admin_set_preference(site: &Site, value: Value) -> Answer {
    let wanted: Preference = input(value)?;
    let pool = site.named_pool(wanted.user_pool_id.clone())?;
    let name = required(wanted.username.clone(), "Username")?;
    prefer(&pool, |data| named_user_mut(data, &name), &wanted).await
}

async fn prefer(
    pool: &Shared,
    find: impl FnOnce(&mut Data) -> Result<&mut User, ApiError> + Send,
    wanted: &Preference,
) -> Answer {
    let now = pool.now();
    pool.store
        .write(|data| {
            let user = find(data)?;
            user.mfa = preference(user, wanted)?;
            user.modified_at = now;
            Ok::<(), ApiError>(())
        })
        .await??;
    nothing()
}

/// What the user's factors are to be. A factor that is not named stays as it is.
fn preference(user: &User, wanted: &Preference) -> Result<MfaPreference, ApiError> {
    let mut mfa = user.mfa.clone();
    let MfaPreference { software_token, sms, email, preferred } = &mut mfa;
    let mut preferred_now = 0;
    for (name, wanted, is_on) in [
        ("SMS_MFA", &wanted.sms_mfa_settings, sms),
        ("SOFTWARE_TOKEN_MFA", &wanted.software_token_mfa_settings, software_token),
        ("EMAIL_OTP", &wanted.email_mfa_settings, email),
    ] {
        let Some(wanted) = wanted else {
            continue;
        };
        *is_on = wanted.enabled.unwrap_or(false);
        let is_preferred = wanted.preferred_mfa.unwrap_or(false);
        if *is_on {
            check_ready(user, name)?;
        } else if is_preferred {
            return Err(ApiError::invalid_parameter("A disabled MFA cannot be preferred."));
        }
        if is_preferred {
            preferred_now += 1;
            *preferred = Some(name.to_owned());
        } else if preferred.as_deref() == Some(name) {
            *preferred = None;
        }
    }
    if preferred_now > 1 {
        return Err(ApiError::invalid_parameter("Only one MFA can be preferred."));
    }
    Ok(mfa)
}

fn check_ready(user: &User, factor: &str) -> Result<(), ApiError> {
    let (is_ready, message) = match factor {
        "SOFTWARE_TOKEN_MFA" => {
            (user.software_token.is_some(), "User has not verified software token mfa")
        }
        "SMS_MFA" => (
            user.has_verified(Contact::PhoneNumber),
            "User does not have delivery config set to turn on SMS_MFA",
        ),
        _ => (
            user.has_verified(Contact::Email),
            "User does not have delivery config set to turn on EMAIL_OTP",
        ),
    };
    if is_ready { Ok(()) } else { Err(ApiError::invalid_parameter(message)) }
}

async fn auth_factors(site: &Site, value: Value) -> Answer {
    let Token { access_token, .. } = input(value)?;
    let (_, user, _) = site.token_user(access_token).await?;
    let mut answer = json!({ "Username": user.username });
    let Value::Object(members) = &mut answer else {
        return nothing();
    };
    if user.password.is_some() {
        members.insert("ConfiguredUserAuthFactors".to_owned(), json!(["PASSWORD"]));
    }
    members.extend(shapes::mfa(&user));
    Ok(answer)
}
