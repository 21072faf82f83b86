//! Protection of forms against cross-site request forgery.
//!
//! A form is accepted if it has the token for a cookie of this browser. If the headers `Origin` and `Sec-Fetch-Site`
//! are present, they must name this origin.
//!
//! `CsrfLayer` of `tower-http` checks these headers alone, which is not enough here:
//!
//! - The layer accepts a request with neither header. Browsers send `Sec-Fetch-Site` only to trustworthy addresses, and
//!   `http://cognito:9229` in a container network is not one. Older browsers omit `Origin`, and privacy extensions
//!   remove it.
//! - The layer does not check `Origin` if `Sec-Fetch-Site` is `same-origin`.
//! - Other projects under development run on other ports of this machine. All ports share the cookies of the pool, so
//!   `SameSite` does not protect them.

use std::sync::LazyLock;

use aws_lc_rs::hmac;
use axum::http::{HeaderMap, HeaderValue, Uri, header, uri::Authority};

use crate::{
    crypto::secret,
    http::oauth::{
        cookies::{cookie, cookie_name, set_cookie},
        parameters::Parameters,
    },
    pool::Pool,
    text::base64url,
};

/// The name of the field that carries the token.
pub(crate) const FIELD: &str = "_csrf";

/// The maximum time between the response with a page and the submission of its form, in seconds: one day.
const LIFETIME: u32 = 24 * 60 * 60;

/// The key of all tokens. Each process generates a new one. A page on another port of this host can set the cookie.
/// Without a key it could also compute the token.
static KEY: LazyLock<hmac::Key> =
    LazyLock::new(|| hmac::Key::new(hmac::HMAC_SHA256, &secret::random_octets::<32>()));

/// The token for the forms of one browser: the HMAC of its cookie.
pub(crate) struct FormToken {
    pub(crate) value: String,
    /// The `Set-Cookie` header for a browser that has no cookie yet.
    pub(crate) new_cookie: Option<HeaderValue>,
}

impl FormToken {
    pub(crate) fn for_browser(pool: &Pool, headers: &HeaderMap) -> Self {
        let name = name(pool);
        if let Some(known) = cookie(headers, &name) {
            return Self { value: token(pool, known.value()), new_cookie: None };
        }
        let value = secret::random_text();
        let new_cookie = Some(set_cookie(pool, &name, &value, LIFETIME));
        Self { value: token(pool, &value), new_cookie }
    }
}

/// Returns whether a form was sent from a page of this pool in this browser.
pub(crate) fn is_own_form(pool: &Pool, headers: &HeaderMap, form: &Parameters) -> bool {
    let (Some(cookie), Some(sent)) = (cookie(headers, &name(pool)), form.get(FIELD)) else {
        return false;
    };
    is_same_origin(pool, headers) && secret::same(sent, token(pool, cookie.value()))
}

/// Returns whether no header of the request names another origin. Clients other than browsers send none of them. A
/// reverse proxy may change `Host`, so the origin may also be that of the public URL.
fn is_same_origin(pool: &Pool, headers: &HeaderMap) -> bool {
    let public_url = pool.addresses().public_url();
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    let host = host.and_then(|host| host.parse::<Authority>().ok());
    let is_own = |origin: &HeaderValue| {
        if public_url.is_some_and(|url| origin == url.as_str()) {
            return true;
        }
        let origin = origin.to_str().ok().and_then(|origin| origin.parse::<Uri>().ok());
        origin.is_some_and(|origin| {
            matches!(origin.scheme_str(), Some("http" | "https"))
                && origin.authority().is_some()
                && origin.authority() == host.as_ref()
        })
    };
    let is_same_origin = |site: &HeaderValue| matches!(site.as_bytes(), b"same-origin" | b"none");
    headers.get_all(header::ORIGIN).iter().all(is_own)
        && headers.get_all("sec-fetch-site").iter().all(is_same_origin)
}

fn token(pool: &Pool, cookie: &str) -> String {
    let text = format!("form of {} for {cookie}", pool.id());
    base64url::encode(hmac::sign(&KEY, text.as_bytes()))
}

fn name(pool: &Pool) -> String {
    cookie_name(pool, "xsrf-token")
}
