//! Certificates of signers (X.509 version 3, RFC 5280), and whether a chain of them leads to a root that the caller trusts.
//!
//! What would narrow a certificate and is not understood here refuses it: an extension that is critical, constraints of names. Every certificate of a path,
//! the root too, has to be valid at the time of the check: no clock that can be trusted says when a bundle was signed. Nothing here says whether a
//! certificate was revoked.

use core::fmt;

use ring::signature::{
    ED25519, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_2048_8192_SHA384, RSA_PKCS1_2048_8192_SHA512, UnparsedPublicKey,
    VerificationAlgorithm,
};
use stele_explain::printable::one_line;
use stele_explain::{Exit, Explain, explain};
use stele_spec::hash::Digest;
use x509_cert::Version;
use x509_cert::der::asn1::ObjectIdentifier;
use x509_cert::der::{Decode as _, Encode as _};
use x509_cert::ext::pkix::{BasicConstraints, ExtendedKeyUsage, KeyUsage};

use crate::key::{Hash, KeyError, PublicKey};
use crate::pem;

/// The largest text of certificates: the roots of an operating system have a fifth of it.
pub const MAX_CERTIFICATES: usize = 1 << 20;

/// The largest certificate in DER.
const MAX_CERTIFICATE: usize = 32 * 1024;

/// The most certificates in a bundle.
pub(crate) const MAX_CHAIN: usize = 16;

/// The longest path from a signer to a root, both counted.
const MAX_PATH: usize = 8;

/// The most signatures that are verified for a path: a chain can be made so that the paths in it are many.
const MAX_CHECKS: usize = 64;

const BASIC_CONSTRAINTS: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.19");
const KEY_USAGE: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.15");
const EXTENDED_KEY_USAGE: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.37");
/// Other names of who holds the key: they narrow nothing.
const SUBJECT_ALT_NAME: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.17");
const NAME_CONSTRAINTS: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.30");

const CODE_SIGNING: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.3.3");
const ANY_PURPOSE: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.37.0");

const RSA_KEY: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
const RSA_SHA256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.11");
const RSA_SHA384: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.12");
const RSA_SHA512: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.13");
const ECDSA_SHA256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.4.3.2");
const ECDSA_SHA384: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.4.3.3");
const ECDSA_SHA512: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.4.3.4");
const EDDSA_25519: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.112");

/// A certificate that was read. Nothing in it is believed.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Certificate {
    der: Vec<u8>,
    parsed: x509_cert::Certificate,
    /// What its issuer signed.
    signed: Vec<u8>,
    constraints: Option<BasicConstraints>,
    usage: Option<KeyUsage>,
    purposes: Option<ExtendedKeyUsage>,
}

impl Certificate {
    /// Reads one in DER.
    pub(crate) fn from_der(der: &[u8]) -> Result<Self, CertificateError> {
        if der.len() > MAX_CERTIFICATE {
            return Err(CertificateError::Form);
        }
        let parsed = x509_cert::Certificate::from_der(der).map_err(|_| CertificateError::Form)?;
        // One encoding: so what was signed is what is encoded again.
        if parsed.to_der().ok().as_deref() != Some(der) {
            return Err(CertificateError::Form);
        }
        let tbs = &parsed.tbs_certificate;
        if tbs.version != Version::V3 {
            return Err(CertificateError::Version);
        }
        if tbs.signature != parsed.signature_algorithm {
            return Err(CertificateError::Form);
        }
        for extension in tbs.extensions.iter().flatten() {
            let is_read =
                [BASIC_CONSTRAINTS, KEY_USAGE, EXTENDED_KEY_USAGE, SUBJECT_ALT_NAME].contains(&extension.extn_id);
            if extension.extn_id == NAME_CONSTRAINTS || extension.critical && !is_read {
                return Err(CertificateError::Extension { found: extension.extn_id.to_string() });
            }
        }
        // An extension that stands twice is an error as well.
        let (constraints, usage, purposes) = (
            tbs.get::<BasicConstraints>().map_err(|_| CertificateError::Form)?.map(|(_, value)| value),
            tbs.get::<KeyUsage>().map_err(|_| CertificateError::Form)?.map(|(_, value)| value),
            tbs.get::<ExtendedKeyUsage>().map_err(|_| CertificateError::Form)?.map(|(_, value)| value),
        );
        let signed = tbs.to_der().map_err(|_| CertificateError::Form)?;
        Ok(Self { der: der.to_vec(), signed, constraints, usage, purposes, parsed })
    }

