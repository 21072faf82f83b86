//! The addresses at which a server is reached, and the host names that it accepts.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use crate::text::host::{PublicUrl, without_brackets};

/// The addresses at which a server is reached.
#[derive(Debug)]
pub(crate) struct Addresses {
    listen: SocketAddr,
    uses_tls: bool,
    public_url: Option<PublicUrl>,
    /// Host names that are accepted in addition to those of this machine, in lower case.
    hosts: Vec<String>,
}

impl Addresses {
    /// Returns the addresses of a server. It is also accepted under the host of its public URL.
    pub(crate) fn new(
        listen: SocketAddr,
        uses_tls: bool,
        public_url: Option<PublicUrl>,
        mut hosts: Vec<String>,
    ) -> Self {
        hosts.extend(public_url.as_ref().map(|url| url.host().to_ascii_lowercase()));
        Self { listen, uses_tls, public_url, hosts }
    }

    /// Returns the addresses of a server with the default settings.
    pub(crate) fn of(listen: SocketAddr) -> Self {
        Self::new(listen, false, None, Vec::new())
    }

    /// Returns the address that the server listens on.
    pub(crate) fn listen(&self) -> SocketAddr {
        self.listen
    }

    /// Returns whether the server accepts TLS connections. It accepts plain HTTP on the same port in any case.
    pub(crate) fn uses_tls(&self) -> bool {
        self.uses_tls
    }

    pub(crate) fn public_url(&self) -> Option<&PublicUrl> {
        self.public_url.as_ref()
    }

    /// Returns the base of all addresses, without a slash at the end: the public URL, or the address that the server
    /// listens on.
    pub(crate) fn endpoint(&self) -> String {
        match &self.public_url {
            Some(url) => url.as_str().to_owned(),
            None => format!("{}://{}", self.scheme(), self.reachable()),
        }
    }

    /// Returns the base of all addresses for clients on this machine that do not trust the server's certificate.
    pub(crate) fn plain_endpoint(&self) -> String {
        format!("http://{}", self.reachable())
    }

    /// Returns the base of all addresses for a browser that reached the server at `host`, a name with or without a port.
    /// Hosted pages redirect from HTTP to HTTPS if the server uses TLS.
    pub(crate) fn base_at(&self, host: &str) -> String {
        match &self.public_url {
            // A reverse proxy may accept TLS for a server that does not.
            Some(url) if url.authority().eq_ignore_ascii_case(host) => url.as_str().to_owned(),
            _ => format!("{}://{host}", self.scheme()),
        }
    }

    /// Returns whether a request may be sent to this host. An IP address cannot be the name of another site, so any is
    /// accepted if the server listens on all addresses of this machine.
    pub(crate) fn accepts(&self, host: &str) -> bool {
        let is_address = without_brackets(host).parse::<IpAddr>().is_ok();
        self.is_own(host) || (is_address && self.listen.ip().is_unspecified())
    }

    /// Returns whether a host is loopback, the address that the server listens on, or one of the accepted names.
    pub(crate) fn is_own(&self, host: &str) -> bool {
        let host = without_brackets(host);
        let name = host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase();
        if self.hosts.contains(&name) {
            return true;
        }
        if let Ok(address) = host.parse::<IpAddr>() {
            return address.is_loopback() || address == self.listen.ip();
        }
        // Names under `localhost` are loopback everywhere (RFC 6761, section 6.3).
        name == "localhost" || name.ends_with(".localhost")
    }

    /// Returns the host names and IP addresses that a certificate for this server must have.
    pub(crate) fn certificate_names(&self) -> Vec<String> {
        let mut names = vec!["localhost".to_owned(), "127.0.0.1".to_owned(), "::1".to_owned()];
        if !self.listen.ip().is_unspecified() {
            names.push(self.listen.ip().to_string());
        }
        names.extend(self.hosts.iter().map(|host| without_brackets(host).to_owned()));
        names.sort();
        names.dedup();
        names
    }

    fn scheme(&self) -> &'static str {
        if self.uses_tls { "https" } else { "http" }
    }

    /// Returns an address at which this machine reaches the server. An unspecified address is replaced by loopback.
    fn reachable(&self) -> SocketAddr {
        let mut address = self.listen;
        if address.ip().is_unspecified() {
            address.set_ip(match address.ip() {
                IpAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
                IpAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
            });
        }
        address
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addresses(listen: [u8; 4], public_url: Option<&str>, hosts: &[&str]) -> Addresses {
        let public_url = public_url.map(|url| url.parse().unwrap());
        let hosts = hosts.iter().map(|&host| host.to_owned()).collect();
        Addresses::new((listen, 9229).into(), false, public_url, hosts)
    }

    #[test]
    fn only_names_of_this_machine_and_allowed_names_are_accepted() {
        let addresses =
            addresses([192, 168, 1, 7], Some("http://pool.test:9229"), &["cognito", "10.0.0.1"]);
        for host in [
            "localhost",
            "LOCALHOST.",
            "app.localhost",
            "127.0.0.1",
            "[::1]",
            "192.168.1.7",
            "Cognito",
            "cognito.",
            "10.0.0.1",
            "pool.test",
        ] {
            assert!(addresses.is_own(host) && addresses.accepts(host), "{host}");
        }
        for host in [
            "evil.example",
            "localhost.evil.example",
            "cognito.evil.example",
            "evil.cognito",
            "notlocalhost",
            "192.168.1.8",
            "",
        ] {
            assert!(!addresses.is_own(host) && !addresses.accepts(host), "{host}");
        }
    }

    #[test]
    fn server_on_all_addresses_accepts_any_ip_address_and_no_other_name() {
        let addresses = addresses([0, 0, 0, 0], None, &[]);
        for host in ["192.168.1.8", "[2001:db8::1]"] {
            assert!(addresses.accepts(host) && !addresses.is_own(host), "{host}");
        }
        for host in ["evil.example", "192.168.1.8.evil.example"] {
            assert!(!addresses.accepts(host), "{host}");
        }
    }

    #[test]
    fn public_url_replaces_the_address_of_the_server_and_the_scheme_at_its_host() {
        let public = addresses([0, 0, 0, 0], Some("https://pool.test"), &[]);
        assert_eq!(public.endpoint(), "https://pool.test");
        assert_eq!(public.plain_endpoint(), "http://127.0.0.1:9229");
        assert_eq!(public.base_at("POOL.test"), "https://pool.test");
        assert_eq!(public.base_at("cognito:9229"), "http://cognito:9229");
        assert_eq!(addresses([0, 0, 0, 0], None, &[]).endpoint(), "http://127.0.0.1:9229");
    }
}
