//! Issues tokens with Cognito's claims.

use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, digest};
use serde_json::{Map, Value, json};

use tower_cognito::{TokenUse, Verified};

use crate::{
    blocking,
    error::Error,
    ids::random_uuid,
    model::{API_SCOPE, Claims, Client, Group, User, preferred_role, released_attributes, roles},
    pool::Pool,
    text::base64url,
    triggers::{Metadata, machine_overrides},
};

/// A sign-in for which tokens are issued.
pub(crate) struct TokenRequest<'a> {
    pub(crate) user: &'a User,
    pub(crate) client: &'a Client,
    /// All tokens of the sign-in share this value.
    pub(crate) origin_jti: &'a str,
    /// In milliseconds.
    pub(crate) auth_time: u64,
    /// `None` for a sign-in through the API.
    pub(crate) scopes: Option<&'a [String]>,
    pub(crate) nonce: Option<&'a str>,
    /// The API to which the access token is bound.
    pub(crate) resource: Option<&'a str>,
}

/// The tokens of a sign-in or a refresh.
pub(crate) struct Tokens {
    pub(crate) access_token: String,
    /// Absent if the app did not ask for the scope `openid`.
    pub(crate) id_token: Option<String>,
    pub(crate) refresh_token: Option<String>,
    /// The lifetime of the access token, in seconds.
    pub(crate) expires_in: u64,
}

impl Pool {
    /// Returns the claims that Cognito writes.
    pub(crate) fn claims(&self, request: &TokenRequest<'_>, groups: &[Arc<Group>]) -> Claims {
        let TokenRequest { user, client, .. } = request;
        let now = self.now() / 1000;
        let event_id = random_uuid();
        let mut common = Map::new();
        let mut set = |name: &str, value: Value| drop(common.insert(name.to_owned(), value));
        set("sub", json!(user.sub));
        set("iss", json!(self.issuer()));
        set("event_id", json!(event_id));
        set("auth_time", json!(request.auth_time / 1000));
        set("iat", json!(now));
        if client.settings.enable_token_revocation {
            set("origin_jti", json!(request.origin_jti));
        }
        if !groups.is_empty() {
            let names: Vec<_> = groups.iter().map(|group| &group.name).collect();
            set("cognito:groups", json!(names));
        }
        let access = self.access_claims(request, common.clone(), now);
        let id = self.id_claims(request, groups, common, now);
        let has_openid = |scopes: &[String]| scopes.iter().any(|scope| scope == "openid");
        let has_id_token = request.scopes.is_none_or(has_openid);
        Claims { access, id, is_hosted: request.scopes.is_some(), has_id_token }
    }

    /// Signs both tokens.
    pub(crate) async fn issue(
        &self,
        client: &Client,
        claims: Claims,
        refresh_token: Option<String>,
    ) -> Tokens {
        let Claims { access, mut id, is_hosted, has_id_token } = claims;
        let access_token = self.sign_claims(TokenUse::Access, access).await;
        let id_token = if has_id_token {
            if is_hosted {
                id.insert("at_hash".to_owned(), json!(half_digest_of(&access_token)));
            }
            Some(self.sign_claims(TokenUse::Id, id).await)
        } else {
            None
        };
        let expires_in = client.settings.access_token_lifetime().as_secs();
        Tokens { access_token, id_token, refresh_token, expires_in }
    }

    /// Signs one token.
    pub(crate) async fn sign_claims(
        &self,
        token_use: TokenUse,
        claims: Map<String, Value>,
    ) -> String {
        let key = self.signing_key(token_use);
        let header = json!({ "kid": key.kid, "alg": "RS256" }).to_string();
        let payload = Value::Object(claims).to_string();
        blocking::run(move || key.token(header.as_bytes(), payload.as_bytes())).await
    }

    /// Returns the claims of an access token for client credentials, after the trigger changed them.
    pub(crate) async fn machine_claims(
        &self,
        client: &Client,
        scopes: &[String],
        metadata: &Metadata,
    ) -> Result<Map<String, Value>, Error> {
        let overrides = machine_overrides(&self.events(), client, scopes, metadata).await?;
        let now = self.now() / 1000;
        let id = &client.settings.client_id;
        let claims = json!({
            "sub": id,
            "token_use": "access",
            "scope": scopes.join(" "),
            "auth_time": now,
            "iss": self.issuer(),
            "exp": now.saturating_add(client.settings.access_token_lifetime().as_secs()),
            "iat": now,
            "version": 2,
            "jti": random_uuid(),
            "client_id": id,
        });
        let mut claims = match claims {
            Value::Object(claims) => claims,
            _ => Map::new(),
        };
        overrides.apply_to_machine(&mut claims, id);
        Ok(claims)
    }