    pub(crate) fn der(&self) -> &[u8] {
        &self.der
    }

    fn subject(&self) -> String {
        self.parsed.tbs_certificate.subject.to_string()
    }

    fn is_self_issued(&self) -> bool {
        self.parsed.tbs_certificate.subject == self.parsed.tbs_certificate.issuer
    }

    fn is_issued_under_the_name_of(&self, issuer: &Self) -> bool {
        self.parsed.tbs_certificate.issuer == issuer.parsed.tbs_certificate.subject
    }

    /// Its key, where that is one of the format.
    fn key(&self) -> Result<PublicKey, KeyError> {
        let key = self.parsed.tbs_certificate.subject_public_key_info.to_der();
        PublicKey::from_der(&key.map_err(|_| KeyError::Form)?)
    }

    /// Whether the key in this one signed that one.
    fn signed(&self, other: &Self) -> bool {
        let Some(signature) = other.parsed.signature.as_bytes() else { return false };
        let key = &self.parsed.tbs_certificate.subject_public_key_info;
        let by_ring = |kind: ObjectIdentifier, algorithm: &'static dyn VerificationAlgorithm| {
            let Some(bytes) = key.subject_public_key.as_bytes() else { return false };
            key.algorithm.oid == kind
                && UnparsedPublicKey::new(algorithm, bytes).verify(&other.signed, signature).is_ok()
        };
        let by_ecdsa = |hash| self.key().is_ok_and(|key| key.verifies_hash(hash, &other.signed, signature));
        match other.parsed.signature_algorithm.oid {
            RSA_SHA256 => by_ring(RSA_KEY, &RSA_PKCS1_2048_8192_SHA256),
            RSA_SHA384 => by_ring(RSA_KEY, &RSA_PKCS1_2048_8192_SHA384),
            RSA_SHA512 => by_ring(RSA_KEY, &RSA_PKCS1_2048_8192_SHA512),
            ECDSA_SHA256 => by_ecdsa(Hash::Sha256),
            ECDSA_SHA384 => by_ecdsa(Hash::Sha384),
            ECDSA_SHA512 => by_ecdsa(Hash::Sha512),
            EDDSA_25519 => by_ring(EDDSA_25519, &ED25519),
            _ => false,
        }
    }

    fn is_valid_at(&self, now: u64) -> Result<(), ChainError> {
        let validity = &self.parsed.tbs_certificate.validity;
        let (from, until) = (validity.not_before, validity.not_after);
        if now < from.to_unix_duration().as_secs() || now > until.to_unix_duration().as_secs() {
            let (from, until) = (from.to_date_time().to_string(), until.to_date_time().to_string());
            return Err(ChainError::Validity { subject: self.subject(), from, until });
        }
        Ok(())
    }

    /// Whether its purposes, where it names any, have that of signing code.
    fn is_for_code(&self) -> bool {
        let purposes = self.purposes.as_ref();
        purposes.is_none_or(|purposes| purposes.0.iter().any(|purpose| [CODE_SIGNING, ANY_PURPOSE].contains(purpose)))
    }

    /// Whether its key may sign a model: it names a usage or a purpose, and each that it names has signing in it.
    fn may_sign(&self) -> Result<(), ChainError> {
        let names_some = self.usage.is_some() || self.purposes.is_some();
        let signs = self.usage.is_none_or(|usage| usage.digital_signature());
        if names_some && signs && self.is_for_code() {
            Ok(())
        } else {
            Err(ChainError::Usage { subject: self.subject() })
        }
    }

    /// Whether it may issue the last of these, the first of which is the signer's.
    fn may_issue(&self, path: &[&Self]) -> Result<(), ChainError> {
        let between = path.iter().skip(1).filter(|certificate| !certificate.is_self_issued()).count();
        let is_authority = self.constraints.as_ref().is_some_and(|constraints| {
            constraints.ca && constraints.path_len_constraint.is_none_or(|length| between <= usize::from(length))
        });
        let issues = self.usage.is_none_or(|usage| usage.key_cert_sign());
        if is_authority && issues && self.is_for_code() {
            Ok(())
        } else {
            Err(ChainError::NoAuthority { subject: self.subject() })
        }
    }
}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Certificate of {}", one_line(&self.subject()))
    }
}

