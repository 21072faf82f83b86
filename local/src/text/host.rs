//! Host names in URLs.

use std::net::IpAddr;

/// Returns whether a host is a loopback address or `localhost`. An IPv6 address may have its brackets.
pub(crate) fn is_loopback(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost")
        || address.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}
