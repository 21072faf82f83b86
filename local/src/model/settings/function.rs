use std::fmt;

use reqwest::Url;
use serde::{Deserialize, Serialize};

use crate::{model::Trigger, text::host::is_loopback};

/// The URL of a function that a trigger calls.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(crate) struct FunctionUrl {
    /// The URL as it was configured.
    text: String,
    url: Url,
}

/// The path of a function in the Lambda runtime interface emulator.
const INVOCATIONS: &str = "/2015-03-31/functions/function/invocations";

/// The functions of a pool, with Terraform's names. AWS uses ARNs, a local pool uses URLs.
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

impl FunctionUrl {
    pub(crate) fn url(&self) -> &Url {
        &self.url
    }

    /// Returns whether the host is `localhost` or a loopback address.
    pub(crate) fn is_on_this_machine(&self) -> bool {
        self.url.host_str().is_some_and(is_loopback)
    }
}

impl LambdaConfig {
    pub(crate) fn function_url(&self, trigger: Trigger) -> Option<&FunctionUrl> {
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
            | Trigger::PreTokenGenerationV3 => return self.token_generation_url(trigger),
        };
        url.as_ref()
    }

    /// Returns the URLs of all functions.
    pub(crate) fn urls(&self) -> impl Iterator<Item = &FunctionUrl> {
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

    /// Returns the URL for one version of the token trigger. `pre_token_generation_config` takes precedence over
    /// `pre_token_generation`, which always means the first version.
    fn token_generation_url(&self, trigger: Trigger) -> Option<&FunctionUrl> {
        let (configured, url) =
            match (&self.pre_token_generation_config, &self.pre_token_generation) {
                (Some(config), _) => (config.lambda_version.trigger(), &config.lambda_arn),
                (None, Some(url)) => (Trigger::PreTokenGeneration, url),
                (None, None) => return None,
            };
        (configured == trigger).then_some(url)
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

impl TryFrom<String> for FunctionUrl {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        if text.starts_with("arn:") {
            return Err(format!(
                "`{text}` is the ARN of a function on AWS, which a local pool does not call: expected the URL \
                 at which the function runs, such as `http://127.0.0.1:9000`"
            ));
        }
        let url = Url::parse(&text)
            .ok()
            .filter(|url| matches!(url.scheme(), "http" | "https") && url.host_str().is_some());
        // The error does not quote the text, because a URL can contain a password.
        let mut url = url.ok_or_else(|| {
            "expected the http or https URL of a function, such as `http://127.0.0.1:9000`"
                .to_owned()
        })?;
        if url.path() == "/" {
            url.set_path(INVOCATIONS);
        }
        Ok(Self { text, url })
    }
}

impl From<FunctionUrl> for String {
    fn from(url: FunctionUrl) -> Self {
        url.text
    }
}

impl fmt::Debug for FunctionUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.url.origin().ascii_serialization())
    }
}
