//! Who we are to a bastion: an Ed25519 key of its own, and the certificate that carries it.
//!
//! Not the witness's key: what signs cosignatures signs nothing else. A bastion looks at the key alone, so the certificate signs
//! itself and is made anew for each connection, and rustls signs with it as with any client's key; its fields are those of the example in c2sp.org/https-bastion.

use std::sync::Arc;
use std::time::Duration;

use rcgen::{CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, KeyPair, KeyUsagePurpose};
use stele_durable::key_file;
use stele_fetch::roots::Roots;
use stele_spec::hash::Digest;
use stele_spec::key::{KeyError, SecretKey};
use tokio_rustls::rustls::client::WebPkiServerVerifier;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio_rustls::rustls::version::TLS13;
use tokio_rustls::rustls::{ClientConfig, Error as TlsError, RootCertStore};
use zeroize::Zeroizing;

/// The protocol's name in the TLS handshake.
pub const ALPN: &[u8] = b"bastion/0";

/// A bastion that looks at dates allows for clocks that differ by this much.
const BEFORE_NOW: u64 = 3600;
const VALID: u64 = 25 * 3600;

/// The key by which a bastion knows this backend.
pub struct Identity {
    pem: Zeroizing<String>,
    key_hash: String,
}

/// Why there is no certificate or no TLS.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IdentityError {
    /// Not a private key.
    #[error("{0}")]
    Key(KeyError),
    /// A root that is no certificate.
    #[error("the roots: {0}")]
    Roots(String),
    /// The certificate could not be made: a bug of ours.
    #[error("cannot make a certificate: {0}")]
    Certificate(String),
}

impl Identity {
    /// A new key.
    pub fn generate() -> std::io::Result<Self> {
        let secret = SecretKey::from_seed(*key_file::random_seed()?);
        Ok(Self::of(&secret))
    }

    /// Reads an Ed25519 key in PKCS#8 PEM, as `openssl genpkey -algorithm ed25519` writes it.
    pub fn from_pem(pem: &str) -> Result<Self, IdentityError> {
        SecretKey::from_pkcs8_pem(pem).map(|secret| Self::of(&secret)).map_err(IdentityError::Key)
    }

    /// The key file's text.
    pub fn to_pem(&self) -> &str {
        &self.pem
    }

    /// The SHA-256 of the 32 bytes of the public key, in hex: what a bastion's operator lists, and the path it serves us under.
    pub fn key_hash(&self) -> &str {
        &self.key_hash
    }

    /// TLS 1.3 and nothing older, which would show the certificate to everybody on the way.
    pub(super) fn tls(&self, roots: Arc<RootCertStore>, now: u64) -> Result<ClientConfig, IdentityError> {
        let failed = |error: TlsError| IdentityError::Certificate(error.to_string());
        let provider = Arc::new(ring::default_provider());
        let verifier = WebPkiServerVerifier::builder_with_provider(roots, provider.clone())
            .build()
            .map_err(|error| IdentityError::Roots(error.to_string()))?;
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&TLS13])
            .map_err(failed)?
            .with_webpki_verifier(verifier)
            .with_client_auth_cert(vec![self.certificate(now)?], self.private_key()?)
            .map_err(failed)?;
        config.alpn_protocols = vec![ALPN.to_vec()];
        Ok(config)
    }

    fn of(secret: &SecretKey) -> Self {
        let key_hash = Digest::of(secret.public().as_bytes()).to_string();
        Self { pem: Zeroizing::new(secret.to_pkcs8_pem()), key_hash }
    }

    fn private_key(&self) -> Result<PrivateKeyDer<'static>, IdentityError> {
        let der = PrivatePkcs8KeyDer::from_pem_slice(self.pem.as_bytes());
        der.map(PrivateKeyDer::Pkcs8).map_err(|error| IdentityError::Certificate(error.to_string()))
    }

    fn certificate(&self, now: u64) -> Result<CertificateDer<'static>, IdentityError> {
        let failed = |error: rcgen::Error| IdentityError::Certificate(error.to_string());
        let key = KeyPair::try_from(&self.private_key()?).map_err(failed)?;
        let mut params = CertificateParams::default();
        let mut subject = DistinguishedName::new();
        subject.push(DnType::CommonName, "Bastion backend");
        params.distinguished_name = subject;
        params.serial_number = Some(1.into());
        let from = now.saturating_sub(BEFORE_NOW);
        params.not_before = rcgen::date_time_ymd(1970, 1, 1) + Duration::from_secs(from);
        params.not_after = params.not_before + Duration::from_secs(VALID);
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        params.self_signed(&key).map(|certificate| certificate.der().clone()).map_err(failed)
    }
}

/// The roots by which a bastion's own certificate is judged; the Mozilla ones without any given.
pub(super) fn root_store(roots: Option<&Roots>) -> Result<RootCertStore, IdentityError> {
    let Some(roots) = roots else {
        return Ok(RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() });
    };
    let mut store = RootCertStore::empty();
    for der in roots {
        let root = CertificateDer::from_slice(der);
        store.add(root).map_err(|error| IdentityError::Roots(error.to_string()))?;
    }
    Ok(store)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_pem_is_no_identity_and_a_key_file_is_read_back_as_it_was() {
        assert!(Identity::from_pem("").is_err());
        let identity = Identity::generate().unwrap();
        let read = Identity::from_pem(identity.to_pem()).unwrap();
        assert_eq!((read.key_hash(), read.to_pem()), (identity.key_hash(), identity.to_pem()));
        assert_eq!(identity.key_hash().len(), 64);
    }

    #[test]
    fn a_root_that_is_no_certificate_is_refused() {
        assert!(matches!(root_store(Some(&vec![vec![0; 3]])), Err(IdentityError::Roots(_))));
        assert!(root_store(None).unwrap().len() > 50);
    }

    #[test]
    fn a_certificate_is_made_at_any_time_of_the_clock() {
        let identity = Identity::generate().unwrap();
        let roots = Arc::new(root_store(None).unwrap());
        for now in [0, 1_790_000_000] {
            assert_eq!(identity.tls(roots.clone(), now).unwrap().alpn_protocols, [ALPN.to_vec()]);
        }
    }
}
