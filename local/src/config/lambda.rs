use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    config::{
        fields::Fields,
        written::{Place, Written, Wrong},
    },
    text::words,
    triggers::{Function, FunctionUrl, Trigger},
};

/// The functions of a pool, in Terraform's words. Where AWS has the names of functions, a local pool has URLs.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct LambdaConfig {
    #[serde(skip_serializing_if = "Option::is_none")]
    pre_sign_up: Option<FunctionUrl>,
    #[serde(skip_serializing_if = "Option::is_none")]
    custom_message: Option<FunctionUrl>,
    #[serde(skip_serializing_if = "Option::is_none")]
    post_confirmation: Option<FunctionUrl>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pre_authentication: Option<FunctionUrl>,
    #[serde(skip_serializing_if = "Option::is_none")]
    post_authentication: Option<FunctionUrl>,
    #[serde(skip_serializing_if = "Option::is_none")]
    define_auth_challenge: Option<FunctionUrl>,
    #[serde(skip_serializing_if = "Option::is_none")]
    create_auth_challenge: Option<FunctionUrl>,
    #[serde(skip_serializing_if = "Option::is_none")]
    verify_auth_challenge_response: Option<FunctionUrl>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pre_token_generation: Option<FunctionUrl>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pre_token_generation_config: Option<PreTokenGeneration>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user_migration: Option<FunctionUrl>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct PreTokenGeneration {
    lambda_arn: FunctionUrl,
    lambda_version: Version,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
enum Version {
    #[serde(rename = "V1_0")]
    V1,
    #[serde(rename = "V2_0")]
    V2,
    #[serde(rename = "V3_0")]
    V3,
}

/// The members that have a meaning here.
const NAMES: [&str; 11] = [
    "pre_sign_up",
    "custom_message",
    "post_confirmation",
    "pre_authentication",
    "post_authentication",
    "define_auth_challenge",
    "create_auth_challenge",
    "verify_auth_challenge_response",
    "pre_token_generation",
    "pre_token_generation_config",
    "user_migration",
];

impl LambdaConfig {
    pub(crate) fn read(mut fields: Fields<'_>, notes: &mut Vec<Place>) -> Result<Self, Wrong> {
        let mut read = Self::default();
        for (name, into) in [
            ("pre_sign_up", &mut read.pre_sign_up),
            ("custom_message", &mut read.custom_message),
            ("post_confirmation", &mut read.post_confirmation),
            ("pre_authentication", &mut read.pre_authentication),
            ("post_authentication", &mut read.post_authentication),
            ("define_auth_challenge", &mut read.define_auth_challenge),
            ("create_auth_challenge", &mut read.create_auth_challenge),
            ("verify_auth_challenge_response", &mut read.verify_auth_challenge_response),
            ("pre_token_generation", &mut read.pre_token_generation),
            ("user_migration", &mut read.user_migration),
        ] {
            fields.read(name, into, |written| url(written).map(Some))?;
        }
        if let Some(mut block) = fields.block("pre_token_generation_config")? {
            let lambda_arn = block.required("lambda_arn", url)?;
            let lambda_version = block.required("lambda_version", |written| {
                written.word(&[("V1_0", Version::V1), ("V2_0", Version::V2), ("V3_0", Version::V3)])
            })?;
            block.finish()?;
            read.pre_token_generation_config =
                Some(PreTokenGeneration { lambda_arn, lambda_version });
        }
        fields.ignore(&["custom_email_sender", "custom_sms_sender", "kms_key_id"], notes);
        fields.finish()?;
        Ok(read)
    }

    /// What the API tells. Names of functions on AWS and settings without a meaning here are passed over.
    ///
    /// # Errors
    /// What stands in the place of a name is neither one nor the URL of a function on this machine: any page that a
    /// browser shows can speak to the API, and functions hear passwords.
    pub(crate) fn told(config: &Value) -> Result<Self, String> {
        let Value::Object(mut told) = words::to_file(config.clone()) else {
            return Err("LambdaConfig is not an object".to_owned());
        };
        told.retain(|name, value| {
            let named = value.get("lambda_arn").unwrap_or(value).as_str();
            NAMES.contains(&name.as_str())
                && named.is_none_or(|text| !text.is_empty() && !text.starts_with("arn:"))
        });
        let told: Self =
            serde_json::from_value(Value::Object(told)).map_err(|error| error.to_string())?;
        let elsewhere = told.urls().find(|url| !url.is_on_this_machine());
        if let Some(url) = elsewhere {
            return Err(format!(
                "a function at {url:?} is not on this machine: name it in the configuration of the pool"
            ));
        }
        Ok(told)
    }

    pub(crate) fn function(&self, trigger: Trigger) -> Option<Function> {
        let url = match trigger {
            Trigger::PreSignUp => &self.pre_sign_up,
            Trigger::PostConfirmation => &self.post_confirmation,
            Trigger::PreAuthentication => &self.pre_authentication,
            Trigger::PostAuthentication => &self.post_authentication,
            Trigger::CustomMessage => &self.custom_message,
            Trigger::DefineAuthChallenge => &self.define_auth_challenge,
            Trigger::CreateAuthChallenge => &self.create_auth_challenge,
            Trigger::VerifyAuthChallengeResponse => &self.verify_auth_challenge_response,
            Trigger::UserMigration => &self.user_migration,
            Trigger::PreTokenGeneration
            | Trigger::PreTokenGenerationV2
            | Trigger::PreTokenGenerationV3 => return self.token_generation(trigger),
        };
        url.clone().map(Function::Url)
    }

    fn urls(&self) -> impl Iterator<Item = &FunctionUrl> {
        let config = self.pre_token_generation_config.as_ref().map(|config| &config.lambda_arn);
        let others = [
            &self.pre_sign_up,
            &self.custom_message,
            &self.post_confirmation,
            &self.pre_authentication,
            &self.post_authentication,
            &self.define_auth_challenge,
            &self.create_auth_challenge,
            &self.verify_auth_challenge_response,
            &self.pre_token_generation,
            &self.user_migration,
        ];
        others.into_iter().flatten().chain(config)
    }

    /// The version that is configured goes before the member of old, which knows the first alone.
    fn token_generation(&self, trigger: Trigger) -> Option<Function> {
        let (set, url) = match (&self.pre_token_generation_config, &self.pre_token_generation) {
            (Some(config), _) => (config.lambda_version.trigger(), &config.lambda_arn),
            (None, Some(url)) => (Trigger::PreTokenGeneration, url),
            (None, None) => return None,
        };
        (set == trigger).then(|| Function::Url(url.clone()))
    }
}

impl Version {
    fn trigger(self) -> Trigger {
        match self {
            Self::V1 => Trigger::PreTokenGeneration,
            Self::V2 => Trigger::PreTokenGenerationV2,
            Self::V3 => Trigger::PreTokenGenerationV3,
        }
    }
}

fn url(written: &Written) -> Result<FunctionUrl, Wrong> {
    FunctionUrl::try_from(written.text()?).map_err(|wrong| written.breaks(wrong))
}
