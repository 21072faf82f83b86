//! The authorization request: an app sends a browser to the pool to sign a user in.

use std::sync::Arc;

use axum::response::{IntoResponse, Response};

use crate::{
    http::oauth::{
        error::OAuthError,
        message_page::error_page,
        parameters::Parameters,
        prompt::Prompt,
        redirect::{self, ResponseMode},
        resource, scopes,
    },
    model::{
        Client,
        settings::{OAuthFlow, OWN_PROVIDER},
    },
    pool::{Pool, site::Site},
    store::Data,
};

/// Rejects a query or a form with repeated or unreadable parameters.
pub(crate) const AMBIGUOUS: OAuthError =
    OAuthError::new("invalid_request", "A parameter occurs more than once, or is not UTF-8");

/// Rejects a grant that the app client may not use.
pub(crate) const FLOW_NOT_ALLOWED: OAuthError = OAuthError::new(
    "unauthorized_client",
    "This grant is not among the AllowedOAuthFlows of the app client",
);

const INVALID_CHALLENGE: OAuthError = OAuthError::new(
    "invalid_request",
    "code_challenge must be a SHA-256 in base64url, with code_challenge_method=S256",
);

/// A valid authorization request, with the pool and the app client that it names.
///
/// Browsers carry the request from page to page, so each page validates it again.
pub(crate) struct AuthorizationRequest {
    pub(crate) pool: Arc<Pool>,
    pub(crate) client: Arc<Client>,
    /// One of the client's callback URLs.
    pub(crate) redirect_uri: String,
    pub(crate) response_type: ResponseType,
    /// The parameter `scope` as it was sent.
    scope: Option<String>,
    /// The scopes that are granted.
    pub(crate) scopes: Vec<String>,
    pub(crate) state: Option<String>,
    pub(crate) nonce: Option<String>,
    pub(crate) code_challenge: Option<String>,
    pub(crate) prompt: Prompt,
    /// The name that the user is likely to sign in with.
    pub(crate) login_hint: Option<String>,
    /// The API that the access token is for.
    pub(crate) resource: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum ResponseType {
    Code,
    Token,
}

/// An authorization request that is not valid.
pub(crate) enum RequestError {
    /// The client or its redirect URI is not valid, so that the error must not be sent there. It is shown to the user.
    Page(&'static str),
    /// The app gets the error at this address.
    Redirect(String),
}

impl IntoResponse for RequestError {
    fn into_response(self) -> Response {
        match self {
            Self::Page(code) => error_page(code),
            Self::Redirect(address) => redirect::to(&address),
        }
    }
}

impl AuthorizationRequest {
    /// Validates the parameters of an authorization request.
    pub(crate) fn parse(site: &Site, parameters: &Parameters) -> Result<Self, RequestError> {
        let id = parameters.get("client_id").ok_or(RequestError::Page("invalid_request"))?;
        let (pool, client) = site.client(id).ok_or(RequestError::Page("invalid_client"))?;
        let redirect_uri = registered_redirect_uri(&client, parameters)?;
        // From here on the app is known, and gets all errors.
        Self::with_redirect_uri(pool, client, &redirect_uri, parameters).map_err(|error| {
            let mode = match parameters.get("response_type") {
                Some("token") => ResponseMode::Fragment,
                _ => ResponseMode::Query,
            };
            let state = parameters.get("state").map(|state| ("state", state));
            let parameters: Vec<_> = error.parameters().into_iter().chain(state).collect();
            RequestError::Redirect(redirect::with_parameters(&redirect_uri, mode, &parameters))
        })
    }

