//! The user pool that all subjects share, with its keys and tokens.

use std::error::Error;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use http::{
    Request,
    header::{ACCEPT, AUTHORIZATION, HOST, USER_AGENT},
};
use serde_json::Value;
use tower_cognito::TokenUse;
use tower_cognito_local::{TokenBuilder, UserPool};

/// The path of the only route.
pub const PATH: &str = "/api/protected";

/// The scope of the tokens, which the policy requires.
pub const SCOPE: &str = "orders/write";
pub const PERMISSION: &str = "write:all";

pub struct World {
    pub pool: UserPool,
    /// The key set as the endpoint serves it.
    pub jwks: String,
}

/// A signed token, and its signature as octets.
#[derive(Clone)]
pub struct Token {
    pub text: String,
    pub signature: Vec<u8>,
}

impl World {
    /// Starts the pool and reads its keys.
    pub async fn start() -> Result<Self, Box<dyn Error>> {
        let pool = UserPool::start().await?;
        let client = reqwest::Client::builder().no_proxy().build()?;
        let jwks = client.get(pool.jwks_uri()).send().await?.text().await?;
        let world = Self { pool, jwks };
        let length = world.token("alice").sign().len();
        // Decoding time depends on the length of the token, and Cognito's tokens have about this length.
        if !(1000..=1100).contains(&length) {
            return Err(format!("a token has {length} bytes, not 1,000 to 1,100").into());
        }
        Ok(world)
    }

    pub fn issuer(&self) -> &str {
        self.pool.issuer()
    }

    pub fn client_id(&self) -> &str {
        self.pool.client_id()
    }

    pub fn jwks_uri(&self) -> String {
        self.pool.jwks_uri()
    }

    /// Returns the builder of an access token with `client_id` and without `aud`, as Cognito issues them.
    pub fn token(&self, username: &str) -> TokenBuilder {
        let token = self.pool.token(username).changed_by_trigger();
        token.scope(SCOPE).group("staff").permissions([PERMISSION])
    }

    /// Returns tokens of this number of users.
    pub fn tokens(&self, count: usize) -> Result<Vec<Token>, Box<dyn Error>> {
        (0..count).map(|number| Token::new(self.token(&format!("u{number:04}")).sign())).collect()
    }

    /// Returns modulus and exponent of the signing key, in base64url.
    pub fn public_key(&self) -> Result<(String, String), Box<dyn Error>> {
        let kid = self.pool.key_id(TokenUse::Access);
        let jwks: Value = serde_json::from_str(&self.jwks)?;
        let keys = jwks["keys"].as_array().ok_or("the key set has no keys")?;
        let key = keys
            .iter()
            .find(|key| key["kid"] == kid)
            .ok_or("the key set does not contain the signing key")?;
        match (key["n"].as_str(), key["e"].as_str()) {
            (Some(n), Some(e)) => Ok((n.to_owned(), e.to_owned())),
            _ => Err("the key is not an RSA key".into()),
        }
    }
}

impl Token {
    /// # Errors
    /// The text is not a token.
    pub fn new(text: String) -> Result<Self, Box<dyn Error>> {
        let (_, signature) = text.rsplit_once('.').ok_or("a token has no signature")?;
        let signature = URL_SAFE_NO_PAD.decode(signature)?;
        Ok(Self { text, signature })
    }

    /// Returns the signed message.
    pub fn message(&self) -> &[u8] {
        self.text.rsplit_once('.').map_or("", |(message, _)| message).as_bytes()
    }

    /// Returns the token with one bit of its signature flipped.
    pub fn forged(&self) -> Self {
        let mut signature = self.signature.clone();
        if let Some(octet) = signature.get_mut(100) {
            *octet ^= 1;
        }
        let message = String::from_utf8_lossy(self.message());
        let text = format!("{message}.{}", URL_SAFE_NO_PAD.encode(&signature));
        Self { text, signature }
    }
}

/// Builds the request that all subjects receive, with typical client headers.
pub fn request<B: Default>(token: Option<&str>) -> http::Result<Request<B>> {
    let request = Request::get(PATH)
        .header(HOST, "api.example.com")
        .header(USER_AGENT, "peers/0.0")
        .header(ACCEPT, "application/json");
    let request = match token {
        Some(token) => request.header(AUTHORIZATION, format!("Bearer {token}")),
        None => request,
    };
    request.body(B::default())
}
