//! Signs users in without a password.

use std::fmt;

use crate::{
    domain::{
        clients,
        sign_in::{CompletedSignIn, NextStep, finish_sign_in, may_sign_in, next_step},
    },
    error::{Error, ErrorKind},
    model::UserStatus,
    pool::Pool,
    triggers::{Caller, Metadata, TokenSource, pre_authentication},
};

/// The tokens of a sign-in. Returned by [`UserPool::sign_in`](crate::UserPool::sign_in).
#[derive(Clone, PartialEq, Eq)]
pub struct SignedIn {
    access_token: String,
    id_token: String,
    refresh_token: String,
}

/// Error returned when a user cannot be signed in.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message} ({code})")]
pub struct SignInError {
    code: &'static str,
    message: String,
}

impl SignedIn {
    /// Returns the access token.
    pub fn access_token(&self) -> &str {
        &self.access_token
    }

    /// Returns the ID token.
    pub fn id_token(&self) -> &str {
        &self.id_token
    }

    /// Returns the refresh token.
    pub fn refresh_token(&self) -> &str {
        &self.refresh_token
    }
}

impl SignInError {
    /// Returns the name of the exception or of the challenge with which Cognito's API responds, such as
    /// `UserNotFoundException` or `NEW_PASSWORD_REQUIRED`.
    pub fn code(&self) -> &'static str {
        self.code
    }

    fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }
}

impl From<Error> for SignInError {
    fn from(error: Error) -> Self {
        Self::new(error.kind.exception(), error.message)
    }
}

impl fmt::Debug for SignedIn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignedIn").finish_non_exhaustive()
    }
}

/// Signs a user in, as [`UserPool::sign_in`](crate::UserPool::sign_in) documents.
pub(crate) async fn sign_in(pool: &Pool, name: &str) -> Result<SignedIn, SignInError> {
    let client = clients::get(pool, pool.client_id())?;
    let user = pool.store.read(|data| data.find_user(name).cloned()).ok_or_else(|| {
        let message = format!(
            "there is no user {name:?}: add an [[aws_cognito_user]] to the configuration, or sign the user up"
        );
        SignInError::new(ErrorKind::UserNotFound.exception(), message)
    })?;
    if user.status == UserStatus::ExternalProvider {
        let message = format!("{name:?} signs in with an identity provider, at the hosted pages");
        return Err(SignInError::new(ErrorKind::NotAuthorized.exception(), message));
    }
    let metadata = Metadata::NONE;
    let caller = Caller::of(&client, metadata);
    pre_authentication(&pool.events(), name, Some(&user), caller).await?;
    may_sign_in(&user, pool.now())?;
    match next_step(pool, &user) {
        NextStep::NewPassword => {
            let message = format!(
                "{name:?} has to change the temporary password: configure `password` instead of \
                 `temporary_password`, or answer the challenge through the API"
            );
            return Err(SignInError::new("NEW_PASSWORD_REQUIRED", message));
        }
        NextStep::SetUpFactor => {
            let message = format!(
                "the pool requires MFA, and {name:?} has not set up a factor: answer the challenge through the API"
            );
            return Err(SignInError::new("MFA_SETUP", message));
        }
        NextStep::Code(_) | NextStep::SelectFactor | NextStep::Done => {}
    }
    let completed = CompletedSignIn {
        client: &client,
        user: &user,
        auth_time: pool.now(),
        scopes: None,
        nonce: None,
        resource: None,
        metadata,
        source: TokenSource::Authentication,
    };
    let tokens = finish_sign_in(pool, completed).await?;
    Ok(SignedIn {
        access_token: tokens.access_token,
        id_token: tokens.id_token.unwrap_or_default(),
        refresh_token: tokens.refresh_token.unwrap_or_default(),
    })
}
