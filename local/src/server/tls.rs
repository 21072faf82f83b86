//! The TLS settings of a server.

use std::{fmt, fs, io, path::Path, sync::Arc};

use axum::{Router, http::header, routing::get};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        ServerConfig,
        crypto::aws_lc_rs,
        pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    },
};

use crate::{
    crypto::certificate::{Authority, ServerCertificate},
    pool::addresses::Addresses,
};

/// The certificate of a server for HTTPS.
///
/// ```
/// use tower_cognito_local::{Tls, UserPool};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let pool = UserPool::builder().tls(Tls::generated()).start().await?;
/// assert!(pool.issuer().starts_with("https://127.0.0.1:"));
/// let authority = pool.ca_certificate().unwrap();
/// assert!(authority.starts_with("-----BEGIN CERTIFICATE-----"));
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Tls(Source);

#[derive(Clone)]
enum Source {
    Generated,
    Pem { certificates: Vec<u8>, key: Vec<u8> },
}

impl Tls {
    /// Generates a certificate at the start.
    ///
    /// It is valid for a year, for `localhost`, `127.0.0.1` and `::1`, and for the hosts of the address, the issuer, the
    /// [public URL](crate::UserPoolBuilder::public_url) and the [allowed hosts](crate::UserPoolBuilder::allow_host). Its
    /// issuer is a certificate authority, which all pools of the process share. Clients must trust that authority, see
    /// [`UserPool::ca_certificate`](crate::UserPool::ca_certificate). Both keys exist only in the memory of the process.
    pub fn generated() -> Self {
        Self(Source::Generated)
    }

    /// Uses a certificate and its private key, for example from `mkcert`. Both are PEM. The certificates of its issuers
    /// may follow the certificate.
    pub fn from_pem(certificates: impl Into<Vec<u8>>, key: impl Into<Vec<u8>>) -> Self {
        Self(Source::Pem { certificates: certificates.into(), key: key.into() })
    }

    /// Reads a certificate and its private key from PEM files. See [`from_pem`](Self::from_pem).
    ///
    /// # Errors
    /// A file cannot be read. [`start`](crate::UserPoolBuilder::start) checks the contents.
    pub fn from_files(certificates: impl AsRef<Path>, key: impl AsRef<Path>) -> io::Result<Self> {
        Ok(Self::from_pem(read(certificates.as_ref())?, read(key.as_ref())?))
    }

    /// Returns the certificate authority of this process as PEM, also before a pool is started. `None` for a provided
    /// certificate.
    ///
    /// # Errors
    /// The authority cannot be generated.
    pub fn ca_certificate(&self) -> io::Result<Option<String>> {
        match self.0 {
            Source::Generated => Ok(Some(Authority::of_this_process()?.pem())),
            Source::Pem { .. } => Ok(None),
        }
    }
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            Source::Generated => "Tls::Generated",
            Source::Pem { .. } => "Tls::Pem",
        })
    }
}

/// What a server needs for TLS.
pub(crate) struct ServerTls {
    pub(crate) acceptor: TlsAcceptor,
    /// The certificate that clients must trust, as PEM, unless the certificate was provided.
    pub(crate) authority: Option<String>,
}

impl ServerTls {
    /// Generates or reads the certificate of a server.
    ///
    /// # Errors
    /// The provided certificate or key is invalid, they do not belong together, or a host name is not ASCII.
    pub(crate) fn new(tls: &Tls, addresses: &Addresses) -> io::Result<Self> {
        let ServerCertificate { chain, key } = match &tls.0 {
            Source::Generated => {
                Authority::of_this_process()?.issue(addresses.certificate_names())?
            }
            Source::Pem { certificates, key } => parse(certificates, key)?,
        };
        let mut config =
            ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
                .with_safe_default_protocol_versions()
                .map_err(io::Error::other)?
                .with_no_client_auth()
                .with_single_cert(chain, key)
                .map_err(|error| invalid(format!("invalid TLS certificate or key: {error}")))?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        let acceptor = TlsAcceptor::from(Arc::new(config));
        Ok(Self { acceptor, authority: tls.ca_certificate()? })
    }
}

/// Returns the route of the certificate that clients must trust. It responds under any host name, because clients in
/// other containers need it too.
pub(crate) fn authority_route(pem: String) -> Router {
    let handler = || async move { ([(header::CONTENT_TYPE, "application/x-x509-ca-cert")], pem) };
    Router::new().route("/_local/ca.pem", get(handler))
}

fn parse(certificates: &[u8], key: &[u8]) -> io::Result<ServerCertificate> {
    let chain = CertificateDer::pem_slice_iter(certificates)
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| invalid(format!("the TLS certificate is not PEM: {error}")))?;
    if chain.is_empty() {
        return Err(invalid("the TLS certificate has no PEM section CERTIFICATE".to_owned()));
    }
    let key = PrivateKeyDer::from_pem_slice(key)
        .map_err(|error| invalid(format!("the TLS key is not a private key in PEM: {error}")))?;
    Ok(ServerCertificate { chain, key })
}

fn read(file: &Path) -> io::Result<Vec<u8>> {
    fs::read(file)
        .map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", file.display())))
}

fn invalid(message: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, message)
}
