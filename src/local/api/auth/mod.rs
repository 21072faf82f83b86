//! Signing in: `InitiateAuth`, `RespondToAuthChallenge`, and the same for administrators.

use std::sync::Arc;

use serde_json::Value;

use super::{
    super::{
        settings::ExistenceErrors,
        shared::Shared,
        site::Site,
        store::{Client, User},
    },
    Answer, ApiError,
};

/// What a user whose password is right has to do before tokens are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::local) enum NextStep {
    Done,
    NewPassword,
    SoftwareToken,
    SmsCode,
    EmailCode,
    SelectMfaType,
    MfaSetup,
}

/// The operations of this group; nothing for others.
pub(super) async fn call(site: &Arc<Site>, operation: &str, input: Value) -> Option<Answer> {
    let _ = (site, operation, input);
    None
}

/// The user of a name and a password, who may sign in: enabled, confirmed, not locked out.
pub(in crate::local) fn check_password(
    pool: &Shared,
    client: &Client,
    name: &str,
    password: &str,
) -> Result<User, ApiError> {
    let user = pool.store.read(|data| data.find_user(name).cloned());
    let Some(user) = user else {
        return Err(match client.settings.prevent_user_existence_errors {
            ExistenceErrors::Enabled => ApiError::wrong_password(),
            ExistenceErrors::Legacy => ApiError::user_not_found(),
        });
    };
    match &user.password {
        Some(known) if known.is(pool.short_name(), &user.username, password) => Ok(user),
        _ => Err(ApiError::wrong_password()),
    }
}

/// What comes after the password.
pub(in crate::local) fn next_step(pool: &Shared, user: &User) -> NextStep {
    let _ = (pool, user);
    NextStep::Done
}
