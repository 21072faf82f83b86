use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, de};

use crate::{
    error::ErrorKind,
    model::settings::{
        PoolSettings,
        list::distinct,
        redirect::redirect_violations,
        violation::{Violation, check_length, check_range},
    },
};

/// The settings of an app client. It has no `Debug`, because it has the client secret.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct ClientSettings {
    pub(crate) name: String,
    pub(crate) client_id: String,
    pub(crate) client_secret: Option<String>,
    pub(crate) generate_secret: bool,
    #[serde(deserialize_with = "auth_flows")]
    pub(crate) explicit_auth_flows: Vec<AuthFlow>,
    pub(crate) access_token_validity: u64,
    pub(crate) id_token_validity: u64,
    pub(crate) refresh_token_validity: u64,
    pub(crate) token_validity_units: TokenValidityUnits,
    /// The time to answer a challenge, in minutes.
    pub(crate) auth_session_validity: u64,
    pub(crate) allowed_oauth_flows_user_pool_client: bool,
    #[serde(deserialize_with = "distinct")]
    pub(crate) allowed_oauth_flows: Vec<OAuthFlow>,
    pub(crate) allowed_oauth_scopes: Vec<String>,
    pub(crate) callback_urls: Vec<String>,
    pub(crate) logout_urls: Vec<String>,
    pub(crate) default_redirect_uri: Option<String>,
    pub(crate) supported_identity_providers: Vec<String>,
    /// The attributes that the client may read. `None` means all.
    pub(crate) read_attributes: Option<Vec<String>>,
    /// The attributes that the client may write. `None` means all.
    pub(crate) write_attributes: Option<Vec<String>>,
    pub(crate) prevent_user_existence_errors: ExistenceErrors,
    pub(crate) enable_token_revocation: bool,
    pub(crate) refresh_token_rotation: Option<RefreshTokenRotation>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[expect(clippy::enum_variant_names, reason = "the names are Cognito's")]
pub(crate) enum AuthFlow {
    #[serde(rename = "ALLOW_ADMIN_USER_PASSWORD_AUTH")]
    AdminUserPasswordAuth,
    #[serde(rename = "ALLOW_CUSTOM_AUTH")]
    CustomAuth,
    #[serde(rename = "ALLOW_USER_PASSWORD_AUTH")]
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

/// Whether errors reveal that a user does not exist.
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
    /// How long the previous token remains valid.
    #[serde(default)]
    pub(crate) retry_grace_period_seconds: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum Rotation {
    Enabled,
    Disabled,
}

/// The parts of the pool that the rules for an app client refer to.
#[derive(Clone, Copy)]
pub(crate) struct ClientContext<'a> {
    pub(crate) pool: &'a PoolSettings,
    /// The scopes of the pool's resource servers, for example `orders/read`.
    pub(crate) scopes: &'a [String],
}

/// The values of `explicit_auth_flows`. The last three are legacy values, some of which allow several flows.
#[derive(Clone, Copy, Deserialize)]
enum AuthFlowWord {
    #[serde(rename = "ALLOW_ADMIN_USER_PASSWORD_AUTH")]
    AllowAdminUserPasswordAuth,
    #[serde(rename = "ALLOW_CUSTOM_AUTH")]
    AllowCustomAuth,
    #[serde(rename = "ALLOW_USER_PASSWORD_AUTH")]
    AllowUserPasswordAuth,
    #[serde(rename = "ALLOW_USER_SRP_AUTH")]
    AllowUserSrpAuth,
    #[serde(rename = "ALLOW_REFRESH_TOKEN_AUTH")]
    AllowRefreshTokenAuth,
    #[serde(rename = "ALLOW_USER_AUTH")]
    AllowUserAuth,
    #[serde(rename = "ADMIN_NO_SRP_AUTH")]
    AdminNoSrpAuth,
    #[serde(rename = "CUSTOM_AUTH_FLOW_ONLY")]
    CustomAuthFlowOnly,
    #[serde(rename = "USER_PASSWORD_AUTH")]
    UserPasswordAuth,
}

