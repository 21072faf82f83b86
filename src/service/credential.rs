use http::{
    HeaderMap, HeaderName, HeaderValue, Request, Uri,
    header::{self, Entry, OccupiedEntry},
};

use crate::{
    claims::TokenUse,
    error::{AuthError, AuthErrorKind, ConfigError},
    service::{
        cookie::{CookieName, Cookies},
        site::TrustedSites,
        value::{NOT_ASCII, invalid_request, is_text, is_token, single_value, token},
    },
};

/// Place in a request from which the token is read: see
/// [`CognitoLayer::credentials`](crate::CognitoLayer::credentials).
///
/// The default is the `Authorization` header alone. Each other place has a risk: browsers send cookies with requests
/// that other sites cause, and queries end up in logs and histories (RFC 6750, section 2.3).
///
/// An empty header, cookie or query parameter counts as absent, because clients send it while no user is signed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credential(Place);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Place {
    /// A header with the scheme `Bearer`.
    BearerHeader(HeaderName),
    /// A header with the bare token.
    Header(HeaderName),
    Cookie(CookieName, TrustedSites),
    Query(String),
    WebSocketProtocol(String),
}

/// What [`is_token_text`] accepts.
const TOKEN_CHARACTERS: &str = "letters, digits and any of !#$%&'*+-.^_`|~";

impl Credential {
    /// Reads `Authorization: Bearer <token>` (RFC 6750, section 2.1), with the scheme in upper or lower case.
    pub fn authorization() -> Self {
        Self(Place::BearerHeader(header::AUTHORIZATION))
    }

    /// Reads another header whose value is `Bearer <token>`.
    ///
    /// For a proxy that moves the `Authorization` header, such as `x-forwarded-authorization` behind CloudFront with
    /// signed origin requests.
    ///
    /// # Errors
    /// [`ConfigError::Name`] if no header can have this name (RFC 9110, section 5.1), or if it is `cookie`.
    pub fn bearer_header(name: impl Into<String>) -> Result<Self, ConfigError> {
        header_name("bearer_header", name.into()).map(|name| Self(Place::BearerHeader(name)))
    }

    /// Reads a header whose value is the bare token. A value with a scheme is rejected: see
    /// [`bearer_header`](Self::bearer_header).
    ///
    /// # Errors
    /// [`ConfigError::Name`] if no header can have this name (RFC 9110, section 5.1), or if it is `cookie`.
    pub fn header(name: impl Into<String>) -> Result<Self, ConfigError> {
        header_name("header", name.into()).map(|name| Self(Place::Header(name)))
    }

    /// Reads a cookie whose value is the token.
    ///
    /// Browsers also send cookies with requests that other sites cause (CSRF). Such requests are rejected with 403
    /// `cross_site_request`. A request is cross-site if its `Sec-Fetch-Site` is neither `same-origin`
    /// nor `none`; without that header, if its `Origin` names another host. This includes WebSocket
    /// handshakes, which are GET requests that no CORS rule stops, and requests from other subdomains
    /// of the same site.
    ///
    /// A request with neither header passes. Browsers send `Sec-Fetch-Site` over HTTPS and to loopback only (Safari
    /// since 16.4), and no `Origin` with links, images and forms that use GET. So serve over HTTPS, and make sure that
    /// GET and HEAD requests change nothing. The scheme of `Origin` is not compared, since a proxy may terminate TLS:
    /// send `Strict-Transport-Security`, so that a network attacker cannot serve pages of this host over HTTP.
    ///
    /// Pages of other origins can be [trusted](Self::add_trusted_origin), and links from other sites
    /// [allowed](Self::allow_cross_site_navigation). Behind a proxy that changes the `Host` header,
    /// trust the origin that browsers see.
    ///
    /// # Errors
    /// [`ConfigError::Name`] if no cookie can have this name (RFC 6265, section 4.1.1).
    pub fn cookie(name: impl Into<String>) -> Result<Self, ConfigError> {
        checked("cookie", name.into(), TOKEN_CHARACTERS, is_token_text)
            .map(|name| Self::cookie_named(CookieName::Fixed(name)))
    }

