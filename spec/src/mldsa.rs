#![doc = include_str!("../text/mldsa.md")]

use core::fmt;
use std::sync::Arc;

use libcrux_ml_dsa::ml_dsa_44 as signing;
use ml_dsa::{EncodedSignature, EncodedVerifyingKey, KeyExport as _, Keypair as _, MlDsa44, Signer as _, SigningKey};
use ml_dsa::{Verifier as _, VerifyingKey};
use zeroize::Zeroize as _;

/// Bytes of a public key (FIPS 204, table 2).
pub const PUBLIC_KEY: usize = 1312;

/// Bytes of a signature (FIPS 204, table 2).
pub const SIGNATURE: usize = 2420;

/// A public key. Clones share what verification computes once from it.
#[derive(Clone)]
pub struct PublicKey(Arc<Expanded>);

struct Expanded {
    bytes: [u8; PUBLIC_KEY],
    key: VerifyingKey<MlDsa44>,
}

impl PublicKey {
    /// Takes a key's bytes: all of them are keys (FIPS 204, algorithm 23).
    pub fn from_bytes(bytes: &[u8; PUBLIC_KEY]) -> Self {
        let key = VerifyingKey::decode(&EncodedVerifyingKey::<MlDsa44>::from(*bytes));
        Self(Arc::new(Expanded { bytes: *bytes, key }))
    }

    /// The key's bytes.
    pub fn as_bytes(&self) -> &[u8; PUBLIC_KEY] {
        &self.0.bytes
    }

    /// Verifies with an empty context (FIPS 204, algorithm 3).
    pub fn verify(&self, message: &[u8], signature: &Signature) -> Result<(), BadSignature> {
        let encoded = EncodedSignature::<MlDsa44>::from(*signature.0);
        let decoded = ml_dsa::Signature::decode(&encoded).ok_or(BadSignature)?;
        self.0.key.verify(message, &decoded).map_err(|_| BadSignature)
    }
}

impl PartialEq for PublicKey {
    fn eq(&self, other: &Self) -> bool {
        self.as_bytes() == other.as_bytes()
    }
}

impl Eq for PublicKey {}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, ..] = *self.as_bytes();
        write!(f, "PublicKey(ML-DSA-44 {}…)", hex::encode([a, b, c, d]))
    }
}

/// A secret key. Its memory is wiped when dropped, and it is never printed.
#[derive(Clone)]
pub struct SecretKey(Arc<Secret>);

struct Secret {
    key: SigningKey<MlDsa44>,
    /// The same key for the library that signs six times as fast.
    signing: signing::MLDSA44SigningKey,
}

impl Drop for Secret {
    fn drop(&mut self) {
        self.signing.as_mut_slice().zeroize();
    }
}

impl SecretKey {
    /// Takes the 32-byte seed ξ of FIPS 204, algorithm 1, which the caller drew from the system's generator.
    pub fn from_seed(seed: [u8; 32]) -> Self {
        let key = SigningKey::from_seed(&seed.into());
        Self(Arc::new(Secret { key, signing: signing::generate_key_pair(seed).signing_key }))
    }

    /// The seed, for the key formats that hold it.
    pub fn seed(&self) -> [u8; 32] {
        self.0.key.to_seed().into()
    }

    /// The public key.
    pub fn public(&self) -> PublicKey {
        PublicKey::from_bytes(&self.0.key.verifying_key().to_bytes().into())
    }

    /// Signs deterministically with an empty context (FIPS 204, algorithm 2 with rnd = 0).
    pub fn sign(&self, message: &[u8]) -> Signature {
        match signing::sign(&self.0.signing, message, b"", [0; 32]) {
            Ok(signature) => Signature(Box::new(*signature.as_ref())),
            // It gives up after so many rejected candidates as no message is expected to meet; the other does not.
            Err(_) => Signature(Box::new(self.0.key.sign(message).encode().into())),
        }
    }
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SecretKey(of {:?})", self.public())
    }
}

/// The bytes of a signature, not yet verified.
#[derive(Clone, PartialEq, Eq)]
pub struct Signature(Box<[u8; SIGNATURE]>);

impl Signature {
    /// Takes the bytes as they are; nothing is proven by it.
    pub fn from_bytes(bytes: &[u8; SIGNATURE]) -> Self {
        Self(Box::new(*bytes))
    }

    /// The bytes.
    pub fn as_bytes(&self) -> &[u8; SIGNATURE] {
        &self.0
    }
}

impl fmt::Debug for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Signature(ML-DSA-44)")
    }
}

/// The signature does not verify under the key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BadSignature;

impl fmt::Display for BadSignature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the ML-DSA-44 signature does not verify")
    }
}

impl core::error::Error for BadSignature {}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_signature_covers_the_message_and_every_bit_of_itself() {
        let secret = SecretKey::from_seed([1; 32]);
        let signature = secret.sign(b"message");
        assert_eq!(secret.public().verify(b"massage", &signature), Err(BadSignature));
        assert_eq!(SecretKey::from_seed([2; 32]).public().verify(b"message", &signature), Err(BadSignature));
        for byte in (0..SIGNATURE).step_by(97) {
            let mut changed = *signature.as_bytes();
            changed[byte] ^= 1;
            let changed = Signature::from_bytes(&changed);
            assert_eq!(secret.public().verify(b"message", &changed), Err(BadSignature), "byte {byte}");
        }
        assert_eq!(secret.public().verify(b"message", &signature), Ok(()));
    }

    #[test]
    fn two_libraries_sign_the_same() {
        for byte in 0..64 {
            let secret = SecretKey::from_seed([byte; 32]);
            let message = vec![byte; usize::from(byte) * 33];
            assert_eq!(secret.sign(&message).as_bytes()[..], secret.0.key.sign(&message).encode()[..]);
            assert_eq!(signing::generate_key_pair([byte; 32]).verification_key.as_ref(), secret.public().as_bytes());
        }
    }

    #[test]
    fn signing_is_deterministic_and_a_key_survives_its_bytes() {
        let secret = SecretKey::from_seed([3; 32]);
        assert_eq!(secret.sign(b"m"), SecretKey::from_seed(secret.seed()).sign(b"m"));
        assert_eq!(PublicKey::from_bytes(secret.public().as_bytes()), secret.public());
        assert!(!format!("{secret:?}").contains("0303"));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(16))]
        #[test]
        fn any_bytes_are_a_key_with_one_encoding_and_no_signature_of_it(bytes in proptest::collection::vec(any::<u8>(), PUBLIC_KEY), fill in any::<u8>()) {
            let bytes: [u8; PUBLIC_KEY] = bytes.try_into().unwrap();
            let key = PublicKey::from_bytes(&bytes);
            let encoded = key.0.key.encode();
            prop_assert_eq!(encoded.as_slice(), &bytes[..]);
            prop_assert!(key.verify(b"m", &Signature::from_bytes(&[fill; SIGNATURE])).is_err());
        }
    }
}
