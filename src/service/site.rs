//! Decides from which sites a cookie is accepted.

use http::{HeaderMap, Method, Request, Uri, header, uri::Authority};

use crate::error::ConfigError;

/// The other origins whose pages may send the cookie, and whether links from any site may.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct TrustedSites {
    origins: Vec<String>,
    navigation: bool,
}

impl TrustedSites {
    pub(super) fn add(mut self, origin: String) -> Result<Self, ConfigError> {
        let Some(written) = serialize_origin(&origin) else {
            return Err(ConfigError::Name {
                field: "trusted origin",
                found: origin,
                expected: "only scheme, host and port, such as `https://app.example.com`",
            });
        };
        self.origins.push(written);
        Ok(self)
    }

    pub(super) fn allow_navigation(mut self) -> Self {
        self.navigation = true;
        self
    }

    /// Returns whether the cookie of a request may be used. The decision depends on two headers that browsers set and
    /// pages cannot change (Fetch Metadata, section 2; Fetch, section 3.2).
    pub(super) fn accept<B>(&self, request: &Request<B>) -> bool {
        let headers = request.headers();
        let origin = SingleHeader::of(headers, "origin");
        if let SingleHeader::Value(origin) = origin
            && self.origins.iter().any(|trusted| trusted.as_bytes() == origin)
        {
            return true;
        }
        match SingleHeader::of(headers, "sec-fetch-site") {
            SingleHeader::Value(b"same-origin" | b"none") => true,
            SingleHeader::Value(b"cross-site" | b"same-site") => {
                self.navigation && is_page_navigation(request)
            }
            SingleHeader::Value(_) | SingleHeader::Several => false,
            SingleHeader::Absent => match origin {
                SingleHeader::Absent => true,
                SingleHeader::Value(origin) => is_own_host(origin, request),
                SingleHeader::Several => false,
            },
        }
    }
}

/// A header that must not be repeated.
enum SingleHeader<'r> {
    Absent,
    Value(&'r [u8]),
    Several,
}

impl<'r> SingleHeader<'r> {
    fn of(headers: &'r HeaderMap, name: &str) -> Self {
        let mut values = headers.get_all(name).iter();
        match (values.next(), values.next()) {
            (None, _) => Self::Absent,
            (Some(value), None) => Self::Value(value.as_bytes()),
            (Some(_), Some(_)) => Self::Several,
        }
    }
}

fn is_page_navigation<B>(request: &Request<B>) -> bool {
    let is = |name, expected: &[u8]| {
        let value = SingleHeader::of(request.headers(), name);
        matches!(value, SingleHeader::Value(value) if value == expected)
    };
    matches!(*request.method(), Method::GET | Method::HEAD)
        && is("sec-fetch-mode", b"navigate")
        && is("sec-fetch-dest", b"document")
}

/// Returns whether an origin has the host that the request was sent to. The scheme is not compared, because a service
/// behind a proxy that terminates TLS does not know it.
fn is_own_host<B>(origin: &[u8], request: &Request<B>) -> bool {
    let Some(origin) = std::str::from_utf8(origin).ok().and_then(|it| it.parse::<Uri>().ok())
    else {
        return false;
    };
    let host = match request.uri().authority() {
        Some(authority) => Some(authority.clone()),
        None => match SingleHeader::of(request.headers(), header::HOST.as_str()) {
            SingleHeader::Value(host) => Authority::try_from(host).ok(),
            SingleHeader::Absent | SingleHeader::Several => None,
        },
    };
    let (Some(scheme), Some(authority), Some(host)) =
        (origin.scheme_str(), origin.authority(), host)
    else {
        return false;
    };
    let port = |authority: &Authority| authority.port_u16().or_else(|| default_port(scheme));
    default_port(scheme).is_some()
        && authority.host().eq_ignore_ascii_case(host.host())
        && port(authority) == port(&host)
}

/// Returns an origin as browsers write it (RFC 6454, section 6.2): in lower case and without the default port.
fn serialize_origin(origin: &str) -> Option<String> {
    let uri: Uri = origin.parse().ok()?;
    let (scheme, authority) = (uri.scheme_str()?, uri.authority()?);
    let default_port = default_port(scheme)?;
    let host = authority.host();
    let is_whole = origin.split_once("://")?.1 == authority.as_str();
    if !is_whole || authority.as_str().contains('@') || host.is_empty() || host.contains('*') {
        return None;
    }
    let port = match authority.port_u16() {
        Some(port) if port != default_port => format!(":{port}"),
        Some(_) => String::new(),
        None if authority.as_str() == host => String::new(),
        None => return None,
    };
    Some(format!("{scheme}://{}{port}", host.to_ascii_lowercase()))
}

fn default_port(scheme: &str) -> Option<u16> {
    match scheme {
        "https" => Some(443),
        "http" => Some(80),
        _ => None,
    }
}