    /// Reads a cookie whose name a function finds among all cookies of the request.
    ///
    /// The function returns an `Option` with one name, or a list of names that are possible. A request with two cookies
    /// of these names is rejected with 400. All other rules of [`cookie`](Self::cookie) apply too, including those for
    /// requests that other sites cause. The function runs at each request and must not block.
    ///
    /// ```
    /// # use tower_cognito::service::{Cookies, Credential};
    /// // The cookie `session` names the one with the token.
    /// let by_session = Credential::cookie_by(|cookies: &Cookies<'_>| {
    ///     cookies.values("session").next().map(|session| format!("app.{session}.token"))
    /// });
    ///
    /// // Any user's token, but only one.
    /// let by_suffix = Credential::cookie_by(|cookies: &Cookies<'_>| -> Vec<String> {
    ///     let names = cookies.iter().map(|(name, _)| name);
    ///     names.filter(|name| name.ends_with(".token")).map(str::to_owned).collect()
    /// });
    /// ```
    pub fn cookie_by<F, I>(names: F) -> Self
    where
        F: Fn(&Cookies<'_>) -> I + Send + Sync + 'static,
        I: IntoIterator<Item = String>,
    {
        Self::cookie_named(CookieName::by(names))
    }

    /// Reads the cookie in which Amplify keeps the token of the signed-in user, with `ssr: true` or with its
    /// `CookieStorage`.
    ///
    /// Amplify names its cookies by app client and user, and percent-encodes the user name:
    /// `CognitoIdentityServiceProvider.<client>.<user>.accessToken`, or `.idToken` for [`TokenUse::Id`]. The cookie
    /// `CognitoIdentityServiceProvider.<client>.LastAuthUser` has the name of the signed-in user. Without it, the
    /// credential counts as absent. If two of its values differ, or if two cookies have the user's token, the request is
    /// rejected with 400.
    ///
    /// All rules of [`cookie`](Self::cookie) apply, including those for requests that other sites cause.
    ///
    /// # Errors
    /// [`ConfigError::Name`] if no app client can have this id.
    pub fn amplify_cookie(
        client_id: impl Into<String>,
        token_use: TokenUse,
    ) -> Result<Self, ConfigError> {
        let expected = "the id of an app client: letters, digits, `_` and `+`";
        let fits = |id: &str| {
            !id.is_empty() && id.bytes().all(|b| b.is_ascii_alphanumeric() || b"_+".contains(&b))
        };
        let client_id = checked("amplify_cookie", client_id.into(), expected, fits)?;
        Ok(Self::cookie_named(CookieName::amplify(&client_id, token_use)))
    }

    fn cookie_named(name: CookieName) -> Self {
        Self(Place::Cookie(name, TrustedSites::default()))
    }

    /// Accepts the cookie in requests with this `Origin`: `fetch` with CORS, forms that POST, and
    /// WebSocket handshakes of pages there. Images, links and forms that use GET carry no `Origin` and
    /// are still rejected. Each call adds one origin. Anyone who controls a page of that origin can act as the user
    /// who visits it.
    ///
    /// ```
    /// # use tower_cognito::service::Credential;
    /// let cookie = Credential::cookie("token")?.add_trusted_origin("https://app.example.com")?;
    /// # Ok::<(), tower_cognito::ConfigError>(())
    /// ```
    ///
    /// # Errors
    /// - [`ConfigError::Name`] if the text is not an origin as browsers send it (RFC 6454, section 6.2): `https` or
    ///   `http`, a host in ASCII (Punycode for other scripts), and a port if it is not the default one, without a path.
    /// - [`ConfigError::Conflict`] if the credential is not a cookie.
    pub fn add_trusted_origin(self, origin: impl Into<String>) -> Result<Self, ConfigError> {
        self.change_sites("add_trusted_origin", |sites| sites.add(origin.into()))
    }

    /// Accepts the cookie when the user follows a link from another site: a GET or HEAD request that a browser marks as
    /// the navigation of a whole page (`Sec-Fetch-Mode: navigate` and `Sec-Fetch-Dest: document`). Use it for
    /// server-rendered applications, in which GET requests must not change anything. By default such a request is
    /// rejected with 403, as if the cookie had `SameSite=Strict`.
    ///
    /// # Errors
    /// [`ConfigError::Conflict`] if the credential is not a cookie.
    pub fn allow_cross_site_navigation(self) -> Result<Self, ConfigError> {
        self.change_sites("allow_cross_site_navigation", |sites| Ok(sites.allow_navigation()))
    }

    /// Reads a query parameter, for example `?access_token=<token>`.
    ///
    /// # Errors
    /// [`ConfigError::Name`] if the name would need percent-encoding.
    pub fn query(name: impl Into<String>) -> Result<Self, ConfigError> {
        checked("query", name.into(), "letters, digits and any of `-._~`", is_plain)
            .map(|name| Self(Place::Query(name)))
    }

    /// Reads the entry after this marker in `Sec-WebSocket-Protocol`.
    ///
    /// For browsers, which cannot set other headers of a WebSocket handshake: `new WebSocket(url, ["bearer", token])`.
    /// The service must respond with the marker as the chosen protocol.
    ///
    /// # Errors
    /// [`ConfigError::Name`] if the marker is not a token of RFC 9110, section 5.6.2.
    pub fn websocket_protocol(marker: impl Into<String>) -> Result<Self, ConfigError> {
        checked("websocket_protocol", marker.into(), TOKEN_CHARACTERS, is_token_text)
            .map(|marker| Self(Place::WebSocketProtocol(marker)))
    }

    fn change_sites(
        self,
        setting: &'static str,
        change: impl FnOnce(TrustedSites) -> Result<TrustedSites, ConfigError>,
    ) -> Result<Self, ConfigError> {
        match self.0 {
            Place::Cookie(name, sites) => Ok(Self(Place::Cookie(name, change(sites)?))),
            _ => Err(ConfigError::Conflict { setting, with: "a credential that is not a cookie" }),
        }
    }

    /// Reads the token from this place, and marks its header as sensitive so that inner layers do not log it.
    ///
    /// # Errors
    /// `InvalidRequest` if the credential is not one token; `CrossSiteRequest` if it is in a cookie, and another site
    /// caused the request.
    pub(super) fn find<'r, B>(
        &self,
        request: &'r mut Request<B>,
    ) -> Result<Option<&'r [u8]>, AuthError> {
        match &self.0 {
            Place::Query(name) => single_value(parameters(request.uri(), name)),
            Place::BearerHeader(name) => single_header(request.headers_mut(), name, authorization),
            Place::Header(name) => single_header(request.headers_mut(), name, token),
            Place::Cookie(name, sites) => {
                self.mark_sensitive(request);
                let found = name.find(request.headers())?;
                if found.is_some() && !sites.accept(request) {
                    let detail = "another site caused the request, so its cookie is not accepted";
                    return Err(AuthError::new(AuthErrorKind::CrossSiteRequest, detail));
                }
                Ok(found)
            }
            Place::WebSocketProtocol(marker) => {
                self.mark_sensitive(request);
                single_value(protocols_after(request.headers(), marker))
            }
        }
    }

    /// Returns whether the header has a value, which is one with a scheme other than `Bearer` once
    /// [`find`](Self::find) has returned `None`.
    pub(super) fn has_other_scheme(&self, headers: &HeaderMap) -> bool {
        let Place::BearerHeader(name) = &self.0 else { return false };
        headers.get(name).is_some_and(|value| !value.as_bytes().trim_ascii().is_empty())
    }

    /// Marks the credential's header as sensitive so that inner layers do not log it.
    pub(super) fn mark_sensitive<B>(&self, request: &mut Request<B>) {
        if let Some(name) = self.header_name() {
            values_marked_sensitive(request.headers_mut(), name);
        }
    }

    /// Returns the header that has the credential.
    pub(super) fn header_name(&self) -> Option<&HeaderName> {
        match &self.0 {
            Place::BearerHeader(name) | Place::Header(name) => Some(name),
            Place::Cookie(..) => Some(&header::COOKIE),
            Place::WebSocketProtocol(_) => Some(&header::SEC_WEBSOCKET_PROTOCOL),
            Place::Query(_) => None,
        }
    }
}