/// The scopes that every pool has.
pub(crate) const STANDARD_SCOPES: [&str; 5] =
    ["openid", "email", "phone", "profile", "aws.cognito.signin.user.admin"];

/// The attributes that no client can write.
const READ_ONLY_ATTRIBUTES: [&str; 3] = ["sub", "email_verified", "phone_number_verified"];

const MAX_NAME: usize = 128;
const MAX_SECRET: usize = 64;

const MINUTE: u64 = 60;
const DAY: u64 = 24 * 60 * MINUTE;

impl ClientSettings {
    pub(crate) fn allows(&self, flow: AuthFlow) -> bool {
        self.explicit_auth_flows.contains(&flow)
    }

    /// Returns whether the client may use an OAuth flow at the hosted pages and endpoints.
    pub(crate) fn allows_oauth_flow(&self, flow: OAuthFlow) -> bool {
        self.allowed_oauth_flows_user_pool_client && self.allowed_oauth_flows.contains(&flow)
    }

    /// Returns whether users can sign in to the client with a provider. The pool itself is
    /// [`OWN_PROVIDER`](crate::model::settings::OWN_PROVIDER).
    pub(crate) fn allows_provider(&self, name: &str) -> bool {
        self.supported_identity_providers.iter().any(|known| known == name)
    }

