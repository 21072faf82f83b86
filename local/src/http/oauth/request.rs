//! What an app asks when it sends a browser to sign in.

use std::sync::Arc;

use crate::{
    http::oauth::{
        error::OAuthError,
        parameters::Parameters,
        prompt::Prompt,
        redirect::{self, Part},
        resource, scopes,
    },
    model::{
        Client,
        settings::{OAuthFlow, OWN_PROVIDER},
    },
    pool::{Shared, site::Site},
    store::Data,
};

/// A query or a form that cannot be understood.
pub(crate) const UNCLEAR: OAuthError =
    OAuthError::new("invalid_request", "A parameter occurs more than once, or is not UTF-8");

/// A grant that the app client does not have.
pub(crate) const FLOW_IS_OFF: OAuthError = OAuthError::new(
    "unauthorized_client",
    "This grant is not among the AllowedOAuthFlows of the app client",
);

const BAD_CHALLENGE: OAuthError = OAuthError::new(
    "invalid_request",
    "code_challenge must be a SHA-256 in base64url, with code_challenge_method=S256",
);

/// A request that was checked. It is checked again on every page, since browsers carry it from one to the next.
#[derive(Clone)]
pub(crate) struct AppRequest {
    pub(crate) client_id: String,
    pub(crate) redirect_uri: String,
    pub(crate) response_type: ResponseType,
    /// As it was asked.
    scope: Option<String>,
    pub(crate) state: Option<String>,
    pub(crate) nonce: Option<String>,
    pub(crate) code_challenge: Option<String>,
    pub(crate) prompt: Prompt,
    /// What the user is likely to sign in with.
    pub(crate) login_hint: Option<String>,
    /// The API that the access token is for.
    pub(crate) resource: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum ResponseType {
    Code,
    Token,
}

/// A request with whom it concerns.
pub(crate) struct Asking {
    pub(crate) pool: Arc<Shared>,
    pub(crate) client: Arc<Client>,
    pub(crate) request: AppRequest,
    pub(crate) scopes: Vec<String>,
}

/// Why a request is refused.
pub(crate) enum Refusal {
    /// Nobody knows that the address to go back to is the app's, so that the browser stays here.
    Here(&'static str),
    /// The app is told.
    Back(String),
}

impl Asking {
    /// Checks a request.
    pub(crate) fn read(site: &Site, parameters: &Parameters) -> Result<Self, Refusal> {
        let id = parameters.get("client_id").ok_or(Refusal::Here("invalid_request"))?;
        let (pool, client) = site.client(id).ok_or(Refusal::Here("invalid_client"))?;
        let redirect_uri = known_redirect_uri(&client, parameters)?;
        let part = match parameters.get("response_type") {
            Some("token") => Part::Fragment,
            _ => Part::Query,
        };
        let state = parameters.get("state");
        let request = read(&client, parameters, redirect_uri)
            .and_then(|request| {
                let asked = request.scope.as_deref();
                let scopes =
                    pool.store.read(|data: &Data| scopes::of_user(data, &client.settings, asked));
                Ok((request, scopes.ok_or(OAuthError::from("invalid_scope"))?))
            })
            .map_err(|error| Refusal::Back(refusal(redirect_uri, part, error, state)));
        let (request, scopes) = request?;
        Ok(Self { pool, client, request, scopes })
    }

    /// Whether a name is that of signing in with a password here, and the app takes it.
    pub(crate) fn is_own_provider(&self, name: &str) -> bool {
        name == OWN_PROVIDER && self.has_passwords()
    }

    /// Whether the app's users can sign in with a password.
    pub(crate) fn has_passwords(&self) -> bool {
        let supported = &self.client.settings.supported_identity_providers;
        supported.iter().any(|name| name == OWN_PROVIDER)
    }

    /// The query by which the next page gets the same request.
    pub(crate) fn query(&self) -> String {
        let request = &self.request;
        let method = request.code_challenge.as_ref().map(|_| "S256");
        let prompt = request.prompt.text();
        let parameters: Vec<_> = [
            ("client_id", Some(request.client_id.as_str())),
            ("redirect_uri", Some(&request.redirect_uri)),
            ("response_type", Some(request.response_type.as_str())),
            ("scope", request.scope.as_deref()),
            ("state", request.state.as_deref()),
            ("nonce", request.nonce.as_deref()),
            ("code_challenge", request.code_challenge.as_deref()),
            ("code_challenge_method", method),
            ("prompt", prompt.as_deref()),
            ("login_hint", request.login_hint.as_deref()),
            ("resource", request.resource.as_deref()),
        ]
        .into_iter()
        .filter_map(|(name, value)| Some((name, value?)))
        .collect();
        redirect::encoded(&parameters)
    }