/// Returns whether headers can be looked up by entry. A look-up reserves space for one more header, which a map with
/// the maximum number of headers, about 25,000, does not have.
pub(super) fn has_capacity(headers: &mut HeaderMap) -> bool {
    headers.try_reserve(1).is_ok()
}

/// Returns a header's values, after it has marked them as sensitive.
fn values_marked_sensitive<'r>(
    headers: &'r mut HeaderMap,
    name: &HeaderName,
) -> Option<OccupiedEntry<'r, HeaderValue>> {
    // It fails only if the map is full: see `has_capacity`.
    let Ok(Entry::Occupied(mut values)) = headers.try_entry(name) else { return None };
    values.iter_mut().for_each(|value| value.set_sensitive(true));
    Some(values)
}

/// Reads a value with a scheme. Returns `None` for a scheme other than `Bearer`.
fn authorization(value: &[u8]) -> Result<Option<&[u8]>, AuthError> {
    let scheme_end = value.iter().position(|byte| *byte == b' ').unwrap_or(value.len());
    let (scheme, rest) = value.split_at(scheme_end);
    if scheme.eq_ignore_ascii_case(b"Bearer") {
        token(without_spaces(rest))
    } else if !value.iter().all(|byte| is_text(*byte)) {
        Err(invalid_request(NOT_ASCII))
    } else if is_token(scheme) {
        Ok(None)
    } else {
        Err(invalid_request("the credential's header does not begin with a scheme"))
    }
}

