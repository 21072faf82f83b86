//! The second factors of a pool.

use std::sync::Arc;

use crate::{
    domain::pools::{OTHER_FACTORS, change, has_other_factor},
    error::Error,
    model::{OtherSettings, settings::Mfa},
    pool::Pool,
};

/// The second factors that a request configures.
pub(crate) struct MfaSettings {
    pub(crate) mode: Mfa,
    pub(crate) has_software_token: bool,
    /// The members of [`OTHER_FACTORS`] that the request has.
    pub(crate) others: OtherSettings,
}

/// Replaces the second factors of a pool.
///
/// # Errors
/// Returns an error if MFA is on without a factor, or off with one.
pub(crate) async fn set(pool: &Pool, settings: MfaSettings) -> Result<(), Error> {
    let MfaSettings { mode, has_software_token, others } = settings;
    let has_factor = has_software_token || has_other_factor(&others);
    if mode == Mfa::Off && has_factor {
        return Err(Error::invalid_parameter(
            "Invalid MFA configuration given, can't turn off MFA and configure an MFA together.",
        ));
    }
    if mode != Mfa::Off && !has_factor {
        return Err(Error::invalid_parameter(
            "At least one of [SmsMfaConfiguration] or [SoftwareTokenMfaConfiguration] must be provided.",
        ));
    }
    change(pool, |record| {
        let settings = Arc::make_mut(&mut record.settings);
        settings.mfa_configuration = mode;
        settings.software_token_mfa_configuration.enabled = has_software_token;
        for name in OTHER_FACTORS {
            record.others.remove(name);
        }
        record.others.extend(others);
        Ok(())
    })
    .await
}
