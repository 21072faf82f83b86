//! Software tokens, and the second factors that a user turns on.

use std::sync::Arc;

use crate::{
    crypto::totp::{CodeCheck, new_secret},
    domain::{
        find::{named_user_mut, present_user_mut},
        sign_in::{
            ChallengeRef, NextStep, OpenChallenge, find_challenge, step_of, store_challenge,
        },
    },
    error::{Error, ErrorKind},
    model::{
        ChallengeKind, Client, Factor, MfaPreference, SoftwareToken, User,
        settings::{Contact, Mfa},
    },
    pool::{Pool, site::Site},
    store::Data,
};

/// The changes to a user's second factors. `None` leaves a factor unchanged.
pub(crate) struct FactorPreferences {
    pub(crate) sms: Option<FactorPreference>,
    pub(crate) software_token: Option<FactorPreference>,
    pub(crate) email: Option<FactorPreference>,
}

#[derive(Clone, Copy)]
pub(crate) struct FactorPreference {
    pub(crate) is_enabled: bool,
    pub(crate) is_preferred: bool,
}

/// Creates a software token for a signed-in user, and returns its secret. The token takes effect once it is verified.
pub(crate) async fn associate(pool: &Pool, user: &User) -> Result<String, Error> {
    let secret = new_secret();
    let now = pool.now();
    pool.store.write(|data| store_new_token(data, user, &secret, now)).await??;
    Ok(secret)
}

/// Creates a software token during a sign-in that requires one. Returns the secret and the next `Session`.
pub(crate) async fn associate_in_sign_in(
    pool: &Pool,
    session: &str,
) -> Result<(String, String), Error> {
    let secret = new_secret();
    let now = pool.now();
    let next = pool
        .store
        .write(|data| {
            let open = set_up_challenge(data, session, now)?;
            store_new_token(data, &open.user, &secret, now)?;
            next_session(data, &open, false, now)
        })
        .await??;
    Ok((secret, next))
}

/// Verifies the new software token of a signed-in user with one of its codes.
pub(crate) async fn verify(
    pool: &Pool,
    user: &User,
    code: &str,
    name: Option<String>,
) -> Result<(), Error> {
    let now = pool.now();
    pool.store.write(|data| accept_token(data, user, code, name, now)).await?
}

/// Verifies the new software token during a sign-in that requires one. Returns the next `Session`.
pub(crate) async fn verify_in_sign_in(
    pool: &Pool,
    session: &str,
    code: &str,
    name: Option<String>,
) -> Result<String, Error> {
    let now = pool.now();
    pool.store
        .write(|data| {
            let open = set_up_challenge(data, session, now)?;
            accept_token(data, &open.user, code, name, now)?;
            if let Some(user) = data.exact_user_mut(&open.user.username) {
                user.mfa.software_token = true;
            }
            next_session(data, &open, true, now)
        })
        .await?
}

/// Returns the pool that issued a `Session`, if the session is still open.
pub(crate) fn pool_of_session(site: &Site, session: &str) -> Result<Arc<Pool>, Error> {
    let is_open = |pool: &Arc<Pool>| {
        let reference = ChallengeRef { session, client_and_name: None, now: pool.now() };
        pool.store.read(|data| find_challenge(data, &reference).is_ok())
    };
    site.pools().into_iter().find(is_open).ok_or_else(Error::unknown_session)
}

/// Sets the second factors of a signed-in user.
pub(crate) async fn set_preference(
    pool: &Pool,
    user: &User,
    wanted: &FactorPreferences,
) -> Result<(), Error> {
    prefer(pool, |data| present_user_mut(data, user), wanted).await
}

/// Sets the second factors of a user, for an administrator.
pub(crate) async fn set_preference_of(
    pool: &Pool,
    name: &str,
    wanted: &FactorPreferences,
) -> Result<(), Error> {
    prefer(pool, |data| named_user_mut(data, name), wanted).await
}

