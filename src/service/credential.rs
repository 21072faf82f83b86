use http::{
    HeaderMap, HeaderName, HeaderValue, Request, Uri,
    header::{self, Entry, OccupiedEntry},
};

use crate::error::ConfigError;

/// Where a request carries its token.
///
/// By default that is the `Authorization` header alone. Other places are opt-in, since each has a
/// price: a cookie is sent by the browser for any site's request (protect against CSRF), and a
/// query ends up in logs and histories (RFC 6750, section 2.3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credential(Place);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Place {
    Authorization,
    Cookie(String),
    Header(HeaderName),
    Query(String),
    WebSocketProtocol(String),
}

/// What was found in one place.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Found<'r> {
    Nothing,
    Token(&'r [u8]),
    /// The `Authorization` header has another scheme.
    OtherScheme,
    Unreadable(&'static str),
}

impl Credential {
    /// `Authorization: Bearer <token>` (RFC 6750, section 2.1), the scheme in any case.
    pub fn authorization() -> Self {
        Self(Place::Authorization)
    }

    /// A cookie with the token as its value.
    ///
    /// # Errors
    /// The name is not one that a cookie can have (RFC 6265, section 4.1.1).
    pub fn cookie(name: impl Into<String>) -> Result<Self, ConfigError> {
        checked("cookie", name.into(), "a cookie name: letters, digits and `-_.`", is_token_text)
            .map(|name| Self(Place::Cookie(name)))
    }

    /// A header of its own with the bare token as its value.
    ///
    /// # Errors
    /// The name is not one that a header can have (RFC 9110, section 5.1).
    pub fn header(name: impl Into<String>) -> Result<Self, ConfigError> {
        let name = name.into();
        HeaderName::try_from(name.as_str()).map(|name| Self(Place::Header(name))).map_err(|_| {
            ConfigError::Name { field: "header", found: name, expected: "an HTTP header name" }
        })
    }

    /// A query parameter, `?access_token=<token>`.
    ///
    /// # Errors
    /// The name holds signs that would be encoded in a query.
    pub fn query(name: impl Into<String>) -> Result<Self, ConfigError> {
        checked("query", name.into(), "letters, digits and `-_.`", is_plain)
            .map(|name| Self(Place::Query(name)))
    }

    /// The entry after this marker in `Sec-WebSocket-Protocol`, for browsers, which cannot set a
    /// header on a WebSocket: `new WebSocket(url, ["bearer", token])`. The service answers with
    /// the marker as the chosen protocol.
    ///
    /// # Errors
    /// The marker is not a token of RFC 9110, section 5.6.2.
    pub fn websocket_protocol(marker: impl Into<String>) -> Result<Self, ConfigError> {
        checked("websocket_protocol", marker.into(), "letters, digits and `-_.`", is_token_text)
            .map(|marker| Self(Place::WebSocketProtocol(marker)))
    }

    /// Reads the place, and has other layers leave its header out of their logs.
    pub(super) fn find<'r, B>(&self, request: &'r mut Request<B>) -> Found<'r> {
        match &self.0 {
            Place::Query(name) => one_of(parameters(request.uri(), name)),
            Place::Authorization => {
                single(request.headers_mut(), &header::AUTHORIZATION, authorization)
            }
            Place::Header(name) => single(request.headers_mut(), name, token),
            Place::Cookie(name) => {
                self.protect(request);
                one_of(cookies(request.headers(), name))
            }
            Place::WebSocketProtocol(marker) => {
                self.protect(request);
                one_of(protocols_after(request.headers(), marker))
            }
        }
    }

    /// Has other layers leave the credential's header out of their logs.
    pub(super) fn protect<B>(&self, request: &mut Request<B>) {
        let name = match &self.0 {
            Place::Authorization => &header::AUTHORIZATION,
            Place::Cookie(_) => &header::COOKIE,
            Place::Header(name) => name,
            Place::WebSocketProtocol(_) => &header::SEC_WEBSOCKET_PROTOCOL,
            Place::Query(_) => return,
        };
        protected(request.headers_mut(), name);
    }
}

/// Whether headers can be looked for in a map: that reserves an entry, which a map of as many headers as there
/// can be, some 25,000, does not have.
pub(super) fn has_room(headers: &mut HeaderMap) -> bool {
    headers.try_reserve(1).is_ok()
}

