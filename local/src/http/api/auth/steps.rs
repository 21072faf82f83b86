//! What comes after the password.

use crate::{
    model::{
        User, UserStatus,
        settings::{Contact, Mfa, PoolSettings},
    },
    pool::Shared,
};

/// What a user whose password is right has to do before tokens are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NextStep {
    Done,
    NewPassword,
    SoftwareToken,
    SmsCode,
    EmailCode,
    SelectMfaType,
    MfaSetup,
}

/// What comes after the password.
pub(crate) fn next_step(pool: &Shared, user: &User) -> NextStep {
    step_of(&pool.store.read(|data| data.settings()), user)
}

pub(crate) fn step_of(settings: &PoolSettings, user: &User) -> NextStep {
    if user.status == UserStatus::ForceChangePassword {
        return NextStep::NewPassword;
    }
    let factors = factors(settings, user);
    let preferred = |factor: &&&str| user.mfa.preferred.as_deref() == Some(**factor);
    let chosen = factors.iter().find(preferred).copied().and_then(factor_step);
    match (settings.mfa_configuration, factors.as_slice()) {
        (Mfa::Off, _) | (Mfa::Optional, []) => NextStep::Done,
        (Mfa::On, []) => NextStep::MfaSetup,
        (_, [only]) => factor_step(only).unwrap_or(NextStep::SelectMfaType),
        _ => chosen.unwrap_or(NextStep::SelectMfaType),
    }
}

/// The second factors that the user has ready, in Cognito's names.
pub(crate) fn factors(settings: &PoolSettings, user: &User) -> Vec<&'static str> {
    // Where MFA has to be, a verified software token counts whether or not the user wants it.
    let wants_token = user.mfa.software_token || settings.mfa_configuration == Mfa::On;
    let token = settings.software_token_mfa_configuration.enabled
        && user.software_token.is_some()
        && wants_token;
    [
        ("SMS_MFA", user.mfa.sms && user.has_verified(Contact::PhoneNumber)),
        ("SOFTWARE_TOKEN_MFA", token),
        ("EMAIL_OTP", user.mfa.email && user.has_verified(Contact::Email)),
    ]
    .into_iter()
    .filter_map(|(name, is_ready)| is_ready.then_some(name))
    .collect()
}

/// The step that asks for a factor.
pub(crate) fn factor_step(factor: &str) -> Option<NextStep> {
    match factor {
        "SMS_MFA" => Some(NextStep::SmsCode),
        "SOFTWARE_TOKEN_MFA" => Some(NextStep::SoftwareToken),
        "EMAIL_OTP" => Some(NextStep::EmailCode),
        _ => None,
    }
}
