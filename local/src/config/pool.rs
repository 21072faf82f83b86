//! Reads the settings of a user pool.

use serde::Deserialize;

use crate::{
    config::{
        error::{Place, SettingError},
        setting::Setting,
    },
    model::settings::{EmailOption, PasswordPolicy, PoolSettings, VerificationTemplate},
};

/// Settings that Cognito has, but that have no effect on a local pool.
const IGNORED: [&str; 16] = [
    "account_recovery_setting",
    "arn",
    "device_configuration",
    "domain",
    "email_configuration",
    "email_mfa_configuration",
    "id",
    "provider",
    "region",
    "sign_in_policy",
    "sms_authentication_message",
    "sms_configuration",
    "tags",
    "user_attribute_update_settings",
    "user_pool_add_ons",
    "user_pool_tier",
];

/// The members of `verification_message_template`. The error for an unknown member lists all of them.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "only checked: the settings are read as those of the pool")]
struct TemplateMembers<'a> {
    #[serde(default)]
    default_email_option: EmailOption,
    email_message: Option<&'a str>,
    email_message_by_link: Option<&'a str>,
    email_subject: Option<&'a str>,
    email_subject_by_link: Option<&'a str>,
    sms_message: Option<&'a str>,
}

/// Reads the settings of a pool. Absent settings are taken from `base`.
pub(crate) fn read_pool(
    mut setting: Setting,
    mut base: PoolSettings,
    ignored: &mut Vec<Place>,
) -> Result<PoolSettings, SettingError> {
    setting.remove_ignored(&IGNORED, ignored);
    remove_ignored_within(&mut setting, "admin_create_user_config", ignored);
    remove_ignored_within(&mut setting, "lambda_config", ignored);
    if setting.member("verification_message_template").is_some() {
        base.verification_message_template = VerificationTemplate::default();
        move_verification_texts(&mut setting)?;
    }
    if setting.member("password_policy").is_some() {
        base.password_policy = PasswordPolicy {
            require_uppercase: false,
            require_lowercase: false,
            require_numbers: false,
            require_symbols: false,
            ..base.password_policy
        };
    }
    let settings = setting.clone().read_over(&base)?;
    settings.validate().map_err(|violation| setting.violation(violation))?;
    Ok(settings)
}

fn remove_ignored_within(setting: &mut Setting, name: &str, ignored: &mut Vec<Place>) {
    let names: &[&str] = match name {
        "lambda_config" => &["custom_email_sender", "custom_sms_sender", "kms_key_id"],
        _ => &["unused_account_validity_days"],
    };
    if let Some(block) = setting.member_mut(name) {
        block.remove_ignored(names, ignored);
    }
}

/// Moves the texts of messages with codes out of `verification_message_template`. They are settings of the pool, which
/// have two names each.
fn move_verification_texts(setting: &mut Setting) -> Result<(), SettingError> {
    let name = "verification_message_template";
    let Some(mut template) = setting.take(name) else { return Ok(()) };
    TemplateMembers::deserialize(&template)?;
    for (inside, outside) in [
        ("email_subject", "email_verification_subject"),
        ("email_message", "email_verification_message"),
        ("sms_message", "sms_verification_message"),
    ] {
        template.rename(inside, setting, outside);
    }
    setting.insert(name.to_owned(), template);
    Ok(())
}