    /// Returns whether responses must not reveal which users exist (`PreventUserExistenceErrors`).
    pub(crate) fn hides_users(&self) -> bool {
        self.prevent_user_existence_errors == ExistenceErrors::Enabled
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

    /// Returns how long a refresh token remains valid after its rotation, or `None` if refresh tokens are not rotated.
    pub(crate) fn rotation_grace(&self) -> Option<Duration> {
        let rotation = self.refresh_token_rotation?;
        (rotation.feature == Rotation::Enabled)
            .then(|| Duration::from_secs(rotation.retry_grace_period_seconds))
    }

    /// Returns the violations of Cognito's rules for app clients.
    pub(crate) fn violations(&self, context: ClientContext<'_>) -> Vec<Violation> {
        let mut found = Vec::new();
        found.extend(check_length("name", &self.name, MAX_NAME).err());
        found.extend(self.check_id().err());
        found.extend(self.check_secret().err());
        found.extend(self.lifetime_violations());
        found
            .extend(check_range("auth_session_validity", self.auth_session_validity, 3..=15).err());
        let grace = self.refresh_token_rotation.map_or(0, |one| one.retry_grace_period_seconds);
        found.extend(
            check_range("refresh_token_rotation.retry_grace_period_seconds", grace, 0..=60).err(),
        );
        found.extend(self.scope_violations(context.scopes));
        found.extend(redirect_violations("callback_urls", &self.callback_urls));
        found.extend(redirect_violations("logout_urls", &self.logout_urls));
        found.extend(self.check_default_redirect().err());
        found.extend(self.check_oauth_flows().err());
        let names = context.pool.attribute_names();
        found.extend(attribute_violations("read", self.read_attributes.as_deref(), &names));
        let writable: Vec<_> = names
            .into_iter()
            .filter(|name| !READ_ONLY_ATTRIBUTES.contains(&name.as_str()))
            .collect();
        found.extend(attribute_violations("write", self.write_attributes.as_deref(), &writable));
        found
    }

    fn check_default_redirect(&self) -> Result<(), Violation> {
        match &self.default_redirect_uri {
            Some(url) if !self.callback_urls.contains(url) => {
                let message = format!("expected one of callback_urls, found {url:?}");
                Err(Violation::new("default_redirect_uri", message))
            }
            _ => Ok(()),
        }
    }

    /// Checks the ID. A client without an ID gets one later.
    fn check_id(&self) -> Result<(), Violation> {
        if self.client_id.is_empty() {
            return Ok(());
        }
        check_client_id(&self.client_id).map_err(|rule| Violation::new("client_id", rule))
    }

    fn check_secret(&self) -> Result<(), Violation> {
        let secret = self.client_secret.as_ref();
        secret.map_or(Ok(()), |secret| check_length("client_secret", secret, MAX_SECRET))
    }

    fn lifetime_violations(&self) -> Vec<Violation> {
        let mut found = Vec::new();
        let (access, id, refresh) =
            (self.access_token_lifetime(), self.id_token_lifetime(), self.refresh_token_lifetime());
        let day = (5 * MINUTE..=DAY, "5 minutes to 1 day");
        let years = (60 * MINUTE..=3650 * DAY, "60 minutes to 10 years");
        let units = self.token_validity_units;
        for (path, lifetime, (allowed, words), count, unit) in [
            ("access_token_validity", access, &day, self.access_token_validity, units.access_token),
            ("id_token_validity", id, &day, self.id_token_validity, units.id_token),
            (
                "refresh_token_validity",
                refresh,
                &years,
                self.refresh_token_validity,
                units.refresh_token,
            ),
        ] {
            if !allowed.contains(&lifetime.as_secs()) {
                let message = format!(
                    "Invalid range for token validity: expected {words}, found {count} {}",
                    unit.word()
                );
                found.push(Violation::new(path, message));
            }
        }
        if !found.is_empty() {
            return found;
        }
        for (path, lifetime) in [("access_token_validity", access), ("id_token_validity", id)] {
            if refresh < lifetime {
                let message = format!("expected at least the lifetime that {path} sets");
                return vec![Violation::new("refresh_token_validity", message)];
            }
        }
        found
    }

    fn scope_violations(&self, of_servers: &[String]) -> impl Iterator<Item = Violation> {
        let of_servers = of_servers.iter().map(String::as_str);
        let known: Vec<_> = STANDARD_SCOPES.into_iter().chain(of_servers).collect();
        self.allowed_oauth_scopes.iter().enumerate().filter_map(move |(index, scope)| {
            let message =
                || format!("Scope {scope:?} does not exist: expected one of {}", known.join(", "));
            (!known.contains(&scope.as_str())).then(|| {
                let path = format!("allowed_oauth_scopes.{index}");
                Violation::with_kind(ErrorKind::ScopeDoesNotExist, path, message())
            })
        })
    }

    fn check_oauth_flows(&self) -> Result<(), Violation> {
        let invalid_flow = |path: &str, message: &str| {
            Err(Violation::with_kind(ErrorKind::InvalidOAuthFlow, path, message))
        };
        let flows = &self.allowed_oauth_flows;
        let is_for_users = flows.contains(&OAuthFlow::Code) || flows.contains(&OAuthFlow::Implicit);
        let is_for_machines = flows.contains(&OAuthFlow::ClientCredentials);
        let has_secret = self.generate_secret || self.client_secret.is_some();
        if self.allowed_oauth_flows_user_pool_client
            && (flows.is_empty() || self.allowed_oauth_scopes.is_empty())
        {
            return Err(Violation::new(
                "allowed_oauth_flows_user_pool_client",
                "AllowedOAuthFlows and AllowedOAuthScopes are required if user pool client is allowed to use \
                 OAuth flows.",
            ));
        }
        if is_for_users && is_for_machines {
            return invalid_flow(
                "allowed_oauth_flows",
                "client_credentials flow can not be selected along with code flow or implicit flow.",
            );
        }
        if is_for_machines && !has_secret {
            return invalid_flow(
                "allowed_oauth_flows",
                "client_credentials flow can not be selected if client does not have a client secret.",
            );
        }
        let standard = self
            .allowed_oauth_scopes
            .iter()
            .find(|scope| STANDARD_SCOPES.contains(&scope.as_str()));
        if let (true, Some(scope)) = (is_for_machines, standard) {
            let message = format!("{scope} is not supported with client_credentials flow.");
            return invalid_flow("allowed_oauth_scopes", &message);
        }
        if is_for_users
            && self.allowed_oauth_flows_user_pool_client
            && self.callback_urls.is_empty()
        {
            return Err(Violation::new(
                "callback_urls",
                "callback_urls are required for the flows code and implicit",
            ));
        }
        Ok(())
    }

    /// Returns whether the client may read an attribute.
    pub(crate) fn may_read(&self, attribute: &str) -> bool {
        self.read_attributes.as_ref().is_none_or(|list| list.iter().any(|name| name == attribute))
    }

    /// Returns whether the client may write an attribute.
    pub(crate) fn may_write(&self, attribute: &str) -> bool {
        self.write_attributes.as_ref().is_none_or(|list| list.iter().any(|name| name == attribute))
    }
}

/// Checks the ID of an app client by the pattern `[\w+]+` of Cognito's API, and returns the rule if the ID breaks it.
pub(crate) fn check_client_id(id: &str) -> Result<(), &'static str> {
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"_+".contains(&byte);
    let is_valid = (1..=MAX_NAME).contains(&id.len()) && id.bytes().all(is_allowed);
    if is_valid { Ok(()) } else { Err("expected 1 to 128 letters, digits, _ and +") }
}

