use std::time::Duration;

use serde::{Deserialize, Serialize};

/// The settings of an app client.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct ClientSettings {
    pub(crate) name: String,
    pub(crate) client_id: String,
    pub(crate) client_secret: Option<String>,
    pub(crate) generate_secret: bool,
    pub(crate) explicit_auth_flows: Vec<AuthFlow>,
    pub(crate) access_token_validity: u64,
    pub(crate) id_token_validity: u64,
    pub(crate) refresh_token_validity: u64,
    pub(crate) token_validity_units: TokenValidityUnits,
    /// How long a challenge may be answered, in minutes.
    pub(crate) auth_session_validity: u64,
    pub(crate) allowed_oauth_flows_user_pool_client: bool,
    pub(crate) allowed_oauth_flows: Vec<OAuthFlow>,
    pub(crate) allowed_oauth_scopes: Vec<String>,
    #[serde(rename = "callback_urls")]
    pub(crate) callback_urls: Vec<String>,
    pub(crate) logout_urls: Vec<String>,
    pub(crate) default_redirect_uri: Option<String>,
    pub(crate) supported_identity_providers: Vec<String>,
    /// The attributes that the client's users may read; all, if there is no list.
    pub(crate) read_attributes: Option<Vec<String>>,
    /// The attributes that the client's users may write; all, if there is no list.
    pub(crate) write_attributes: Option<Vec<String>>,
    pub(crate) prevent_user_existence_errors: ExistenceErrors,
    pub(crate) enable_token_revocation: bool,
    pub(crate) refresh_token_rotation: Option<RefreshTokenRotation>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[expect(clippy::enum_variant_names, reason = "Cognito names them so")]
pub(crate) enum AuthFlow {
    #[serde(rename = "ALLOW_ADMIN_USER_PASSWORD_AUTH", alias = "ADMIN_NO_SRP_AUTH")]
    AdminUserPasswordAuth,
    #[serde(rename = "ALLOW_CUSTOM_AUTH", alias = "CUSTOM_AUTH_FLOW_ONLY")]
    CustomAuth,
    #[serde(rename = "ALLOW_USER_PASSWORD_AUTH", alias = "USER_PASSWORD_AUTH")]
    UserPasswordAuth,
    #[serde(rename = "ALLOW_USER_SRP_AUTH")]
    UserSrpAuth,
    #[serde(rename = "ALLOW_REFRESH_TOKEN_AUTH")]
    RefreshTokenAuth,
    #[serde(rename = "ALLOW_USER_AUTH")]
    UserAuth,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum OAuthFlow {
    Code,
    Implicit,
    ClientCredentials,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct TokenValidityUnits {
    pub(crate) access_token: TimeUnit,
    pub(crate) id_token: TimeUnit,
    pub(crate) refresh_token: TimeUnit,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum TimeUnit {
    Seconds,
    Minutes,
    Hours,
    Days,
}

/// Whether an error tells that a user does not exist.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum ExistenceErrors {
    Legacy,
    #[default]
    Enabled,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RefreshTokenRotation {
    pub(crate) feature: Rotation,
    /// How long the token before stays good.
    #[serde(default)]
    pub(crate) retry_grace_period_seconds: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum Rotation {
    Enabled,
    Disabled,
}

impl ClientSettings {
    pub(crate) fn allows(&self, flow: AuthFlow) -> bool {
        self.explicit_auth_flows.contains(&flow)
    }

    pub(crate) fn access_token_lifetime(&self) -> Duration {
        self.token_validity_units.access_token.of(self.access_token_validity)
    }

    pub(crate) fn id_token_lifetime(&self) -> Duration {
        self.token_validity_units.id_token.of(self.id_token_validity)
    }

    pub(crate) fn refresh_token_lifetime(&self) -> Duration {
        self.token_validity_units.refresh_token.of(self.refresh_token_validity)
    }

    pub(crate) fn auth_session_lifetime(&self) -> Duration {
        TimeUnit::Minutes.of(self.auth_session_validity)
    }

    /// How long a refresh token stays good after it was rotated, if it is rotated.
    pub(crate) fn rotation_grace(&self) -> Option<Duration> {
        let rotation = self.refresh_token_rotation?;
        (rotation.feature == Rotation::Enabled)
            .then(|| Duration::from_secs(rotation.retry_grace_period_seconds))
    }

    pub(crate) fn may_read(&self, attribute: &str) -> bool {
        self.read_attributes.as_ref().is_none_or(|list| list.iter().any(|name| name == attribute))
    }

    pub(crate) fn may_write(&self, attribute: &str) -> bool {
        self.write_attributes.as_ref().is_none_or(|list| list.iter().any(|name| name == attribute))
    }
}

impl Default for ClientSettings {
    /// A public client with every way to sign in.
    fn default() -> Self {
        use AuthFlow::{
            AdminUserPasswordAuth, CustomAuth, RefreshTokenAuth, UserPasswordAuth, UserSrpAuth,
        };
        Self {
            name: "local".to_owned(),
            client_id: String::new(),
            client_secret: None,
            generate_secret: false,
            explicit_auth_flows: vec![
                AdminUserPasswordAuth,
                CustomAuth,
                UserPasswordAuth,
                UserSrpAuth,
                RefreshTokenAuth,
            ],
            access_token_validity: 60,
            id_token_validity: 60,
            refresh_token_validity: 30,
            token_validity_units: TokenValidityUnits {
                access_token: TimeUnit::Minutes,
                id_token: TimeUnit::Minutes,
                refresh_token: TimeUnit::Days,
            },
            auth_session_validity: 3,
            allowed_oauth_flows_user_pool_client: false,
            allowed_oauth_flows: Vec::new(),
            allowed_oauth_scopes: Vec::new(),
            callback_urls: Vec::new(),
            logout_urls: Vec::new(),
            default_redirect_uri: None,
            supported_identity_providers: vec!["COGNITO".to_owned()],
            read_attributes: None,
            write_attributes: None,
            prevent_user_existence_errors: ExistenceErrors::default(),
            enable_token_revocation: true,
            refresh_token_rotation: None,
        }
    }
}

impl Default for TokenValidityUnits {
    /// What Cognito takes numbers without a unit for.
    fn default() -> Self {
        Self {
            access_token: TimeUnit::Hours,
            id_token: TimeUnit::Hours,
            refresh_token: TimeUnit::Days,
        }
    }
}

impl TimeUnit {
    pub(crate) fn of(self, count: u64) -> Duration {
        let seconds = match self {
            Self::Seconds => 1,
            Self::Minutes => 60,
            Self::Hours => 60 * 60,
            Self::Days => 24 * 60 * 60,
        };
        Duration::from_secs(count.saturating_mul(seconds))
    }
}