/// The certificate of a signer, and others that lead from it towards a root. Nothing in them is believed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chain {
    signer: Certificate,
    key: PublicKey,
    others: Vec<Certificate>,
}

impl Chain {
    /// Reads the certificates of a bundle, that of the signer first.
    pub(crate) fn of(certificates: Vec<Certificate>) -> Result<Self, CertificateError> {
        if certificates.len() > MAX_CHAIN {
            return Err(CertificateError::TooMany);
        }
        let mut certificates = certificates.into_iter();
        let signer = certificates.next().ok_or(CertificateError::None)?;
        let key = signer.key().map_err(CertificateError::Key)?;
        Ok(Self { signer, key, others: certificates.collect() })
    }

    /// Reads a text that has the certificate of a signer in it, and after it those that lead towards a root.
    pub fn from_pem(text: &str) -> Result<Self, CertificateError> {
        Self::of(from_pem(text)?)
    }

    /// The key of the signer, as its certificate says.
    pub const fn key(&self) -> &PublicKey {
        &self.key
    }

    /// All of them, that of the signer first.
    pub(crate) fn certificates(&self) -> impl Iterator<Item = &Certificate> {
        core::iter::once(&self.signer).chain(&self.others)
    }

    /// Whether the signer's certificate is one that may sign a model at a time, in seconds since 1970; by whomever it was issued.
    pub fn may_sign_at(&self, now: u64) -> Result<(), ChainError> {
        self.signer.is_valid_at(now)?;
        self.signer.may_sign()
    }

    /// Whether it leads to one of these roots at a time, in seconds since 1970; and then who the signer is.
    pub fn trusted_by(&self, roots: &Roots, now: u64) -> Result<Holder, ChainError> {
        self.may_sign_at(now)?;
        let mut search = Search {
            roots: &roots.roots,
            others: self.others.iter().chain(&roots.others).collect(),
            now,
            checks: MAX_CHECKS,
            why: ChainError::NoRoot { issuer: self.signer.parsed.tbs_certificate.issuer.to_string() },
        };
        match search.root_above(&mut vec![&self.signer]) {
            Some(root) => Ok(Holder {
                subject: self.signer.subject(),
                root: root.subject(),
                fingerprint: Digest::of(&self.signer.der),
                key: self.key.clone(),
            }),
            None => Err(search.why),
        }
    }
}

/// Certificates that a caller trusts: those that signed themselves are roots, and others help to lead to them.
#[derive(Debug, Clone)]
pub struct Roots {
    roots: Vec<Certificate>,
    others: Vec<Certificate>,
}

impl Roots {
    /// Reads a text with at least one root in it.
    pub fn from_pem(text: &str) -> Result<Self, CertificateError> {
        let is_root = |certificate: &Certificate| certificate.is_self_issued() && certificate.signed(certificate);
        let (roots, others): (Vec<_>, Vec<_>) = from_pem(text)?.into_iter().partition(is_root);
        if roots.is_empty() { Err(CertificateError::NoRoot) } else { Ok(Self { roots, others }) }
    }
}

fn from_pem(text: &str) -> Result<Vec<Certificate>, CertificateError> {
    if text.len() > MAX_CERTIFICATES {
        return Err(CertificateError::TooMany);
    }
    let mut certificates = Vec::new();
    for block in pem::blocks(text) {
        match (block.label.as_str(), block.der) {
            ("CERTIFICATE", Some(der)) => certificates.push(Certificate::from_der(&der)?),
            ("CERTIFICATE", None) => return Err(CertificateError::Form),
            _ => return Err(CertificateError::Label { found: block.label }),
        }
    }
    if certificates.is_empty() { Err(CertificateError::None) } else { Ok(certificates) }
}

/// A path is looked for.
struct Search<'a> {
    roots: &'a [Certificate],
    others: Vec<&'a Certificate>,
    now: u64,
    checks: usize,
    /// What stood in the way last.
    why: ChainError,
}

