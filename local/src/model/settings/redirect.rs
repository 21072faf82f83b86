//! Checks the URLs to which browsers are redirected and the resources to which tokens are bound.

use crate::model::settings::violation::Violation;

const MAX_LENGTH: usize = 1024;

/// The maximum number of callback URLs or logout URLs of a client.
const MAX_URLS: usize = 100;

/// Schemes that do not open an application.
const FORBIDDEN_SCHEMES: [&str; 8] =
    ["about", "blob", "data", "file", "ftp", "javascript", "vbscript", "view-source"];

const NOT_ABSOLUTE: &str = "expected an absolute URL, such as https://example.com/callback";

const NO_HOST: &str = "expected a URL with a host and without user information";

/// Returns the violations in a list of callback URLs or logout URLs.
pub(crate) fn redirect_violations(path: &str, urls: &[String]) -> Vec<Violation> {
    if urls.len() > MAX_URLS {
        let message = format!("expected at most {MAX_URLS} URLs, found {}", urls.len());
        return vec![Violation::new(path, message)];
    }
    let in_url = |(index, url): (usize, &String)| {
        let message = format!("invalid URL {url:?}: {}", violation(url)?);
        Some(Violation::new(format!("{path}.{index}"), message))
    };
    urls.iter().enumerate().filter_map(in_url).collect()
}

/// Returns whether an access token can be bound to a URL. The rules are the same as for callback URLs, but plain
/// HTTP is allowed only for `localhost`, as in Cognito's developer guide.
pub(crate) fn is_resource(url: &str) -> bool {
    let Some((scheme, rest)) = url.split_once("://") else {
        return false;
    };
    let host = rest.split(['/', '?', ':']).next().unwrap_or_default();
    let is_plain = scheme.eq_ignore_ascii_case("http");
    // RFC 3986 does not allow these bytes in a URI.
    let is_uri = url.bytes().all(|byte| byte.is_ascii_graphic() && !b"\"<>\\^`{|}".contains(&byte));
    is_uri && violation(url).is_none() && (!is_plain || host.eq_ignore_ascii_case("localhost"))
}

/// Returns the rule that a URL breaks, if browsers cannot be redirected to it.
fn violation(url: &str) -> Option<&'static str> {
    let Some((scheme, rest)) = url.split_once(':') else {
        return Some(NOT_ABSOLUTE);
    };
    let is_scheme = scheme.starts_with(|first: char| first.is_ascii_alphabetic())
        && scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c));
    if !is_scheme || rest.trim_matches('/').is_empty() {
        return Some(NOT_ABSOLUTE);
    }
    if url.chars().any(|c| c.is_whitespace() || c.is_control() || c == '\\') {
        return Some("expected no spaces and no backslashes");
    }
    // A `Location` header is ASCII, and browsers encode the rest in different ways.
    if !url.is_ascii() {
        return Some("expected ASCII characters; encode others as %XX or as punycode");
    }
    if url.contains('#') {
        return Some("expected a URL without a fragment");
    }
    if url.len() > MAX_LENGTH {
        return Some("expected at most 1024 bytes");
    }
    match scheme.to_ascii_lowercase().as_str() {
        "https" => (!has_host(rest)).then_some(NO_HOST),
        "http" if !has_host(rest) => Some(NO_HOST),
        "http" => (!is_loopback(rest)).then_some(
            "http is allowed for localhost, 127.0.0.1 and [::1] only; use https or the scheme of an app",
        ),
        scheme => FORBIDDEN_SCHEMES
            .contains(&scheme)
            .then_some("expected https, http on localhost, or the scheme of an app"),
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
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
        _ => authority,
    };
    ["localhost", "127.0.0.1", "[::1]"].contains(&host.to_ascii_lowercase().as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resource_must_use_https_localhost_or_a_custom_scheme() {
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
