#![doc = include_str!("../text/key.md")]

mod error;
mod pem;
mod pkcs8;

pub use error::KeyError;
pub use pem::private_block;

use core::fmt;

use ed25519_dalek::pkcs8::spki::der::pem::LineEnding;
use ed25519_dalek::pkcs8::{DecodePublicKey, EncodePrivateKey, EncodePublicKey, KeypairBytes, SecretDocument};
use ed25519_dalek::{Signer as _, SigningKey, VerifyingKey};

use zeroize::Zeroizing;

use crate::hash::{KeyId, sha256};

/// SubjectPublicKeyInfo of an Ed25519 key up to its 32 bytes (RFC 8410 §4).
const SPKI_PREFIX: [u8; 12] = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];

/// An enrolled Ed25519 public key: canonical, of prime order, not the identity.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct PublicKey(VerifyingKey);

impl PublicKey {
    /// Enrolls a key from its 32 bytes (RFC 8032 §5.1.2).
    pub fn from_bytes(bytes: &[u8; 32]) -> Result<Self, KeyError> {
        let key = VerifyingKey::from_bytes(bytes).map_err(|_| KeyError::NotAPoint)?;
        let point = key.to_edwards();
        if point.compress().as_bytes() != bytes {
            return Err(KeyError::NotCanonical);
        }
        if key.is_weak() {
            return Err(KeyError::SmallOrder);
        }
        if !point.is_torsion_free() {
            return Err(KeyError::MixedOrder);
        }
        Ok(Self(key))
    }

    /// Reads a SubjectPublicKeyInfo in PEM, as `openssl pkey -pubout` writes it, whatever text stands around it.
    pub fn from_pem(pem: &str) -> Result<Self, KeyError> {
        let pem = pem::only_block(pem, pem::PUBLIC)?;
        let key = VerifyingKey::from_public_key_pem(&pem).map_err(|_| KeyError::NotPem)?;
        Self::from_bytes(key.as_bytes())
    }

    /// Writes the SubjectPublicKeyInfo in PEM.
    pub fn to_pem(&self) -> String {
        // The encoder fails only where an allocation could; this text is 113 bytes.
        self.0.to_public_key_pem(LineEnding::LF).unwrap_or_default()
    }

    /// The 32 bytes of RFC 8032 §5.1.2.
    pub fn as_bytes(&self) -> &[u8; 32] {
        self.0.as_bytes()
    }

    /// The SubjectPublicKeyInfo in DER (RFC 8410 §4).
    pub fn spki_der(&self) -> [u8; 44] {
        let mut der = [0; 44];
        let (prefix, key) = der.split_at_mut(SPKI_PREFIX.len());
        prefix.copy_from_slice(&SPKI_PREFIX);
        key.copy_from_slice(self.as_bytes());
        der
    }

    /// `SHA-256(SubjectPublicKeyInfo)`.
    pub fn key_id(&self) -> KeyId {
        KeyId::from_bytes(sha256(&[&self.spki_der()]))
    }

    /// Verifies strictly: refuses what any mainstream verifier might refuse.
    pub fn verify(&self, message: &[u8], signature: &Signature) -> Result<(), BadSignature> {
        self.0.verify_strict(message, &ed25519_dalek::Signature::from_bytes(&signature.0)).map_err(|_| BadSignature)
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({})", hex::encode(self.as_bytes()))
    }
}

/// An Ed25519 secret key. Its memory is wiped when dropped, and it is never printed.
#[derive(Clone)]
pub struct SecretKey(SigningKey);

impl SecretKey {
    /// Takes the 32-byte seed of RFC 8032 §5.1.5, which the caller drew from the system's generator.
    pub fn from_seed(seed: [u8; 32]) -> Self {
        Self(SigningKey::from_bytes(&seed))
    }

    /// The 32-byte seed, for the key formats that hold it.
    pub fn seed(&self) -> [u8; 32] {
        self.0.to_bytes()
    }

    /// Reads a private key in PKCS#8 PEM, of version 1 as `openssl genpkey -algorithm ed25519` writes it, or of
    /// version 2; whatever text stands around it.
    pub fn from_pkcs8_pem(pem: &str) -> Result<Self, KeyError> {
        let pem = pem::only_block(pem, pem::PRIVATE)?;
        let (_, der) = SecretDocument::from_pem(&pem).map_err(|_| KeyError::NotPem)?;
        Self::from_pkcs8_der(der.as_bytes())
    }

