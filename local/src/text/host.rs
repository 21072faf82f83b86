//! Host names, and URLs that consist of a scheme and a host.

use std::{net::IpAddr, str::FromStr};

use http::{Uri, uri::Authority};

/// Returns whether a host is a loopback address or `localhost`. An IPv6 address may have its brackets.
pub(crate) fn is_loopback(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost")
        || without_brackets(host).parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// Returns the host of a URL without the brackets of an IPv6 address.
pub(crate) fn without_brackets(host: &str) -> &str {
    host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host)
}

/// Returns the host of a URL in lower case and without the brackets of an IPv6 address, or `None` if it has none.
pub(crate) fn host_of(url: &str) -> Option<String> {
    let uri: Uri = url.parse().ok()?;
    Some(without_brackets(uri.host()?).to_ascii_lowercase())
}

/// Returns a host name or an IP address in lower case, without brackets and a dot at the end.
///
/// # Errors
/// The text is something else, for example a URL or a name with a port.
pub(crate) fn parse_host(text: &str) -> Result<String, String> {
    let host = without_brackets(text.trim());
    let name = host.strip_suffix('.').unwrap_or(host);
    let is_label = |label: &str| {
        let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
        !label.is_empty() && label.bytes().all(is_allowed)
    };
    if host.parse::<IpAddr>().is_ok() || name.split('.').all(is_label) {
        return Ok(name.to_ascii_lowercase());
    }
    Err(format!(
        "invalid host name {text:?}: expected a name or an IP address without scheme and port, such as \"cognito\""
    ))
}

/// The URL at which browsers reach a server: a scheme and a host, with or without a port.
#[derive(Debug, Clone)]
pub(crate) struct PublicUrl {
    text: String,
    authority: Authority,
}

impl PublicUrl {
    /// Returns the URL, without a slash at the end.
    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }

    pub(crate) fn authority(&self) -> &str {
        self.authority.as_str()
    }

    pub(crate) fn host(&self) -> &str {
        without_brackets(self.authority.host())
    }
}

impl FromStr for PublicUrl {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.strip_suffix('/').unwrap_or(text);
        let authority = || {
            let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"))?;
            let authority: Authority = rest.parse().ok()?;
            let port = authority.port_u16().map(|port| format!(":{port}")).unwrap_or_default();
            // The rest also has no path and no user.
            let is_valid = rest == format!("{}{port}", authority.host());
            (is_valid && parse_host(authority.host()).is_ok()).then_some(authority)
        };
        let authority = authority().ok_or_else(|| {
            format!(
                "invalid public URL {text:?}: expected http:// or https:// and a host, with or without a port and \
                 without a path, such as \"http://localhost:9229\""
            )
        })?;
        Ok(Self { text: text.to_owned(), authority })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_names_or_ip_addresses_without_scheme_and_port() {
        for (text, host) in [
            ("cognito", "cognito"),
            ("Cognito.Test.", "cognito.test"),
            ("my_pool-1", "my_pool-1"),
            ("192.168.1.7", "192.168.1.7"),
            ("[2001:db8::1]", "2001:db8::1"),
        ] {
            assert_eq!(parse_host(text).unwrap(), host);
        }
        for text in
            ["", ".", "a..b", "cognito:9229", "http://cognito", "a/b", "*", "*.test", "a b", "ä"]
        {
            assert!(parse_host(text).is_err(), "{text}");
        }
    }

    #[test]
    fn public_url_is_a_scheme_and_a_host() {
        for (text, url, host) in [
            ("http://localhost:9229", "http://localhost:9229", "localhost"),
            ("https://auth.test/", "https://auth.test", "auth.test"),
            ("http://[::1]:9229", "http://[::1]:9229", "::1"),
        ] {
            let parsed: PublicUrl = text.parse().unwrap();
            assert_eq!((parsed.as_str(), parsed.host()), (url, host));
        }
        for text in [
            "",
            "localhost:9229",
            "ftp://localhost",
            "http://",
            "http://a:",
            "http://a:99999",
            "http://a/b",
            "http://a?b",
            "http://a#b",
            "http://user@a",
        ] {
            assert!(text.parse::<PublicUrl>().is_err(), "{text}");
        }
    }
}