async fn prefer(
    pool: &Pool,
    find: impl FnOnce(&mut Data) -> Result<&mut User, Error> + Send,
    wanted: &FactorPreferences,
) -> Result<(), Error> {
    let now = pool.now();
    pool.store
        .write(|data| {
            let user = find(data)?;
            user.mfa = preference(user, wanted)?;
            user.modified_at = now;
            Ok(())
        })
        .await?
}

/// Returns the open challenge in which the user sets up a second factor, unless the user already has one.
fn set_up_challenge(data: &Data, session: &str, now: u64) -> Result<OpenChallenge, Error> {
    let open = find_challenge(data, &ChallengeRef { session, client_and_name: None, now })?;
    let is_waiting = matches!(open.challenge.kind, ChallengeKind::MfaSetup { verified: false })
        && step_of(&data.settings(), &open.user) == NextStep::SetUpFactor;
    if is_waiting { Ok(open) } else { Err(Error::unknown_session()) }
}

fn next_session(
    data: &mut Data,
    open: &OpenChallenge,
    verified: bool,
    now: u64,
) -> Result<String, Error> {
    data.challenges.remove(&open.key);
    let client: Arc<Client> =
        data.clients.get(&open.challenge.client_id).cloned().ok_or_else(Error::unknown_session)?;
    Ok(store_challenge(data, &client, &open.user, ChallengeKind::MfaSetup { verified }, now))
}

/// Stores the secret of a new token. The token takes effect once a code proves that the user has the secret.
fn store_new_token(data: &mut Data, user: &User, secret: &str, now: u64) -> Result<(), Error> {
    let settings = data.settings();
    if settings.mfa_configuration == Mfa::Off || !settings.software_token_mfa_configuration.enabled
    {
        return Err(Error::software_token_missing());
    }
    let user = present_user_mut(data, user)?;
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
) -> Result<(), Error> {
    let user = present_user_mut(data, user)?;
    let secret = user.new_software_token.clone().ok_or_else(Error::software_token_missing)?;
    let mut token = SoftwareToken { secret, name, last_step: None };
    let CodeCheck::Valid(step) = token.check(code, now) else {
        return Err(Error::new(
            ErrorKind::EnableSoftwareTokenMFA,
            "Code mismatch and fail enable Software Token MFA",
        ));
    };
    token.last_step = Some(step);
    user.software_token = Some(token);
    user.new_software_token = None;
    user.modified_at = now;
    Ok(())
}

/// Returns the user's preference with the changes.
fn preference(user: &User, wanted: &FactorPreferences) -> Result<MfaPreference, Error> {
    let mut mfa = user.mfa.clone();
    let MfaPreference { software_token, sms, email, preferred } = &mut mfa;
    let mut preferred_count = 0;
    for (factor, wanted, is_on) in [
        (Factor::Sms, wanted.sms, sms),
        (Factor::SoftwareToken, wanted.software_token, software_token),
        (Factor::Email, wanted.email, email),
    ] {
        let Some(wanted) = wanted else {
            continue;
        };
        *is_on = wanted.is_enabled;
        if *is_on {
            check_ready(user, factor)?;
        } else if wanted.is_preferred {
            return Err(Error::invalid_parameter("A disabled MFA cannot be preferred."));
        }
        if wanted.is_preferred {
            preferred_count += 1;
            *preferred = Some(factor);
        } else if *preferred == Some(factor) {
            *preferred = None;
        }
    }
    if preferred_count > 1 {
        return Err(Error::invalid_parameter("Only one MFA can be preferred."));
    }
    Ok(mfa)
}

fn check_ready(user: &User, factor: Factor) -> Result<(), Error> {
    let (is_ready, message) = match factor {
        Factor::SoftwareToken => {
            (user.software_token.is_some(), "User has not verified software token mfa")
        }
        Factor::Sms => (
            user.has_verified(Contact::PhoneNumber),
            "User does not have delivery config set to turn on SMS_MFA",
        ),
        Factor::Email => (
            user.has_verified(Contact::Email),
            "User does not have delivery config set to turn on EMAIL_OTP",
        ),
    };
    if is_ready { Ok(()) } else { Err(Error::invalid_parameter(message)) }
}
