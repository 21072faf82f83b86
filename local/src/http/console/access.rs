use axum::http::{HeaderMap, StatusCode, Uri, header, uri::Authority};

use crate::{
    http::origin::{is_here, is_own_origin},
    pool::site::Site,
};

/// Rejects requests under a host name that is not local. A page elsewhere can make its own host name resolve to
/// loopback (DNS rebinding) and would read codes of users. Requests with a foreign `Origin` are rejected for the same
/// reason.
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
            "These pages are for this machine only. Open them at 127.0.0.1 or localhost.\n",
        ));
    }
    if !is_own_origin(headers, own) {
        return Err((StatusCode::FORBIDDEN, "Other sites cannot read these pages.\n"));
    }
    Ok(())
}
