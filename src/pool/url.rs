use std::net::IpAddr;

use http::Uri;

use crate::error::ConfigError;

/// Checks that a text is an absolute URL, and that it uses plain HTTP only on loopback unless plain HTTP is allowed.
pub(crate) fn check_url(
    field: &'static str,
    text: &str,
    plain_http_allowed: bool,
) -> Result<(), ConfigError> {
    let invalid = |hint| ConfigError::Url { field, found: without_password(text), hint };
    let uri: Uri = text.parse().map_err(|_| invalid("without spaces or control characters"))?;
    let authority = uri.authority().ok_or_else(|| invalid("with a host"))?;
    if authority.host().is_empty() {
        return Err(invalid("with a host"));
    }
    if authority.as_str().contains('@') {
        return Err(invalid("without user name and password"));
    }
    let port = authority.as_str().strip_prefix(authority.host()).unwrap_or_default();
    let is_port = |port: &str| port.parse::<u16>().is_ok_and(|port| port > 0);
    if !port.is_empty() && !port.strip_prefix(':').is_some_and(is_port) {
        return Err(invalid("with a port from 1 to 65535"));
    }
    if text.contains(['?', '#']) {
        return Err(invalid("without query and fragment"));
    }
    match uri.scheme_str() {
        Some("https") => Ok(()),
        Some("http") if plain_http_allowed || is_loopback(&uri) => Ok(()),
        Some("http") => Err(ConfigError::PlainHttp { field, found: text.to_owned() }),
        _ => Err(invalid("(or http on loopback)")),
    }
}

/// Returns a URL without the user name and password that it may contain.
fn without_password(text: &str) -> String {
    match text.rsplit_once('@') {
        Some((_, after)) => format!("…@{after}"),
        None => text.to_owned(),
    }
}

/// Returns whether the host of a URL is this machine.
pub(crate) fn is_loopback(uri: &Uri) -> bool {
    let Some(host) = uri.host() else { return false };
    let address = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost")
        || address.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_http_is_rejected_beyond_loopback() {
        for url in
            ["http://127.0.0.1:9229/p", "http://localhost/p", "http://[::1]:1/p", "https://a.b"]
        {
            assert!(check_url("issuer", url, false).is_ok(), "{url}");
        }
        for url in
            ["http://10.0.0.1/p", "http://localhost.example.com/p", "http://127.0.0.1.nip.io/"]
        {
            assert!(
                matches!(check_url("issuer", url, false), Err(ConfigError::PlainHttp { .. })),
                "{url}"
            );
            assert!(check_url("issuer", url, true).is_ok(), "{url}");
        }
    }

    #[test]
    fn errors_do_not_contain_the_password() {
        for url in ["https://u:secret@a/", "ftp://u:secret@a/", "https://u:secret@ a/"] {
            let error = check_url("issuer", url, false).unwrap_err();
            assert!(!format!("{error} {error:?}").contains("secret"), "{error}");
        }
    }

    #[test]
    fn invalid_urls_are_rejected() {
        for url in [
            "",
            "eu-west-1_A",
            "/path",
            "ftp://a/b",
            "https://",
            "https://u:p@a/",
            "https://a/?q",
            "https://a/#f",
            "https://a b/",
            "https://a:0/",
            "https://a:99999/",
            "https://a:abc/",
            "https://a:/",
        ] {
            assert!(
                matches!(check_url("issuer", url, true), Err(ConfigError::Url { .. })),
                "{url:?}"
            );
        }
    }
}
