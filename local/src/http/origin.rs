//! The origins and host names of this machine, and the host name by which a client reaches the pool.

use std::net::IpAddr;

use axum::http::{HeaderMap, Uri, header, uri::Authority};

use crate::pool::Pool;

/// Returns the base of all addresses of a pool for the client that sent a request, such as `http://cognito:9229` in a
/// container network. The base has the host of the request if the request was sent to the pool's own port. Otherwise it
/// is the address at which the pool listens.
///
/// A client can send any host, so the result must be used only in the response to that client.
pub(crate) fn base_url_on_own_port(headers: &HeaderMap, pool: &Pool) -> String {
    let host = requested_host(headers).filter(|host| {
        let port = host.rsplit_once(':').and_then(|(_, port)| port.parse().ok());
        port == Some(pool.address().port())
    });
    host.map_or_else(|| pool.endpoint(), |host| format!("http://{host}"))
}

/// Returns the base of all addresses of a pool for a browser. The host of the request may have any port, because the port
/// of a container can be mapped to another one. A request without a well-formed `Host` gets the address at which the pool
/// listens.
pub(crate) fn base_url(headers: &HeaderMap, pool: &Pool) -> String {
    requested_host(headers).map_or_else(|| pool.endpoint(), |host| format!("http://{host}"))
}

/// Returns the host and port that a request was sent to, if it has exactly one `Host` header and that is well-formed.
fn requested_host(headers: &HeaderMap) -> Option<&str> {
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

/// Returns whether a request comes from a page of this machine or from no page. Browsers send the origin of the page, and
/// other clients send no origin.
pub(crate) fn is_local_origin(headers: &HeaderMap, own: IpAddr) -> bool {
    headers.get_all(header::ORIGIN).iter().all(|origin| {
        let origin = origin.to_str().ok().and_then(|origin| origin.parse::<Uri>().ok());
        origin.as_ref().and_then(Uri::host).is_some_and(|host| is_local_host(host, own))
    })
}

/// Returns whether a host is loopback or the address that the pool listens at.
pub(crate) fn is_local_host(host: &str, own: IpAddr) -> bool {
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
    fn only_names_of_this_machine_are_local() {
        let own = IpAddr::from([192, 168, 1, 7]);
        for host in
            ["localhost", "LOCALHOST.", "app.localhost", "127.0.0.1", "[::1]", "192.168.1.7"]
        {
            assert!(is_local_host(host, own), "{host}");
        }
        for host in ["evil.example", "localhost.evil.example", "notlocalhost", "192.168.1.8", ""] {
            assert!(!is_local_host(host, own), "{host}");
        }
    }
}
