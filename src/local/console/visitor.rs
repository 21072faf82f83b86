use std::net::IpAddr;

use axum::http::{HeaderMap, StatusCode, Uri, header, uri::Authority};

use super::super::site::Site;

/// Refuses who came here under a name that is not this machine's: a page elsewhere can have its own name lead to
/// loopback, and would read codes of users (DNS rebinding). An `Origin` of elsewhere is refused for the same
/// reason, whatever else lets browsers read answers.
pub(super) fn check(
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
    let is_own_origin = headers.get_all(header::ORIGIN).iter().all(|origin| {
        let origin = origin.to_str().ok().and_then(|origin| origin.parse::<Uri>().ok());
        origin.as_ref().and_then(Uri::host).is_some_and(|host| is_here(host, own))
    });
    if is_own_origin {
        Ok(())
    } else {
        Err((StatusCode::FORBIDDEN, "These pages are not for other sites.\n"))
    }
}

/// Whether a host is loopback, or the address that the pool listens at.
fn is_here(host: &str, own: IpAddr) -> bool {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    if let Ok(address) = host.parse::<IpAddr>() {
        return address.is_loopback() || address == own;
    }
    // Names under `localhost` are loopback everywhere (RFC 6761, section 6.3).
    let name = host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase();
    name == "localhost" || name.ends_with(".localhost")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machines_names_are_here() {
        let own = IpAddr::from([192, 168, 1, 7]);
        for host in
            ["localhost", "LOCALHOST.", "app.localhost", "127.0.0.1", "[::1]", "192.168.1.7"]
        {
            assert!(is_here(host, own), "{host}");
        }
        for host in ["evil.example", "localhost.evil.example", "notlocalhost", "192.168.1.8", ""] {
            assert!(!is_here(host, own), "{host}");
        }
    }
}
