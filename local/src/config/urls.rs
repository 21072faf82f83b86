//! Addresses that browsers are sent to, and those of APIs that tokens are for.

use crate::config::written::{Written, Wrong};

const MAX_LENGTH: usize = 1024;

/// How many addresses a client can have.
const MAX_URLS: usize = 100;

/// Schemes that make a browser do something else than go to an application.
const NO_APPLICATIONS: [&str; 8] =
    ["about", "blob", "data", "file", "ftp", "javascript", "vbscript", "view-source"];

pub(crate) fn redirects(written: &Written) -> Result<Vec<String>, Wrong> {
    let items = written.items()?;
    if items.len() > MAX_URLS {
        return Err(written.breaks(format!("there can be {MAX_URLS} addresses")));
    }
    items.iter().map(redirect).collect()
}

fn redirect(written: &Written) -> Result<String, Wrong> {
    let url = written.text()?;
    match violation(&url) {
        None => Ok(url),
        Some(rule) => {
            Err(written.breaks(format!("{url:?} is no address to send users to: {rule}")))
        }
    }
}

/// Returns whether an access token can be bound to a URL. The schemes are those of callback URLs, but plain HTTP is for
/// the name `localhost` alone, as in Cognito's developer guide.
pub(crate) fn is_resource(url: &str) -> bool {
    let Some((scheme, rest)) = url.split_once("://") else {
        return false;
    };
    let host = rest.split(['/', '?', ':']).next().unwrap_or_default();
    let is_plain = scheme.eq_ignore_ascii_case("http");
    // RFC 3986 has these bytes in no URI.
    let is_uri = url.bytes().all(|byte| byte.is_ascii_graphic() && !b"\"<>\\^`{|}".contains(&byte));
    is_uri && violation(url).is_none() && (!is_plain || host.eq_ignore_ascii_case("localhost"))
}

/// Why users cannot be sent there.
fn violation(url: &str) -> Option<&'static str> {
    let Some((scheme, rest)) = url.split_once(':') else {
        return Some("it is to be absolute, as https://example.com/callback is");
    };
    let is_scheme = scheme.starts_with(|sign: char| sign.is_ascii_alphabetic())
        && scheme.chars().all(|sign| sign.is_ascii_alphanumeric() || "+-.".contains(sign));
    if !is_scheme || rest.trim_matches('/').is_empty() {
        return Some("it is to be absolute, as https://example.com/callback is");
    }
    if url.chars().any(|sign| sign.is_whitespace() || sign.is_control() || sign == '\\') {
        return Some("it is to be without spaces");
    }
    if url.contains('#') {
        return Some("it is to be without a fragment");
    }
    if url.len() > MAX_LENGTH {
        return Some("it is to have 1024 signs at most");
    }
    match scheme.to_ascii_lowercase().as_str() {
        "https" => (!has_host(rest)).then_some("it is to have a host"),
        "http" if !has_host(rest) => Some("it is to have a host"),
        "http" => (!is_loopback(rest)).then_some(
            "http is for localhost, 127.0.0.1 and [::1] alone; use https or the scheme of an app",
        ),
        scheme => NO_APPLICATIONS
            .contains(&scheme)
            .then_some("it is to be https, http on localhost, or the scheme of an app"),
    }
}

fn authority(rest: &str) -> Option<&str> {
    rest.strip_prefix("//")?.split(['/', '?']).next()
}

fn has_host(rest: &str) -> bool {
    authority(rest).is_some_and(|authority| {
        !authority.is_empty() && !authority.starts_with(':') && !authority.contains('@')
    })
}

fn is_loopback(rest: &str) -> bool {
    let authority = authority(rest).unwrap_or_default();
    let host = match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|sign| sign.is_ascii_digit()) => host,
        _ => authority,
    };
    ["localhost", "127.0.0.1", "[::1]"].contains(&host.to_ascii_lowercase().as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resources_are_urls_of_https_localhost_and_custom_schemes() {
        for url in [
            "https://api.example.com",
            "https://api.example.com/",
            "https://api.example.com:8443/mcp?tenant=a",
            "HTTPS://api.example.com",
            "http://localhost",
            "http://localhost:3000/mcp",
            "http://LOCALHOST/?a=b",
            "myapp://api",
            "com.example.app://orders/",
        ] {
            assert!(is_resource(url), "{url}");
        }
        for url in [
            "",
            "orders",
            "/orders",
            "//api.example.com",
            "api.example.com",
            "https://",
            "https:///orders",
            "https://:443/",
            "https:api.example.com",
            "https://api.example.com#",
            "https://api.example.com/#part",
            "https://user@api.example.com",
            "https://api.example.com/a b",
            "https://api.example.com/\n",
            "https://api.ex\u{e4}mple.com",
            "https://api.example.com/\"",
            "http://api.example.com",
            "http://127.0.0.1:3000",
            "http://[::1]:3000",
            "http://localhost.example.com",
            "http://localhost@example.com",
            "http://localhost:80@example.com",
            "http://sub.localhost",
            "urn:example:api",
            "mailto:a@example.com",
            "javascript://alert(1)",
            "data://x",
            "file:///etc/passwd",
            "1app://api",
            "://api",
        ] {
            assert!(!is_resource(url), "{url}");
        }
    }
}
