//! The authorization request: an app sends a browser to the pool to sign a user in.

use std::sync::Arc;

use axum::response::{IntoResponse, Response};

use crate::{
    domain::authorization::{
        self, Authorization, AuthorizationError, ResponseType, registered_redirect_uri,
    },
    http::oauth::{
        error::OAuthError,
        message_page::{Comparison, PageError},
        parameters::Parameters,
        prompt::Prompt,
        redirect::{self, ResponseMode},
        resource,
        sign_in_page::sign_in_page,
    },
    model::{Client, settings::OWN_PROVIDER},
    pool::{Pool, site::Site},
    store::Data,
};

/// The maximum number of app clients on the page for an unknown one.
const MAX_LISTED: usize = 20;

/// Error for a query or a form with repeated or invalid parameters.
pub(crate) const AMBIGUOUS: OAuthError =
    OAuthError::new("invalid_request", "A parameter occurs more than once, or is not UTF-8");

/// Error for a grant that the app client may not use.
pub(crate) const FLOW_NOT_ALLOWED: OAuthError = OAuthError::new(
    "unauthorized_client",
    "This grant is not among the AllowedOAuthFlows of the app client",
);

const INVALID_CHALLENGE: OAuthError = OAuthError::new(
    "invalid_request",
    "code_challenge must be a SHA-256 in base64url, with code_challenge_method=S256",
);

/// A valid authorization request, with its pool and its app client.
///
/// Browsers carry the request from page to page, so each page validates it again.
pub(crate) struct AuthorizationRequest {
    pub(crate) pool: Arc<Pool>,
    pub(crate) client: Arc<Client>,
    /// One of the client's callback URLs.
    redirect_uri: String,
    pub(crate) response_type: ResponseType,
    /// The parameter `scope` as it was sent.
    scope: Option<String>,
    /// The scopes that are granted.
    scopes: Vec<String>,
    state: Option<String>,
    nonce: Option<String>,
    code_challenge: Option<String>,
    pub(crate) prompt: Prompt,
    /// The name with which the user is likely to sign in.
    pub(crate) login_hint: Option<String>,
    /// The API that the access token is for.
    resource: Option<String>,
}

/// An authorization request that is not valid.
pub(crate) enum RequestError {
    /// The client or its redirect URI is not valid. The error must not be sent to that URI, so a page shows it.
    Page(PageError),
    /// The browser is redirected to the app at this address, which contains the error.
    Redirect(String),
}

impl IntoResponse for RequestError {
    fn into_response(self) -> Response {
        match self {
            Self::Page(error) => error.into_response(),
            Self::Redirect(address) => redirect::to(&address),
        }
    }
}

impl AuthorizationRequest {
    /// Validates the parameters of an authorization request.
    pub(crate) fn parse(site: &Site, parameters: &Parameters) -> Result<Self, RequestError> {
        let missing = || RequestError::Page(PageError::new("invalid_request"));
        let id = parameters.get("client_id").ok_or_else(missing)?;
        let (pool, client) = site.client(id).ok_or_else(|| unknown_client(site, id))?;
        let redirect_uri = redirect_uri(&client, parameters)?;
        // From here on the app is known and gets all errors.
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
        let response_type = match parameters.get("response_type") {
            Some("code") => ResponseType::Code,
            Some("token") => ResponseType::Token,
            Some(_) => return Err("unsupported_response_type".into()),
            None => return Err(OAuthError::new("invalid_request", "response_type is missing")),
        };
        let requested = authorization::Request {
            response_type,
            scope: parameters.get("scope"),
            code_challenge: parameters.get("code_challenge"),
            code_challenge_method: parameters.get("code_challenge_method"),
        };
        let scopes = authorization::authorize(&pool, settings, &requested)?;
        let prompt = Prompt::parse(parameters.get("prompt"))?;
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

    /// Returns what the app is granted once the user is signed in.
    pub(crate) fn authorization(&self) -> Authorization<'_> {
        Authorization {
            client: &self.client,
            redirect_uri: &self.redirect_uri,
            scopes: &self.scopes,
            nonce: self.nonce.as_deref(),
            code_challenge: self.code_challenge.as_deref(),
            resource: self.resource.as_deref(),
        }
    }

    /// Returns whether users of the app can sign in with a password.
    pub(crate) fn allows_passwords(&self) -> bool {
        self.client.settings.allows_provider(OWN_PROVIDER)
    }

    /// Returns the address that passes the request to another page or to the authorization endpoint.
    pub(crate) fn address_of(&self, path: &str) -> String {
        format!("{path}?{}", self.query())
    }

    /// Returns the query that passes the request to another page.
    pub(crate) fn query(&self) -> String {
        let method = self.code_challenge.as_ref().map(|_| "S256");
        let prompt = self.prompt.text();
        let parameters: Vec<_> = [
            ("client_id", Some(self.client.settings.client_id.as_str())),
            ("redirect_uri", Some(&self.redirect_uri)),
            ("response_type", Some(response_type(self.response_type))),
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
        redirect::with_parameters(
            &self.redirect_uri,
            response_mode(self.response_type),
            &parameters,
        )
    }
}

impl From<AuthorizationError> for OAuthError {
    fn from(error: AuthorizationError) -> Self {
        match error {
            AuthorizationError::FlowNotAllowed => FLOW_NOT_ALLOWED,
            AuthorizationError::InvalidChallenge => INVALID_CHALLENGE,
            AuthorizationError::InvalidScope => "invalid_scope".into(),
        }
    }
}

fn response_type(response_type: ResponseType) -> &'static str {
    match response_type {
        ResponseType::Code => "code",
        ResponseType::Token => "token",
    }
}

fn response_mode(response_type: ResponseType) -> ResponseMode {
    match response_type {
        ResponseType::Code => ResponseMode::Query,
        ResponseType::Token => ResponseMode::Fragment,
    }
}

/// Returns the redirect URI of a request, or the client's default if the request has none. It must be registered.
fn redirect_uri(client: &Client, parameters: &Parameters) -> Result<String, RequestError> {
    let settings = &client.settings;
    let requested = if parameters.has("redirect_uri") {
        parameters.get("redirect_uri")
    } else {
        settings.default_redirect_uri.as_deref()
    };
    let registered = requested.and_then(|uri| registered_redirect_uri(settings, uri));
    let code = if settings.allowed_oauth_flows_user_pool_client {
        "redirect_mismatch"
    } else {
        "unauthorized_client"
    };
    registered.map(str::to_owned).ok_or_else(|| {
        let error = PageError::new(code).comparison(Comparison {
            parameter: "redirect_uri",
            requested: requested.map(str::to_owned),
            setting: "CallbackURLs of the app client",
            registered: settings.callback_urls.clone(),
        });
        RequestError::Page(error.sign_in_page(sign_in_page(settings)))
    })
}

fn unknown_client(site: &Site, id: &str) -> RequestError {
    let ids = |pool: &Arc<Pool>| -> Vec<String> {
        let settings = |data: &Data| {
            data.clients.values().map(|client| client.settings.client_id.clone()).collect()
        };
        pool.store.read(settings)
    };
    RequestError::Page(PageError::new("invalid_client").comparison(Comparison {
        parameter: "client_id",
        requested: Some(id.to_owned()),
        setting: "App clients",
        registered: site.pools().iter().flat_map(ids).take(MAX_LISTED).collect(),
    }))
}
