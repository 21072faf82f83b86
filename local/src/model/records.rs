use std::{collections::BTreeMap, sync::Arc};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{
    crypto::srp::Exchange,
    model::{
        settings::{ClientSettings, PoolSettings},
        user::User,
    },
};

/// Settings without effect, which the API returns as they were sent.
pub(crate) type OtherSettings = Map<String, Value>;

/// The pool itself. All times in this module are in milliseconds since the Unix epoch.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct PoolRecord {
    pub(crate) settings: Arc<PoolSettings>,
    pub(crate) created_at: u64,
    pub(crate) modified_at: u64,
    /// The name under which Cognito would serve the hosted pages.
    #[serde(default)]
    pub(crate) domain: Option<String>,
    #[serde(default)]
    pub(crate) others: OtherSettings,
}

/// An app client.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Client {
    pub(crate) settings: ClientSettings,
    pub(crate) created_at: u64,
    pub(crate) modified_at: u64,
    #[serde(default)]
    pub(crate) others: OtherSettings,
}

impl PoolRecord {
    pub(crate) fn new(settings: PoolSettings, now: u64) -> Self {
        Self {
            settings: Arc::new(settings),
            created_at: now,
            modified_at: now,
            domain: None,
            others: Map::new(),
        }
    }
}

impl Client {
    pub(crate) fn new(settings: ClientSettings, now: u64) -> Self {
        Self { settings, created_at: now, modified_at: now, others: Map::new() }
    }
}

/// A group of users.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Group {
    pub(crate) name: String,
    pub(crate) description: Option<String>,
    pub(crate) role_arn: Option<String>,
    /// The lowest number comes first. Groups without a number come last.
    pub(crate) precedence: Option<u32>,
    pub(crate) created_at: u64,
    pub(crate) modified_at: u64,
}

/// The session of a sign-in. All its tokens have the same `origin_jti`.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Session {
    pub(crate) username: String,
    /// The user's `sub`. A new user with the same name cannot use the session.
    #[serde(default)]
    pub(crate) sub: String,
    pub(crate) client_id: String,
    /// When the user signed in.
    pub(crate) auth_time: u64,
    /// When the session began. This is later than `auth_time` if the browser was already signed in.
    #[serde(default)]
    pub(crate) begun_at: u64,
    /// When the refresh tokens expire.
    pub(crate) expires_at: u64,
    /// `None` for a sign-in through the API.
    pub(crate) scopes: Option<Vec<String>>,
    /// The API to which the session's access tokens are bound.
    #[serde(default)]
    pub(crate) resource: Option<String>,
    pub(crate) revoked: bool,
}

/// A refresh token, stored by its digest.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct RefreshToken {
    pub(crate) origin_jti: String,
    /// When it was rotated.
    pub(crate) rotated_at: Option<u64>,
}

/// A challenge of a sign-in that the client has not answered yet.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Challenge {
    pub(crate) username: String,
    /// Identifies the user and the password. The challenge is invalid once either changes.
    #[serde(default)]
    pub(crate) proof: String,
    pub(crate) client_id: String,
    pub(crate) expires_at: u64,
    pub(crate) kind: ChallengeKind,
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum ChallengeKind {
    PasswordVerifier {
        exchange: Exchange,
        /// Whether custom challenges follow.
        custom: bool,
    },
    NewPasswordRequired,
    SoftwareTokenMfa,
    SmsMfa {
        code: String,
    },
    EmailOtp {
        code: String,
    },
    SelectMfaType,
    /// `verified` is true once the software token is verified.
    MfaSetup {
        verified: bool,
    },
    Custom {
        private: BTreeMap<String, String>,
        rounds: Vec<CustomRound>,
    },
}

/// The result of one custom challenge.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CustomRound {
    pub(crate) challenge_name: String,
    pub(crate) challenge_result: bool,
    pub(crate) challenge_metadata: Option<String>,
}

impl Session {
    /// Returns whether the session's tokens are invalid, because it was revoked or the user has signed out.
    pub(crate) fn is_over(&self, user: &User) -> bool {
        self.revoked || user.signed_out_at.is_some_and(|at| self.begun_at <= at)
    }
}

/// A message that Cognito would have sent.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Message {
    pub(crate) username: String,
    /// `EMAIL` or `SMS`.
    pub(crate) medium: String,
    pub(crate) destination: String,
    pub(crate) subject: Option<String>,
    pub(crate) body: String,
    pub(crate) code: Option<String>,
    /// The address that confirms the user, in pools that verify e-mail addresses by a link.
    #[serde(default)]
    pub(crate) link: Option<String>,
    pub(crate) at: u64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ResourceServer {
    pub(crate) identifier: String,
    pub(crate) name: String,
    /// `scope` is Terraform's word, `scopes` the API's.
    #[serde(default, alias = "scope")]
    pub(crate) scopes: Vec<ResourceServerScope>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ResourceServerScope {
    pub(crate) scope_name: String,
    pub(crate) scope_description: String,
}

/// An authorization code.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Grant {
    pub(crate) username: String,
    /// Identifies the user and the password. The code is invalid once either changes.
    #[serde(default)]
    pub(crate) proof: String,
    pub(crate) client_id: String,
    pub(crate) redirect_uri: String,
    pub(crate) scopes: Vec<String>,
    pub(crate) nonce: Option<String>,
    pub(crate) code_challenge: Option<String>,
    #[serde(default)]
    pub(crate) resource: Option<String>,
    pub(crate) auth_time: u64,
    pub(crate) expires_at: u64,
    /// The session that the exchange of the code began. A second exchange revokes the session.
    pub(crate) used_for: Option<String>,
}

/// A browser at which a user is signed in.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct BrowserSession {
    pub(crate) username: String,
    /// Identifies the user and the password. The browser is signed out once either changes.
    #[serde(default)]
    pub(crate) proof: String,
    /// The identity provider of the sign-in. `COGNITO` is the pool itself.
    #[serde(default)]
    pub(crate) provider: String,
    pub(crate) auth_time: u64,
    pub(crate) expires_at: u64,
}

/// A signing key. It is stored so that tokens stay valid after a restart.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct StoredKey {
    pub(crate) kid: String,
    /// PKCS#8 in base64.
    pub(crate) pkcs8: String,
}
