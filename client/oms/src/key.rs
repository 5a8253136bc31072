//! ECDSA keys of the format, P-256 with SHA-256, P-384 with SHA-384 and P-521 with SHA-512, in PEM: every operation with one of them.
//!
//! A signature is DER (`ECDSA-Sig-Value`, RFC 3279), a public key is a SubjectPublicKeyInfo with an uncompressed point (RFC 5480), a secret key
//! PKCS#8 or SEC 1 (RFC 5915) with its public half in it.

use core::fmt;

use p521::ecdsa as p521_ecdsa;
use p521::ecdsa::signature::Signer as _;
use p521::ecdsa::signature::hazmat::PrehashVerifier as _;
use p521::pkcs8::DecodePrivateKey as _;
use ring::rand::SystemRandom;
use ring::signature::{
    ECDSA_P256_SHA256_ASN1, ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P256_SHA384_ASN1, ECDSA_P384_SHA256_ASN1,
    ECDSA_P384_SHA384_ASN1, ECDSA_P384_SHA384_ASN1_SIGNING, EcdsaKeyPair, EcdsaSigningAlgorithm, KeyPair as _,
    UnparsedPublicKey, VerificationAlgorithm,
};
use sha2::{Digest as _, Sha384, Sha512};
use stele_explain::{Exit, Explain, explain};
use stele_spec::hash::Digest;
use zeroize::Zeroizing;

use crate::pem::{self, MAX_PEM};

/// A curve that signs here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Curve {
    /// NIST P-256, with SHA-256.
    P256,
    /// NIST P-384, with SHA-384.
    P384,
    /// NIST P-521, with SHA-512.
    P521,
}

/// A hash that ECDSA signs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Hash {
    Sha256,
    Sha384,
    Sha512,
}

impl Curve {
    const ALL: [Self; 3] = [Self::P256, Self::P384, Self::P521];

    /// Its name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::P256 => "P-256",
            Self::P384 => "P-384",
            Self::P521 => "P-521",
        }
    }

    /// How the bundles of before version 1.1 of the tool name key and hash.
    pub const fn key_details(self) -> &'static str {
        match self {
            Self::P256 => "PKIX_ECDSA_P256_SHA_256",
            Self::P384 => "PKIX_ECDSA_P384_SHA_384",
            Self::P521 => "PKIX_ECDSA_P521_SHA_512",
        }
    }

    /// The SubjectPublicKeyInfo before the two coordinates of the point: the one encoding in DER.
    const fn spki_prefix(self) -> &'static [u8] {
        match self {
            Self::P256 => b"\x30\x59\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07\x03\x42\x00\x04",
            Self::P384 => b"\x30\x76\x30\x10\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x05\x2b\x81\x04\x00\x22\x03\x62\x00\x04",
            Self::P521 => b"\x30\x81\x9b\x30\x10\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x05\x2b\x81\x04\x00\x23\x03\x81\x86\x00\x04",
        }
    }

    const fn coordinate(self) -> usize {
        match self {
            Self::P256 => 32,
            Self::P384 => 48,
            Self::P521 => 66,
        }
    }

    /// The hash that goes with it in the format.
    const fn hash(self) -> Hash {
        match self {
            Self::P256 => Hash::Sha256,
            Self::P384 => Hash::Sha384,
            Self::P521 => Hash::Sha512,
        }
    }

    /// Reads a secret key in PKCS#8, or in SEC 1.
    fn secret(self, der: &[u8], is_sec1: bool) -> Option<SecretKey> {
        let by_ring = |signs: &'static EcdsaSigningAlgorithm| {
            let wrapped = is_sec1.then(|| pkcs8(self, der));
            let der = wrapped.as_ref().map_or(der, |wrapped| wrapped.as_slice());
            let pair = EcdsaKeyPair::from_pkcs8(signs, der, &SystemRandom::new()).ok()?;
            let public = PublicKey::of(self, pair.public_key().as_ref().get(1..)?);
            Some(SecretKey { pair: Pair::Ring(Box::new(pair)), public })
        };
        match self {
            Self::P256 => by_ring(&ECDSA_P256_SHA256_ASN1_SIGNING),
            Self::P384 => by_ring(&ECDSA_P384_SHA384_ASN1_SIGNING),
            Self::P521 => {
                let secret = if is_sec1 {
                    p521::SecretKey::from_sec1_der(der).ok()
                } else {
                    p521::SecretKey::from_pkcs8_der(der).ok()
                }?;
                let public = PublicKey::of(self, secret.public_key().to_sec1_bytes().get(1..)?);
                Some(SecretKey { pair: Pair::P521(Box::new(secret.into())), public })
            }
        }
    }
}