    /// The same from the DER, as it stands in an encrypted file.
    pub fn from_pkcs8_der(der: &[u8]) -> Result<Self, KeyError> {
        let (seed, public) = pkcs8::parse(der)?;
        let key = Self::from_seed(*seed);
        match public {
            Some(public) if public != *key.public().as_bytes() => Err(KeyError::OtherPublic),
            _ => Ok(key),
        }
    }

    /// Writes PKCS#8 version 1 in PEM: without the public key, which older OpenSSL refuses to read.
    pub fn to_pkcs8_pem(&self) -> String {
        let pair = KeypairBytes { secret_key: self.seed(), public_key: None };
        // The encoder fails only where an allocation could; this text is 119 bytes.
        pair.to_pkcs8_pem(LineEnding::LF).map(|pem| pem.to_string()).unwrap_or_default()
    }

    /// Writes the same in DER.
    pub fn to_pkcs8_der(&self) -> Zeroizing<Vec<u8>> {
        let pair = KeypairBytes { secret_key: self.seed(), public_key: None };
        // The encoder fails only where an allocation could; these are 48 bytes.
        pair.to_pkcs8_der().map(|der| der.to_bytes()).unwrap_or_default()
    }

    /// The public key. A seed always yields one of prime order.
    pub fn public(&self) -> PublicKey {
        PublicKey(self.0.verifying_key())
    }

    /// Signs deterministically (RFC 8032 §5.1.6).
    pub fn sign(&self, message: &[u8]) -> Signature {
        Signature(self.0.sign(message).to_bytes())
    }
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SecretKey(of {:?})", self.public())
    }
}

/// The 64 bytes of an Ed25519 signature, not yet verified.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Signature([u8; 64]);

impl Signature {
    /// Takes the bytes as they are; nothing is proven by it.
    pub const fn from_bytes(bytes: [u8; 64]) -> Self {
        Self(bytes)
    }

    /// The 64 bytes.
    pub const fn as_bytes(&self) -> &[u8; 64] {
        &self.0
    }
}

impl fmt::Debug for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Signature({})", hex::encode(self.0))
    }
}

/// The signature does not verify strictly under the key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BadSignature;

impl fmt::Display for BadSignature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the Ed25519 signature does not verify")
    }
}

impl core::error::Error for BadSignature {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_order_and_loosely_encoded_keys_are_not_enrolled() {
        let order_2 = hex_32("ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f");
        let order_8 = hex_32("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05");
        // y = p + 1, another spelling of the identity's y = 1.
        let loose = hex_32("eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f");
        assert_eq!(PublicKey::from_bytes(&order_2), Err(KeyError::SmallOrder));
        assert_eq!(PublicKey::from_bytes(&order_8), Err(KeyError::SmallOrder));
        assert_eq!(PublicKey::from_bytes(&loose), Err(KeyError::NotCanonical));
    }

    #[test]
    fn a_key_survives_its_pem_files() {
        let secret = SecretKey::from_seed([9; 32]);
        let read = SecretKey::from_pkcs8_pem(&secret.to_pkcs8_pem()).unwrap();
        assert_eq!(read.public(), secret.public());
        assert_eq!(PublicKey::from_pem(&secret.public().to_pem()), Ok(secret.public()));
    }

    #[test]
    fn other_files_are_not_taken_for_keys() {
        let secret = SecretKey::from_seed([9; 32]);
        assert!(SecretKey::from_pkcs8_pem(&secret.public().to_pem()).is_err());
        assert!(PublicKey::from_pem(&secret.to_pkcs8_pem()).is_err());
        assert!(SecretKey::from_pkcs8_pem(&format!("{}{}", secret.to_pkcs8_pem(), "\n".repeat(4096))).is_err());
    }

    /// RFC 8032 §7.1, test 2.
    #[test]
    fn the_rfc_8032_vector_signs_to_the_same_bytes() {
        let seed = hex_32("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb");
        let secret = SecretKey::from_seed(seed);
        assert_eq!(
            hex::encode(secret.public().as_bytes()),
            "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c"
        );
        assert_eq!(
            hex::encode(secret.sign(&[0x72]).as_bytes()),
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da\
             085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
        );
    }

    fn hex_32(text: &str) -> [u8; 32] {
        hex::decode(text).unwrap().try_into().unwrap()
    }
}
