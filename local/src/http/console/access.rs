//! Access to the console, for this machine only.

use axum::http::{HeaderMap, StatusCode, Uri, header, uri::Authority};

use crate::{
    http::origin::{is_local_host, is_local_origin},
    pool::site::Site,
};

/// Rejects requests for a host name that is not local, and requests from pages of another origin.
///
/// The console shows codes of users. A page on the internet could read them if it made its own host name resolve to
/// loopback (DNS rebinding).
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
    if !host.is_some_and(|host| is_local_host(host.host(), own)) {
        return Err((
            StatusCode::FORBIDDEN,
            "These pages are for this machine only. Open them at 127.0.0.1 or localhost.\n",
        ));
    }
    if !is_local_origin(headers, own) {
        return Err((StatusCode::FORBIDDEN, "Other sites cannot read these pages.\n"));
    }
    Ok(())
}