    /// Rejects a token whose session was revoked or whose user has signed out since.
    pub(crate) fn check_revocation(self: &Arc<Self>, verified: &Verified) -> Result<(), Error> {
        let revoked = || Error::not_authorized("Access Token has been revoked");
        self.store.read(|data| {
            let session = verified.origin_jti().and_then(|origin| data.sessions.get(origin));
            if session.is_some_and(|session| session.revoked) {
                return Err(revoked());
            }
            let Some(user) = data.user_of_sub(verified.subject()) else {
                return Ok(());
            };
            let auth_time =
                verified.auth_time().and_then(|at| at.duration_since(std::time::UNIX_EPOCH).ok());
            let auth_time = auth_time.map_or(0, |at| at.as_secs());
            // The start of a session is in milliseconds. A token without a session has only seconds.
            let is_over = match session {
                Some(session) => session.is_over(user),
                None => user.signed_out_at.is_some_and(|at| auth_time <= at / 1000),
            };
            if is_over { Err(revoked()) } else { Ok(()) }
        })
    }

    /// Returns the user of a verified token.
    ///
    /// # Errors
    /// The user does not exist or is disabled.
    pub(crate) fn user_of(&self, verified: &Verified) -> Result<Arc<User>, Error> {
        let user = self.store.read(|data| data.user_of_sub(verified.subject()).cloned());
        let user = user.ok_or_else(Error::user_not_found)?;
        if user.enabled { Ok(user) } else { Err(Error::not_authorized("User is disabled.")) }
    }

    fn access_claims(
        &self,
        request: &TokenRequest<'_>,
        mut claims: Map<String, Value>,
        now: u64,
    ) -> Map<String, Value> {
        let settings = &request.client.settings;
        let mut set = |name: &str, value: Value| drop(claims.insert(name.to_owned(), value));
        set("token_use", json!("access"));
        set("client_id", json!(settings.client_id));
        set("username", json!(request.user.username));
        if let Some(resource) = request.resource {
            set("aud", json!(resource));
        }
        if settings.enable_token_revocation {
            set("jti", json!(random_uuid()));
        }
        set("exp", json!(now.saturating_add(settings.access_token_lifetime().as_secs())));
        match request.scopes {
            Some(scopes) => {
                set("scope", json!(scopes.join(" ")));
                set("version", json!(2));
            }
            None => set("scope", json!(API_SCOPE)),
        }
        claims
    }

    fn id_claims(
        &self,
        request: &TokenRequest<'_>,
        groups: &[Arc<Group>],
        mut claims: Map<String, Value>,
        now: u64,
    ) -> Map<String, Value> {
        let TokenRequest { user, client, scopes, nonce, .. } = request;
        for (name, value) in released_attributes(user, &client.settings, *scopes) {
            claims.insert(name.to_owned(), claim_value(name, value));
        }
        let mut set = |name: &str, value: Value| drop(claims.insert(name.to_owned(), value));
        set("token_use", json!("id"));
        set("aud", json!(client.settings.client_id));
        set("cognito:username", json!(user.username));
        if client.settings.enable_token_revocation {
            set("jti", json!(random_uuid()));
        }
        set("exp", json!(now.saturating_add(client.settings.id_token_lifetime().as_secs())));
        let roles = roles(groups);
        if !roles.is_empty() {
            set("cognito:roles", json!(roles));
        }
        if let Some(role) = preferred_role(groups) {
            set("cognito:preferred_role", json!(role));
        }
        if !user.identities.is_empty() {
            set("identities", json!(user.identities));
        }
        if let Some(nonce) = nonce {
            set("nonce", json!(nonce));
        }
        claims
    }
}

/// Returns the claim `at_hash` for an access token (OpenID Connect Core 1.0, section 3.1.3.6).
fn half_digest_of(token: &str) -> String {
    let digest = digest(&SHA256, token.as_bytes());
    let half = digest.as_ref().len() / 2;
    base64url::encode(digest.as_ref().get(..half).unwrap_or_default())
}

/// Returns an attribute as a claim. Some standard attributes are not strings.
fn claim_value(name: &str, value: &str) -> Value {
    match name {
        "email_verified" | "phone_number_verified" => json!(value == "true"),
        "updated_at" => value.parse::<u64>().map_or_else(|_| json!(value), |number| json!(number)),
        "address" => json!({ "formatted": value }),
        _ => json!(value),
    }
}
