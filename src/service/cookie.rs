//! Finds the cookie that has the token.

use std::{borrow::Cow, collections::HashSet, fmt, sync::Arc};

use http::{HeaderMap, header};

use crate::{
    claims::TokenUse,
    error::AuthError,
    percent,
    service::value::{invalid_request, single_value},
};

/// The cookies of a request, for the function of
/// [`Credential::cookie_by`](crate::service::Credential::cookie_by).
///
/// Names and values are as the request has them, without percent-decoding. Cookies that are not UTF-8 are left out.
#[derive(Clone, Copy)]
pub struct Cookies<'r>(&'r HeaderMap);

impl<'r> Cookies<'r> {
    /// Returns the names and values of all cookies, in the order of the request.
    pub fn iter(&self) -> impl Iterator<Item = (&'r str, &'r str)> + use<'r> {
        pairs(self.0).filter_map(|(name, value)| {
            Some((std::str::from_utf8(name).ok()?, std::str::from_utf8(value).ok()?))
        })
    }

    /// Returns the values of all cookies of this name.
    pub fn values(&self, name: &str) -> impl Iterator<Item = &'r str> {
        self.iter().filter(move |(found, _)| *found == name).map(|(_, value)| value)
    }
}

impl fmt::Debug for Cookies<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cookies").finish_non_exhaustive()
    }
}

/// How the cookie with the token is found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum CookieName {
    Fixed(String),
    Function(NameFunction),
    Amplify(AmplifyNames),
}

/// Returns the names that the cookie may have. It equals only its own clones.
#[derive(Clone)]
pub(super) struct NameFunction(Arc<FindNames>);

type FindNames = dyn Fn(&Cookies<'_>) -> HashSet<String> + Send + Sync;

/// The names of Amplify's cookies for one app client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct AmplifyNames {
    /// The cookie with the name of the signed-in user.
    last_user: String,
    /// The prefix and the suffix of the token cookie's name. The user name is between them.
    prefix: String,
    suffix: &'static str,
}

impl CookieName {
    pub(super) fn by<I: IntoIterator<Item = String>>(
        names: impl Fn(&Cookies<'_>) -> I + Send + Sync + 'static,
    ) -> Self {
        Self::Function(NameFunction(Arc::new(move |cookies| names(cookies).into_iter().collect())))
    }

    pub(super) fn amplify(client_id: &str, token_use: TokenUse) -> Self {
        let prefix = format!("CognitoIdentityServiceProvider.{client_id}.");
        let suffix = match token_use {
            TokenUse::Access => ".accessToken",
            TokenUse::Id => ".idToken",
        };
        Self::Amplify(AmplifyNames { last_user: format!("{prefix}LastAuthUser"), prefix, suffix })
    }

    /// Returns the value of the cookie.
    ///
    /// # Errors
    /// `InvalidRequest` if more than one cookie could have the token.
    pub(super) fn find<'r>(&self, headers: &'r HeaderMap) -> Result<Option<&'r [u8]>, AuthError> {
        match self {
            Self::Fixed(name) => single_value(values(headers, name)),
            Self::Function(names) => {
                let names = (names.0)(&Cookies(headers));
                single_value(pairs(headers).filter_map(|(name, value)| {
                    let is_named = names.contains(std::str::from_utf8(name).ok()?);
                    (is_named && !value.is_empty()).then_some(value)
                }))
            }
            Self::Amplify(names) => names.find(headers),
        }
    }
}

impl AmplifyNames {
    fn find<'r>(&self, headers: &'r HeaderMap) -> Result<Option<&'r [u8]>, AuthError> {
        let mut users = values(headers, &self.last_user);
        let Some(user) = users.next() else { return Ok(None) };
        if users.any(|other| other != user) {
            return Err(invalid_request("the request has cookies of two signed-in users"));
        }
        let user = percent_decoded(user);
        single_value(pairs(headers).filter_map(|(name, value)| {
            let name = name.strip_prefix(self.prefix.as_bytes())?;
            let name = name.strip_suffix(self.suffix.as_bytes())?;
            (percent_decoded(name) == user && !value.is_empty()).then_some(value)
        }))
    }
}

impl PartialEq for NameFunction {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for NameFunction {}

impl fmt::Debug for NameFunction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NameFunction")
    }
}

/// Returns the values of the cookies of this name. Some services delete a cookie by setting it to an empty value.
fn values<'r>(headers: &'r HeaderMap, name: &str) -> impl Iterator<Item = &'r [u8]> {
    pairs(headers)
        .filter(move |(found, value)| *found == name.as_bytes() && !value.is_empty())
        .map(|(_, value)| value)
}

/// Returns the names and values of all cookies. A part without `=` is not a cookie.
fn pairs(headers: &HeaderMap) -> impl Iterator<Item = (&[u8], &[u8])> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .flat_map(|value| value.as_bytes().split(|byte| *byte == b';'))
        .filter_map(|pair| {
            let mut parts = pair.splitn(2, |byte| *byte == b'=');
            let (name, value) = (parts.next()?.trim_ascii(), parts.next()?.trim_ascii());
            Some((name, unquoted(value)))
        })
}

/// Removes the double quotes that a cookie's value may have (RFC 6265, section 4.1.1).
fn unquoted(value: &[u8]) -> &[u8] {
    value.strip_prefix(b"\"").and_then(|rest| rest.strip_suffix(b"\"")).unwrap_or(value)
}

/// Decodes percent-encoded bytes, such as `%40`. An incomplete sequence is kept.
fn percent_decoded(text: &[u8]) -> Cow<'_, [u8]> {
    if !text.contains(&b'%') {
        return Cow::Borrowed(text);
    }
    let mut decoded = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((first, others)) = rest.split_first() {
        let (byte, after) = percent::decode_first(rest).unwrap_or((*first, others));
        decoded.push(byte);
        rest = after;
    }
    Cow::Owned(decoded)
}
