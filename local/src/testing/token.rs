use std::{
    fmt,
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use serde_json::{Map, Value, json};

use tower_cognito::{ConfigError, TokenUse, Verifier};

use crate::{
    ids::random_uuid,
    pool::Pool,
    testing::issuable::{self, Additions},
};

/// Builds a token, which [`sign`](Self::sign) returns.
///
/// `sign` panics if the pool would not issue the token, because a test with such a token can pass although production
/// rejects the request. This is the case for
///
/// - a claim that Cognito does not write: in an access token, each custom claim and user attribute; in an ID token, each
///   claim that is not an attribute of the pool that the app client may read;
/// - a scope that the app client is not granted, or any scope in an ID token;
/// - a group that does not exist in a pool that has groups, or any group of a machine. Membership is not checked, because
///   it can change at any time.
///
/// Only what the configuration defines is compared. A pool without a configuration accepts all scopes, groups and
/// `custom:` attributes of ID tokens. An app client that does not exist in the pool may have all scopes, for tests of
/// wrong clients. Everything is accepted if the pool has a pre-token-generation trigger of a version that changes such
/// tokens, and after [`changed_by_trigger`](Self::changed_by_trigger). Claims that Cognito writes itself, such as `iss`,
/// can always have any value or be missing, for tests of invalid tokens.
#[must_use]
pub struct TokenBuilder {
    pool: Arc<Pool>,
    token_use: TokenUse,
    claims: Map<String, Value>,
    removed: Vec<String>,
    scopes: Vec<String>,
    groups: Vec<String>,
    is_changed_by_trigger: bool,
    pub(super) configure: Option<Arc<Configure>>,
    issued_at: SystemTime,
    /// `None` for a token that has expired.
    lifetime: Option<u64>,
}

/// The function of a service that builds its verifier.
pub(super) type Configure =
    dyn Fn(tower_cognito::Pool) -> Result<Verifier, ConfigError> + Send + Sync;

/// Cognito's default lifetime of access and ID tokens.
const LIFETIME_SECONDS: u64 = 60 * 60;

/// 9999-12-31T23:59:59Z, the latest time in a token. Verifiers reject later times.
const LATEST: u64 = 253_402_300_799;

impl TokenBuilder {
    pub(crate) fn user(pool: Arc<Pool>, token_use: TokenUse, username: String) -> Self {
        let subject = pool.subject(&username);
        let client = pool.client_id().to_owned();
        let token = Self::new(pool, token_use, &client)
            .claim("sub", subject)
            .claim("origin_jti", random_uuid())
            .claim("event_id", random_uuid());
        match token_use {
            TokenUse::Access => token.claim("client_id", client).claim("username", username),
            TokenUse::Id => token.claim("aud", client).claim("cognito:username", username),
        }
    }

    pub(crate) fn machine(pool: Arc<Pool>, client: String) -> Self {
        Self::new(pool, TokenUse::Access, &client)
            .claim("sub", client.clone())
            .claim("client_id", client)
            .claim("version", 2)
    }

    fn new(pool: Arc<Pool>, token_use: TokenUse, client: &str) -> Self {
        let lifetime = pool.store.read(|data| {
            let settings = &data.clients.get(client)?.settings;
            Some(match token_use {
                TokenUse::Access => settings.access_token_lifetime(),
                TokenUse::Id => settings.id_token_lifetime(),
            })
        });
        let (issuer, issued_at) = (pool.issuer().to_owned(), pool.time());
        let token = Self {
            pool,
            token_use,
            claims: Map::new(),
            removed: Vec::new(),
            scopes: Vec::new(),
            groups: Vec::new(),
            is_changed_by_trigger: false,
            configure: None,
            issued_at,
            lifetime: Some(lifetime.map_or(LIFETIME_SECONDS, |lifetime| lifetime.as_secs())),
        };
        token
            .claim("iss", issuer)
            .claim("token_use", token_use.as_str())
            .claim("jti", random_uuid())
    }

    /// Adds a group. Machines have no groups.
    pub fn group(mut self, name: impl Into<String>) -> Self {
        let name = name.into();
        let groups = self.claims.entry("cognito:groups").or_insert_with(|| json!([]));
        if let Value::Array(groups) = groups {
            groups.push(Value::String(name.clone()));
        }
        self.groups.push(name);
        self
    }

    /// Adds a scope, as a sign-in at the hosted pages or a client credentials grant does.
    ///
    /// Default for a user's access token: `aws.cognito.signin.user.admin`, the scope of a sign-in through the API. ID
    /// tokens have no scopes.
    pub fn scope(mut self, name: impl Into<String>) -> Self {
        self.scopes.push(name.into());
        self
    }

    /// Writes permissions into the claim `custom:permissions`, as a JSON array in a string. For a claim of another name
    /// or form, call [`claim`](Self::claim). A verifier reads it if it is its
    /// [permissions claim](tower_cognito::VerifierBuilder::permissions_claim).
    ///
    /// In an access token only a pre-token-generation trigger can write this claim: call
    /// [`changed_by_trigger`](Self::changed_by_trigger) too.
    pub fn permissions<P>(self, names: P) -> Self
    where
        P: IntoIterator,
        P::Item: Into<String>,
    {
        let names: Vec<String> = names.into_iter().map(Into::into).collect();
        self.claim("custom:permissions", json!(names).to_string())
    }

    /// Sets the app client.
    pub fn client(self, id: impl Into<String>) -> Self {
        let name = match self.token_use {
            TokenUse::Access => "client_id",
            TokenUse::Id => "aud",
        };
        self.claim(name, id.into())
    }

    /// Binds an access token to an API: its URL becomes the claim `aud`, as with `resource=` at the authorization
    /// endpoint (RFC 8707). It has no effect on ID tokens, which are for the app client.
    pub fn resource(self, url: impl Into<String>) -> Self {
        match self.token_use {
            TokenUse::Access => self.claim("aud", url.into()),
            TokenUse::Id => self,
        }
    }

    /// Sets any claim. It replaces a claim that the pool would write. A claim that Cognito does not write needs
    /// [`changed_by_trigger`](Self::changed_by_trigger).
    pub fn claim(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.claims.insert(name.into(), value.into());
        self
    }

    /// Allows any claim, scope and group in the token. Use it if a pre-token-generation trigger adds them in production,
    /// and the pool of the test does not have that trigger. A trigger of version 1 changes ID tokens, version 2 also the
    /// access tokens of users, and version 3 also those of machines.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> std::io::Result<()> {
    /// # let pool = tower_cognito_local::UserPool::start().await?;
    /// let token = pool.token("alice").changed_by_trigger().claim("tenant", "acme").sign();
    /// # drop(token);
    /// # Ok(())
    /// # }
    /// ```
    pub fn changed_by_trigger(mut self) -> Self {
        self.is_changed_by_trigger = true;
        self
    }

    /// Removes any claim.
    pub fn without(mut self, name: impl Into<String>) -> Self {
        self.removed.push(name.into());
        self
    }

    /// Sets the time at which the token is issued, at most the end of the year 9999.
    ///
    /// Default: the [pool's time](crate::UserPool::time) at which this builder was created.
    pub fn issued_at(mut self, at: SystemTime) -> Self {
        self.issued_at = at;
        self
    }

    /// Sets the lifetime of the token, in whole seconds. A token expires at the end of the year 9999 at the latest,
    /// because verifiers reject later times.
    ///
    /// Default: that of the app client, which is 60 minutes unless it is configured.
    pub fn expires_in(mut self, lifetime: Duration) -> Self {
        self.lifetime = Some(lifetime.as_secs());
        self
    }

    /// Makes a token that was issued an hour before [`issued_at`](Self::issued_at) and expired a minute before it.
    pub fn expired(mut self) -> Self {
        self.lifetime = None;
        self
    }

    /// Returns the claims as JSON, without a signature.
    pub fn payload(&self) -> Value {
        let now = self.issued_at.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let now = now.min(LATEST);
        let (issued_at, expires_at) = match self.lifetime {
            Some(lifetime) => (now, now.saturating_add(lifetime).min(LATEST)),
            None => (now.saturating_sub(LIFETIME_SECONDS), now.saturating_sub(60)),
        };
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

    /// Returns the token, signed with the pool's current key for its use.
    ///
    /// # Panics
    /// Panics if the pool would not issue such a token: see [`TokenBuilder`]. The text names the claim, scope or group,
    /// and what to do.
    #[track_caller]
    pub fn sign(&self) -> String {
        if !self.is_changed_by_trigger
            && let Err(problem) = issuable::check(&self.pool, &self.additions())
        {
            panic!("the pool would not issue this token: {problem}");
        }
        let kid = self.pool.signing_key(self.token_use).kid;
        let header = json!({ "kid": kid, "alg": "RS256" }).to_string();
        let payload = self.payload().to_string();
        self.pool.sign(self.token_use, header.as_bytes(), payload.as_bytes())
    }

    pub(crate) fn pool(&self) -> &Pool {
        &self.pool
    }

    fn additions(&self) -> Additions<'_> {
        let is_kept = |name: &&String| !self.removed.contains(name);
        let client_claim = match self.token_use {
            TokenUse::Access => "client_id",
            TokenUse::Id => "aud",
        };
        Additions {
            token_use: self.token_use,
            is_machine: self.token_use == TokenUse::Access && !self.claims.contains_key("username"),
            client_id: self.claims.get(client_claim).and_then(Value::as_str),
            claims: self.claims.keys().filter(is_kept).map(String::as_str).collect(),
            scopes: &self.scopes,
            groups: &self.groups,
        }
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