    /// Returns the address at which the app is told of an error.
    pub(crate) fn refusal(&self, error: impl Into<OAuthError>) -> String {
        self.address(&error.into().parameters())
    }

    /// Returns the app's address with parameters and its state.
    pub(crate) fn address(&self, parameters: &[(&str, &str)]) -> String {
        let state = self.request.state.as_deref().map(|state| ("state", state));
        let parameters: Vec<_> = parameters.iter().copied().chain(state).collect();
        redirect::address(
            &self.request.redirect_uri,
            self.request.response_type.part(),
            &parameters,
        )
    }
}

impl ResponseType {
    fn as_str(self) -> &'static str {
        match self {
            Self::Code => "code",
            Self::Token => "token",
        }
    }

    fn part(self) -> Part {
        match self {
            Self::Code => Part::Query,
            Self::Token => Part::Fragment,
        }
    }
}

/// The address to go back to, letter by letter one of those that are registered.
fn known_redirect_uri<'a>(
    client: &'a Client,
    parameters: &'a Parameters,
) -> Result<&'a str, Refusal> {
    let settings = &client.settings;
    let default = settings.default_redirect_uri.as_deref();
    let asked =
        if parameters.has("redirect_uri") { parameters.get("redirect_uri") } else { default };
    let is_registered =
        |uri: &&str| settings.callback_urls.iter().any(|known| known == uri) && !uri.contains('#');
    asked.filter(is_registered).ok_or(Refusal::Here(
        if settings.allowed_oauth_flows_user_pool_client {
            "redirect_mismatch"
        } else {
            "unauthorized_client"
        },
    ))
}

/// All else of a request, once the app is known.
fn read(
    client: &Client,
    parameters: &Parameters,
    redirect_uri: &str,
) -> Result<AppRequest, OAuthError> {
    let settings = &client.settings;
    if !settings.allowed_oauth_flows_user_pool_client {
        return Err("unauthorized_client".into());
    }
    let resource = resource::requested(parameters)?;
    if !parameters.are_clear() {
        return Err(UNCLEAR);
    }
    let (response_type, flow) = match parameters.get("response_type") {
        Some("code") => (ResponseType::Code, OAuthFlow::Code),
        Some("token") => (ResponseType::Token, OAuthFlow::Implicit),
        Some(_) => return Err("unsupported_response_type".into()),
        None => return Err(OAuthError::new("invalid_request", "response_type is missing")),
    };
    if !settings.allowed_oauth_flows.contains(&flow) {
        return Err(FLOW_IS_OFF);
    }
    let challenge = parameters.get("code_challenge");
    match (challenge, parameters.get("code_challenge_method")) {
        (None, None) => {}
        (Some(challenge), Some("S256")) if is_challenge(challenge) => {}
        _ => return Err(BAD_CHALLENGE),
    }
    let text = |name: &str| parameters.get(name).map(str::to_owned);
    Ok(AppRequest {
        client_id: settings.client_id.clone(),
        redirect_uri: redirect_uri.to_owned(),
        response_type,
        scope: text("scope"),
        state: text("state"),
        nonce: text("nonce"),
        code_challenge: challenge.map(str::to_owned),
        prompt: Prompt::parse(parameters.get("prompt"))?,
        login_hint: text("login_hint"),
        resource: resource.map(str::to_owned),
    })
}

/// SHA-256 in base64url (RFC 7636, section 4.2).
fn is_challenge(text: &str) -> bool {
    text.len() == 43
        && text.bytes().all(|sign| sign.is_ascii_alphanumeric() || matches!(sign, b'-' | b'_'))
}

fn refusal(redirect_uri: &str, part: Part, error: OAuthError, state: Option<&str>) -> String {
    let state = state.map(|state| ("state", state));
    let parameters: Vec<_> = error.parameters().into_iter().chain(state).collect();
    redirect::address(redirect_uri, part, &parameters)
}