/// A public key. Whether its point is on the curve is known when it verifies: no signature holds under one that is not.
#[derive(Clone, PartialEq, Eq)]
pub struct PublicKey {
    curve: Curve,
    /// `04`, then both coordinates.
    point: Vec<u8>,
}

impl PublicKey {
    /// Reads a text that has one public key in it.
    pub fn from_pem(text: &str) -> Result<Self, KeyError> {
        let block = only_block(text, &|label| match label {
            "PUBLIC KEY" => Ok(true),
            "CERTIFICATE" => Err(KeyError::Certificate),
            "PRIVATE KEY" | "EC PRIVATE KEY" | "ENCRYPTED PRIVATE KEY" => Err(KeyError::Secret),
            _ => Ok(false),
        })?;
        Self::from_der(&block.ok_or(KeyError::NotBase64)?)
    }

    /// Reads a SubjectPublicKeyInfo in DER.
    pub(crate) fn from_der(der: &[u8]) -> Result<Self, KeyError> {
        let of_curve = |curve: Curve| {
            let coordinates = der.strip_prefix(curve.spki_prefix())?;
            (coordinates.len() == 2 * curve.coordinate()).then(|| Self::of(curve, coordinates))
        };
        Curve::ALL.into_iter().find_map(of_curve).ok_or_else(|| other_kind(der))
    }

    fn of(curve: Curve, coordinates: &[u8]) -> Self {
        Self { curve, point: [&[4], coordinates].concat() }
    }

    /// Its curve.
    pub const fn curve(&self) -> Curve {
        self.curve
    }

    /// The one PEM of it that others write too.
    pub fn to_pem(&self) -> String {
        let coordinates = self.point.get(1..).unwrap_or_default();
        pem::write("PUBLIC KEY", &[self.curve.spki_prefix(), coordinates].concat())
    }

    /// SHA-256 over its PEM: how a bundle names the key that signed it.
    pub fn hint(&self) -> Digest {
        Digest::of(self.to_pem().as_bytes())
    }

    /// Whether this key signed these bytes, with the hash of its curve.
    pub fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        self.verifies_hash(self.curve.hash(), message, signature)
    }

    /// The same with a hash that was named elsewhere. Of P-256 and P-384 none holds with SHA-512, of P-521 none with SHA-256.
    pub(crate) fn verifies_hash(&self, hash: Hash, message: &[u8], signature: &[u8]) -> bool {
        let by_ring = |algorithm: &'static dyn VerificationAlgorithm| {
            UnparsedPublicKey::new(algorithm, &self.point).verify(message, signature).is_ok()
        };
        match (self.curve, hash) {
            (Curve::P256, Hash::Sha256) => by_ring(&ECDSA_P256_SHA256_ASN1),
            (Curve::P256, Hash::Sha384) => by_ring(&ECDSA_P256_SHA384_ASN1),
            (Curve::P384, Hash::Sha256) => by_ring(&ECDSA_P384_SHA256_ASN1),
            (Curve::P384, Hash::Sha384) => by_ring(&ECDSA_P384_SHA384_ASN1),
            (Curve::P521, Hash::Sha384) => self.verifies_p521(&Sha384::digest(message), signature),
            (Curve::P521, Hash::Sha512) => self.verifies_p521(&Sha512::digest(message), signature),
            (Curve::P256 | Curve::P384, Hash::Sha512) | (Curve::P521, Hash::Sha256) => false,
        }
    }

    fn verifies_p521(&self, hashed: &[u8], signature: &[u8]) -> bool {
        let key = p521_ecdsa::VerifyingKey::from_sec1_bytes(&self.point);
        let signature = p521_ecdsa::Signature::from_der(signature);
        matches!((key, signature), (Ok(key), Ok(signature)) if key.verify_prehash(hashed, &signature).is_ok())
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({} {})", self.curve.as_str(), self.hint())
    }
}

