//! Addresses that browsers are sent to.

use super::written::{Written, Wrong};

const MAX_LENGTH: usize = 1024;

/// How many addresses a client can have.
const MAX_URLS: usize = 100;

/// Schemes that make a browser do something else than go to an application.
const NO_APPLICATIONS: [&str; 8] =
    ["about", "blob", "data", "file", "ftp", "javascript", "vbscript", "view-source"];

pub(super) fn redirects(written: &Written) -> Result<Vec<String>, Wrong> {
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
