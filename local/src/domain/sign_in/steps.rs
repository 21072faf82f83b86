//! What a user has to do after the password.

use crate::{
    model::{
        User, UserStatus,
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

/// A second factor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Factor {
    Sms,
    SoftwareToken,
    Email,
}

impl Factor {
    const ALL: [Self; 3] = [Self::Sms, Self::SoftwareToken, Self::Email];

    /// Returns the name of the factor in a user's preferences, which is also the name of its challenge.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Sms => "SMS_MFA",
            Self::SoftwareToken => "SOFTWARE_TOKEN_MFA",
            Self::Email => "EMAIL_OTP",
        }
    }

    /// Returns the factor with the given API name.
    pub(crate) fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|factor| factor.name() == name)
    }

    /// Returns the contact to which the factor's codes are sent, or `None` for a software token.
    pub(crate) fn contact(self) -> Option<Contact> {
        match self {
            Self::Sms => Some(Contact::PhoneNumber),
            Self::SoftwareToken => None,
            Self::Email => Some(Contact::Email),
        }
    }
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
    let preferred = |factor: &&Factor| user.mfa.preferred.as_deref() == Some(factor.name());
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
