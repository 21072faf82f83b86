//! Reads the settings of a user pool.

use serde::Deserialize;

use crate::{
    config::{report::Report, setting::Setting},
    model::settings::{PasswordPolicy, PoolSettings},
};

/// `verification_message_template`: other names for the settings of verification messages.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "the settings are renamed and read under the other names")]
struct VerificationTemplate {
    #[serde(default)]
    default_email_option: EmailOption,
    email_message: Option<String>,
    email_subject: Option<String>,
    sms_message: Option<String>,
}

#[derive(Default, PartialEq, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum EmailOption {
    #[default]
    ConfirmWithCode,
    ConfirmWithLink,
}

/// The resource of a pool.
const BLOCK: &str = "aws_cognito_user_pool";

/// Reads the settings of a pool. Absent and invalid settings are taken from `base`.
pub(crate) fn read_pool(
    mut setting: Setting,
    mut base: PoolSettings,
    report: &mut Report,
) -> PoolSettings {
    move_verification_template(&mut setting, report);
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

fn move_verification_template(setting: &mut Setting, report: &mut Report) {
    let Some(mut template) = setting.take("verification_message_template") else { return };
    let block = format!("{BLOCK}.verification_message_template");
    let read: Option<VerificationTemplate> = template.read(&block, report);
    if read.is_some_and(|read| read.default_email_option == EmailOption::ConfirmWithLink) {
        // Links are not supported; messages contain a code.
        report.add_ignored(template.place_of("default_email_option"));
    }
    for (inside, outside) in [
        ("email_subject", "email_verification_subject"),
        ("email_message", "email_verification_message"),
        ("sms_message", "sms_verification_message"),
    ] {
        template.rename(inside, setting, outside);
    }
}
