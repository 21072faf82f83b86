use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{
    super::{
        settings::{ClientSettings, PoolSettings},
        srp::Exchange,
    },
    User,
};

/// The pool itself. Times are in milliseconds of the Unix epoch, here and below.
#[derive(Clone, Serialize, Deserialize)]
pub(in crate::local) struct PoolRecord {
    pub(in crate::local) settings: PoolSettings,
    pub(in crate::local) created_at: u64,
    pub(in crate::local) modified_at: u64,
    /// The name under which Cognito would serve the hosted pages.
    #[serde(default)]
    pub(in crate::local) domain: Option<String>,
    /// What requests set that makes no difference here, so that they read again what they wrote.
    #[serde(default)]
    pub(in crate::local) others: Map<String, Value>,
}

#[derive(Clone, Serialize, Deserialize)]
pub(in crate::local) struct Client {
    pub(in crate::local) settings: ClientSettings,
    pub(in crate::local) created_at: u64,
    pub(in crate::local) modified_at: u64,
    /// As a pool's.
    #[serde(default)]
    pub(in crate::local) others: Map<String, Value>,
}

impl PoolRecord {
    pub(in crate::local) fn new(settings: PoolSettings, now: u64) -> Self {
        Self { settings, created_at: now, modified_at: now, domain: None, others: Map::new() }
    }
}

impl Client {
    pub(in crate::local) fn new(settings: ClientSettings, now: u64) -> Self {
        Self { settings, created_at: now, modified_at: now, others: Map::new() }
    }
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(in crate::local) struct Group {
    pub(in crate::local) name: String,
    pub(in crate::local) description: Option<String>,
    pub(in crate::local) role_arn: Option<String>,
    /// The lowest comes first; without one, last.
    pub(in crate::local) precedence: Option<u32>,
    pub(in crate::local) created_at: u64,
    pub(in crate::local) modified_at: u64,
}

/// A sign-in, with all tokens that come from it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(in crate::local) struct Session {
    pub(in crate::local) username: String,
    /// Of the user, so that another of the same name has no part in it.
    #[serde(default)]
    pub(in crate::local) sub: String,
    pub(in crate::local) client_id: String,
    /// When the user signed in.
    pub(in crate::local) auth_time: u64,
    /// When the session began: later than `auth_time` if a browser was signed in already.
    #[serde(default)]
    pub(in crate::local) begun_at: u64,
    /// When the last refresh token ends.
    pub(in crate::local) expires_at: u64,
    /// Of a sign-in at the hosted pages; the API's has the one scope of its own.
    pub(in crate::local) scopes: Option<Vec<String>>,
    /// The API that access tokens of the session are for.
    #[serde(default)]
    pub(in crate::local) resource: Option<String>,
    pub(in crate::local) revoked: bool,
}

/// A refresh token, known by its digest alone.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(in crate::local) struct RefreshToken {
    pub(in crate::local) origin_jti: String,
    /// When another took its place.
    pub(in crate::local) rotated_at: Option<u64>,
}

/// A step of a sign-in that waits for the client.
#[derive(Clone, Serialize, Deserialize)]
pub(in crate::local) struct Challenge {
    pub(in crate::local) username: String,
    /// Which user it is and which password they have: the step is void once either changes.
    #[serde(default)]
    pub(in crate::local) proof: String,
    pub(in crate::local) client_id: String,
    pub(in crate::local) expires_at: u64,
    pub(in crate::local) kind: ChallengeKind,
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(in crate::local) enum ChallengeKind {
    PasswordVerifier {
        exchange: Exchange,
        /// Custom challenges follow.
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
    /// Whether the software token was verified meanwhile.
    MfaSetup {
        verified: bool,
    },
    Custom {
        private: BTreeMap<String, String>,
        rounds: Vec<CustomRound>,
    },
}

/// What came of one custom challenge.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::local) struct CustomRound {
    pub(in crate::local) challenge_name: String,
    pub(in crate::local) challenge_result: bool,
    pub(in crate::local) challenge_metadata: Option<String>,
}

impl Session {
    /// Whether the tokens of this session of the user's are worth nothing any more.
    pub(in crate::local) fn is_over(&self, user: &User) -> bool {
        self.revoked || user.signed_out_at.is_some_and(|at| self.begun_at <= at)
    }
}

/// What would have been sent.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(in crate::local) struct Message {
    pub(in crate::local) username: String,
    /// `EMAIL` or `SMS`.
    pub(in crate::local) medium: String,
    pub(in crate::local) destination: String,
    pub(in crate::local) subject: Option<String>,
    pub(in crate::local) body: String,
    pub(in crate::local) code: Option<String>,
    pub(in crate::local) at: u64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::local) struct ResourceServer {
    pub(in crate::local) identifier: String,
    pub(in crate::local) name: String,
    #[serde(default)]
    pub(in crate::local) scopes: Vec<ResourceServerScope>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::local) struct ResourceServerScope {
    pub(in crate::local) scope_name: String,
    pub(in crate::local) scope_description: String,
}

/// An authorization code.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(in crate::local) struct Grant {
    pub(in crate::local) username: String,
    /// Which user it is and which password they have: the code is void once either changes.
    #[serde(default)]
    pub(in crate::local) proof: String,
    pub(in crate::local) client_id: String,
    pub(in crate::local) redirect_uri: String,
    pub(in crate::local) scopes: Vec<String>,
    pub(in crate::local) nonce: Option<String>,
    pub(in crate::local) code_challenge: Option<String>,
    #[serde(default)]
    pub(in crate::local) resource: Option<String>,
    pub(in crate::local) auth_time: u64,
    pub(in crate::local) expires_at: u64,
    /// The session that it was exchanged for: a second exchange revokes it.
    pub(in crate::local) used_for: Option<String>,
}

/// A browser at which a user is signed in.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(in crate::local) struct BrowserSession {
    pub(in crate::local) username: String,
    /// Which user it is and which password they have: the browser is signed out once either changes.
    #[serde(default)]
    pub(in crate::local) proof: String,
    /// Where the user proved who they are: `COGNITO` with a password here.
    #[serde(default)]
    pub(in crate::local) provider: String,
    pub(in crate::local) auth_time: u64,
    pub(in crate::local) expires_at: u64,
}

/// A signing key, so that tokens outlive a restart.
#[derive(Clone, Serialize, Deserialize)]
pub(in crate::local) struct StoredKey {
    pub(in crate::local) kid: String,
    /// PKCS#8 in base64.
    pub(in crate::local) pkcs8: String,
}
