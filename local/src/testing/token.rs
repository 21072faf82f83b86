use std::{
    fmt,
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use serde_json::{Map, Value, json};

use tower_cognito::{TokenUse, verifier::Clock};

use crate::{ids::random_uuid, pool::Pool, time::SystemClock};

/// A builder of a token, which [`sign`](Self::sign) returns.
#[must_use]
pub struct TokenBuilder {
    pool: Arc<Pool>,
    token_use: TokenUse,
    claims: Map<String, Value>,
    removed: Vec<String>,
    scopes: Vec<String>,
    issued_at: SystemTime,
    lifetime: i64,
}

/// Cognito's default lifetime of access and ID tokens.
const LIFETIME_SECONDS: i64 = 60 * 60;

impl TokenBuilder {
    pub(crate) fn user(pool: Arc<Pool>, token_use: TokenUse, username: String) -> Self {
        let subject = pool.subject(&username);
        let client = pool.client_id().to_owned();
        let token = Self::new(pool, token_use)
            .claim("sub", subject)
            .claim("origin_jti", random_uuid())
            .claim("event_id", random_uuid());
        match token_use {
            TokenUse::Access => token.claim("client_id", client).claim("username", username),
            TokenUse::Id => token.claim("aud", client).claim("cognito:username", username),
        }
    }

    pub(crate) fn machine(pool: Arc<Pool>, client: String) -> Self {
        Self::new(pool, TokenUse::Access)
            .claim("sub", client.clone())
            .claim("client_id", client)
            .claim("version", 2)
    }

    fn new(pool: Arc<Pool>, token_use: TokenUse) -> Self {
        let issuer = pool.issuer().to_owned();
        let token = Self {
            pool,
            token_use,
            claims: Map::new(),
            removed: Vec::new(),
            scopes: Vec::new(),
            issued_at: SystemClock.now(),
            lifetime: LIFETIME_SECONDS,
        };
        token
            .claim("iss", issuer)
            .claim("token_use", token_use.as_str())
            .claim("jti", random_uuid())
    }

    /// Puts the user into a group.
    pub fn group(mut self, name: impl Into<String>) -> Self {
        let groups = self.claims.entry("cognito:groups").or_insert_with(|| json!([]));
        if let Value::Array(groups) = groups {
            groups.push(Value::String(name.into()));
        }
        self
    }

    /// Grants a scope, as the hosted UI does; without any, a user's access token has the scope of
    /// an API sign-in, `aws.cognito.signin.user.admin`. ID tokens have no scopes.
    pub fn scope(mut self, name: impl Into<String>) -> Self {
        self.scopes.push(name.into());
        self
    }

    /// Writes permissions into `custom:permissions`, as a JSON array inside a string, which is what
    /// a pre-token-generation trigger does.
    pub fn permissions<P>(self, names: P) -> Self
    where
        P: IntoIterator,
        P::Item: Into<String>,
    {
        let names: Vec<String> = names.into_iter().map(Into::into).collect();
        self.claim("custom:permissions", json!(names).to_string())
    }

    /// Makes the token for another app client.
    pub fn client(self, id: impl Into<String>) -> Self {
        let name = match self.token_use {
            TokenUse::Access => "client_id",
            TokenUse::Id => "aud",
        };
        self.claim(name, id.into())
    }

    /// Binds an access token to an API: its URL becomes the claim `aud`, as with `resource=` at the authorization
    /// endpoint (RFC 8707). ID tokens are for the app client and stay as they are.
    pub fn resource(self, url: impl Into<String>) -> Self {
        match self.token_use {
            TokenUse::Access => self.claim("aud", url.into()),
            TokenUse::Id => self,
        }
    }

    /// Sets any claim, also one that the pool would write itself.
    pub fn claim(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.claims.insert(name.into(), value.into());
        self
    }

    /// Leaves a claim out, also one that the pool would write itself.
    pub fn without(mut self, name: impl Into<String>) -> Self {
        self.removed.push(name.into());
        self
    }

    /// When the token is made: now unless set.
    pub fn issued_at(mut self, at: SystemTime) -> Self {
        self.issued_at = at;
        self
    }

    /// For how long the token is good: 60 minutes unless set, which is Cognito's default.
    pub fn expires_in(mut self, lifetime: Duration) -> Self {
        self.lifetime = i64::try_from(lifetime.as_secs()).unwrap_or(LIFETIME_SECONDS);
        self
    }

    /// Makes a token that expired a minute ago.
    pub fn expired(mut self) -> Self {
        self.lifetime = -60;
        self
    }

    /// The claims as JSON, without a signature.
    pub fn payload(&self) -> Value {
        let now = self.issued_at.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let now = i64::try_from(now).unwrap_or(i64::MAX);
        // A token that has expired was issued a lifetime before.
        let issued_at = if self.lifetime < 0 { now - LIFETIME_SECONDS } else { now };
        let expires_at = now.saturating_add(self.lifetime);
        let mut claims = Map::new();
        claims.insert("auth_time".into(), issued_at.into());
        claims.insert("iat".into(), issued_at.into());
        claims.insert("exp".into(), expires_at.into());
        if self.token_use == TokenUse::Access {
            claims.insert("scope".into(), self.scope_claim().into());
            if !self.scopes.is_empty() {
                claims.insert("version".into(), 2.into());
            }
        }
        claims.extend(self.claims.clone());
        claims.retain(|name, _| !self.removed.contains(name));
        Value::Object(claims)
    }

    /// Signs with the pool's present key for this kind of token.
    pub fn sign(&self) -> String {
        let kid = self.pool.signing_key(self.token_use).kid;
        let header = json!({ "kid": kid, "alg": "RS256" }).to_string();
        let payload = self.payload().to_string();
        self.pool.sign(self.token_use, header.as_bytes(), payload.as_bytes())
    }

    pub(crate) fn pool(&self) -> &Pool {
        &self.pool
    }

    fn scope_claim(&self) -> String {
        let is_user = self.claims.contains_key("username");
        if self.scopes.is_empty() && is_user {
            return "aws.cognito.signin.user.admin".to_owned();
        }
        self.scopes.join(" ")
    }
}

impl fmt::Debug for TokenBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenBuilder").field("token_use", &self.token_use).finish_non_exhaustive()
    }
}
