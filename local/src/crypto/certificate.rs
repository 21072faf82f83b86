//! The certificates of local servers, and the certificate authority that signs them.

use std::{io, sync::OnceLock};

use cookie::time::{Duration, OffsetDateTime};
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair, KeyUsagePurpose,
};
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};

/// The lifetime of certificates. Some clients reject certificates that are valid for more than 825 days.
const LIFETIME: Duration = Duration::days(365);

static AUTHORITY: OnceLock<Authority> = OnceLock::new();

/// A certificate authority. Each process generates its own when it needs one, and its key is only in memory. All servers
/// of the process share it, so a client that trusts it trusts all of them.
pub(crate) struct Authority(CertifiedIssuer<'static, KeyPair>);

/// A certificate with its key.
pub(crate) struct ServerCertificate {
    /// The certificate, followed by those of its issuers.
    pub(crate) chain: Vec<CertificateDer<'static>>,
    pub(crate) key: PrivateKeyDer<'static>,
}

impl Authority {
    /// Returns the authority of this process, and generates it at the first call.
    pub(crate) fn of_this_process() -> io::Result<&'static Self> {
        match AUTHORITY.get() {
            Some(authority) => Ok(authority),
            None => {
                let generated = Self::generate().map_err(io::Error::other)?;
                Ok(AUTHORITY.get_or_init(|| generated))
            }
        }
    }

    /// Returns the authority of this process if it was generated.
    pub(crate) fn if_generated() -> Option<&'static Self> {
        AUTHORITY.get()
    }

    fn generate() -> Result<Self, rcgen::Error> {
        let mut params = CertificateParams::default();
        set_validity(&mut params);
        params.distinguished_name.push(DnType::CommonName, "tower-cognito-local, for development");
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        Ok(Self(CertifiedIssuer::self_signed(params, KeyPair::generate()?)?))
    }

    /// Returns the certificate of the authority as PEM.
    pub(crate) fn pem(&self) -> String {
        self.0.pem()
    }

    /// Returns the certificate of the authority.
    pub(crate) fn der(&self) -> &CertificateDer<'static> {
        self.0.der()
    }

    /// Issues a certificate for host names and IP addresses.
    ///
    /// # Errors
    /// A name is not ASCII.
    pub(crate) fn issue(&self, names: Vec<String>) -> io::Result<ServerCertificate> {
        self.try_issue(names).map_err(io::Error::other)
    }

    fn try_issue(&self, names: Vec<String>) -> Result<ServerCertificate, rcgen::Error> {
        let mut params = CertificateParams::new(names)?;
        set_validity(&mut params);
        params.distinguished_name.push(DnType::CommonName, "tower-cognito-local");
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.use_authority_key_identifier_extension = true;
        let key = KeyPair::generate()?;
        let certificate = params.signed_by(&key, &self.0)?;
        Ok(ServerCertificate {
            chain: vec![certificate.into(), self.der().clone()],
            key: PrivatePkcs8KeyDer::from(key.serialize_der()).into(),
        })
    }
}

/// Sets the time of validity. It starts a day early, because clocks of machines differ.
fn set_validity(params: &mut CertificateParams) {
    let now = OffsetDateTime::now_utc();
    params.not_before = now - Duration::DAY;
    params.not_after = now + LIFETIME;
}
