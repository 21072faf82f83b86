//! What a user has to do after the password.

use crate::{
    model::{
        Factor, User, UserStatus,
        settings::{Contact, Mfa, PoolSettings},
    },
    pool::Pool,
    store::Data,
};

/// What a user with the right password has to do before tokens are issued.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NextStep {
    Done,
    NewPassword,
    /// Enter the code of a second factor.
    Code(Factor),
    /// Choose one of several second factors.
    SelectFactor,
    /// Set up a second factor, because the user has none.
    SetUpFactor,
}

/// Returns what a user with the right password has to do.
pub(crate) fn next_step(pool: &Pool, user: &User) -> NextStep {
    step_of(&pool.store.read(Data::settings), user)
}

/// Returns what a user with the right password has to do, according to the settings of the pool.
pub(crate) fn step_of(settings: &PoolSettings, user: &User) -> NextStep {
    if user.status == UserStatus::ForceChangePassword {
        return NextStep::NewPassword;
    }
    let factors = factors(settings, user);
    let preferred = |factor: &&Factor| user.mfa.preferred == Some(**factor);
    let chosen = factors.iter().find(preferred).copied().map(NextStep::Code);
    match (settings.mfa_configuration, factors.as_slice()) {
        (Mfa::Off, _) | (Mfa::Optional, []) => NextStep::Done,
        (Mfa::On, []) => NextStep::SetUpFactor,
        (_, [only]) => NextStep::Code(*only),
        _ => chosen.unwrap_or(NextStep::SelectFactor),
    }
}

/// Returns the second factors that the user can use.
pub(crate) fn factors(settings: &PoolSettings, user: &User) -> Vec<Factor> {
    // If MFA is required, a verified software token counts even if the user did not turn it on.
    let wants_token = user.mfa.software_token || settings.mfa_configuration == Mfa::On;
    let token = settings.software_token_mfa_configuration.enabled
        && user.software_token.is_some()
        && wants_token;
    let is_ready = |factor: &Factor| match factor {
        Factor::Sms => user.mfa.sms && user.has_verified(Contact::PhoneNumber),
        Factor::SoftwareToken => token,
        Factor::Email => user.mfa.email && user.has_verified(Contact::Email),
    };
    Factor::ALL.into_iter().filter(is_ready).collect()
}
