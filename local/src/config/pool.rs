//! Reads the settings of a user pool.

use serde::Deserialize;

use crate::{
    config::{report::Report, setting::Setting},
    model::settings::{EmailOption, PasswordPolicy, PoolSettings, VerificationTemplate},
};

/// The members of `verification_message_template`. The error for an unknown member lists all of them.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "only checked: the settings are read as those of the pool")]
struct TemplateMembers {
    #[serde(default)]
    default_email_option: EmailOption,
    email_message: Option<String>,
    email_message_by_link: Option<String>,
    email_subject: Option<String>,
    email_subject_by_link: Option<String>,
    sms_message: Option<String>,
}

/// The resource of a pool.
const BLOCK: &str = "aws_cognito_user_pool";

/// Reads the settings of a pool. Absent and invalid settings are taken from `base`.
pub(crate) fn read_pool(
    mut setting: Setting,
    mut base: PoolSettings,
    report: &mut Report,
) -> PoolSettings {
    if setting.member(VERIFICATION_TEMPLATE).is_some() {
        base.verification_message_template = VerificationTemplate::default();
        move_verification_texts(&mut setting, report);
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
    setting.add_absent(Setting::from_settings(&base));
    let settings = setting.read(BLOCK, report).unwrap_or(base);
    report.add_violations(&setting, settings.violations());
    settings
}

const VERIFICATION_TEMPLATE: &str = "verification_message_template";

/// Moves the texts of messages with codes out of `verification_message_template`. They are settings of the pool, which
/// have two names each.
fn move_verification_texts(setting: &mut Setting, report: &mut Report) {
    let Some(mut template) = setting.take(VERIFICATION_TEMPLATE) else { return };
    let block = format!("{BLOCK}.{VERIFICATION_TEMPLATE}");
    let _: Option<TemplateMembers> = template.read(&block, report);
    for (inside, outside) in [
        ("email_subject", "email_verification_subject"),
        ("email_message", "email_verification_message"),
        ("sms_message", "sms_verification_message"),
    ] {
        template.rename(inside, setting, outside);
    }
    setting.insert(VERIFICATION_TEMPLATE.to_owned(), template);
}
