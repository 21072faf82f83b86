//! The origin of a request, and the host name to which it was sent.

use axum::http::{HeaderMap, Uri, header, uri::Authority};

use crate::pool::{Pool, addresses::Addresses};

/// Returns the base of all addresses of a pool for a browser, such as `http://cognito:9229` in a container network. The host
/// of the request may have any port, because the port of a container can be mapped to another one. A request without a
/// well-formed `Host` gets the address at which the pool listens.
///
/// A client can send any host, so the result must be used only in the response to that client.
pub(crate) fn base_url(headers: &HeaderMap, pool: &Pool) -> String {
    let addresses = pool.addresses();
    requested_host(headers).map_or_else(|| addresses.endpoint(), |host| addresses.base_at(host))
}

/// Returns the host and port that a request was sent to, if it has exactly one `Host` header and that is well-formed.
pub(crate) fn requested_host(headers: &HeaderMap) -> Option<&str> {
    let mut lines = headers.get_all(header::HOST).iter();
    let host = lines.next()?.to_str().ok().filter(|_| lines.next().is_none())?;
    let authority: Authority = host.parse().ok()?;
    let name = authority.host();
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || b"-._:[]".contains(&byte);
    let rest = host.strip_prefix(name)?;
    let is_port = rest.is_empty()
        || rest.strip_prefix(':') == authority.port_u16().map(|port| port.to_string()).as_deref();
    (!name.is_empty() && name.bytes().all(is_name) && is_port).then_some(host)
}

/// Returns whether a request comes from a page of an own host, from a page of the host that it was sent to, or from no
/// page. Browsers send the origin of the page, and other clients send no origin.
pub(crate) fn is_own_origin(headers: &HeaderMap, addresses: &Addresses) -> bool {
    let requested = requested_host(headers);
    headers.get_all(header::ORIGIN).iter().all(|origin| {
        let Some(origin) = origin.to_str().ok().and_then(|origin| origin.parse::<Uri>().ok())
        else {
            return false;
        };
        let is_requested = origin.authority().map(Authority::as_str) == requested;
        origin
            .host()
            .is_some_and(|host| addresses.is_own(host) || (is_requested && addresses.accepts(host)))
    })
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn requested_host_is_a_name_with_or_without_a_port() {
        let headers = |lines: &[&'static str]| {
            let mut headers = HeaderMap::new();
            for line in lines {
                headers.append(header::HOST, HeaderValue::from_static(line));
            }
            headers
        };
        for host in [
            "localhost:9229",
            "127.0.0.1:9229",
            "[::1]:9229",
            "cognito",
            "cognito:9229",
            "my-host.test:80",
            "my_host",
        ] {
            assert_eq!(requested_host(&headers(&[host])), Some(host));
        }
        for host in [
            "",
            ":9229",
            "a:",
            "a:b",
            "a:99999",
            "a:080",
            "a@b",
            "user:pass@b:80",
            "a/b",
            "a?b",
            "a#b",
            "a b",
            "a\\b",
            "a,b",
            "a%2fb",
            "http://a",
        ] {
            assert_eq!(requested_host(&headers(&[host])), None, "{host}");
        }
        assert_eq!(requested_host(&headers(&[])), None);
        assert_eq!(requested_host(&headers(&["a", "a"])), None);
    }

    #[test]
    fn origins_are_own_hosts_or_the_ip_address_of_the_request() {
        let is_own = |listen: [u8; 4], host: &str, origin: &str| {
            let addresses = Addresses::of((listen, 9229).into());
            let lines = [(header::HOST, host), (header::ORIGIN, origin)];
            let lines = lines.map(|(name, value)| (name, HeaderValue::from_str(value).unwrap()));
            is_own_origin(&HeaderMap::from_iter(lines), &addresses)
        };
        let (all, loopback) = ([0, 0, 0, 0], [127, 0, 0, 1]);
        let (host, origin) = ("192.168.1.7:9229", "http://192.168.1.7:9229");
        assert!(is_own(all, host, origin));
        assert!(is_own(all, host, "http://localhost:3000"));
        assert!(!is_own(all, host, "http://192.168.1.8:9229"));
        assert!(!is_own(all, host, "http://192.168.1.7:3000"));
        assert!(!is_own(loopback, host, origin));
        // A host name may be that of a site whose name resolves to this machine.
        assert!(!is_own(all, "evil.example:9229", "http://evil.example:9229"));
    }
}