impl Default for ClientSettings {
    /// Returns a public client that allows every flow of the API except `USER_AUTH`.
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
    /// Returns the units that Cognito uses for numbers without a unit.
    fn default() -> Self {
        Self {
            access_token: TimeUnit::Hours,
            id_token: TimeUnit::Hours,
            refresh_token: TimeUnit::Days,
        }
    }
}

impl TimeUnit {
    fn word(self) -> &'static str {
        match self {
            Self::Seconds => "seconds",
            Self::Minutes => "minutes",
            Self::Hours => "hours",
            Self::Days => "days",
        }
    }

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

impl AuthFlowWord {
    /// Returns whether this is a legacy value, without the prefix `ALLOW_`.
    fn is_legacy(self) -> bool {
        matches!(self, Self::AdminNoSrpAuth | Self::CustomAuthFlowOnly | Self::UserPasswordAuth)
    }

    fn flows(self) -> &'static [AuthFlow] {
        use AuthFlow::{
            AdminUserPasswordAuth, CustomAuth, RefreshTokenAuth, UserAuth, UserPasswordAuth,
            UserSrpAuth,
        };
        match self {
            Self::AllowAdminUserPasswordAuth => &[AdminUserPasswordAuth],
            Self::AllowCustomAuth => &[CustomAuth],
            Self::AllowUserPasswordAuth => &[UserPasswordAuth],
            Self::AllowUserSrpAuth => &[UserSrpAuth],
            Self::AllowRefreshTokenAuth => &[RefreshTokenAuth],
            Self::AllowUserAuth => &[UserAuth],
            Self::AdminNoSrpAuth => &[AdminUserPasswordAuth, UserSrpAuth, RefreshTokenAuth],
            Self::CustomAuthFlowOnly => &[CustomAuth, RefreshTokenAuth],
            Self::UserPasswordAuth => &[UserPasswordAuth, UserSrpAuth, RefreshTokenAuth],
        }
    }
}

/// Deserializes flows. As in Cognito, legacy values cannot be combined with others.
fn auth_flows<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<AuthFlow>, D::Error> {
    let words = Vec::<AuthFlowWord>::deserialize(deserializer)?;
    let legacy = words.iter().filter(|word| word.is_legacy()).count();
    if (1..words.len()).contains(&legacy) {
        return Err(de::Error::custom(
            "Invalid explicit auth flows: ADMIN_NO_SRP_AUTH, CUSTOM_AUTH_FLOW_ONLY and USER_PASSWORD_AUTH cannot be \
             combined with values that begin with ALLOW_",
        ));
    }
    let mut flows = Vec::new();
    for flow in words.into_iter().flat_map(AuthFlowWord::flows) {
        if !flows.contains(flow) {
            flows.push(*flow);
        }
    }
    Ok(flows)
}

/// Returns the violations in the list `read_attributes` or `write_attributes`.
fn attribute_violations(
    kind: &str,
    list: Option<&[String]>,
    allowed: &[String],
) -> impl Iterator<Item = Violation> {
    let list = list.unwrap_or_default().iter().enumerate();
    list.filter(|(_, name)| !allowed.contains(name)).map(move |(index, name)| {
        let message = format!(
            "Invalid {kind} attributes specified while creating a client: {name:?} is not one of {}",
            allowed.join(", ")
        );
        Violation::new(format!("{kind}_attributes.{index}"), message)
    })
}
