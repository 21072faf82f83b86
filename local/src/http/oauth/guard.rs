//! Forms are accepted from the pool's own pages only.

use std::sync::LazyLock;

use aws_lc_rs::hmac;
use axum::http::{HeaderMap, HeaderValue, Uri, header, uri::Authority};

use crate::{
    crypto::secret,
    http::oauth::{
        browser::{cookie, cookie_name, set_cookie},
        parameters::Parameters,
    },
    pool::Shared,
    text::base64url,
};

/// The field that every form has.
pub(crate) const FIELD: &str = "_csrf";

/// For how long a page may stand open, in seconds: a day.
const LIFETIME: u64 = 24 * 60 * 60;

/// The key of all form tokens, new in each process. Cookies of a host are shared by all its ports, so any page on
/// localhost can choose the cookie: without a key it could compute the token too.
static KEY: LazyLock<hmac::Key> =
    LazyLock::new(|| hmac::Key::new(hmac::HMAC_SHA256, &secret::random_octets::<32>()));

/// Proves that a form is one of ours: a cookie, and the cookie's MAC in a field of the form.
pub(crate) struct FormKey {
    pub(crate) token: String,
    /// Set for a browser that has no cookie yet.
    pub(crate) cookie: Option<HeaderValue>,
}

/// Returns the token for a browser's forms.
pub(crate) fn key(pool: &Shared, headers: &HeaderMap) -> FormKey {
    let name = name(pool);
    if let Some(known) = cookie(headers, &name) {
        return FormKey { token: token(pool, known), cookie: None };
    }
    let value = secret::random_text();
    FormKey { token: token(pool, &value), cookie: Some(set_cookie(&name, &value, LIFETIME)) }
}

/// Returns whether a form was sent from a page of this pool in this browser.
pub(crate) fn is_ours(pool: &Shared, headers: &HeaderMap, form: &Parameters) -> bool {
    let cookie = cookie(headers, &name(pool));
    let holds = |cookie: &str| {
        form.get(FIELD).is_some_and(|given| secret::same(given, token(pool, cookie)))
    };
    comes_from_here(headers) && cookie.is_some_and(holds)
}

/// Browsers tell where a request comes from. Who is no browser tells nothing, and needs the token like all others.
fn comes_from_here(headers: &HeaderMap) -> bool {
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    let host = host.and_then(|host| host.parse::<Authority>().ok());
    let is_here = |origin: &HeaderValue| {
        let origin = origin.to_str().ok().and_then(|origin| origin.parse::<Uri>().ok());
        origin.is_some_and(|origin| {
            matches!(origin.scheme_str(), Some("http" | "https"))
                && origin.authority().is_some()
                && origin.authority() == host.as_ref()
        })
    };
    let is_same_site = |site: &HeaderValue| matches!(site.as_bytes(), b"same-origin" | b"none");
    headers.get_all(header::ORIGIN).iter().all(is_here)
        && headers.get_all("sec-fetch-site").iter().all(is_same_site)
}

fn token(pool: &Shared, cookie: &str) -> String {
    let text = format!("form of {} for {cookie}", pool.id());
    base64url::encode(hmac::sign(&KEY, text.as_bytes()))
}

fn name(pool: &Shared) -> String {
    cookie_name(pool, "xsrf-token")
}