impl<'a> Search<'a> {
    /// The root to which a path leads, whose last certificate is valid; none where no path does.
    fn root_above(&mut self, path: &mut Vec<&'a Certificate>) -> Option<&'a Certificate> {
        let below = *path.last()?;
        if let Some(root) = self.roots.iter().find(|root| root.der == below.der) {
            return Some(root);
        }
        if path.len() >= MAX_PATH {
            return None;
        }
        for issuer in self.roots.iter().chain(self.others.clone()) {
            let is_on_the_path = path.iter().any(|certificate| certificate.der == issuer.der);
            if is_on_the_path || !below.is_issued_under_the_name_of(issuer) {
                continue;
            }
            if let Err(why) = issuer.is_valid_at(self.now).and_then(|()| issuer.may_issue(path)) {
                self.why = why;
                continue;
            }
            self.checks = self.checks.checked_sub(1)?;
            if !issuer.signed(below) {
                self.why = ChainError::NotSigned { subject: below.subject(), issuer: issuer.subject() };
                continue;
            }
            path.push(issuer);
            let found = self.root_above(path);
            path.pop();
            if found.is_some() {
                return found;
            }
        }
        None
    }
}

/// Who signed, as a root says that the caller trusts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    subject: String,
    root: String,
    fingerprint: Digest,
    key: PublicKey,
}

impl Holder {
    /// The name in the signer's certificate, as RFC 4514 writes it.
    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// The name of the root.
    pub fn root(&self) -> &str {
        &self.root
    }

    /// SHA-256 of the signer's certificate in DER.
    pub const fn fingerprint(&self) -> Digest {
        self.fingerprint
    }

    /// The key in the signer's certificate.
    pub const fn key(&self) -> &PublicKey {
        &self.key
    }
}

/// Why certificates are not read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs, reason = "each says itself what it is")]
pub enum CertificateError {
    #[error("expected certificates in PEM, found none")]
    None,
    #[error("expected certificates in PEM, found a block {found:?}")]
    Label { found: String },
    #[error("expected at most {MAX_CHAIN} certificates in a chain and {MAX_CERTIFICATES} bytes in a file, found more")]
    TooMany,
    #[error("expected a certificate in DER as RFC 5280 has it, found something else")]
    Form,
    #[error("expected a certificate of the version 3, found another")]
    Version,
    #[error("a certificate has the extension {found}, which may narrow it and is not read here")]
    Extension { found: String },
    #[error("expected a root among the certificates, one that is signed by itself, found none")]
    NoRoot,
    #[error("the certificate of the signer: {0}")]
    Key(KeyError),
}

impl Explain for CertificateError {
    explain! {
        Self::NoRoot => Exit::BadInput, "oms-certificate-unreadable",
            hint: "name the certificate of the root itself; those between it and the signer may stand beside it";
        Self::None | Self::Label { .. } => Exit::BadInput, "oms-certificate-unreadable",
            hint: "`openssl x509 -in CERTIFICATE -inform DER` writes one in PEM";
        _ => Exit::BadInput, "oms-certificate-unreadable", hint: "`openssl x509 -in CERTIFICATE -text` shows what is in it; its issuer has to make another one";
    }
}

/// Why certificates are not believed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs, reason = "each says itself what it is")]
pub enum ChainError {
    #[error("the certificate of {} is valid from {from} until {until}, and not now", one_line(.subject))]
    Validity { subject: String, from: String, until: String },
    #[error("the certificate of {} is not one for signing models: expected the usage digitalSignature or the purpose codeSigning, and no other ones alone", one_line(.subject))]
    Usage { subject: String },
    #[error("the certificate of {} may not issue the one below it", one_line(.subject))]
    NoAuthority { subject: String },
    #[error("the certificate of {} was not signed by the key of {}, which it names", one_line(.subject), one_line(.issuer))]
    NotSigned { subject: String, issuer: String },
    #[error("the certificates lead to no root that is trusted: expected the one of {}, or one above it", one_line(.issuer))]
    NoRoot { issuer: String },
}

impl Explain for ChainError {
    explain! {
        Self::Validity { .. } => Exit::BadSignature, "oms-certificate-untrusted",
            hint: "check the machine's clock; where it is right, its signer has to sign again with a certificate that is valid";
        Self::NoRoot { .. } | Self::NotSigned { .. } => Exit::BadSignature, "oms-certificate-untrusted",
            hint: "get the root from where you trust it, and not from where the model came from, and name it with --root";
        Self::Usage { .. } | Self::NoAuthority { .. } => Exit::BadSignature, "oms-certificate-untrusted",
            hint: "`openssl x509 -in CERTIFICATE -text` shows what it is for; its signer needs one of an authority, for signing code";
    }
}