    fn with_redirect_uri(
        pool: Arc<Pool>,
        client: Arc<Client>,
        redirect_uri: &str,
        parameters: &Parameters,
    ) -> Result<Self, OAuthError> {
        let settings = &client.settings;
        if !settings.allowed_oauth_flows_user_pool_client {
            return Err("unauthorized_client".into());
        }
        let resource = resource::requested(parameters)?;
        if !parameters.is_unambiguous() {
            return Err(AMBIGUOUS);
        }
        let (response_type, flow) = match parameters.get("response_type") {
            Some("code") => (ResponseType::Code, OAuthFlow::Code),
            Some("token") => (ResponseType::Token, OAuthFlow::Implicit),
            Some(_) => return Err("unsupported_response_type".into()),
            None => return Err(OAuthError::new("invalid_request", "response_type is missing")),
        };
        if !settings.allowed_oauth_flows.contains(&flow) {
            return Err(FLOW_NOT_ALLOWED);
        }
        let code_challenge = parameters.get("code_challenge");
        match (code_challenge, parameters.get("code_challenge_method")) {
            (None, None) => {}
            (Some(challenge), Some("S256")) if is_code_challenge(challenge) => {}
            _ => return Err(INVALID_CHALLENGE),
        }
        let prompt = Prompt::parse(parameters.get("prompt"))?;
        let scope = parameters.get("scope");
        let scopes = pool.store.read(|data: &Data| scopes::of_user(data, settings, scope));
        let scopes = scopes.ok_or(OAuthError::from("invalid_scope"))?;
        let text = |name: &str| parameters.get(name).map(str::to_owned);
        Ok(Self {
            redirect_uri: redirect_uri.to_owned(),
            response_type,
            scope: text("scope"),
            scopes,
            state: text("state"),
            nonce: text("nonce"),
            code_challenge: text("code_challenge"),
            prompt,
            login_hint: text("login_hint"),
            resource: resource.map(str::to_owned),
            pool,
            client,
        })
    }

    /// Returns whether users of the app can sign in with a provider. The pool itself is [`OWN_PROVIDER`].
    pub(crate) fn allows_provider(&self, name: &str) -> bool {
        self.client.settings.supported_identity_providers.iter().any(|known| known == name)
    }

    /// Returns whether users of the app can sign in with a password.
    pub(crate) fn allows_passwords(&self) -> bool {
        self.allows_provider(OWN_PROVIDER)
    }

    /// Returns the query with which another page gets the same request.
    pub(crate) fn query(&self) -> String {
        let method = self.code_challenge.as_ref().map(|_| "S256");
        let prompt = self.prompt.text();
        let parameters: Vec<_> = [
            ("client_id", Some(self.client.settings.client_id.as_str())),
            ("redirect_uri", Some(&self.redirect_uri)),
            ("response_type", Some(self.response_type.as_str())),
            ("scope", self.scope.as_deref()),
            ("state", self.state.as_deref()),
            ("nonce", self.nonce.as_deref()),
            ("code_challenge", self.code_challenge.as_deref()),
            ("code_challenge_method", method),
            ("prompt", prompt.as_deref()),
            ("login_hint", self.login_hint.as_deref()),
            ("resource", self.resource.as_deref()),
        ]
        .into_iter()
        .filter_map(|(name, value)| Some((name, value?)))
        .collect();
        redirect::encoded(&parameters)
    }

    /// Returns the address at which the app gets an error.
    pub(crate) fn error_url(&self, error: impl Into<OAuthError>) -> String {
        self.response_url(&error.into().parameters())
    }

    /// Returns the app's redirect URI with parameters and the app's state.
    pub(crate) fn response_url(&self, parameters: &[(&str, &str)]) -> String {
        let state = self.state.as_deref().map(|state| ("state", state));
        let parameters: Vec<_> = parameters.iter().copied().chain(state).collect();
        redirect::with_parameters(&self.redirect_uri, self.response_type.mode(), &parameters)
    }
}

impl ResponseType {
    fn as_str(self) -> &'static str {
        match self {
            Self::Code => "code",
            Self::Token => "token",
        }
    }

    fn mode(self) -> ResponseMode {
        match self {
            Self::Code => ResponseMode::Query,
            Self::Token => ResponseMode::Fragment,
        }
    }
}

/// Returns the redirect URI if it is an exact match of a registered one, or the default one if the request has none.
fn registered_redirect_uri(
    client: &Client,
    parameters: &Parameters,
) -> Result<String, RequestError> {
    let settings = &client.settings;
    let requested = if parameters.has("redirect_uri") {
        parameters.get("redirect_uri")
    } else {
        settings.default_redirect_uri.as_deref()
    };
    let is_registered =
        |uri: &&str| settings.callback_urls.iter().any(|known| known == uri) && !uri.contains('#');
    let code = if settings.allowed_oauth_flows_user_pool_client {
        "redirect_mismatch"
    } else {
        "unauthorized_client"
    };
    requested.filter(is_registered).map(str::to_owned).ok_or(RequestError::Page(code))
}

/// Returns whether a text is a SHA-256 in base64url (RFC 7636, section 4.2).
fn is_code_challenge(text: &str) -> bool {
    text.len() == 43
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}
