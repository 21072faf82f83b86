//! The pool's cookies.

use axum::http::{HeaderMap, HeaderValue, header};
use cookie::{Cookie, SameSite, time::Duration};

use crate::pool::Pool;

/// Returns the name of a cookie. Browsers send the cookies of a host to all of its ports, so the name contains the pool
/// and the port.
pub(crate) fn cookie_name(pool: &Pool, purpose: &str) -> String {
    format!("{purpose}-{}-{}", pool.id(), pool.addresses().listen().port())
}

/// Returns the cookie with a name, unless it is empty. A request can have two such cookies if a page on another port or
/// path of this host set one of them. In that case, neither is used.
pub(crate) fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<Cookie<'a>> {
    let mut found = headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|line| line.to_str().ok())
        .flat_map(Cookie::split_parse)
        .filter_map(Result::ok)
        .filter(|cookie| cookie.name() == name);
    let cookie = found.next().filter(|cookie| !cookie.value().is_empty())?;
    found.next().is_none().then_some(cookie)
}

/// Returns a `Set-Cookie` header. Scripts cannot read the cookie, and browsers do not send it with a form from another
/// site. It is `Secure` if the server uses TLS: in that case, all hosted pages are HTTPS.
pub(crate) fn set_cookie(pool: &Pool, name: &str, value: &str, seconds: u32) -> HeaderValue {
    let cookie = Cookie::build((name, value))
        .path("/")
        .max_age(Duration::seconds(seconds.into()))
        .http_only(true)
        .secure(pool.addresses().uses_tls())
        .same_site(SameSite::Lax)
        .build();
    // Names and values consist of letters, digits, `-` and `_`.
    HeaderValue::try_from(cookie.to_string()).unwrap_or(HeaderValue::from_static(""))
}

/// Returns a `Set-Cookie` header that removes a cookie.
pub(crate) fn remove_cookie(pool: &Pool, name: &str) -> HeaderValue {
    set_cookie(pool, name, "", 0)
}
