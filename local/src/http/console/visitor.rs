use axum::http::{HeaderMap, StatusCode, Uri, header, uri::Authority};

use crate::{
    http::origin::{is_here, is_own_origin},
    pool::site::Site,
};

/// Refuses who came here under a name that is not this machine's: a page elsewhere can have its own name lead to
/// loopback, and would read codes of users (DNS rebinding). An `Origin` of elsewhere is refused for the same
/// reason, whatever else lets browsers read answers.
pub(crate) fn check(
    site: &Site,
    uri: &Uri,
    headers: &HeaderMap,
) -> Result<(), (StatusCode, &'static str)> {
    let own = site.address.ip();
    let host = match headers.get(header::HOST) {
        Some(host) => host.to_str().ok().and_then(|host| host.parse::<Authority>().ok()),
        None => uri.authority().cloned(),
    };
    if !host.is_some_and(|host| is_here(host.host(), own)) {
        return Err((
            StatusCode::FORBIDDEN,
            "These pages are for this machine alone: ask for them at 127.0.0.1 or localhost.\n",
        ));
    }
    if is_own_origin(headers, own) {
        Ok(())
    } else {
        Err((StatusCode::FORBIDDEN, "These pages are not for other sites.\n"))
    }
}
