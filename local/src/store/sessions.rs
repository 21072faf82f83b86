use std::sync::Arc;

use crate::{
    crypto::secret::{digest_of, random_octets},
    ids::random_uuid,
    model::{Client, Group, RefreshToken, Session, User},
    store::data::Data,
    text::base64url,
    time::milliseconds,
};

impl Data {
    /// Begins a session. Returns its `origin_jti` and its first refresh token.
    pub(crate) fn begin_session(
        &mut self,
        user: &User,
        client: &Client,
        scopes: Option<Vec<String>>,
        now: u64,
    ) -> (String, String) {
        let origin_jti = random_uuid();
        let lifetime = milliseconds(client.settings.refresh_token_lifetime());
        let session = Session {
            username: user.username.clone(),
            sub: user.sub.clone(),
            client_id: client.settings.client_id.clone(),
            auth_time: now,
            begun_at: now,
            expires_at: now.saturating_add(lifetime),
            scopes,
            resource: None,
            revoked: false,
        };
        self.sessions.insert(origin_jti.clone(), session);
        let token = self.add_refresh_token(&origin_jti);
        (origin_jti, token)
    }

    /// Adds a refresh token to a session and returns it.
    pub(crate) fn add_refresh_token(&mut self, origin_jti: &str) -> String {
        let token = refresh_token();
        let row = RefreshToken { origin_jti: origin_jti.to_owned(), rotated_at: None };
        self.refresh_tokens.insert(digest_of(&token), row);
        token
    }

    /// Returns the user's groups, by precedence.
    pub(crate) fn groups_of(&self, user: &User) -> Vec<Arc<Group>> {
        let mut groups: Vec<_> =
            user.groups.iter().filter_map(|name| self.groups.get(name).cloned()).collect();
        groups.sort_by_key(|group| group.precedence.unwrap_or(u32::MAX));
        groups
    }
}

/// Returns a new refresh token: random bytes in five parts, the format of Cognito's refresh tokens.
fn refresh_token() -> String {
    let header = r#"{"cty":"JWT","enc":"A256GCM","alg":"RSA-OAEP"}"#;
    let parts = [
        base64url::encode(header),
        base64url::encode(random_octets::<64>()),
        base64url::encode(random_octets::<12>()),
        base64url::encode(random_octets::<128>()),
        base64url::encode(random_octets::<16>()),
    ];
    parts.join(".")
}