/// Removes the spaces before the token. RFC 6750, section 2.1, allows several.
fn without_spaces(value: &[u8]) -> &[u8] {
    let start = value.iter().position(|byte| *byte != b' ').unwrap_or(value.len());
    value.split_at(start).1
}

/// Reads a header that must not be repeated.
fn single_header<'r>(
    headers: &'r mut HeaderMap,
    name: &HeaderName,
    read: impl Fn(&'r [u8]) -> Result<Option<&'r [u8]>, AuthError>,
) -> Result<Option<&'r [u8]>, AuthError> {
    let Some(values) = values_marked_sensitive(headers, name) else { return Ok(None) };
    if values.iter().nth(1).is_some() {
        return Err(invalid_request("the request has the credential's header more than once"));
    }
    // Whitespace around a field value is not part of it (RFC 9110, section 5.5).
    match values.into_mut().as_bytes().trim_ascii() {
        [] => Ok(None),
        value => read(value),
    }
}

/// Returns the values of a query parameter. A token has no characters that a query encodes, so
/// nothing is decoded.
fn parameters<'r>(uri: &'r Uri, name: &str) -> impl Iterator<Item = &'r [u8]> {
    uri.query()
        .unwrap_or_default()
        .split('&')
        .filter_map(move |pair| pair.strip_prefix(name)?.strip_prefix('='))
        .filter(|value| !value.is_empty())
        .map(str::as_bytes)
}

fn protocols_after<'r>(headers: &'r HeaderMap, marker: &str) -> impl Iterator<Item = &'r [u8]> {
    let mut entries = headers
        .get_all(header::SEC_WEBSOCKET_PROTOCOL)
        .iter()
        .flat_map(|value| value.as_bytes().split(|byte| *byte == b','))
        .map(<[u8]>::trim_ascii);
    std::iter::from_fn(move || {
        entries.by_ref().find(|entry| *entry == marker.as_bytes())?;
        Some(entries.next().unwrap_or_default())
    })
}

fn checked(
    field: &'static str,
    found: String,
    expected: &'static str,
    fits: fn(&str) -> bool,
) -> Result<String, ConfigError> {
    if fits(&found) { Ok(found) } else { Err(ConfigError::Name { field, found, expected }) }
}

fn header_name(field: &'static str, name: String) -> Result<HeaderName, ConfigError> {
    match HeaderName::try_from(name.as_str()) {
        Ok(header) if header != header::COOKIE => Ok(header),
        _ => Err(ConfigError::Name {
            field,
            found: name,
            expected: "an HTTP header name other than `cookie`, which `Credential::cookie` reads",
        }),
    }
}

fn is_token_text(text: &str) -> bool {
    is_token(text.as_bytes())
}

fn is_plain(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._~".contains(&b))
}
