//! Which web pages and names are this machine's.

use std::net::IpAddr;

use axum::http::{HeaderMap, Uri, header};

/// Whether no page of elsewhere makes a request. Browsers tell which page does; other clients tell nothing.
pub(super) fn is_own_origin(headers: &HeaderMap, own: IpAddr) -> bool {
    headers.get_all(header::ORIGIN).iter().all(|origin| {
        let origin = origin.to_str().ok().and_then(|origin| origin.parse::<Uri>().ok());
        origin.as_ref().and_then(Uri::host).is_some_and(|host| is_here(host, own))
    })
}

/// Whether a host is loopback, or the address that the pool listens at.
pub(super) fn is_here(host: &str, own: IpAddr) -> bool {
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