/// A header's values, marked as sensitive.
fn protected<'r>(
    headers: &'r mut HeaderMap,
    name: &HeaderName,
) -> Option<OccupiedEntry<'r, HeaderValue>> {
    // There is room for the entry that it reserves: see `has_room`.
    let Ok(Entry::Occupied(mut values)) = headers.try_entry(name) else { return None };
    values.iter_mut().for_each(|value| value.set_sensitive(true));
    Some(values)
}

fn authorization(value: &[u8]) -> Found<'_> {
    let scheme_end = value.iter().position(|byte| *byte == b' ').unwrap_or(value.len());
    let (scheme, rest) = value.split_at(scheme_end);
    if scheme.eq_ignore_ascii_case(b"Bearer") {
        token(without_spaces(rest))
    } else if !value.iter().all(|byte| is_text(*byte)) {
        Found::Unreadable(NOT_ASCII)
    } else if is_token(scheme) {
        Found::OtherScheme
    } else {
        Found::Unreadable("the Authorization header does not begin with a scheme")
    }
}

/// Why a refused value is no token at all: it has to be one run of visible ASCII. A value that was
/// verified is one, so that only a refused one has to be looked at.
pub(super) fn unreadable(value: &[u8]) -> Option<&'static str> {
    if value.iter().all(u8::is_ascii_graphic) {
        None
    } else if value.iter().all(|byte| is_text(*byte)) {
        Some("the credential holds more than one token")
    } else {
        Some(NOT_ASCII)
    }
}

/// Whatever stands there; what is in it is the token's own matter.
fn token(value: &[u8]) -> Found<'_> {
    match value {
        [] => Found::Unreadable("the credential holds no token"),
        value => Found::Token(value),
    }
}

/// RFC 6750 wants one space before the token; clients send more.
fn without_spaces(value: &[u8]) -> &[u8] {
    let start = value.iter().position(|byte| *byte != b' ').unwrap_or(value.len());
    value.split_at(start).1
}

const NOT_ASCII: &str = "the credential's header holds bytes that are not ASCII";

/// What may stand in a header beside bytes of foreign meaning.
fn is_text(byte: u8) -> bool {
    byte == b'\t' || byte == b' ' || byte.is_ascii_graphic()
}

/// Reads a header that may stand once.
fn single<'r>(
    headers: &'r mut HeaderMap,
    name: &HeaderName,
    read: fn(&'r [u8]) -> Found<'r>,
) -> Found<'r> {
    let Some(values) = protected(headers, name) else { return Found::Nothing };
    if values.iter().nth(1).is_some() {
        return Found::Unreadable("the request has the credential's header twice");
    }
    // White space around a field value is not part of it (RFC 9110, section 5.5).
    read(values.into_mut().as_bytes().trim_ascii())
}

/// Takes the one value of several places.
fn one_of<'r>(mut values: impl Iterator<Item = &'r [u8]>) -> Found<'r> {
    match (values.next(), values.next()) {
        (None, _) => Found::Nothing,
        (Some(value), None) => token(value),
        (Some(_), Some(_)) => Found::Unreadable("the request has the credential twice"),
    }
}

fn cookies<'r>(headers: &'r HeaderMap, name: &str) -> impl Iterator<Item = &'r [u8]> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .flat_map(|value| value.as_bytes().split(|byte| *byte == b';'))
        .filter_map(move |pair| {
            let mut parts = pair.splitn(2, |byte| *byte == b'=');
            let found = parts.next()?.trim_ascii() == name.as_bytes();
            let value = parts.next()?.trim_ascii();
            // An empty cookie is what a sign-out leaves.
            (found && !value.is_empty()).then(|| unquoted(value))
        })
}

/// RFC 6265, section 4.1.1: the value may stand in double quotes.
fn unquoted(value: &[u8]) -> &[u8] {
    value.strip_prefix(b"\"").and_then(|rest| rest.strip_suffix(b"\"")).unwrap_or(value)
}

/// A token has no signs that a query encodes, so the value is taken as it stands.
fn parameters<'r>(uri: &'r Uri, name: &str) -> impl Iterator<Item = &'r [u8]> {
    uri.query()
        .unwrap_or_default()
        .split('&')
        .filter_map(move |pair| pair.strip_prefix(name)?.strip_prefix('='))
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

/// RFC 9110, section 5.6.2.
fn is_token(text: &[u8]) -> bool {
    !text.is_empty()
        && text.iter().all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(b))
}

fn is_token_text(text: &str) -> bool {
    is_token(text.as_bytes())
}

fn is_plain(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._~".contains(&b))
}