/// A secret key.
pub struct SecretKey {
    pair: Pair,
    public: PublicKey,
}

enum Pair {
    Ring(Box<EcdsaKeyPair>),
    P521(Box<p521_ecdsa::SigningKey>),
}

impl SecretKey {
    /// Reads a text that has one secret key in it, not encrypted. The public half that stands in it is held against the secret one.
    pub fn from_pem(text: &str) -> Result<Self, KeyError> {
        let block = only_block(text, &|label| match label {
            "PRIVATE KEY" | "EC PRIVATE KEY" => Ok(true),
            "ENCRYPTED PRIVATE KEY" => Err(KeyError::Encrypted),
            "PUBLIC KEY" => Err(KeyError::Public),
            "CERTIFICATE" => Err(KeyError::Certificate),
            _ => Ok(false),
        })?;
        let is_sec1 = text.contains("-----BEGIN EC PRIVATE KEY-----");
        // A key with headers is an encrypted one of before PKCS#8.
        let der = block.ok_or(if text.contains("Proc-Type:") { KeyError::Encrypted } else { KeyError::NotBase64 })?;
        Curve::ALL.into_iter().find_map(|curve| curve.secret(&der, is_sec1)).ok_or_else(|| other_kind(&der))
    }

    /// Its public half.
    pub const fn public(&self) -> &PublicKey {
        &self.public
    }

    /// Signs; the signature has been verified with the public half.
    pub(crate) fn sign(&self, message: &[u8]) -> Option<Vec<u8>> {
        let signature = match &self.pair {
            Pair::Ring(pair) => pair.sign(&SystemRandom::new(), message).ok()?.as_ref().to_vec(),
            Pair::P521(key) => {
                let signature: p521_ecdsa::Signature = key.try_sign(message).ok()?;
                signature.to_der().as_bytes().to_vec()
            }
        };
        self.public.verifies(message, &signature).then_some(signature)
    }
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SecretKey of {:?}", self.public)
    }
}

/// A SEC 1 key as the PKCS#8 key (RFC 5208) that has it inside.
fn pkcs8(curve: Curve, sec1: &[u8]) -> Zeroizing<Vec<u8>> {
    let mut inner = Zeroizing::new(Vec::with_capacity(sec1.len() + 64));
    inner.extend_from_slice(b"\x02\x01\x00");
    // The part of the SubjectPublicKeyInfo that a PKCS#8 key has as well; of the two curves with short lengths.
    let prefix = curve.spki_prefix();
    inner.extend_from_slice(prefix.get(2..prefix.len() - 4).unwrap_or_default());
    put_length(&mut inner, 4, sec1.len());
    inner.extend_from_slice(sec1);
    let mut outer = Zeroizing::new(Vec::with_capacity(inner.len() + 8));
    put_length(&mut outer, 0x30, inner.len());
    outer.extend_from_slice(&inner);
    outer
}

/// A tag and a length in DER; what is longer than a PEM is never wrapped.
fn put_length(der: &mut Vec<u8>, tag: u8, length: usize) {
    let [.., high, low] = length.to_be_bytes();
    der.push(tag);
    match (high, low) {
        (0, 0..=0x7f) => der.push(low),
        (0, _) => der.extend_from_slice(&[0x81, low]),
        _ => der.extend_from_slice(&[0x82, high, low]),
    }
}

/// What is in the only block that is wanted; a wanted kind says true, and one that is refused by name says why.
fn only_block(
    text: &str,
    wanted: &dyn Fn(&str) -> Result<bool, KeyError>,
) -> Result<Option<Zeroizing<Vec<u8>>>, KeyError> {
    if text.len() > MAX_PEM {
        return Err(KeyError::NotPem);
    }
    let mut found = None;
    for block in pem::blocks(text) {
        // OpenSSL writes the name of the curve before a SEC 1 key.
        match wanted(&block.label)? {
            true if found.is_some() => return Err(KeyError::Several),
            true => found = Some(block.der),
            false if block.label == "EC PARAMETERS" => {}
            false => return Err(KeyError::Label { found: block.label }),
        }
    }
    found.ok_or(KeyError::NotPem)
}

/// What a key is that is none of ours, by the object identifiers in it.
fn other_kind(der: &[u8]) -> KeyError {
    let has = |oid: &[u8]| der.windows(oid.len()).any(|window| window == oid);
    for (oid, kind) in [
        (&b"\x06\x05\x2b\x81\x04\x00\x0a"[..], "of the curve secp256k1"),
        (b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01", "an RSA key"),
        (b"\x06\x03\x2b\x65\x70", "an Ed25519 key"),
    ] {
        if has(oid) {
            return KeyError::Kind { found: kind };
        }
    }
    let ours: [&[u8]; 3] = [b"\x2a\x86\x48\xce\x3d\x03\x01\x07", b"\x2b\x81\x04\x00\x22", b"\x2b\x81\x04\x00\x23"];
    let is_ours = ours.into_iter().any(has);
    if is_ours { KeyError::Form } else { KeyError::Kind { found: "of another kind" } }
}

/// Why a text has no key that signs or verifies here.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs, reason = "each says itself what it is")]
pub enum KeyError {
    #[error("expected a key in PEM, found no block of one")]
    NotPem,
    #[error("expected one key in PEM, found several")]
    Several,
    #[error("expected a key in PEM, found a block {found:?}")]
    Label { found: String },
    #[error("expected base64 in the PEM of the key, found something else")]
    NotBase64,
    #[error("expected an ECDSA key of the curve P-256, P-384 or P-521, found a key {found}")]
    Kind { found: &'static str },
    #[error(
        "expected an ECDSA key in DER with an uncompressed point, and a secret one with its public half, found another form of it"
    )]
    Form,
    #[error("expected a public key, found a secret one")]
    Secret,
    #[error("expected a secret key, found a public one")]
    Public,
    #[error("expected a key, found a certificate")]
    Certificate,
    #[error("expected a secret key that is not encrypted, found an encrypted one")]
    Encrypted,
}

impl Explain for KeyError {
    explain! {
        Self::NotPem | Self::Label { .. } | Self::NotBase64 => Exit::BadInput, "oms-key-unreadable",
            hint: "`openssl pkey -in KEY -pubout` writes the public half of a key in PEM";
        Self::Several => Exit::BadInput, "oms-key-unreadable", hint: "name a file with one key in it";
        Self::Kind { .. } => Exit::BadInput, "oms-key-kind",
            hint: "`openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-384` makes one that signs";
        Self::Form => Exit::BadInput, "oms-key-unreadable",
            hint: "`openssl ec -in KEY -conv_form uncompressed -out NEW` writes a secret key with its public half, with -pubin and -pubout a public one";
        Self::Secret => Exit::BadInput, "oms-key-secret", hint: "`openssl pkey -in KEY -pubout -out KEY.pub` writes its public half: give that one away, and not this";
        Self::Public => Exit::BadInput, "oms-key-public", hint: "name the file of the secret key";
        Self::Certificate => Exit::BadInput, "oms-certificate",
            hint: "`stele oms verify` takes certificates that you trust with --root, and `stele oms sign` the signer's own with --certificate";
        Self::Encrypted => Exit::BadInput, "oms-key-encrypted", hint: "`openssl pkey -in KEY -out NEW` decrypts it; keep NEW where nobody else reads it, and remove it afterwards";
    }
}
